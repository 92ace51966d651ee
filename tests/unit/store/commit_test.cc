#include <algorithm>

#include "base/limits.h"
#include "phone.h"

namespace gridwhistle::store {
namespace {

using kinds::kAttendance;
using kinds::kGrid;
using kinds::kHousehold;
using kinds::kResident;
using kinds::kResidentCare;
using kinds::kTrackBatch;
using kinds::kVisit;
using kinds::kWhistle;

TEST_CASE("what was committed is there at once, and after opening the file again") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("未见异常"));
  CHECK(id.device() == phone->device());
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "未见异常");
  CHECK(phone.get<v1::Visit>(kVisit, id).id() == id.bytes());
  const DeviceId device = phone->device();
  phone.open();
  CHECK(phone->device() == device);
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "未见异常");
}

TEST_CASE("an operation says what was written, in the order it was written") {
  Phone phone;
  const RecordId first = phone.put(kVisit, visit("一"));
  const RecordId second = phone.put(kWhistle, whistle());
  v1::Visit edit;
  edit.set_notes("二");
  phone.put(kVisit, edit, first);
  const auto records = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(records.size() == 2);
  CHECK(records[0].id == first);
  CHECK(records[0].creates);
  CHECK(records[0].scope == "grid:440811001001001");
  CHECK(records[0].dev_seq == DevSeq(1));
  CHECK(records[1].dev_seq == DevSeq(3));
  CHECK(records[1].lane_seq == LaneSeq(2));
  CHECK(records[1].creates);
  CHECK(records[1].set == edit.SerializeAsString());
  CHECK(records[1].hlc > records[0].hlc);
  CHECK_FALSE(records[1].more);
  const auto whistles = phone->operations(Lane::kWhistles, LaneSeq(0), 1 << 20).value();
  REQUIRE(whistles.size() == 1);
  CHECK(whistles[0].id == second);
}

TEST_CASE("numbers go on where they stopped when the file is opened again") {
  Phone phone;
  const RecordId first = phone.put(kVisit, visit());
  phone.open();
  const RecordId second = phone.put(kVisit, visit());
  CHECK(first != second);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(operations.size() == 2);
  CHECK(operations[1].lane_seq == LaneSeq(2));
  CHECK(operations[1].dev_seq == DevSeq(2));
  CHECK(operations[1].hlc > operations[0].hlc);
}

TEST_CASE("a transaction travels whole in the most urgent lane of its kinds") {
  Phone phone;
  const auto ids = phone->commit({{.kind = kVisit, .set = visit().SerializeAsString()},
                                  {.kind = kWhistle, .set = whistle().SerializeAsString()}});
  REQUIRE(ids);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1).value().empty());
  const auto operations = phone->operations(Lane::kWhistles, LaneSeq(0), 1).value();
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].more);
  CHECK_FALSE(operations[1].more);
}

TEST_CASE("a transaction with one bad change leaves nothing of the others") {
  Phone phone;
  v1::Visit bad = visit();
  bad.clear_grid();
  CHECK_FALSE(phone->commit({{.kind = kVisit, .set = visit().SerializeAsString()},
                             {.kind = kVisit, .set = bad.SerializeAsString()}}));
  CHECK(phone->query(kVisit, {}).value().empty());
  CHECK(phone->sync_state().value().unsent == 0);
  phone.put(kVisit, visit());
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1).value()[0].lane_seq == LaneSeq(1));
}

TEST_CASE("records of one transaction may name each other by ids taken before") {
  Phone phone;
  const RecordId home = phone->new_id().value();
  v1::Resident resident;
  resident.set_household(std::string(home.bytes()));
  resident.set_name("王小明");
  const auto ids =
      phone->commit({{.kind = kHousehold, .id = home, .set = household().SerializeAsString()},
                     {.kind = kResident, .set = resident.SerializeAsString()}});
  REQUIRE(ids);
  CHECK(ids->front() == home);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  CHECK(operations[0].creates);
  CHECK(operations[1].scope.empty());
}

TEST_CASE("an id taken before a restart may be put after it and is never given again") {
  Phone phone;
  const RecordId id = phone->new_id().value();
  phone.open();
  CHECK(phone->new_id().value() != id);
  phone.put(kVisit, visit("草稿"), id);
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "草稿");
}

TEST_CASE("a field that is said again is not written again") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  v1::Visit whole = visit("二");
  phone.put(kVisit, whole, id);
  phone.put(kVisit, whole, id);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(operations.size() == 2);
  v1::Visit written;
  REQUIRE(written.ParseFromString(operations[1].set));
  CHECK(written.notes() == "二");
  CHECK_FALSE(written.has_kind());
  CHECK_FALSE(written.has_grid());
}

TEST_CASE("a group is written whole or not at all") {
  Phone phone;
  v1::Visit placed = visit();
  placed.set_latitude(21.2);
  placed.set_longitude(110.3);
  const RecordId id = phone.put(kVisit, placed);
  placed.set_longitude(110.4);
  phone.put(kVisit, placed, id);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  v1::Visit written;
  REQUIRE(written.ParseFromString(operations[1].set));
  CHECK(written.latitude() == 21.2);
  CHECK(written.longitude() == 110.4);
  CHECK_FALSE(written.has_notes());
}

TEST_CASE("elements of a set are added and removed") {
  Phone phone;
  v1::Whistle message = whistle();
  message.add_tags("路灯");
  message.add_tags("夜间");
  const RecordId id = phone.put(kWhistle, message);
  v1::Whistle added;
  added.add_tags("学校");
  v1::Whistle removed;
  removed.add_tags("夜间");
  REQUIRE(phone->put({.kind = kWhistle,
                      .id = id,
                      .set = added.SerializeAsString(),
                      .remove = removed.SerializeAsString()}));
  const auto now = phone.get<v1::Whistle>(kWhistle, id);
  REQUIRE(now.tags_size() == 2);
  CHECK(std::ranges::count(now.tags(), "路灯") == 1);
  CHECK(std::ranges::count(now.tags(), "学校") == 1);
}

TEST_CASE("a field is emptied when it is named so") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  REQUIRE(phone->put({.kind = kVisit, .id = id, .clear = {v1::Visit::kNotesFieldNumber}}));
  CHECK_FALSE(phone.get<v1::Visit>(kVisit, id).has_notes());
  CHECK(phone->operations(Lane::kRecords, LaneSeq(1), 1).value()[0].clear.size() == 1);
}

TEST_CASE("a change that breaks a field's rule is refused") {
  Phone phone;
  v1::Visit incomplete;
  incomplete.set_notes("无网格");
  CHECK(phone.refused({.kind = kVisit, .set = incomplete.SerializeAsString()}) ==
        ErrorCode::kInvalid);
  v1::Visit wrong = visit();
  wrong.set_grid("not a code");
  CHECK(phone.refused({.kind = kVisit, .set = wrong.SerializeAsString()}) == ErrorCode::kInvalid);
  wrong.set_grid("grid:440811001001001");
  const auto prefixed = phone->put({.kind = kVisit, .set = wrong.SerializeAsString()});
  CHECK(prefixed.error().message == "Visit.grid takes the 15 digits of a grid");
  CHECK(phone.refused({.kind = kVisit, .set = "\x07"}) == ErrorCode::kInvalid);
  CHECK(phone.refused({.kind = KindId(4711), .set = {}}) == ErrorCode::kInvalid);
  const RecordId id = phone.put(kVisit, visit());
  phone.acknowledge(Lane::kRecords, 1);
  v1::Visit moved;
  moved.set_grid(std::string(kOtherGrid));
  CHECK(phone.refused({.kind = kVisit, .id = id, .set = moved.SerializeAsString()}) ==
        ErrorCode::kInvalid);
  CHECK(phone.refused({.kind = kVisit, .id = id, .clear = {v1::Visit::kKindFieldNumber}}) ==
        ErrorCode::kInvalid);
  CHECK(phone.refused({.kind = kVisit, .id = id, .clear = {4711}}) == ErrorCode::kInvalid);
}

TEST_CASE("what the server alone writes is refused") {
  Phone phone;
  v1::Whistle message = whistle();
  message.set_state(v1::WHISTLE_STATE_CLOSED);
  CHECK(phone.refused({.kind = kWhistle, .set = message.SerializeAsString()}) ==
        ErrorCode::kForbidden);
  v1::Grid grid;
  grid.set_code15("440811001001001");
  CHECK(phone.refused({.kind = kinds::kGrid, .set = grid.SerializeAsString()}) ==
        ErrorCode::kForbidden);
}

TEST_CASE("sensitive records are refused by a file that is not encrypted") {
  Phone phone;
  v1::ResidentCare care;
  care.set_resident(std::string(16, 'r'));
  CHECK(phone.refused({.kind = kResidentCare, .set = care.SerializeAsString()}) ==
        ErrorCode::kEncryptionRequired);
  CHECK(phone->save_draft("d", kResidentCare, care.SerializeAsString()).error().code ==
        ErrorCode::kEncryptionRequired);
}

TEST_CASE("a record outside the worker's areas is refused once the areas are known") {
  Phone phone;
  phone.put(kVisit, visit("before", kOtherGrid));
  phone.welcome(phone.welcome_of({"grid:" + std::string(store::kGrid)}));
  phone.put(kVisit, visit());
  CHECK(phone.refused({.kind = kVisit, .set = visit("x", kOtherGrid).SerializeAsString()}) ==
        ErrorCode::kOutOfScope);
  v1::Welcome town = phone.welcome_of({"town:440811001000"});
  phone.welcome(town);
  phone.put(kVisit, visit("y", kOtherGrid));
}

TEST_CASE("a record that is not there can be neither edited nor erased") {
  Phone phone;
  CHECK(phone.refused({.kind = kVisit, .id = kForeignId, .set = visit().SerializeAsString()}) ==
        ErrorCode::kNotFound);
  CHECK(phone->erase(kVisit, kForeignId).error().code == ErrorCode::kNotFound);
  const RecordId id = phone.put(kVisit, visit());
  REQUIRE(phone->erase(kVisit, id));
  CHECK_FALSE(phone.has(kVisit, id));
  CHECK(phone->erase(kVisit, id).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a whistle is made void, never erased, before it was sent as after") {
  Phone phone;
  phone.enrol();
  const RecordId id = phone.put(kWhistle, whistle());
  CHECK(phone->erase(kWhistle, id).error().code == ErrorCode::kForbidden);
  phone.acknowledge(Lane::kWhistles, 5);
  CHECK(phone->erase(kWhistle, id).error().code == ErrorCode::kForbidden);
  CHECK(phone.has(kWhistle, id));
  CHECK(phone->sync_state()->unsent == 0);
}

TEST_CASE("what cannot be is refused on the phone already, by the field's name") {
  Phone phone;
  v1::Visit lost = visit();
  lost.set_latitude(999);
  lost.set_longitude(110);
  const auto how = phone->put({.kind = kVisit, .set = lost.SerializeAsString()});
  REQUIRE_FALSE(how);
  CHECK(how.error().code == ErrorCode::kInvalid);
  CHECK(how.error().message.find("Visit.latitude") != std::string::npos);
  const RecordId id = phone.put(kVisit, visit());
  v1::Visit late;
  late.set_ended_ms(99'999'999'999'999);
  CHECK(phone.refused({.kind = kVisit, .id = id, .set = late.SerializeAsString()}) ==
        ErrorCode::kInvalid);
}

TEST_CASE("a record is made in the worker's own name, and a colleague's keeps the colleague's") {
  Phone phone;
  phone.enrol();
  const std::string other(kForeignId.bytes());
  v1::Visit theirs = visit();
  theirs.set_worker(other);
  CHECK(phone.refused({.kind = kVisit, .set = theirs.SerializeAsString()}) ==
        ErrorCode::kForbidden);
  phone.cut(row_of(kVisit, kForeignId, 5, theirs));
  theirs.set_notes("both were there");
  CHECK(phone->put({.kind = kVisit, .id = kForeignId, .set = theirs.SerializeAsString()}));
}

TEST_CASE("a track is recorded between check-in and check-out of a patrol, or not at all") {
  Phone phone;
  const RecordId patrol = phone.put(kVisit, visit());
  v1::TrackBatch batch;
  batch.set_visit(std::string(patrol.bytes()));
  batch.set_started_ms(1'767'000'001'000);
  batch.add_points()->set_at_ms(1'767'000'001'000);
  phone.put(kTrackBatch, batch);
  v1::TrackBatch early = batch;
  early.mutable_points(0)->set_at_ms(1'766'999'999'999);
  CHECK(phone.refused({.kind = kTrackBatch, .set = early.SerializeAsString()}) ==
        ErrorCode::kNoLocation);
  v1::Visit over;
  over.set_ended_ms(1'767'000'100'000);
  phone.put(kVisit, over, patrol);
  CHECK(phone.refused({.kind = kTrackBatch, .set = batch.SerializeAsString()}) ==
        ErrorCode::kNoLocation);
  v1::Visit call = visit();
  call.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  batch.set_visit(std::string(phone.put(kVisit, call).bytes()));
  CHECK(phone.refused({.kind = kTrackBatch, .set = batch.SerializeAsString()}) ==
        ErrorCode::kNoLocation);
  batch.set_visit(std::string(kForeignId.bytes()));
  CHECK(phone.refused({.kind = kTrackBatch, .set = batch.SerializeAsString()}) ==
        ErrorCode::kNoLocation);
}

TEST_CASE("a patrol whose check-in the clock was set back behind still records its track") {
  Phone phone;
  v1::Visit patrol = visit();
  phone.clock.reading.wall_ms = patrol.started_ms();
  v1::TrackBatch batch;
  batch.set_visit(std::string(phone.put(kVisit, patrol).bytes()));
  phone.clock.reading.wall_ms -= 3'600'000;
  batch.add_points()->set_at_ms(phone.clock.reading.wall_ms);
  phone.put(kTrackBatch, batch);
}

TEST_CASE("a track is of one's own patrol, not of a colleague's that is still open") {
  Phone phone;
  phone.enrol();
  v1::Visit theirs = visit();
  theirs.set_worker(std::string(kForeignId.bytes()));
  phone.cut(row_of(kVisit, kForeignId, 5, theirs));
  v1::TrackBatch batch;
  batch.set_visit(std::string(kForeignId.bytes()));
  batch.add_points()->set_at_ms(1'767'000'001'000);
  CHECK(phone.refused({.kind = kTrackBatch, .set = batch.SerializeAsString()}) ==
        ErrorCode::kNoLocation);
}

TEST_CASE("nothing is attached to personal records") {
  Phone phone;
  v1::Attachment picture;
  picture.set_sha256(std::string(32, 'h'));
  picture.set_size_bytes(1);
  picture.set_media_type("image/jpeg");
  const auto attach = [&](KindId parent_kind, const RecordId& parent) {
    picture.set_parent(std::string(parent.bytes()));
    picture.set_parent_kind(parent_kind.value);
    return phone->put({.kind = kinds::kAttachment, .set = picture.SerializeAsString()});
  };
  CHECK(attach(kVisit, phone.put(kVisit, visit())));
  const auto refused = attach(kHousehold, phone.put(kHousehold, household()));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kForbidden);
  CHECK(refused.error().detail == "Attachment on Household");
  CHECK(attach(kinds::kResidentCare, kForeignId).error().code == ErrorCode::kForbidden);
  // The record itself may not be there yet; a kind that this build does not know says nothing.
  CHECK(attach(kVisit, kForeignId));
  CHECK(attach(KindId(9'999), kForeignId));
}

TEST_CASE("a record is put whole though many writes made a field larger than one may be") {
  Phone phone;
  v1::Visit message = visit();
  const auto add_tags = [&](char first) {
    for (char c = first; c < first + 10; ++c) message.add_tags(std::string(1200, c));
  };
  add_tags('a');
  const RecordId id = phone.put(kVisit, message);
  v1::Visit more;
  for (char c = 'k'; c < 'u'; ++c) more.add_tags(std::string(1200, c));
  phone.put(kVisit, more, id);
  auto whole = phone.get<v1::Visit>(kVisit, id);
  REQUIRE(whole.tags_size() == 20);
  whole.set_notes("改一处");
  phone.put(kVisit, whole, id);
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "改一处");
  const auto last = phone->operations(Lane::kRecords, LaneSeq(2), 1 << 20).value();
  REQUIRE(last.size() == 1);
  v1::Visit news;
  REQUIRE(news.ParseFromString(last[0].set));
  CHECK(news.tags().empty());
  CHECK(news.notes() == "改一处");

  add_tags('u');
  const ErrorCode lone = phone.refused({.kind = kVisit, .set = message.SerializeAsString()});
  CHECK(lone == ErrorCode::kTooLarge);
  whole.set_notes(std::string(17'000, 'x'));
  CHECK(phone.refused({.kind = kVisit, .id = id, .set = whole.SerializeAsString()}) ==
        ErrorCode::kTooLarge);
}

TEST_CASE("a transaction beyond its limits is refused") {
  Phone phone;
  Changes many(limits::kTransactionOperations + 1,
               {.kind = kVisit, .set = visit().SerializeAsString()});
  CHECK(phone->commit(many).error().code == ErrorCode::kTooMany);
  many.pop_back();
  CHECK(phone->commit(many).value().size() == limits::kTransactionOperations);
  const Changes large(100,
                      {.kind = kVisit, .set = visit(std::string(12'000, 'x')).SerializeAsString()});
  CHECK(phone->commit(large).error().code == ErrorCode::kTooLarge);
  CHECK(phone->commit({}).error().code == ErrorCode::kInvalid);
}

TEST_CASE("a clock goes above everything seen, and on with the server's time alone") {
  Phone phone;
  phone.put(kVisit, visit());
  const Hlc before = phone->operations(Lane::kRecords, LaneSeq(0), 1).value()[0].hlc;
  CHECK(before < Hlc(std::uint64_t{1} << 20));
  v1::Welcome welcome = phone.welcome_of({"grid:" + std::string(store::kGrid)});
  phone.welcome(welcome);
  phone.clock.pass(1000);
  phone.put(kVisit, visit());
  const Hlc after = phone->operations(Lane::kRecords, LaneSeq(1), 1).value()[0].hlc;
  CHECK(after.value >> 16 == static_cast<std::uint64_t>(welcome.server_ms() + 1000));
  Row row = row_of(kVisit, kForeignId, 9, visit());
  row.hlc = Hlc(after.value + 1'000'000'000);
  phone.cut(row);
  phone.open();
  phone.put(kVisit, visit());
  CHECK(phone->operations(Lane::kRecords, LaneSeq(2), 1).value()[0].hlc > row.hlc);
}

TEST_CASE("emptying what is empty is no change, and travels with a change of its group only") {
  Phone phone;
  const RecordId id = phone.put(kWhistle, whistle());
  namespace f = fields::whistle;
  REQUIRE(phone->put({.kind = kWhistle, .id = id, .clear = {f::kAddress}}));
  CHECK(phone->sync_state()->lanes[0].last == LaneSeq(1));
  v1::Whistle edit;
  edit.set_title("二");
  REQUIRE(phone->put({.kind = kWhistle,
                      .id = id,
                      .set = edit.SerializeAsString(),
                      .clear = {f::kAddress, f::kAccuracyM}}));
  CHECK(phone->operations(Lane::kWhistles, LaneSeq(1), 1).value()[0].clear.empty());
  v1::Whistle moved;
  moved.set_latitude(21.2);
  moved.set_longitude(110.3);
  REQUIRE(phone->put({.kind = kWhistle,
                      .id = id,
                      .set = moved.SerializeAsString(),
                      .clear = {f::kAddress, f::kAccuracyM}}));
  CHECK(phone->operations(Lane::kWhistles, LaneSeq(2), 1).value()[0].clear ==
        std::vector<std::uint32_t>{f::kAccuracyM});
}

TEST_CASE("an edit that overtakes its record's creation says what a record cannot do without") {
  Phone phone;
  v1::Visit slow = visit("一");
  slow.add_tags("晚到");
  const RecordId id = phone.put(kVisit, slow);
  v1::Visit edit;
  edit.set_notes("二");
  REQUIRE(phone->commit({{.kind = kWhistle, .set = whistle().SerializeAsString()},
                         {.kind = kVisit, .id = id, .set = edit.SerializeAsString()}}));
  const auto fast = phone->operations(Lane::kWhistles, LaneSeq(0), 1 << 20).value();
  REQUIRE(fast.size() == 2);
  CHECK(fast[1].creates);
  v1::Visit said;
  REQUIRE(said.ParseFromString(fast[1].set));
  CHECK(said.grid() == store::kGrid);
  CHECK(said.notes() == "二");
  CHECK(said.tags().empty());
  CHECK_FALSE(said.has_started_ms());

  phone.acknowledge(Lane::kWhistles, 1);
  phone.acknowledge(Lane::kRecords, 3);
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "二");
  CHECK(phone.get<v1::Visit>(kVisit, id).tags_size() == 1);
}

TEST_CASE("an edit behind its record's creation, in whatever lane, says no more than is new") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  v1::Visit edit;
  edit.set_notes("二");
  phone.put(kVisit, edit, id);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(1), 1).value()[0].set ==
        edit.SerializeAsString());
  phone.acknowledge(Lane::kRecords, 1);
  edit.set_notes("三");
  REQUIRE(phone->commit({{.kind = kWhistle, .set = whistle().SerializeAsString()},
                         {.kind = kVisit, .id = id, .set = edit.SerializeAsString()}}));
  CHECK(phone->operations(Lane::kWhistles, LaneSeq(0), 1).value()[1].set ==
        edit.SerializeAsString());
}

TEST_CASE("a scope that no server would read is refused before it is recorded") {
  Phone phone;
  for (const std::string& grid : {std::string("grid:4408 11"), "网格:" + std::string(store::kGrid),
                                  "grid:" + std::string(300, '1')}) {
    INFO(grid);
    CHECK(phone.refused({.kind = kVisit, .set = visit("x", grid).SerializeAsString()}) ==
          ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace gridwhistle::store
