#include <algorithm>

#include "county_world.h"

// What users of other systems have suffered from; docs/testing.md has the list with its sources.
namespace gridwhistle {
namespace {

using namespace test;

std::string household(const std::string& grid) {
  v1::Household message;
  message.set_grid(grid);
  message.set_address("8 Sea Road");
  return message.SerializeAsString();
}

std::string resident_of(RecordId home) {
  v1::Resident message;
  message.set_household(std::string(home.bytes()));
  message.set_name("张示例");
  return message.SerializeAsString();
}

std::size_t with(const Inbox& inbox, KindId kind, RowChange change) {
  const std::vector<Row> rows = inbox.rows_of(kind);
  return static_cast<std::size_t>(std::ranges::count(rows, change, &Row::change));
}

}  // namespace

TEST_CASE("a household that is reassigned is whole in one grid, and counted in no other") {
  World world;
  v1::Worker both;
  both.set_code("W8");
  for (const std::string& grid : {kGrid1, kGrid2}) {
    v1::WorkerRole& role = *both.add_roles();
    role.set_role(static_cast<v1::Role>(Role::kGridWorker));
    role.set_scope(grid);
  }
  Phone mover = world.phone(world.import(both));
  Phone anna = world.phone(world.anna);
  Phone bruno = world.phone(world.bruno);
  const RecordId home = mover.new_id();
  const RecordId person = mover.new_id();
  mover.record(kinds::kHousehold, home, household(kGrid1), true, world.clock.ms);
  mover.record(kinds::kResident, person, resident_of(home), true, world.clock.ms);
  world.sync(mover);
  CHECK(with(*world.sync(anna), kinds::kResident, RowChange::kWhole) == 1);
  world.sync(bruno);

  v1::Household moved;
  moved.set_grid(kGrid2);
  mover.record(kinds::kHousehold, home, moved.SerializeAsString(), false, ++world.clock.ms,
               world.storage->last_seq());
  CHECK(answers(*world.sync(mover)) == std::vector{OutcomeStatus::kAccepted});
  const auto left = world.sync(anna);
  CHECK(with(*left, kinds::kHousehold, RowChange::kLeft) == 1);
  CHECK(with(*left, kinds::kResident, RowChange::kLeft) == 1);
  const auto came = world.sync(bruno);
  CHECK(with(*came, kinds::kHousehold, RowChange::kWhole) == 1);
  CHECK(with(*came, kinds::kResident, RowChange::kWhole) == 1);
  // Whoever comes later finds it there once, and not here.
  Phone late_here = world.phone(world.worker("W6", Role::kGridWorker, kGrid1));
  Phone late_there = world.phone(world.worker("W7", Role::kGridWorker, kGrid2));
  CHECK(world.sync(late_here)->rows_of(kinds::kHousehold).empty());
  CHECK(world.sync(late_there)->rows_of(kinds::kResident).size() == 1);
  // What was to be written to it here meanwhile is not lost: it is under the eyes of a reviewer.
  v1::Household late;
  late.set_address("9 Sea Road");
  anna.record(kinds::kHousehold, home, late.SerializeAsString(), false, ++world.clock.ms);
  CHECK(answers(*world.sync(anna)).back() == OutcomeStatus::kSealed);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a report that was processed and is pushed again is not processed again") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  const auto first = world.sync(phone, false);
  REQUIRE(answers(*first) == std::vector{OutcomeStatus::kAccepted});
  const Seq processed = world.storage->last_seq();
  const std::uint64_t assigned = *world.storage->count(kinds::kAssignment);
  for (int push = 0; push < 3; ++push) {
    const auto again = world.sync(phone, false);
    CHECK(again->runs().front().first_seq() == first->runs().front().first_seq());
  }
  // Nor by a phone that had forgotten that it was told.
  world.sync(phone);
  Phone forgetful = phone;
  world.sync(phone);
  forgetful.noted.clear();
  CHECK(world.sync(forgetful)->refused() == ErrorCode::kForked);
  CHECK(world.storage->last_seq() == processed);
  CHECK(*world.storage->count(kinds::kWhistle) == 1);
  CHECK(*world.storage->count(kinds::kAssignment) == assigned);
}

TEST_CASE("a new phone pulls nothing of what was erased before it came, however much that was") {
  World world;
  Phone author = world.phone(world.anna);
  constexpr std::size_t kErased = 2'000;
  std::vector<RecordId> ids;
  for (std::size_t i = 0; i < kErased; ++i) {
    ids.push_back(author.new_id());
    author.record(kinds::kHousehold, ids.back(), household(kGrid1), true, world.clock.ms);
  }
  world.sync(author);
  const Seq seen = world.storage->last_seq();
  for (const RecordId id : ids) {
    author.record(kinds::kHousehold, id, {}, false, world.clock.ms + 1, seen).type =
        OperationType::kErase;
  }
  world.sync(author);
  Phone fresh = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  CHECK(world.sync(fresh)->rows_of(kinds::kHousehold).empty());
}

}  // namespace gridwhistle
