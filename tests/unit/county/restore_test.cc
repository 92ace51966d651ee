#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

// What a phone does once it has learnt from the epochs that the log ends earlier.
void rewind(Phone& phone, Seq end) {
  phone.cursor.Clear();
  for (auto& [lane, operations] : phone.lanes) {
    for (Operation& operation : operations) {
      operation.base_seq = std::min(operation.base_seq, end);
    }
  }
}

void write_visits(Phone& phone, World& world, int count) {
  for (int i = 0; i < count; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  }
}

}  // namespace

TEST_CASE(
    "a restored server takes nothing from a phone that has seen the lost log, until it knows") {
  World world;
  Phone phone = world.phone(world.anna);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId id = colleague.new_id();
  colleague.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  world.sync(colleague);
  world.sync(phone);
  REQUIRE(world.county->backup(world.file("copy.db"), "test"));
  const bool restarted = GENERATE(false, true);
  if (restarted) world.open();
  v1::Visit edit;
  edit.set_notes("lost with the server");
  colleague.record(kinds::kVisit, id, edit.SerializeAsString(), false, world.clock.ms + 1);
  world.sync(colleague);
  world.sync(phone);
  const Seq seen(phone.cursor.seq());
  world.restore(world.file("copy.db"));
  const Seq end = world.storage->last_seq();
  REQUIRE(seen > end);
  edit.set_notes("written offline");
  phone.record(kinds::kVisit, id, edit.SerializeAsString(), false, world.clock.ms + 2, seen);

  const auto first = world.sync(phone);
  CHECK(first->refused() == ErrorCode::kBusy);
  CHECK(first->runs().empty());
  REQUIRE(first->all<v1::Welcome>().size() == 1);

  rewind(phone, end);
  const auto second = world.sync(phone);
  CHECK(second->refused() == ErrorCode{});
  REQUIRE(second->runs().size() == 1);
  CHECK(second->runs().front().status() == static_cast<std::uint32_t>(OutcomeStatus::kAccepted));
}

TEST_CASE(
    "a phone that was away for many starts of the server learns where the one it knew ended") {
  World world;
  Phone phone = world.phone(world.anna);
  write_visits(phone, world, 1);
  world.sync(phone);
  const std::uint64_t known = phone.epochs.front();
  std::vector<std::uint64_t> starts = {known};
  for (int i = 0; i < 20; ++i) {
    world.open();
    Phone other = world.phone(world.bruno);
    world.sync(other);
    starts.push_back(other.epochs.front());
  }
  const auto inbox = world.sync(phone);
  CHECK(inbox->refused() == ErrorCode{});
  REQUIRE(phone.epochs.size() == 16);
  CHECK(phone.epochs.front() == starts.back());
  CHECK(phone.epochs[14] == starts[1]);
  CHECK(phone.epochs[15] == known);
}

TEST_CASE("a phone that knows no start of a restored server learns what it has of each lane") {
  World world;
  Phone phone = world.phone(world.anna);
  write_visits(phone, world, 3);
  world.sync(phone);
  REQUIRE(world.county->backup(world.file("copy.db"), "test"));
  for (int i = 0; i < 17; ++i) world.open();
  write_visits(phone, world, 2);
  world.sync(phone);
  CHECK(world.sync(phone)->all<v1::Welcome>().front().lanes().empty());
  const std::vector<std::uint64_t> known = phone.epochs;
  world.restore(world.file("copy.db"));
  const auto inbox = world.sync(phone);
  CHECK(inbox->refused() == ErrorCode::kBusy);
  REQUIRE(inbox->all<v1::Welcome>().size() == 1);
  const v1::Welcome welcome = inbox->all<v1::Welcome>().front();
  for (const v1::Epoch& epoch : welcome.epochs()) {
    CHECK(std::ranges::find(known, epoch.id()) == known.end());
  }
  REQUIRE(welcome.lanes_size() == 3);
  CHECK(welcome.lanes(1).lane() == static_cast<std::uint32_t>(Lane::kRecords));
  CHECK(welcome.lanes(1).last() == 3);

  for (std::size_t i = 3; i < 5; ++i) phone.lanes[Lane::kRecords][i].base_seq = Seq();
  phone.cursor.Clear();
  phone.noted[Lane::kRecords] = 3;
  CHECK(world.sync(phone)->runs().front().count() == 2);
  CHECK(*world.storage->count(kinds::kVisit) == 5);
}

TEST_CASE("what neither a restored server nor the phone has any more does not stop its lane") {
  World world;
  Phone phone = world.phone(world.anna);
  write_visits(phone, world, 4);
  world.sync(phone);
  REQUIRE(world.county->backup(world.file("copy.db"), "test"));
  write_visits(phone, world, 6);
  world.sync(phone);
  // A later backup held the first eight, so the phone forgot them; that backup is lost too.
  phone.first[Lane::kRecords] = 9;
  world.restore(world.file("copy.db"));
  CHECK(world.sync(phone)->refused() == ErrorCode::kBusy);

  rewind(phone, world.storage->last_seq());
  phone.noted[Lane::kRecords] = 8;
  const auto inbox = world.sync(phone);
  CHECK(inbox->refused() == ErrorCode{});
  REQUIRE(inbox->runs().size() == 1);
  CHECK(inbox->runs().front().first() == 9);
  CHECK(inbox->runs().front().count() == 2);
  CHECK(*world.storage->count(kinds::kVisit) == 6);
}

TEST_CASE("a phone that a restored county does not know enrols again under its old letters") {
  World world;
  REQUIRE(world.county->backup(world.file("copy.db"), "test"));
  Phone lost{.device = DeviceId(77), .key = *P256Key::make()};
  const auto letters = [&](Phone& phone) {
    const auto reply = world.enrol(phone, world.county->create_code(world.anna, "test")->code);
    REQUIRE(reply.code() == 0);
    return reply.short_code();
  };
  const std::string before = letters(lost);
  write_visits(lost, world, 2);
  world.sync(lost);
  world.restore(world.file("copy.db"));
  Phone fresh{.device = DeviceId(78), .key = *P256Key::make()};
  CHECK(letters(fresh) != before);
  CHECK(world.sync(lost)->refused() == ErrorCode::kNotEnrolled);
  CHECK(letters(lost) == before);
  CHECK(world.sync(lost)->refused() == ErrorCode::kBusy);  // it hears what was lost
  lost.noted.clear();
  rewind(lost, world.storage->last_seq());
  CHECK(world.sync(lost)->runs().size() == 1);
  CHECK(*world.storage->count(kinds::kVisit) == 2);
}

TEST_CASE("letters that another device has already are not given again") {
  World world;
  DeviceRow other{.device = DeviceId(1), .worker = world.anna};
  {
    World same;
    Phone phone{.device = DeviceId(77), .key = *P256Key::make()};
    other.short_code =
        same.enrol(phone, same.county->create_code(same.anna, "test")->code).short_code();
  }
  REQUIRE(world.storage->begin());
  REQUIRE(world.storage->put_device(other));
  REQUIRE(world.storage->commit());
  Phone phone{.device = DeviceId(77), .key = *P256Key::make()};
  const auto reply = world.enrol(phone, world.county->create_code(world.anna, "test")->code);
  REQUIRE(reply.code() == 0);
  CHECK(reply.short_code().size() == 4);
  CHECK(reply.short_code() != other.short_code);
  CHECK(world.storage->device(DeviceId(1))->has_value());
}
