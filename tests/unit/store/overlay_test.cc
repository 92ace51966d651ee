#include "phone.h"

namespace gridwhistle::store {
namespace {

using kinds::kVisit;
using kinds::kWhistle;

v1::Visit noted(std::string_view notes) {
  v1::Visit edit;
  edit.set_notes(std::string(notes));
  return edit;
}

// What became of the phone's first operation in the lane of records, which was parked.
Row decided(Phone& phone, const RecordId& id, v1::OutcomeStatus status, KindId kind = kVisit) {
  v1::Outcome outcome;
  outcome.set_device(phone->device().value);
  outcome.set_lane(static_cast<std::int64_t>(Lane::kRecords));
  outcome.set_lane_seq(1);
  outcome.set_record_kind(kind.value);
  outcome.set_record(std::string(id.bytes()));
  outcome.set_status(status);
  return row_of(kinds::kOutcome, RecordId::make(DeviceId(999), 77), 20, outcome);
}

std::string notes_of(Phone& phone, const RecordId& id) {
  return phone.get<v1::Visit>(kVisit, id).notes();
}

TEST_CASE("an acknowledged creation is seen as before and is no longer unsent") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  CHECK(phone->get(kVisit, id)->info.delivery == Delivery::kUnsent);
  phone.acknowledge(Lane::kRecords, 7);
  CHECK(notes_of(phone, id) == "一");
  CHECK(phone->get(kVisit, id)->info.delivery == Delivery::kDelivered);
  CHECK(phone->get(kVisit, id)->info.last_seq == Seq(7));
  CHECK(phone->sync_state().value().unsent == 0);
}

TEST_CASE("an own acknowledgement does not raise the base an edit is made on") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("别人")));
  phone.put(kVisit, noted("我"), kForeignId);
  phone.acknowledge(Lane::kRecords, 9);
  phone.put(kVisit, noted("我又"), kForeignId);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].base_seq == Seq(5));
  CHECK(operations[1].base_seq == Seq(5));
  CHECK_FALSE(operations[1].creates);
}

TEST_CASE("an edit before the creation's acknowledgement creates too, one after it does not") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.put(kVisit, noted("二"), id);
  phone.acknowledge(Lane::kRecords, 3, OutcomeStatus::kAccepted, 1);
  phone.put(kVisit, noted("三"), id);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  CHECK(operations[1].creates);
  CHECK_FALSE(operations[2].creates);
  CHECK(notes_of(phone, id) == "三");
}

TEST_CASE("a colleague's change shows beneath what is pending, and above when that is refused") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("原来")));
  phone.put(kVisit, noted("我的"), kForeignId);
  v1::Visit theirs = noted("别人的");
  theirs.set_purpose("复查");
  phone.cut(row_of(kVisit, kForeignId, 8, theirs, RowChange::kFields));
  CHECK(notes_of(phone, kForeignId) == "我的");
  CHECK(phone.get<v1::Visit>(kVisit, kForeignId).purpose() == "复查");
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1).value()[0].base_seq == Seq(5));
  phone.acknowledge(Lane::kRecords, 9, OutcomeStatus::kRejected);
  CHECK(notes_of(phone, kForeignId) == "别人的");
  CHECK(phone->get(kVisit, kForeignId)->info.delivery == Delivery::kRefused);
  CHECK(phone->refused().value().size() == 1);
}

TEST_CASE("who writes over an unsent write has seen no more than that write had") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("原来")));
  phone.put(kVisit, noted("我的"), kForeignId);
  v1::Visit theirs = noted("别人的");
  theirs.set_purpose("复查");
  phone.cut(row_of(kVisit, kForeignId, 8, theirs, RowChange::kFields));
  const auto base_of_next = [&] {
    return phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value().back().base_seq;
  };
  SECTION("what came under it stayed out of sight") {
    phone.put(kVisit, noted("我又改"), kForeignId);
    CHECK(base_of_next() == Seq(5));
  }
  SECTION("an erasure has not seen it either") {
    REQUIRE(phone->erase(kVisit, kForeignId));
    CHECK(base_of_next() == Seq(5));
  }
  SECTION("what lies beside it was in sight") {
    v1::Visit purpose;
    purpose.set_purpose("回访");
    phone.put(kVisit, purpose, kForeignId);
    CHECK(base_of_next() == Seq(8));
  }
  SECTION("and so is all of it when the write is refused") {
    phone.acknowledge(Lane::kRecords, 9, OutcomeStatus::kRejected);
    phone.put(kVisit, noted("我又改"), kForeignId);
    CHECK(base_of_next() == Seq(8));
  }
}

TEST_CASE("a refused creation leaves the visible records and stays among the refused") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.acknowledge(Lane::kRecords, 3, OutcomeStatus::kRejected);
  CHECK_FALSE(phone.has(kVisit, id));
  CHECK(phone->query(kVisit, {}).value().empty());
  const auto refused = phone->refused().value();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].operation.id == id);
  CHECK(refused[0].operation.set == visit("一").SerializeAsString());
  CHECK(refused[0].status == OutcomeStatus::kRejected);
}

TEST_CASE("an acknowledgement that comes twice changes nothing") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.put(kVisit, noted("二"), id);
  v1::Acks acks;
  v1::AckRun& run = *acks.add_runs();
  run.set_lane(2);
  run.set_first(1);
  run.set_count(1);
  run.set_first_seq(4);
  run.set_status(1);
  REQUIRE(phone->acknowledge(acks));
  run.set_count(2);
  REQUIRE(phone->acknowledge(acks));
  REQUIRE(phone->acknowledge(acks));
  CHECK(notes_of(phone, id) == "二");
  CHECK(phone->get(kVisit, id)->info.last_seq == Seq(5));
}

TEST_CASE("acknowledgements that leave a gap or were never earned break the protocol") {
  Phone phone;
  phone.put(kVisit, visit());
  phone.put(kVisit, visit());
  v1::Acks acks;
  v1::AckRun& run = *acks.add_runs();
  run.set_lane(2);
  run.set_first(2);
  run.set_count(1);
  CHECK(phone->acknowledge(acks).error().code == ErrorCode::kProtocol);
  run.set_first(1);
  run.set_count(3);
  CHECK(phone->acknowledge(acks).error().code == ErrorCode::kProtocol);
  run.set_lane(4);
  CHECK(phone->acknowledge(acks).error().code == ErrorCode::kProtocol);
  CHECK(phone->sync_state().value().unsent == 2);
}

TEST_CASE("an older own write of another lane never overwrites a newer one") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 1, visit("原来")));
  v1::Visit first = noted("第一");
  first.set_purpose("先写");
  phone.put(kVisit, first, kForeignId);
  REQUIRE(
      phone->commit({{.kind = kVisit, .id = kForeignId, .set = noted("第二").SerializeAsString()},
                     {.kind = kWhistle, .set = whistle().SerializeAsString()}}));
  phone.acknowledge(Lane::kWhistles, 2);
  CHECK(notes_of(phone, kForeignId) == "第二");
  phone.cut(row_of(kVisit, kForeignId, 5, noted("别人"), RowChange::kFields));
  CHECK(notes_of(phone, kForeignId) == "别人");
  phone.backed_up(5);
  phone.acknowledge(Lane::kRecords, 6);
  CHECK(notes_of(phone, kForeignId) == "别人");
  CHECK(phone.get<v1::Visit>(kVisit, kForeignId).purpose() == "先写");
  phone.backed_up(6);
  CHECK(phone->operations(Lane::kWhistles, LaneSeq(0), 1).value().empty());
}

TEST_CASE("a row that left or was erased goes, and what is pending on it stays in sight") {
  for (const RowChange change : {RowChange::kLeft, RowChange::kErased}) {
    Phone phone;
    phone.cut(row_of(kVisit, kForeignId, 5, visit("原来")));
    const RecordId other = RecordId::make(DeviceId(999), 2);
    phone.cut(row_of(kVisit, other, 6, visit("原来")));
    phone.put(kVisit, noted("我的"), kForeignId);
    phone.cut(row_of(kVisit, kForeignId, 8, v1::Visit(), change));
    phone.cut(row_of(kVisit, other, 9, v1::Visit(), change));
    CHECK_FALSE(phone.has(kVisit, other));
    CHECK(notes_of(phone, kForeignId) == "我的");
    CHECK_FALSE(phone.get<v1::Visit>(kVisit, kForeignId).has_grid());
    CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1).value().size() == 1);
    phone.acknowledge(Lane::kRecords, 10, OutcomeStatus::kRevived);
    phone.cut(row_of(kVisit, kForeignId, 10, visit("我的")));
    CHECK(phone.get<v1::Visit>(kVisit, kForeignId).grid() == kGrid);
  }
}

TEST_CASE("what is pending of a record whose rest is gone can be edited and erased") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  RecordId id = kForeignId;
  SECTION("because somebody erased it") {
    phone.cut(row_of(kVisit, id, 5, visit("原来")));
    phone.put(kVisit, noted("我的"), id);
    phone.cut(row_of(kVisit, id, 8, v1::Visit(), RowChange::kErased));
  }
  SECTION("because its creation was refused") {
    id = phone.put(kVisit, visit("原来"));
    phone.put(kVisit, noted("我的"), id);
    phone.acknowledge(Lane::kRecords, 5, OutcomeStatus::kSealed, 1);
  }
  SECTION("because it has not come again since the server was restored") {
    v1::Welcome welcome = phone.welcome_of({"grid:" + std::string(kGrid)});
    const auto start = [&](std::uint64_t epoch, std::uint64_t seq) {
      v1::Epoch& out = *welcome.add_epochs();
      out.set_id(epoch);
      out.set_start_seq(seq);
    };
    start(1, 0);
    phone.welcome(welcome);
    phone.cut(row_of(kVisit, id, 5, visit("原来")));
    phone.put(kVisit, noted("我的"), id);
    phone.acknowledge(Lane::kRecords, 6);
    welcome.clear_epochs();
    start(2, 3);
    start(1, 0);
    phone.welcome(welcome);
    phone.acknowledge(Lane::kRecords, 4);
  }
  REQUIRE(notes_of(phone, id) == "我的");
  const std::size_t before = phone->sync_state()->unsent;
  phone.put(kVisit, noted("再改"), id);
  CHECK(notes_of(phone, id) == "再改");
  CHECK(phone.refused({.kind = kVisit, .id = id, .clear = {v1::Visit::kGridFieldNumber}}) ==
        ErrorCode::kInvalid);
  const auto erased = phone->erase(kVisit, id);
  INFO((erased ? "" : erased.error().message));
  REQUIRE(erased);
  CHECK_FALSE(phone.has(kVisit, id));
  CHECK(phone->sync_state()->unsent == before + 2);
}

TEST_CASE("an erasure hides a record until the server has decided") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("原来")));
  REQUIRE(phone->erase(kVisit, kForeignId));
  CHECK_FALSE(phone.has(kVisit, kForeignId));
  phone.cut(row_of(kVisit, kForeignId, 7, noted("别人"), RowChange::kFields));
  CHECK_FALSE(phone.has(kVisit, kForeignId));
  SECTION("and for good when it is accepted") {
    phone.acknowledge(Lane::kRecords, 8);
    CHECK_FALSE(phone.has(kVisit, kForeignId));
  }
  SECTION("and brings it back whole when somebody had edited it") {
    phone.acknowledge(Lane::kRecords, 8, OutcomeStatus::kRevived);
    CHECK(notes_of(phone, kForeignId) == "别人");
  }
}

TEST_CASE("a parked operation stays in sight") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.acknowledge(Lane::kRecords, 3, OutcomeStatus::kParked);
  CHECK(notes_of(phone, id) == "一");
  CHECK(phone->refused().value().empty());
}

TEST_CASE("a parked record is in sight until it is decided; refused, it can be written again") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.acknowledge(Lane::kRecords, 3, OutcomeStatus::kParked);
  if (GENERATE(false, true)) phone.open();
  const bool edits = GENERATE(false, true);
  v1::Visit edit;
  edit.set_notes("二");
  if (edits) phone.put(kVisit, edit, id);
  const auto status = GENERATE(v1::OUTCOME_STATUS_REJECTED, v1::OUTCOME_STATUS_SEALED,
                               v1::OUTCOME_STATUS_ACCEPTED, v1::OUTCOME_STATUS_BEATEN);
  const bool applied = was_applied(static_cast<OutcomeStatus>(status));
  // What the server has applied it shows to its author like to everybody.
  if (applied) phone.cut(row_of(kVisit, id, 8, visit("一")));
  CHECK(notes_of(phone, id) == (edits ? "二" : "一"));
  phone.cut(decided(phone, id, status));
  CHECK(phone.has(kVisit, id) == (applied || edits));
  CHECK(phone->refused()->size() == (applied ? 0 : 1));
  if (applied || edits) {
    CHECK(phone.get<v1::Visit>(kVisit, id).grid() == (applied ? kGrid : ""));
    return;
  }
  const auto again = phone->restore_refused(Lane::kRecords, LaneSeq(1));
  REQUIRE(again);
  CHECK(notes_of(phone, *again) == "一");
}

TEST_CASE("a parked edit lies above what comes meanwhile, and leaves no trace when it is refused") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("原来")));
  phone.put(kVisit, noted("我改的"), kForeignId);
  phone.acknowledge(Lane::kRecords, 6, OutcomeStatus::kParked);
  const bool overtaken = GENERATE(false, true);
  if (overtaken) phone.cut(row_of(kVisit, kForeignId, 7, noted("别人"), RowChange::kFields));
  phone.backed_up(10);
  phone.open();
  CHECK(notes_of(phone, kForeignId) == "我改的");
  CHECK(phone->sync_state()->unsent == 0);
  const std::string_view meanwhile = overtaken ? "别人" : "原来";
  SECTION("refused") {
    phone.cut(decided(phone, kForeignId, v1::OUTCOME_STATUS_REJECTED));
    CHECK(notes_of(phone, kForeignId) == meanwhile);
    CHECK(phone->refused()->size() == 1);
  }
  SECTION("applied, it is what the feed has brought") {
    const std::string_view now = GENERATE("我改的", "别人又改");
    phone.cut(row_of(kVisit, kForeignId, 8, noted(now), RowChange::kFields));
    CHECK(notes_of(phone, kForeignId) == "我改的");
    phone.cut(decided(phone, kForeignId, v1::OUTCOME_STATUS_BEATEN));
    CHECK(notes_of(phone, kForeignId) == now);
    CHECK(phone->refused()->empty());
    phone.backed_up(11);
    CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->empty());
  }
  SECTION("a later own write is not undone by it, also when the backup has that") {
    v1::Visit kind;
    kind.set_kind(v1::VISIT_KIND_NIGHT);
    phone.put(kVisit, noted("我又改"), kForeignId);
    phone.acknowledge(Lane::kRecords, 8);
    phone.backed_up(12);
    phone.cut(row_of(kVisit, kForeignId, 13, kind, RowChange::kFields));
    CHECK(notes_of(phone, kForeignId) == "我又改");
    phone.cut(decided(phone, kForeignId, v1::OUTCOME_STATUS_REJECTED));
    CHECK(notes_of(phone, kForeignId) == "我又改");
  }
}

TEST_CASE("a parked erasure that is refused in the end shows the record again, with its parts") {
  Phone phone;
  const RecordId resident = RecordId::make(DeviceId(999), 2);
  v1::Resident person;
  person.set_household(std::string(kForeignId.bytes()));
  person.set_name("王小明");
  phone.cut(row_of(kinds::kHousehold, kForeignId, 5, household()));
  phone.cut(row_of(kinds::kResident, resident, 6, person));
  REQUIRE(phone->erase(kinds::kHousehold, kForeignId));
  phone.acknowledge(Lane::kRecords, 7, OutcomeStatus::kParked);
  CHECK_FALSE(phone.has(kinds::kHousehold, kForeignId));
  CHECK_FALSE(phone.has(kinds::kResident, resident));
  phone.cut(decided(phone, kForeignId, v1::OUTCOME_STATUS_REJECTED, kinds::kHousehold));
  CHECK(phone.has(kinds::kHousehold, kForeignId));
  CHECK(phone.has(kinds::kResident, resident));
}

TEST_CASE("an operation is forgotten when the backup has it, and no sooner") {
  Phone phone;
  phone.put(kVisit, visit("一"));
  phone.put(kVisit, visit("二"));
  phone.acknowledge(Lane::kRecords, 10);
  phone.backed_up(10);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value().size() == 1);
  phone.open();
  phone.backed_up(11);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value().empty());
  phone.open();
  phone.put(kVisit, visit("三"));
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].lane_seq == LaneSeq(3));
  CHECK(operations[0].dev_seq == DevSeq(3));
}

TEST_CASE("rows of a kind this build does not know are kept") {
  Phone phone;
  Row row = row_of(KindId(4711), kForeignId, 5, visit("新种类"));
  phone.cut(row);
  phone.open();
  row.change = RowChange::kFields;
  row.last_seq = Seq(6);
  row.set = noted("改").SerializeAsString();
  phone.cut(row);
  v1::Visit kept;
  REQUIRE(kept.ParseFromString(phone->get(KindId(4711), kForeignId)->record));
  CHECK(kept.notes() == "改");
  CHECK(kept.grid() == kGrid);
}

TEST_CASE("sensitive rows are not taken in from anybody, nor what a receipt quotes of them") {
  Phone phone;
  v1::ResidentCare care;
  care.set_notes("x");
  phone.cut(row_of(kinds::kResidentCare, kForeignId, 5, care));
  CHECK_FALSE(phone.has(kinds::kResidentCare, kForeignId));
  v1::Outcome outcome;
  outcome.set_worker("worker:1");
  outcome.set_record_kind(kinds::kResidentCare.value);
  outcome.set_lost_set("secret");
  phone.cut(row_of(kinds::kOutcome, kForeignId, 6, outcome));
  CHECK_FALSE(phone.get<v1::Outcome>(kinds::kOutcome, kForeignId, "test").has_lost_set());
}

}  // namespace
}  // namespace gridwhistle::store
