#include <algorithm>
#include <filesystem>
#include <map>

#include "real_phone.h"

// Tombstones and exits go when every active phone has passed them, or when their time is over; what
// is erased stays erased. Phones are real files and sessions.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr ErrorCode kWell{};
constexpr std::int64_t kKeptDays = 180;

std::string household(const std::string& notes = "red door") {
  v1::Household message;
  message.set_grid(kGrid1);
  message.set_notes(notes);
  return message.SerializeAsString();
}

std::string resident(RecordId home) {
  v1::Resident message;
  message.set_household(std::string(home.bytes()));
  message.set_name("示例");
  return message.SerializeAsString();
}

/// To the end of a round.
SweepReport sweep(World& world) {
  SweepReport all;
  for (bool more = true; more;) {
    const auto some = world.county->sweep();
    INFO((some ? "" : some.error().message));
    REQUIRE(some);
    all.records += some->records;
    all.exits += some->exits;
    more = some->more;
  }
  return all;
}

/// A day after the other, with the server's daily work.
void pass_days(World& world, std::int64_t days) {
  for (std::int64_t day = 0; day < days; ++day) {
    world.clock.ms += kDayMs;
    sweep(world);
  }
}

bool is_there(World& world, KindId kind, RecordId id) {
  const auto record = world.storage->record({kind, id});
  REQUIRE(record);
  return *record != nullptr;
}

std::size_t lines(World& world) {
  std::size_t count = 0;
  REQUIRE(world.storage->scan_feed([&](ScopeNo, const FeedEntry&) {
    ++count;
    return Result<void>();
  }));
  return count;
}

void check_sound(World& world) {
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
  CHECK(report->orphans.empty());
}

using Rows = std::map<std::pair<KindId, RecordId>, std::string>;

Rows held(RealPhone& phone) {
  Rows rows;
  for (const KindSchema& kind : built_schema().kinds) {
    const auto found = phone.store().query(kind.id, Query().first(100'000), Purpose{"test"});
    if (kind.id == kinds::kOutcome || !found) continue;
    for (const FoundBytes& row : *found) rows[{kind.id, row.info.id}] = row.record;
  }
  return rows;
}

std::vector<v1::Outcome> told(RealPhone& phone) {
  std::vector<v1::Outcome> all;
  const auto found = phone.store().query(kinds::kOutcome, Query().first(1000), Purpose{"test"});
  REQUIRE(found);
  for (const FoundBytes& row : *found) REQUIRE(all.emplace_back().ParseFromString(row.record));
  return all;
}

enum class Backup { kBeforeErasure, kBeforeSweep, kAfterSweep };

/// Two phones of one grid's workers, and a visit that one of them made and both have.
struct Colleagues {
  World world;
  RealPhone anna{world};
  RealPhone hugo{world, built_schema(), world.worker("W9", Role::kGridWorker, kGrid1)};
  RecordId walk;

  Colleagues() {
    walk = anna.put(kinds::kVisit, visit(kGrid1));
    everybody();
    REQUIRE_FALSE(hugo.get(kinds::kVisit, walk).empty());
  }
  void everybody() {
    for (RealPhone* phone : {&anna, &hugo}) REQUIRE(phone->sync() == kWell);
  }
};

}  // namespace

TEST_CASE("what is erased leaves the county when every active phone has passed it, not before") {
  Colleagues c;
  c.everybody();
  c.anna.erase(kinds::kVisit, c.walk);
  REQUIRE(c.anna.sync() == kWell);
  REQUIRE(c.anna.sync() == kWell);
  CHECK(sweep(c.world).records == 0);
  REQUIRE(c.hugo.sync() == kWell);
  CHECK(c.hugo.get(kinds::kVisit, c.walk).empty());
  CHECK(sweep(c.world).records == 0);
  CHECK(is_there(c.world, kinds::kVisit, c.walk));
  const std::size_t before = lines(c.world);
  REQUIRE(c.hugo.sync() == kWell);
  CHECK(sweep(c.world).records == 1);
  CHECK_FALSE(is_there(c.world, kinds::kVisit, c.walk));
  CHECK(*c.world.storage->is_gone({kinds::kVisit, c.walk}));
  CHECK(lines(c.world) == before - 1);
  check_sound(c.world);
}

TEST_CASE("one phone behind holds a tombstone up, for so long and no longer") {
  Colleagues c;
  pass_days(c.world, 1);
  c.anna.erase(kinds::kVisit, c.walk);
  REQUIRE(c.anna.sync() == kWell);
  pass_days(c.world, kKeptDays - 1);
  CHECK(is_there(c.world, kinds::kVisit, c.walk));
  pass_days(c.world, 2);
  CHECK_FALSE(is_there(c.world, kinds::kVisit, c.walk));
}

TEST_CASE("a phone that was revoked, and one that never called, hold nothing up") {
  Colleagues c;
  c.world.phone(c.world.bruno);
  c.anna.erase(kinds::kVisit, c.walk);
  REQUIRE(c.anna.sync() == kWell);
  REQUIRE(c.anna.sync() == kWell);
  CHECK(sweep(c.world).records == 0);
  const DeviceState how = GENERATE(DeviceState::kLeft, DeviceState::kLost);
  REQUIRE(c.world.county->revoke(c.hugo.store().device(), how, "test"));
  CHECK(sweep(c.world).records == 1);
}

TEST_CASE("a phone away for longer than tombstones are kept ends with what a new phone has") {
  Colleagues c;
  const RecordId edited = c.anna.put(kinds::kVisit, visit(kGrid1));
  const RecordId stays = c.anna.put(kinds::kVisit, visit(kGrid1));
  const RecordId home = c.anna.put(kinds::kHousehold, household());
  const RecordId person = c.anna.put(kinds::kResident, resident(home));
  c.everybody();
  c.everybody();
  pass_days(c.world, 1);
  // Without a network from here on.
  v1::Visit edit;
  edit.set_notes("nobody at home");
  c.hugo.put(kinds::kVisit, edit.SerializeAsString(), edited);
  c.hugo.put(kinds::kVisit, edit.SerializeAsString(), stays);
  const RecordId made = c.hugo.put(kinds::kVisit, visit(kGrid1, "made on the hill"));
  const RecordId moved_in = c.hugo.put(kinds::kResident, resident(home));

  for (const RecordId id : {c.walk, edited}) c.anna.erase(kinds::kVisit, id);
  c.anna.erase(kinds::kHousehold, home);
  REQUIRE(c.anna.sync() == kWell);
  pass_days(c.world, 200);
  for (const RecordId id : {c.walk, edited}) CHECK_FALSE(is_there(c.world, kinds::kVisit, id));
  CHECK_FALSE(is_there(c.world, kinds::kHousehold, home));
  CHECK_FALSE(is_there(c.world, kinds::kResident, person));

  REQUIRE(c.hugo.sync() == kWell);
  CHECK(c.hugo.report().compared);
  REQUIRE(c.anna.sync() == kWell);
  RealPhone fresh(c.world);
  REQUIRE(fresh.sync() == kWell);
  CHECK(held(c.hugo) == held(fresh));
  CHECK(held(c.anna) == held(fresh));
  CHECK_FALSE(c.hugo.get(kinds::kVisit, made).empty());
  CHECK(c.hugo.get(kinds::kVisit, stays).contains("nobody at home"));
  for (const RecordId id : {c.walk, edited}) CHECK(c.hugo.get(kinds::kVisit, id).empty());

  // Nothing was lost in silence, and nothing stands again.
  std::map<std::string, v1::Outcome> receipts;
  for (v1::Outcome& outcome : told(c.hugo)) receipts[outcome.record()] = outcome;
  CHECK(receipts.size() == 2);
  for (const RecordId id : {edited, moved_in}) {
    const v1::Outcome& receipt = receipts[std::string(id.bytes())];
    CHECK(receipt.status() == static_cast<int>(OutcomeStatus::kGone));
    CHECK_FALSE(receipt.lost_set().empty());
  }
  CHECK_FALSE(is_there(c.world, kinds::kVisit, edited));
  CHECK_FALSE(is_there(c.world, kinds::kResident, moved_in));
  check_sound(c.world);
  REQUIRE(c.hugo.sync({.compare = true}) == kWell);
  CHECK(c.hugo.report().repaired == 0);
}

TEST_CASE("what was to be compared is, also when the first call after so long could not") {
  Colleagues c;
  pass_days(c.world, 1);
  c.anna.erase(kinds::kVisit, c.walk);
  REQUIRE(c.anna.sync() == kWell);
  pass_days(c.world, 200);
  // With a budget nothing is compared.
  REQUIRE(c.hugo.sync({.budget_bytes = 1'000'000}) == kWell);
  CHECK_FALSE(c.hugo.get(kinds::kVisit, c.walk).empty());
  c.hugo.open(built_schema());
  REQUIRE(c.hugo.sync() == kWell);
  CHECK(c.hugo.get(kinds::kVisit, c.walk).empty());
  REQUIRE(c.hugo.sync() == kWell);
  CHECK_FALSE(c.hugo.report().compared);
}

TEST_CASE("a call that is open while what it has not passed is swept begins anew") {
  Colleagues c;
  pass_days(c.world, 1);
  Phone desk = c.world.phone(c.world.dora);
  c.world.sync(desk);
  const RecordId other = c.anna.put(kinds::kVisit, visit(kGrid1));
  REQUIRE(c.anna.sync() == kWell);
  c.world.sync(desk);
  Inbox inbox;
  const ConnectionId call = c.world.next_call();
  c.world.county->on_open(call, inbox);
  c.world.county->on_frame(call, desk.hello(c.world.clock, true));
  c.world.pump();
  c.anna.erase(kinds::kVisit, other);
  REQUIRE(c.anna.sync() == kWell);
  c.world.pump();
  sweep(c.world);
  CHECK(inbox.open);
  c.world.clock.ms += 200 * kDayMs;
  sweep(c.world);
  CHECK(inbox.open);
  c.world.clock.ms += 200 * kDayMs;
  sweep(c.world);
  CHECK_FALSE(inbox.open);
  CHECK(inbox.refused() == ErrorCode::kBusy);
  c.world.county->on_closed(call);
}

TEST_CASE("what has left a scope leaves its feed, and stays where it is") {
  Colleagues c;
  RealPhone bruno(c.world, built_schema(), c.world.bruno);
  REQUIRE(bruno.sync() == kWell);
  v1::Visit moved;
  moved.set_grid(kGrid2);
  REQUIRE(c.world.county->write(kinds::kVisit, c.walk, moved.SerializeAsString(), {}, "test"));
  for (int i = 0; i < 2; ++i) {
    c.everybody();
    REQUIRE(bruno.sync() == kWell);
  }
  const std::size_t before = lines(c.world);
  CHECK(sweep(c.world).exits == 1);
  CHECK(lines(c.world) == before - 1);
  CHECK(is_there(c.world, kinds::kVisit, c.walk));
  CHECK_FALSE(bruno.get(kinds::kVisit, c.walk).empty());
  CHECK(c.anna.get(kinds::kVisit, c.walk).empty());
  check_sound(c.world);
}

TEST_CASE("a phone that has not heard of an exit loses what left, however late it comes") {
  Colleagues c;
  pass_days(c.world, 1);
  v1::Visit moved;
  moved.set_grid(kGrid2);
  REQUIRE(c.world.county->write(kinds::kVisit, c.walk, moved.SerializeAsString(), {}, "test"));
  pass_days(c.world, 200);
  REQUIRE(c.hugo.sync() == kWell);
  CHECK(c.hugo.get(kinds::kVisit, c.walk).empty());
  CHECK(is_there(c.world, kinds::kVisit, c.walk));
}

TEST_CASE("a write to what is gone is kept for its author, an erasure of it does nothing") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId id = anna.new_id();
  const RecordId home = anna.new_id();
  anna.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
  const std::vector<std::string> first = anna.frames(Lane::kRecords, 0);
  world.sync(anna);
  const auto erase = [&](KindId kind, RecordId record) {
    anna.record(kind, record, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
        OperationType::kErase;
  };
  world.sync(anna);
  erase(kinds::kVisit, id);
  erase(kinds::kHousehold, home);
  for (int i = 0; i < 2; ++i) world.sync(anna);
  REQUIRE(sweep(world).records == 2);

  SECTION("an edit") {
    anna.record(kinds::kVisit, id, visit(kGrid1, "late"), false, world.clock.ms);
    const auto answer = world.sync(anna);
    CHECK(answers(*answer) == std::vector{OutcomeStatus::kGone});
    REQUIRE(world.sync(anna)->rows_of(kinds::kOutcome).empty());
    CHECK(answer->rows_of(kinds::kOutcome).size() == 1);
  }
  SECTION("a part of its creation that comes late") {
    anna.record(kinds::kVisit, id, visit(kGrid1, "late"), true, world.clock.ms);
    CHECK(answers(*world.sync(anna)) == std::vector{OutcomeStatus::kGone});
  }
  SECTION("an erasure") {
    erase(kinds::kVisit, id);
    CHECK(answers(*world.sync(anna)) == std::vector{OutcomeStatus::kAccepted});
  }
  SECTION("a part of it, and what would belong to that") {
    const RecordId person = anna.new_id();
    anna.record(kinds::kResident, person, resident(home), true, world.clock.ms);
    v1::Resident edit;
    edit.set_relation("head");
    anna.record(kinds::kResident, person, edit.SerializeAsString(), false, world.clock.ms);
    CHECK(answers(*world.sync(anna)) == std::vector(2, OutcomeStatus::kGone));
    CHECK_FALSE(is_there(world, kinds::kResident, person));
  }
  SECTION("a part that stands and is moved to it stays where it is") {
    const RecordId other = anna.new_id();
    const RecordId person = anna.new_id();
    anna.record(kinds::kHousehold, other, household(), true, world.clock.ms);
    anna.record(kinds::kResident, person, resident(other), true, world.clock.ms);
    anna.record(kinds::kResident, person, resident(home), false, world.clock.ms);
    const auto fates = answers(*world.sync(anna));
    REQUIRE(fates.size() == 3);
    CHECK(fates.back() == OutcomeStatus::kGone);
    v1::Resident now;
    REQUIRE(now.ParseFromString((*world.storage->record({kinds::kResident, person}))->state.body));
    CHECK(now.household() == other.bytes());
  }
  SECTION("its creation, sent again") {
    Inbox inbox;
    const ConnectionId call = world.next_call();
    world.county->on_open(call, inbox);
    world.county->on_frame(call, anna.hello(world.clock));
    for (const std::string& frame : first) world.county->on_frame(call, frame);
    world.pump();
    world.county->on_closed(call);
  }
  CHECK_FALSE(is_there(world, kinds::kVisit, id));
  CHECK_FALSE(is_there(world, kinds::kHousehold, home));
  check_sound(world);
}

TEST_CASE("a whole stays until all that belongs to it can go with it") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId home = anna.new_id();
  const RecordId person = anna.new_id();
  anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
  anna.record(kinds::kResident, person, resident(home), true, world.clock.ms);
  for (int i = 0; i < 2; ++i) world.sync(anna);
  anna.record(kinds::kHousehold, home, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
      OperationType::kErase;
  world.sync(anna);
  const Seq erased = (*world.storage->record({kinds::kHousehold, home}))->state.last_seq;
  const Seq along = (*world.storage->record({kinds::kResident, person}))->state.last_seq;
  REQUIRE(erased < along);
  anna.cursor.set_seq(erased.value);
  world.ask(anna);
  CHECK(sweep(world).records == 0);
  anna.cursor.set_seq(along.value);
  world.ask(anna);
  CHECK(sweep(world).records == 2);
  CHECK(world.storage->children(home)->empty());
  check_sound(world);
}

TEST_CASE("a part of an erased whole stays as long as the whole does") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId home = anna.new_id();
  anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
  std::vector<RecordId> people;
  for (int i = 0; i < 2; ++i) {
    people.push_back(anna.new_id());
    anna.record(kinds::kResident, people.back(), resident(home), true, world.clock.ms);
  }
  for (int i = 0; i < 2; ++i) world.sync(anna);
  anna.record(kinds::kHousehold, home, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
      OperationType::kErase;
  world.sync(anna);
  const auto along = [&](RecordId id) {
    return (*world.storage->record({kinds::kResident, id}))->state.last_seq;
  };
  anna.cursor.set_seq(std::min(along(people[0]), along(people[1])).value);
  world.ask(anna);
  CHECK(sweep(world).records == 0);
  anna.cursor.set_seq(std::max(along(people[0]), along(people[1])).value);
  world.ask(anna);
  CHECK(sweep(world).records == 3);
  check_sound(world);
}

TEST_CASE("who names ids of another phone's in what is gone takes none of them from it") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone hugo = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId gone = anna.new_id();
  const RecordId home = anna.new_id();
  anna.record(kinds::kHousehold, gone, household(), true, world.clock.ms);
  anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
  for (int i = 0; i < 2; ++i) world.sync(anna);
  anna.record(kinds::kHousehold, gone, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
      OperationType::kErase;
  for (int i = 0; i < 2; ++i) world.sync(anna);
  REQUIRE(sweep(world).records == 1);
  const RecordId next = anna.new_id();
  hugo.record(kinds::kResident, next, resident(gone), false, world.clock.ms);
  CHECK(answers(*world.sync(hugo)) == std::vector{OutcomeStatus::kGone});
  CHECK_FALSE(*world.storage->is_gone({kinds::kResident, next}));
  anna.record(kinds::kResident, next, resident(home), true, world.clock.ms);
  CHECK(answers(*world.sync(anna)) == std::vector{OutcomeStatus::kAccepted});
}

TEST_CASE("what a phone still has to bring holds up what it may be about") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone hugo = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId id = anna.new_id();
  anna.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  for (int i = 0; i < 2; ++i) world.sync(anna);
  world.sync(hugo);
  const Seq seen(hugo.cursor.seq());
  anna.record(kinds::kVisit, id, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
      OperationType::kErase;
  for (int i = 0; i < 2; ++i) world.sync(anna);
  hugo.record(kinds::kVisit, id, visit(kGrid1, "seen again"), false, world.clock.ms, seen);
  // Rows come to it, and its work does not go.
  for (int i = 0; i < 2; ++i) {
    const auto rows = world.ask(hugo);
    World::note(hugo, *rows);
  }
  SECTION("also of a worker who has left: a reviewer is to find it") {
    REQUIRE(world.county->revoke(hugo.device, DeviceState::kLeft, "test"));
    CHECK(sweep(world).records == 0);
    return;
  }
  CHECK(sweep(world).records == 0);
  CHECK(answers(*world.sync(hugo)) == std::vector{OutcomeStatus::kRevived});
}

TEST_CASE("a sweep that is killed goes on where it was") {
  World world;
  Phone anna = world.phone(world.anna);
  std::vector<RecordId> visits;
  for (int i = 0; i < 1'200; ++i) {
    visits.push_back(anna.new_id());
    anna.record(kinds::kVisit, visits.back(), visit(kGrid1), true, world.clock.ms);
  }
  for (int i = 0; i < 2; ++i) world.sync(anna);
  for (const RecordId id : visits) {
    anna.record(kinds::kVisit, id, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
        OperationType::kErase;
  }
  for (int i = 0; i < 2; ++i) world.sync(anna);
  const auto some = world.county->sweep();
  REQUIRE(some);
  CHECK(some->more);
  CHECK(some->records > 0);
  CHECK(some->records < visits.size());
  world.open();
  check_sound(world);
  CHECK(sweep(world).records == visits.size() - some->records);
  check_sound(world);
  Phone fresh = world.phone(world.anna);
  CHECK(world.sync(fresh)->rows_of(kinds::kVisit).empty());
}

TEST_CASE("no restore, older or newer than a sweep, brings back what is erased") {
  Colleagues c;
  const Backup when = GENERATE(Backup::kBeforeErasure, Backup::kBeforeSweep, Backup::kAfterSweep);
  const auto back_up_if = [&](bool now) {
    if (now) REQUIRE(c.world.county->backup(c.world.file("copy.db"), "test"));
  };
  c.everybody();
  back_up_if(when == Backup::kBeforeErasure);
  c.anna.erase(kinds::kVisit, c.walk);
  for (int i = 0; i < 3; ++i) c.everybody();
  back_up_if(when == Backup::kBeforeSweep);
  REQUIRE(sweep(c.world).records == 1);
  back_up_if(when == Backup::kAfterSweep);
  c.anna.put(kinds::kVisit, visit(kGrid1, "after the backup"));
  c.everybody();
  c.world.restore(c.world.file("copy.db"));
  CHECK(is_there(c.world, kinds::kVisit, c.walk) == (when != Backup::kAfterSweep));
  for (int i = 0; i < 3; ++i) {
    for (RealPhone* phone : {&c.anna, &c.hugo}) phone->sync();
  }
  RealPhone fresh(c.world);
  for (int i = 0; i < 2; ++i) REQUIRE(fresh.sync() == kWell);
  for (RealPhone* phone : {&c.anna, &c.hugo, &fresh}) {
    CHECK(phone->get(kinds::kVisit, c.walk).empty());
    CHECK(held(*phone) == held(fresh));
  }
  sweep(c.world);
  CHECK_FALSE(is_there(c.world, kinds::kVisit, c.walk));
  check_sound(c.world);
}

TEST_CASE("what quotes a person who is gone is forgotten when its time is over") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId home = anna.new_id();
  anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
  for (int i = 0; i < 2; ++i) world.sync(anna);
  anna.record(kinds::kHousehold, home, {}, false, ++world.clock.ms, Seq(anna.cursor.seq())).type =
      OperationType::kErase;
  for (int i = 0; i < 2; ++i) world.sync(anna);
  REQUIRE(sweep(world).records == 1);
  anna.record(kinds::kHousehold, home, household("blue door"), false, world.clock.ms);
  REQUIRE(answers(*world.sync(anna)) == std::vector{OutcomeStatus::kGone});
  const RetentionPeriods periods;
  CHECK(world.county->due(periods)->empty());
  world.clock.ms += (periods.personal_days + 1) * kDayMs;
  const auto due = world.county->due(periods);
  REQUIRE(due->size() == 1);
  CHECK(due->front() == RecordKey{kinds::kHousehold, home});
  CHECK(*world.county->still_due(periods, *due) == *due);
  REQUIRE(world.county->forget(*due, "test", false, [](const auto&) { return Result<void>(); }));
  CHECK(world.storage->lost_values({kinds::kHousehold, home})->empty());
  CHECK(world.county->due(periods)->empty());
  CHECK(world.county->still_due(periods, *due)->empty());
  check_sound(world);
}
