#include "apply/succession.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "county_world.h"

// Two phones that are copies of one file, or a phone whose file was put back: design.md "Phone
// cloned or restored".
namespace gridwhistle {
namespace {

using namespace test;

RecordId record_visit(World& world, Phone& phone, const std::string& notes) {
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, visit(kGrid1, notes), true, world.clock.ms);
  return id;
}

/// What a copy asks for that goes on as `successor`.
v1::EnrolRequest succession_of(const Phone& copy, const Phone& successor, RecordId worker) {
  v1::EnrolRequest request;
  request.set_public_key(*successor.key.public_key());
  request.set_device(successor.device.value);
  request.set_worker(std::string(worker.bytes()));
  request.set_predecessor(copy.device.value);
  request.set_dev_seq(copy.dev_seq);
  for (const Lane lane : kLanes) {
    v1::UnsettledLane& asked = *request.add_unsettled();
    asked.set_lane(static_cast<std::uint32_t>(lane));
    const auto noted = copy.noted.find(lane);
    asked.set_noted(noted != copy.noted.end() ? noted->second : 0);
    const auto recorded = copy.lanes.find(lane);
    if (recorded == copy.lanes.end()) continue;
    for (std::size_t i = asked.noted(); i < recorded->second.size(); ++i) {
      asked.mutable_hashes()->append(hash_of(recorded->second[i]), 0, limits::kUnsettledHashBytes);
      asked.add_dev_seqs(recorded->second[i].dev_seq.value);
    }
  }
  request.set_predecessor_signature(*copy.key.sign(succession_to_sign(request, kServerKey)));
  request.set_signature(*successor.key.sign(enrol_to_sign(request, kServerKey)));
  return request;
}

v1::EnrolReply ask(World& world, const v1::EnrolRequest& request) {
  v1::EnrolReply reply;
  REQUIRE(reply.ParseFromString(world.county->enrol(request.SerializeAsString())));
  return reply;
}

/// A copy that goes on under a number of its own, with what it alone has recorded.
Phone succeed(World& world, Phone& copy, RecordId worker, std::uint64_t number,
              P256Key key = *P256Key::make()) {
  Phone successor{.device = DeviceId(number), .key = std::move(key)};
  const v1::EnrolReply reply = ask(world, succession_of(copy, successor, worker));
  INFO(reply.message());
  REQUIRE(reply.code() == 0);
  successor.short_code = reply.short_code();
  successor.dev_seq = copy.dev_seq;
  successor.counter = copy.counter;
  successor.lanes = copy.lanes;
  successor.noted = copy.noted;
  successor.cursor = copy.cursor;
  for (const v1::AckRun& run : reply.runs()) {
    successor.noted[static_cast<Lane>(run.lane())] += run.count();
  }
  for (auto& [lane, operations] : successor.lanes) {
    for (std::size_t i = successor.noted[lane]; i < operations.size(); ++i) {
      if (operations[i].creates) {
        operations[i].id = RecordId::make(successor.device, operations[i].id.counter());
      }
    }
  }
  return successor;
}

std::multiset<std::string> notes_of_visits(World& world) {
  std::multiset<std::string> notes;
  REQUIRE(world.storage->scan(kinds::kVisit, [&](RecordId, StoredRecord record) -> Result<void> {
    v1::Visit seen;
    REQUIRE(seen.ParseFromString(record.state.body));
    if (!record.state.erased) notes.insert(seen.notes());
    return {};
  }));
  return notes;
}

}  // namespace

TEST_CASE("of two copies of a phone's file all work arrives, and what they share arrives once") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "sent before the copy");
  world.sync(phone);
  record_visit(world, phone, "shared, not sent");
  Phone copy = phone;
  record_visit(world, phone, "on the phone");
  world.sync(phone);
  SECTION("the acknowledgement was noted") { world.sync(phone); }
  SECTION("or not yet") {}
  record_visit(world, copy, "on the copy");
  record_visit(world, copy, "on the copy, too");
  CHECK(world.sync(copy)->refused() == ErrorCode::kForked);

  Phone successor = succeed(world, copy, world.anna, 77);
  CHECK(successor.noted[Lane::kRecords] == 2);
  CHECK(successor.short_code != phone.short_code);
  CHECK(world.sync(successor)->refused() == ErrorCode{});
  world.sync(phone);
  CHECK(notes_of_visits(world) == std::multiset<std::string>{"sent before the copy",
                                                             "shared, not sent", "on the phone",
                                                             "on the copy", "on the copy, too"});
  // The operator sees which is a copy of which.
  const auto devices = world.county->devices();
  REQUIRE(devices);
  REQUIRE(devices->size() == 2);
  const auto listed = std::ranges::find(*devices, successor.device, &DeviceInfo::device);
  REQUIRE(listed != devices->end());
  CHECK(listed->predecessor == phone.device);
  CHECK(listed->worker == world.anna);
}

TEST_CASE("of a copy nothing is taken under the shared number, whichever lane it sends first") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId shared = record_visit(world, phone, "shared, not sent");
  Phone copy = phone;
  record_visit(world, phone, "on the phone");
  world.sync(phone);
  copy.calls = phone.calls;
  const RecordId whistle_id = copy.new_id();
  v1::Whistle said;
  said.set_grid(kGrid1);
  said.set_title("on the copy");
  copy.record(kinds::kWhistle, whistle_id, said.SerializeAsString(), true, world.clock.ms);
  record_visit(world, copy, "on the copy");
  CHECK(world.sync(copy)->refused() == ErrorCode::kForked);
  CHECK_FALSE(world.county->get(kinds::kWhistle, whistle_id)->has_value());

  Phone successor = succeed(world, copy, world.anna, 77);
  CHECK(successor.noted[Lane::kRecords] == 1);
  CHECK(world.sync(successor)->refused() == ErrorCode{});
  CHECK(world.county->get(kinds::kWhistle, successor.lanes[Lane::kWhistles][0].id)->has_value());
  CHECK(world.county->get(kinds::kVisit, shared)->has_value());
}

TEST_CASE("who sends again what was never acknowledged has everything taken in one call") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "its acknowledgement is lost");
  world.sync(phone);
  phone.noted.clear();
  std::uint64_t later = 0;
  SECTION("little of another lane before it") { later = 1; }
  SECTION("more of another lane than is held back") { later = 400; }
  for (std::uint64_t i = 0; i < later; ++i) {
    v1::Whistle said;
    said.set_grid(kGrid1);
    std::string title;
    while (title.size() < 300) title += static_cast<char>('a' + world.random.next() % 26);
    said.set_title(title);
    phone.record(kinds::kWhistle, phone.new_id(), said.SerializeAsString(), true, world.clock.ms);
  }
  record_visit(world, phone, "new");
  const auto inbox = world.sync(phone);
  CHECK(inbox->refused() == ErrorCode{});
  CHECK(answers(*inbox) == std::vector(later + 2, OutcomeStatus::kAccepted));
  CHECK(notes_of_visits(world).size() == 2);
}

// The one that confirms what stands before it was taken first, and its phone could never go on.
TEST_CASE("what is offered again in several frames is taken and answered in its order") {
  World world;
  Phone phone = world.phone(world.anna);
  for (int i = 0; i < 5; ++i) record_visit(world, phone, std::to_string(i));
  world.sync(phone);
  phone.noted.clear();
  v1::Whistle said;
  said.set_grid(kGrid1);
  phone.record(kinds::kWhistle, phone.new_id(), said.SerializeAsString(), true, world.clock.ms);
  record_visit(world, phone, "new");
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, phone.hello(world.clock));
  for (const Lane lane : {Lane::kWhistles, Lane::kRecords}) {
    const std::span<const Operation> operations(phone.lanes[lane]);
    for (std::size_t at = 0; at < operations.size(); at += 2) {
      std::size_t taken = 0;
      const std::size_t count = std::min<std::size_t>(2, operations.size() - at);
      const auto some = operations.subspan(at, count);
      world.county->on_frame(call, encode_operations(phone.device, some, taken));
      REQUIRE(taken == some.size());
    }
  }
  world.pump();
  CHECK(inbox.refused() == ErrorCode{});
  std::map<std::uint32_t, std::uint64_t> upto;
  for (const v1::AckRun& run : inbox.runs()) {
    CHECK(run.first() == upto[run.lane()] + 1);
    upto[run.lane()] += run.count();
  }
  CHECK(upto[static_cast<std::uint32_t>(Lane::kRecords)] == 6);
  CHECK(upto[static_cast<std::uint32_t>(Lane::kWhistles)] == 1);
}

TEST_CASE("what a copy holds of its predecessor's writes leaves it when it is erased") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "before the copy");
  world.sync(phone);
  const RecordId shared = record_visit(world, phone, "shared, not sent");
  Phone copy = phone;
  world.sync(phone);
  Operation& op = phone.record(kinds::kVisit, shared, "", false, world.clock.ms);
  op.type = OperationType::kErase;
  op.set.clear();
  world.sync(phone);
  Phone successor = succeed(world, copy, world.anna, 77);
  SECTION("by a copy") {}
  SECTION("by a copy's copy") { successor = succeed(world, successor, world.anna, 78); }
  const auto rows = world.sync(successor)->rows_of(kinds::kVisit);
  const auto row = std::ranges::find(rows, shared, &Row::id);
  REQUIRE(row != rows.end());
  CHECK(row->change == RowChange::kErased);
}

TEST_CASE("what a copy erases of its predecessor's writes leaves the predecessor") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "before the copy");
  world.sync(phone);
  const RecordId shared = record_visit(world, phone, "shared, acknowledged, and not read down");
  Phone copy = phone;
  const v1::Cursor before = phone.cursor;
  world.sync(phone);
  phone.cursor = before;  // the line broke behind the acknowledgement
  Phone successor = succeed(world, copy, world.anna, 77);
  Operation& op = successor.record(kinds::kVisit, shared, "", false, world.clock.ms);
  op.type = OperationType::kErase;
  op.set.clear();
  CHECK(world.sync(successor)->refused() == ErrorCode{});
  const auto rows = world.sync(phone)->rows_of(kinds::kVisit);
  const auto row = std::ranges::find(rows, shared, &Row::id);
  REQUIRE(row != rows.end());
  CHECK(row->change == RowChange::kErased);
}

TEST_CASE("a phone put back to an older state goes on, though it has nothing new") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "before");
  Phone put_back = phone;
  world.sync(phone);
  record_visit(world, phone, "after");
  world.sync(phone);
  world.sync(phone);
  put_back.calls = phone.calls;
  CHECK(world.sync(put_back)->refused() == ErrorCode::kForked);
  Phone successor = succeed(world, put_back, world.anna, 77);
  CHECK(successor.noted[Lane::kRecords] == 1);
  CHECK(world.sync(successor)->refused() == ErrorCode{});
  CHECK(notes_of_visits(world).size() == 2);
}

TEST_CASE("what its predecessor wrote before the copy is a successor's own") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = record_visit(world, phone, "before the copy");
  world.sync(phone);
  Phone copy = phone;
  record_visit(world, phone, "on the phone");
  world.sync(phone);
  world.sync(phone);
  SECTION("so its erasure erases") {
    Operation& op = copy.record(kinds::kVisit, id, "", false, world.clock.ms);
    op.type = OperationType::kErase;
    op.set.clear();
    Phone successor = succeed(world, copy, world.anna, 77);
    CHECK(answers(*world.sync(successor)) == std::vector{OutcomeStatus::kAccepted});
    CHECK(notes_of_visits(world) == std::multiset<std::string>{"on the phone"});
  }
  SECTION("but not what it wrote after") {
    v1::Visit anew;
    anew.set_notes("anew on the phone");
    phone.record(kinds::kVisit, id, anew.SerializeAsString(), false, world.clock.ms);
    world.sync(phone);
    Operation& op = copy.record(kinds::kVisit, id, "", false, world.clock.ms);
    op.type = OperationType::kErase;
    op.set.clear();
    Phone successor = succeed(world, copy, world.anna, 77);
    CHECK(answers(*world.sync(successor)) == std::vector{OutcomeStatus::kRevived});
  }
}

TEST_CASE("what two copies bring to a restored server, each under its number, stands once") {
  World world;
  Phone phone = world.phone(world.anna);
  const std::string backup = world.file() + ".backup";
  REQUIRE(world.county->backup(backup, "test"));
  v1::Visit made;
  REQUIRE(made.ParseFromString(visit(kGrid1, "made")));
  made.add_tags("a tag");
  made.add_answers()->set_text("made");
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, made.SerializeAsString(), true, world.clock.ms);
  v1::Visit added;
  added.add_answers()->set_text("added");
  phone.record(kinds::kVisit, id, added.SerializeAsString(), true, world.clock.ms);
  world.sync(phone);
  world.sync(phone);
  Phone copy = phone;
  const P256Key key = *P256Key::make();
  Phone successor = succeed(world, copy, world.anna, 77, key);
  world.sync(successor);
  world.restore(backup);
  successor = succeed(world, copy, world.anna, 77, key);
  for (Phone* each : {&successor, &phone}) {
    each->noted.clear();
    each->cursor.Clear();
  }
  std::vector<Phone*> order{&successor, &phone};
  SECTION("the one with a number of its own first") {}
  SECTION("the other first") { std::swap(order[0], order[1]); }
  const Inbox first = *world.sync(*order[0]);
  CHECK(first.refused() == ErrorCode{});
  CHECK(answers(first) == std::vector(2, OutcomeStatus::kAccepted));
  // The second of them edits what it does not know to have arrived.
  Phone& second = *order[1];
  v1::Visit edit;
  edit.set_notes("edited");
  second.record(kinds::kVisit, id, edit.SerializeAsString(), true, world.clock.ms);
  Operation& removal = second.record(kinds::kVisit, id, "", true, world.clock.ms);
  append_text(removal.remove, v1::Visit::kTagsFieldNumber, "a tag");
  const Inbox then = *world.sync(second);
  CHECK(then.refused() == ErrorCode{});
  CHECK(answers(then) == std::vector(4, OutcomeStatus::kAccepted));
  const auto row = world.storage->record({kinds::kVisit, id});
  REQUIRE((row && *row));
  v1::Visit stands;
  REQUIRE(stands.ParseFromString((**row).state.body));
  CHECK(stands.notes() == "edited");
  CHECK(stands.tags_size() == 0);
  CHECK(stands.answers_size() == 2);
}

TEST_CASE("a lost answer to a successor is given again") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "shared, not sent");
  Phone copy = phone;
  world.sync(phone);
  const Phone successor{.device = DeviceId(77), .key = *P256Key::make()};
  const v1::EnrolRequest request = succession_of(copy, successor, world.anna);
  const v1::EnrolReply first = ask(world, request);
  const v1::EnrolReply again = ask(world, request);
  CHECK(first.SerializeAsString() == again.SerializeAsString());
  CHECK(first.code() == 0);
  CHECK(world.county->devices()->size() == 2);
}

TEST_CASE("a copy made while its file asked for a number gets it too, and is told that it forked") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "shared, not sent");
  Phone asking = phone;
  world.sync(phone);
  Phone copy_of_it = asking;
  const P256Key key = *P256Key::make();
  record_visit(world, asking, "on the one that asked");
  Phone first = succeed(world, asking, world.anna, 77, key);
  bool has_synced = true;
  SECTION("after the other has gone on") { world.sync(first); }
  SECTION("before") { has_synced = false; }
  record_visit(world, copy_of_it, "on its copy");
  record_visit(world, copy_of_it, "on its copy, too");
  Phone second = succeed(world, copy_of_it, world.anna, 77, key);
  CHECK(second.short_code == first.short_code);
  if (!has_synced) world.sync(first);
  CHECK(world.sync(second)->refused() == ErrorCode::kForked);
  Phone third = succeed(world, second, world.anna, 78);
  CHECK(world.sync(third)->refused() == ErrorCode{});
  CHECK(notes_of_visits(world) == std::multiset<std::string>{"shared, not sent",
                                                             "on the one that asked", "on its copy",
                                                             "on its copy, too"});
}

TEST_CASE("of two copies that take one number the one that had heard more is not stuck behind it") {
  World world;
  Phone phone = world.phone(world.anna);
  record_visit(world, phone, "shared, not sent");
  Phone early = phone;
  world.sync(phone);
  record_visit(world, phone, "sent by the first");
  world.sync(phone);
  const P256Key key = *P256Key::make();
  Phone first = succeed(world, early, world.anna, 77, key);
  world.sync(first);
  Phone second = succeed(world, phone, world.anna, 77, key);
  // Its file hears that the server has less under that number than it has noted, though it knows
  // this log already; and takes another.
  second.calls = first.calls + 1'000;
  for (int call = 0; call < 2; ++call) {
    const auto answer = world.sync(second);
    CHECK(answer->refused() == ErrorCode::kBusy);
    REQUIRE_FALSE(answer->all<v1::Welcome>().empty());
    const v1::Welcome welcome = answer->all<v1::Welcome>().front();
    CHECK_FALSE(welcome.as_before());
    CHECK(std::ranges::any_of(welcome.lanes(), [&](const v1::LaneState& has) {
      return has.lane() == static_cast<std::uint32_t>(Lane::kRecords) &&
             has.last() < second.noted[Lane::kRecords];
    }));
    second.grants_version = welcome.grants_version();
  }
  Phone third = succeed(world, second, world.anna, 78);
  record_visit(world, third, "after that");
  CHECK(world.sync(third)->refused() == ErrorCode{});
  CHECK(notes_of_visits(world) ==
        std::multiset<std::string>{"shared, not sent", "sent by the first", "after that"});
}

TEST_CASE("who asks for a number again is not stuck, whatever its original has sent since") {
  World world;
  Phone phone = world.phone(world.anna);
  for (const char* note : {"shared 1", "shared 2", "shared 3"}) record_visit(world, phone, note);
  Phone original = phone;
  original.lanes[Lane::kRecords].resize(2);
  Phone copy = phone;
  record_visit(world, copy, "on the copy");
  world.sync(original);
  const P256Key key = *P256Key::make();
  Phone lost = succeed(world, copy, world.anna, 77, key);
  CHECK(lost.noted[Lane::kRecords] == 2);
  bool has_called = false;
  SECTION("its answer was lost") {}
  SECTION("a copy of it has called under that number, and brought nothing") {
    has_called = true;
    lost.lanes[Lane::kRecords].resize(2);
    world.sync(lost);
  }
  phone.calls = original.calls;
  CHECK(world.sync(phone)->refused() == ErrorCode{});  // brings the third
  Phone again = succeed(world, copy, world.anna, 77, key);
  again.calls = lost.calls;
  CHECK(world.sync(again)->refused() == ErrorCode{});
  const auto notes = notes_of_visits(world);
  CHECK(notes.count("on the copy") == 1);
  CHECK(notes.count("shared 3") == (has_called ? 2 : 1));
}

TEST_CASE("a successor needs its predecessor's key, number and worker, and a new number") {
  World world;
  Phone phone = world.phone(world.anna);
  const Phone other = world.phone(world.bruno);
  Phone successor{.device = DeviceId(77), .key = *P256Key::make()};
  const auto refused = [&](const v1::EnrolRequest& request) {
    return static_cast<ErrorCode>(ask(world, request).code());
  };
  Phone thief = phone;
  thief.key = *P256Key::make();
  CHECK(refused(succession_of(thief, successor, world.anna)) == ErrorCode::kBadSignature);
  v1::EnrolRequest forged = succession_of(phone, successor, world.anna);
  forged.set_dev_seq(1'000);
  CHECK(refused(forged) == ErrorCode::kBadSignature);
  CHECK(refused(succession_of(phone, successor, world.bruno)) == ErrorCode::kConflict);
  Phone stranger{.device = DeviceId(5), .key = *P256Key::make()};
  CHECK(refused(succession_of(stranger, successor, world.anna)) == ErrorCode::kNotEnrolled);
  successor.device = other.device;
  CHECK(refused(succession_of(phone, successor, world.anna)) == ErrorCode::kAlreadyExists);
  successor.device = DeviceId(77);
  v1::EnrolRequest torn = succession_of(phone, successor, world.anna);
  torn.mutable_unsettled(0)->set_hashes("abc");
  torn.set_predecessor_signature(*phone.key.sign(succession_to_sign(torn, kServerKey)));
  torn.set_signature(*successor.key.sign(enrol_to_sign(torn, kServerKey)));
  CHECK(refused(torn) == ErrorCode::kInvalid);
  REQUIRE(world.county->revoke(phone.device, DeviceState::kLost, "test"));
  CHECK(refused(succession_of(phone, successor, world.anna)) == ErrorCode::kDeviceLost);
  CHECK(world.county->devices()->size() == 2);
}

TEST_CASE("a file that forks without end is stopped for the day") {
  World world;
  Phone phone = world.phone(world.anna);
  for (std::size_t i = 0; i < kSuccessorsADay; ++i) succeed(world, phone, world.anna, 100 + i);
  const Phone next{.device = DeviceId(99), .key = *P256Key::make()};
  const auto ask_now = [&] {
    return static_cast<ErrorCode>(ask(world, succession_of(phone, next, world.anna)).code());
  };
  CHECK(ask_now() == ErrorCode::kTooMany);
  world.clock.ms += kDayMs;
  CHECK(ask_now() == ErrorCode{});
}

TEST_CASE("the hashes of old operations are folded, those a copy may still offer stay") {
  World world;
  Phone phone = world.phone(world.anna);
  const std::size_t more = limits::kUnsettledOperations + 4'200;
  for (std::size_t i = 0; i < more; ++i) record_visit(world, phone, "one of many");
  world.sync(phone);
  Phone copy = phone;
  world.sync(phone);
  const LaneSeq last(more);
  const auto kept = world.storage->chunks(phone.device, Lane::kRecords, LaneSeq(), last);
  REQUIRE(kept);
  std::size_t hashes = 0;
  for (const LaneChunk& chunk : *kept) hashes += chunk.size();
  CHECK(hashes >= limits::kUnsettledOperations);
  CHECK(kept->front().first > LaneSeq(1));
  CHECK(world.county->verify()->faults.empty());
}

}  // namespace gridwhistle
