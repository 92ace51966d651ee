#include "apply/limits.h"
#include "county_world.h"

// What arrives before the record it speaks of: it waits for that, and its author hears what became
// of it. After a restore phones come back in any order.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr auto kAccepted = OutcomeStatus::kAccepted;
constexpr auto kRejected = OutcomeStatus::kRejected;
constexpr auto kSealed = OutcomeStatus::kSealed;
constexpr auto kParked = OutcomeStatus::kParked;

RecordId decide(World& world, Phone& phone, RecordId whistle, v1::WhistleActionType type,
                RecordId after = {}) {
  v1::WhistleAction action;
  action.set_whistle(std::string(whistle.bytes()));
  action.set_type(type);
  action.set_note("seen to");
  action.set_round(1);
  if (!after.is_nil()) action.set_after(std::string(after.bytes()));
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistleAction, id, action.SerializeAsString(), true, world.clock.ms);
  return id;
}

// What the author was told of a record's operations, in order.
std::vector<OutcomeStatus> told(const Inbox& inbox, RecordId record) {
  std::vector<OutcomeStatus> all;
  for (const Row& row : inbox.rows_of(kinds::kOutcome)) {
    v1::Outcome outcome;
    REQUIRE(outcome.ParseFromString(row.set));
    if (outcome.record() != record.bytes()) continue;
    CHECK(outcome.lane_seq() != 0);
    all.push_back(static_cast<OutcomeStatus>(outcome.status()));
  }
  return all;
}

bool exists(World& world, KindId kind, RecordId id) {
  const auto row = world.county->get(kind, id);
  REQUIRE(row);
  return row->has_value();
}

}  // namespace

TEST_CASE("what is added to another's record before that has arrived is judged when it has") {
  World world;
  Phone anna = world.phone(world.anna);
  const bool may_write_there = GENERATE(true, false);
  Phone other =
      world.phone(world.worker("W9", Role::kGridWorker, may_write_there ? kGrid1 : kGrid2));
  v1::Household household;
  household.set_grid(kGrid1);
  const RecordId home = anna.new_id();
  anna.record(kinds::kHousehold, home, household.SerializeAsString(), true, world.clock.ms);
  v1::Resident resident;
  resident.set_household(std::string(home.bytes()));
  const RecordId id = other.new_id();
  other.record(kinds::kResident, id, resident.SerializeAsString(), true, world.clock.ms);
  CHECK(answers(*world.sync(other)) == std::vector{kParked});
  if (GENERATE(false, true)) world.open();
  const auto list = world.county->review();
  REQUIRE(list->waiting.size() == 1);
  CHECK(list->waiting[0].record == id);
  CHECK(list->waiting[0].awaits == home);

  CHECK(answers(*world.sync(anna)) == std::vector{kAccepted});
  CHECK(exists(world, kinds::kResident, id) == may_write_there);
  CHECK(told(*world.sync(other), id).back() == (may_write_there ? kAccepted : kRejected));
  CHECK(world.county->review()->waiting.empty());
}

TEST_CASE("what is added to an own record that has not arrived waits for nothing") {
  World world;
  Phone anna = world.phone(world.anna);
  v1::Resident resident;
  resident.set_household(std::string(anna.new_id().bytes()));
  anna.record(kinds::kResident, anna.new_id(), resident.SerializeAsString(), true, world.clock.ms);
  CHECK(answers(*world.sync(anna)) == std::vector{kAccepted});
}

TEST_CASE("decisions that arrive before their whistle wait for it and are taken up with it") {
  World world;
  Phone worker = world.phone(world.anna);
  Phone acceptor = world.phone(world.dora);
  const RecordId id = worker.new_id();
  worker.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  const RecordId accept = decide(world, acceptor, id, v1::WHISTLE_ACTION_TYPE_ACCEPT);
  const RecordId blow = decide(world, acceptor, id, v1::WHISTLE_ACTION_TYPE_BLOW, accept);
  const auto first = world.sync(acceptor);
  CHECK(answers(*first) == std::vector{kParked, kParked});
  CHECK(told(*first, accept) == std::vector{kParked});
  if (GENERATE(false, true)) world.open();
  const auto list = world.county->review();
  REQUIRE(list->waiting.size() == 2);
  CHECK(list->waiting[0].record == accept);
  CHECK(list->waiting[0].awaits == id);
  CHECK(list->waiting[0].worker == world.dora);
  CHECK(list->parked == 0);

  CHECK(answers(*world.sync(worker)) == std::vector{kAccepted});
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_ASSIGNED);
  const auto then = world.sync(acceptor);
  CHECK(told(*then, accept) == std::vector{kAccepted});
  CHECK(told(*then, blow) == std::vector{kAccepted});
  CHECK(world.county->review()->waiting.empty());
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a decision that waited for its whistle is judged like any other, and told so") {
  World world;
  Phone worker = world.phone(world.anna);
  Phone department = world.phone(world.erik);
  const RecordId id = worker.new_id();
  worker.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  const RecordId action = decide(world, department, id, v1::WHISTLE_ACTION_TYPE_ACCEPT);
  CHECK(answers(*world.sync(department)) == std::vector{kParked});
  world.sync(worker);
  CHECK(told(*world.sync(department), action) == std::vector{kRejected});
  CHECK_FALSE(exists(world, kinds::kWhistleAction, action));
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_REPORTED);
  CHECK(world.county->review()->waiting.empty());
}

TEST_CASE("a decision whose whistle never comes can be returned to its author") {
  World world;
  Phone acceptor = world.phone(world.dora);
  const RecordId action =
      decide(world, acceptor, acceptor.new_id(), v1::WHISTLE_ACTION_TYPE_ACCEPT);
  world.sync(acceptor);
  const auto list = world.county->review();
  REQUIRE(list->waiting.size() == 1);
  const std::uint64_t number = list->waiting[0].number;
  CHECK(world.county->accept_sealed(number, "test").error().code == ErrorCode::kConflict);
  REQUIRE(world.county->return_sealed(number, "that phone is lost", "test"));
  CHECK(world.county->review()->waiting.empty());
  CHECK(told(*world.sync(acceptor), action) == std::vector{kRejected});
}

TEST_CASE("only so many decisions of one phone wait for whistles; the rest go back to it") {
  World world;
  Phone acceptor = world.phone(world.dora);
  for (std::size_t i = 0; i <= limits::kWaitingPerDevice; ++i) {
    decide(world, acceptor, RecordId::make(DeviceId(77), i + 1), v1::WHISTLE_ACTION_TYPE_ACCEPT);
  }
  const auto status = answers(*world.sync(acceptor));
  REQUIRE(status.size() == limits::kWaitingPerDevice + 1);
  CHECK(std::ranges::count(status, kParked) == std::ptrdiff_t{limits::kWaitingPerDevice});
  CHECK(status.back() == kRejected);
}

TEST_CASE("a transaction that acts on a whistle it makes later is refused, not kept for ever") {
  World world;
  Phone worker = world.phone(world.anna);
  const RecordId id = worker.new_id();
  decide(world, worker, id, v1::WHISTLE_ACTION_TYPE_COMMENT);
  worker.lanes[Lane::kWhistles].back().more = true;
  worker.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  CHECK(answers(*world.sync(worker)) == std::vector{kRejected, kRejected});
  CHECK(world.county->review()->waiting.empty());
}

TEST_CASE("a part of a record whose creation is sealed is sealed with it, and decided with it") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  Phone colleague = world.phone(world.anna);
  move_away(world, carla, "W9");
  const RecordId home = phone.new_id();
  v1::Household household;
  household.set_grid(kGrid1);
  phone.record(kinds::kHousehold, home, household.SerializeAsString(), true, world.clock.ms);
  v1::Resident resident;
  resident.set_household(std::string(home.bytes()));
  resident.set_name("李示例");
  const RecordId person = phone.new_id();
  phone.record(kinds::kResident, person, resident.SerializeAsString(), true, world.clock.ms);
  CHECK(answers(*world.sync(phone)) == std::vector{kSealed, kSealed});
  CHECK_FALSE(exists(world, kinds::kResident, person));
  if (GENERATE(false, true)) world.open();
  const std::uint64_t number = world.county->review()->sealed.front().number;
  if (GENERATE(true, false)) {
    CHECK(world.county->accept_sealed(number, "test") == kAccepted);
    CHECK(exists(world, kinds::kResident, person));
    CHECK(world.sync(colleague)->rows_of(kinds::kResident).size() == 1);
  } else {
    REQUIRE(world.county->return_sealed(number, "not your grid", "test"));
    CHECK_FALSE(exists(world, kinds::kResident, person));
    CHECK(told(*world.sync(phone), person) == std::vector{kRejected});
  }
  CHECK(world.county->review()->sealed.empty());
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("an edit of a record whose creation is sealed is sealed with it, and decided with it") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  Phone colleague = world.phone(world.anna);
  move_away(world, carla, "W9");
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, visit(kGrid1, "first"), true, world.clock.ms);
  v1::Visit edit;
  edit.set_notes("second");
  // Once before its author knew of the seal, once after.
  const bool knows = GENERATE(false, true);
  if (knows) world.sync(phone);
  phone.record(kinds::kVisit, id, edit.SerializeAsString(), !knows, world.clock.ms + 1);
  CHECK(answers(*world.sync(phone)).back() == kSealed);
  if (GENERATE(false, true)) world.open();
  const auto list = world.county->review();
  REQUIRE(list->sealed.size() == 2);
  const bool accepts = GENERATE(true, false);
  const std::uint64_t later = list->sealed[1].number;
  CHECK(world.county->accept_sealed(later, "test").error().code == ErrorCode::kConflict);
  const std::uint64_t number = list->sealed[0].number;
  if (accepts) {
    CHECK(world.county->accept_sealed(number, "test") == kAccepted);
    const auto row = world.county->get(kinds::kVisit, id);
    REQUIRE(*row);
    CHECK(text_of((*row)->body, fields::visit::kNotes) == "second");
    CHECK(world.sync(colleague)->rows_of(kinds::kVisit).size() == 1);
  } else {
    REQUIRE(world.county->return_sealed(number, "not your grid", "test"));
    CHECK_FALSE(exists(world, kinds::kVisit, id));
  }
  CHECK(world.county->review()->sealed.empty());
  const OutcomeStatus end = accepts ? kAccepted : kRejected;
  CHECK(told(*world.sync(phone), id) == std::vector{end, end});
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("of a sealed transaction each record's edits go with what became of that record") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  Phone colleague = world.phone(world.anna);
  const RecordId home = colleague.new_id();
  v1::Household household;
  household.set_grid(kGrid1);
  colleague.record(kinds::kHousehold, home, household.SerializeAsString(), true, world.clock.ms);
  world.sync(colleague);
  move_away(world, carla, "W9");

  v1::Resident resident;
  resident.set_household(std::string(home.bytes()));
  const RecordId person = phone.new_id();
  const RecordId walk = phone.new_id();
  phone.record(kinds::kResident, person, resident.SerializeAsString(), true, world.clock.ms).more =
      true;
  phone.record(kinds::kVisit, walk, visit(kGrid1, "first"), true, world.clock.ms);
  v1::Visit edit;
  edit.set_notes("second");
  phone.record(kinds::kVisit, walk, edit.SerializeAsString(), true, world.clock.ms + 1);
  CHECK(answers(*world.sync(phone)) == std::vector{kSealed, kSealed, kSealed});

  // The resident comes too late, the visit does not.
  colleague
      .record(kinds::kHousehold, home, {}, false, world.clock.ms + 1, world.storage->last_seq())
      .type = OperationType::kErase;
  world.sync(colleague);
  REQUIRE(world.county->accept_sealed(world.county->review()->sealed[0].number, "test"));
  CHECK(world.county->review()->sealed.empty());
  const auto row = world.county->get(kinds::kVisit, walk);
  REQUIRE(*row);
  CHECK(text_of((*row)->body, fields::visit::kNotes) == "second");
  CHECK(told(*world.sync(phone), walk) == std::vector{kAccepted, kAccepted});
}

TEST_CASE("a record that its author makes again is not held up by its sealed creation") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  move_away(world, carla, "W9");
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, visit(kGrid1, "first"), true, world.clock.ms);
  CHECK(answers(*world.sync(phone)) == std::vector{kSealed});
  phone.record(kinds::kVisit, id, visit(kGrid2, "again"), true, world.clock.ms + 1);
  CHECK(answers(*world.sync(phone)) == std::vector{kAccepted});
  CHECK(exists(world, kinds::kVisit, id));
}
