#include <algorithm>
#include <fstream>
#include <iterator>

#include "county_world.h"

// A record that is deleted for good, with all that belongs to it. Merge laws, "Forgetting".
namespace gridwhistle {
namespace {

using namespace test;

const std::string kSecret = "Example Wang, red door";

std::string household(const std::string& notes = kSecret) {
  v1::Household message;
  message.set_grid(kGrid1);
  message.set_notes(notes);
  return message.SerializeAsString();
}

std::string resident(RecordId home, const std::string& name = kSecret) {
  v1::Resident message;
  message.set_household(std::string(home.bytes()));
  message.set_name(name);
  return message.SerializeAsString();
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether the county's file, or what lies beside it, holds these bytes.
bool holds(const World& world, const std::string& bytes = kSecret) {
  return std::ranges::any_of(std::array{"", "-wal", "-shm"}, [&](const char* part) {
    return bytes_of(world.file() + part).find(bytes) != std::string::npos;
  });
}

ForgetReport forget(World& world, KindId kind, RecordId id) {
  auto report = world.county->forget({{kind, id}}, "test", false,
                                     [](const std::vector<RecordKey>&) { return Result<void>(); });
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  CHECK_FALSE(report->not_wiped);
  CHECK(world.county->verify()->faults.empty());
  CHECK(world.county->verify()->orphans.empty());
  return std::move(*report);
}

bool is_forgotten(World& world, KindId kind, RecordId id) {
  const auto record = world.storage->record({kind, id});
  REQUIRE(record);
  return *record && (*record)->state.forgotten;
}

// A household of grid 1 with a resident, known to both of its workers.
struct Home {
  World world;
  Phone anna = world.phone(world.anna);
  RecordId second = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone hugo = world.phone(second);
  RecordId home = anna.new_id();
  RecordId person = anna.new_id();

  Home() {
    anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
    anna.record(kinds::kResident, person, resident(home), true, world.clock.ms);
    world.sync(anna);
    world.sync(hugo);
  }
};

std::vector<v1::Outcome> outcomes_of(const Inbox& inbox) {
  std::vector<v1::Outcome> all;
  for (const Row& row : inbox.rows_of(kinds::kOutcome)) {
    REQUIRE(all.emplace_back().ParseFromString(row.set));
  }
  return all;
}

}  // namespace

TEST_CASE("what is forgotten is in no byte of the county's file, nor beside it") {
  Home home;
  World& world = home.world;
  REQUIRE(holds(world));
  const ForgetReport report = forget(world, kinds::kHousehold, home.home);
  CHECK(report.records.size() == 2);
  CHECK(is_forgotten(world, kinds::kResident, home.person));
  CHECK_FALSE(holds(world));
  world.open();
  CHECK_FALSE(holds(world));
}

TEST_CASE("a dry run of forgetting tells what would go and changes nothing") {
  Home home;
  World& world = home.world;
  const Seq before = world.county->status()->last_seq;
  bool noted = false;
  const auto report =
      world.county->forget({{kinds::kHousehold, home.home}}, "test", true, [&](const auto&) {
        noted = true;
        return Result<void>();
      });
  REQUIRE(report);
  CHECK(report->records.size() == 2);
  CHECK_FALSE(noted);
  CHECK(world.county->status()->last_seq == before);
  CHECK(world.county->get(kinds::kResident, home.person)->value().erased == false);
}

TEST_CASE("phones hear that a record was forgotten, its writer's too, and once") {
  Home home;
  World& world = home.world;
  forget(world, kinds::kHousehold, home.home);
  for (Phone* phone : {&home.anna, &home.hugo}) {
    const auto inbox = world.sync(*phone);
    for (const KindId kind : {kinds::kHousehold, kinds::kResident}) {
      const auto rows = inbox->rows_of(kind);
      REQUIRE(rows.size() == 1);
      CHECK(rows[0].change == RowChange::kErased);
      CHECK(rows[0].forgotten);
      CHECK(rows[0].set.empty());
    }
    CHECK(world.sync(*phone)->rows().empty());
  }
  Phone fresh = world.phone(world.anna);
  CHECK(world.sync(fresh)->rows_of(kinds::kHousehold).empty());
}

TEST_CASE("who wrote a forgotten record is told of it wherever they are by now") {
  Home home;
  World& world = home.world;
  move_away(world, world.anna, "W1");
  forget(world, kinds::kHousehold, home.home);
  const auto inbox = world.sync(home.anna);
  const auto told = outcomes_of(*inbox);
  REQUIRE(told.size() == 2);
  CHECK(told[0].code() == static_cast<std::int64_t>(ErrorCode::kForgotten));
  CHECK(told[0].record() == home.home.bytes());
  CHECK(told[1].record() == home.person.bytes());
  CHECK(told[0].lane_seq() == 0);
}

TEST_CASE("an edit of a forgotten record ends as GONE, in flight or later, and leaves nothing") {
  Home home;
  World& world = home.world;
  const Seq seen = world.county->get(kinds::kResident, home.person)->value().last_seq;
  forget(world, kinds::kHousehold, home.home);
  const std::string words = "moved in with Example Li";
  home.hugo.record(kinds::kResident, home.person, resident(home.home, words), false, world.clock.ms,
                   seen);
  const auto first = world.sync(home.hugo);
  CHECK(answers(*first) == std::vector{OutcomeStatus::kGone});
  CHECK(first->runs().front().code() == static_cast<std::uint32_t>(ErrorCode::kForgotten));
  const auto told = outcomes_of(*first);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].has_lost_set());
  home.hugo.record(kinds::kResident, home.person, resident(home.home, words), false, world.clock.ms,
                   Seq(world.county->status()->last_seq));
  CHECK(answers(*world.sync(home.hugo)) == std::vector{OutcomeStatus::kGone});
  CHECK(is_forgotten(world, kinds::kResident, home.person));
  CHECK_FALSE(holds(world, words));
}

TEST_CASE("what would be refused beside an edit of a forgotten record quotes nothing of it") {
  Home home;
  World& world = home.world;
  forget(world, kinds::kHousehold, home.home);
  const std::string words = "moved in with Example Li";
  home.hugo.record(kinds::kResident, home.person, resident(home.home, words), false, world.clock.ms)
      .more = true;
  // Of another village: the transaction is refused whole.
  home.hugo.record(kinds::kVisit, home.hugo.new_id(), visit("440811002001001"), true,
                   world.clock.ms);
  const auto inbox = world.sync(home.hugo);
  CHECK(answers(*inbox) == std::vector(2, OutcomeStatus::kRejected));
  // By the code its phone knows that it must not keep those words either.
  CHECK(inbox->runs().front().code() == static_cast<std::uint32_t>(ErrorCode::kForgotten));
  CHECK(inbox->runs().back().code() != static_cast<std::uint32_t>(ErrorCode::kForgotten));
  CHECK_FALSE(holds(world, words));
}

TEST_CASE("a forgotten record that is offered again in a sealed transaction stays on no phone") {
  Home home;
  World& world = home.world;
  forget(world, kinds::kHousehold, home.home);
  const std::string words = "moved in with Example Li";
  move_away(world, home.second, "W9");
  home.hugo.record(kinds::kResident, home.person, resident(home.home, words), false, world.clock.ms)
      .more = true;
  home.hugo.record(kinds::kVisit, home.hugo.new_id(), visit(kGrid1), true, world.clock.ms);
  const auto inbox = world.sync(home.hugo);
  CHECK(answers(*inbox) == std::vector(2, OutcomeStatus::kSealed));
  CHECK(inbox->runs().front().code() == static_cast<std::uint32_t>(ErrorCode::kForgotten));
  CHECK_FALSE(holds(world, words));
}

TEST_CASE("what comes later for a forgotten record's parts is forgotten with it") {
  Home home;
  World& world = home.world;
  forget(world, kinds::kHousehold, home.home);
  const std::string words = "Example Li";
  const RecordId late = home.hugo.new_id();
  home.hugo.record(kinds::kResident, late, resident(home.home, words), true, world.clock.ms);
  home.hugo.record(kinds::kResident, late, resident(home.home, words + " too"), false,
                   world.clock.ms);
  CHECK(answers(*world.sync(home.hugo)) == std::vector(2, OutcomeStatus::kGone));
  CHECK(is_forgotten(world, kinds::kResident, late));
  CHECK_FALSE(holds(world, words));
}

TEST_CASE(
    "a resident who moves to a forgotten household stays as they were, and their mover is told") {
  Home home;
  World& world = home.world;
  const RecordId other = home.anna.new_id();
  const RecordId guest = home.anna.new_id();
  home.anna.record(kinds::kHousehold, other, household("blue door"), true, world.clock.ms);
  home.anna.record(kinds::kResident, guest, resident(other, "Example Li"), true, world.clock.ms);
  world.sync(home.anna);
  world.sync(home.hugo);
  forget(world, kinds::kHousehold, home.home);
  home.hugo.record(kinds::kResident, guest, resident(home.home, "Example Li"), false,
                   world.clock.ms, world.county->status()->last_seq);
  CHECK(answers(*world.sync(home.hugo)) == std::vector{OutcomeStatus::kGone});
  CHECK(world.county->get(kinds::kResident, guest)->value().body ==
        *canonical(*built_schema().kind(kinds::kResident), resident(other, "Example Li")));
}

TEST_CASE(
    "what was refused as a part of a forgotten record goes with it, its receipt's words too") {
  const std::string words = "Example Wang's second name";
  Home home;
  World& world = home.world;
  Phone stranger = world.phone(world.worker("W8", Role::kGridWorker, kGrid2));
  const RecordId refused = stranger.new_id();
  stranger.record(kinds::kResident, refused, resident(home.home, words), true, world.clock.ms);
  CHECK(answers(*world.sync(stranger)) == std::vector{OutcomeStatus::kRejected});
  REQUIRE(holds(world, words));
  forget(world, kinds::kHousehold, home.home);
  CHECK_FALSE(holds(world, words));
  const auto inbox = world.sync(stranger);
  CHECK(std::ranges::any_of(outcomes_of(*inbox), [&](const v1::Outcome& outcome) {
    return outcome.record() == refused.bytes() &&
           outcome.code() == static_cast<std::uint32_t>(ErrorCode::kForgotten);
  }));
}

TEST_CASE("values that lost to others and receipts that quote them go with their record") {
  Home home;
  World& world = home.world;
  const Seq seen = world.county->get(kinds::kHousehold, home.home)->value().last_seq;
  const std::string loser = "loser's words";
  home.hugo.record(kinds::kHousehold, home.home, household("winner"), false, world.clock.ms + 9,
                   seen);
  home.anna.record(kinds::kHousehold, home.home, household(loser), false, world.clock.ms, seen);
  world.clock.ms += 1000;
  world.sync(home.hugo);
  // Her own creation counts as seen; his edit does not.
  CHECK(answers(*world.sync(home.anna)) == std::vector{OutcomeStatus::kBeaten});
  REQUIRE(holds(world, loser));
  const ForgetReport report = forget(world, kinds::kHousehold, home.home);
  CHECK(report.lost_values == 1);
  CHECK(report.receipts == 1);
  CHECK_FALSE(holds(world, loser));
  const auto told = outcomes_of(*world.sync(home.anna));
  CHECK(std::ranges::none_of(told, &v1::Outcome::has_lost_set));
}

TEST_CASE(
    "kept work on a forgotten record says nothing any more, and what shares its frame stays") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  Phone anna = world.phone(world.anna);
  const RecordId home = anna.new_id();
  anna.record(kinds::kHousehold, home, household(), true, world.clock.ms);
  world.sync(anna);
  world.sync(phone);
  move_away(world, carla, "W9");
  const RecordId person = phone.new_id();
  const RecordId care = phone.new_id();
  phone.record(kinds::kResident, person, resident(home, "Example Li"), true, world.clock.ms).more =
      true;
  phone.record(kinds::kVisit, care, visit(kGrid1, "street was quiet"), true, world.clock.ms);
  world.sync(phone);
  const auto list = world.county->review();
  REQUIRE(list->sealed.size() == 2);
  const std::uint64_t number = list->sealed[0].number;
  const std::string purpose = "asked by Example Li";
  REQUIRE(world.county->show_kept(number, purpose, "test",
                                  [](std::string_view) { return Result<void>(); }));
  REQUIRE(holds(world, purpose));
  const ForgetReport report = forget(world, kinds::kHousehold, home);
  CHECK(report.kept == 1);
  CHECK(is_forgotten(world, kinds::kResident, person));
  CHECK_FALSE(holds(world, "Example Li"));
  CHECK(holds(world, "street was quiet"));
  const auto receipts = world.county->accept_sealed(number, "test");
  REQUIRE(receipts);
  CHECK(*receipts == OutcomeStatus::kGone);
  CHECK(world.county->get(kinds::kVisit, care)->has_value());
}

TEST_CASE(
    "a lost acknowledgement of what a phone has emptied since is answered again, not a fork") {
  Home home;
  World& world = home.world;
  forget(world, kinds::kHousehold, home.home);
  Operation& operation =
      home.hugo.record(kinds::kResident, home.person, resident(home.home), false, world.clock.ms);
  world.sync(home.hugo, false);
  operation.hash_before = hash_of(operation);
  operation.set.clear();
  const auto again = world.sync(home.hugo);
  CHECK(again->refused() == ErrorCode{});
  CHECK(answers(*again) == std::vector{OutcomeStatus::kGone});
}

TEST_CASE("an older copy of the county forgets again what it is told, also what it never knew") {
  Home home;
  World& world = home.world;
  const std::string old = world.file("old.gwbackup");
  REQUIRE(world.county->backup(old, "test"));
  const RecordId later = home.anna.new_id();
  home.anna.record(kinds::kHousehold, later, household("after the backup"), true, world.clock.ms);
  world.sync(home.anna);
  world.sync(home.hugo);
  std::vector<RecordKey> gone;
  for (const RecordId id : {home.home, later}) {
    REQUIRE(world.county->forget({{kinds::kHousehold, id}}, "test", false, [&](const auto& keys) {
      gone.insert(gone.end(), keys.begin(), keys.end());
      return Result<void>();
    }));
  }
  world.restore(old);
  REQUIRE(holds(world));
  CHECK(*world.county->forget_again(gone) == 3);
  CHECK_FALSE(holds(world));
  CHECK(*world.county->forget_again(gone) == 0);
  // The phone that made it hears that the log has parted, and offers it again.
  world.sync(home.anna);
  home.anna.noted[Lane::kRecords] = 2;
  home.anna.cursor.Clear();
  CHECK(answers(*world.sync(home.anna)) == std::vector{OutcomeStatus::kGone});
  CHECK(is_forgotten(world, kinds::kHousehold, later));
  CHECK_FALSE(holds(world, "after the backup"));
}

TEST_CASE("nothing is forgotten that the journal could not note") {
  Home home;
  World& world = home.world;
  const auto refused = world.county->forget(
      {{kinds::kHousehold, home.home}}, "test", false,
      [](const auto&) -> Result<void> { return fail(ErrorCode::kDiskFull, "no room"); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kDiskFull);
  CHECK_FALSE(is_forgotten(world, kinds::kHousehold, home.home));
}

TEST_CASE("what the county's lists name is not forgotten, nor are receipts") {
  World world;
  const auto refused = world.county->forget({{kinds::kWorker, world.anna}}, "test", true, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kForbidden);
}

TEST_CASE("a whistle is forgotten with its contact, its actions and what was assigned") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId id = anna.new_id();
  anna.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  v1::WhistleContact contact;
  contact.set_whistle(std::string(id.bytes()));
  contact.set_name(kSecret);
  anna.record(kinds::kWhistleContact, anna.new_id(), contact.SerializeAsString(), true,
              world.clock.ms);
  world.sync(anna);
  REQUIRE(holds(world));
  CHECK(forget(world, kinds::kWhistle, id).records.size() >= 2);
  CHECK_FALSE(holds(world));
  CHECK_FALSE(holds(world, "broken cover"));
}

TEST_CASE("what goes little by little is wiped behind the calls, and stands in no backup") {
  Home home;
  World& world = home.world;
  // Rows that grow where they stand, so that pages are laid out anew.
  std::vector<RecordId> people;
  for (int i = 0; i < 400; ++i) {
    people.push_back(home.anna.new_id());
    home.anna.record(kinds::kResident, people.back(), resident(home.home), true, world.clock.ms);
  }
  world.sync(home.anna);
  v1::Resident longer;
  longer.set_relation(std::string(60, 'r'));
  for (const RecordId id : people) {
    home.anna.record(kinds::kResident, id, longer.SerializeAsString(), false, world.clock.ms);
  }
  world.sync(home.anna);
  const auto note = [](const std::vector<RecordKey>&) { return Result<void>(); };
  REQUIRE(world.county->forget({{kinds::kHousehold, home.home}}, "test", false, note,
                               County::Wiping::kLater));
  REQUIRE(world.storage->cut_log());
  REQUIRE(holds(world));

  SECTION("by a call that comes often") { REQUIRE(world.county->wipe_some()); }
  SECTION("after a start") {
    world.open();
    REQUIRE(holds(world));
    REQUIRE(world.county->wipe_some());
  }
  SECTION("before a backup") {
    REQUIRE(world.county->backup(world.file("copy.db"), "test"));
    CHECK_FALSE(bytes_of(world.file("copy.db")).contains(kSecret));
  }
  CHECK_FALSE(holds(world));
}

TEST_CASE("what may not be kept any longer is due, and nothing sooner") {
  Home home;
  World& world = home.world;
  const RetentionPeriods periods;
  const auto due = [&] { return *world.county->due(periods); };
  v1::Resident left;
  left.set_moved_out_ms(world.clock.ms);
  home.anna.record(kinds::kResident, home.person, left.SerializeAsString(), false, world.clock.ms);
  world.sync(home.anna);
  CHECK(due().empty());
  world.clock.ms += 89 * kDayMs;
  CHECK(due().empty());
  world.clock.ms += 1 * kDayMs;
  const std::vector<RecordKey> person = {{kinds::kResident, home.person}};
  REQUIRE(due() == person);
  const std::vector<RecordKey> both = {{kinds::kHousehold, home.home}, person.front()};
  CHECK(*world.county->still_due(periods, both) == person);
  SECTION("though it was due a moment ago") {
    left.set_moved_out_ms(world.clock.ms);
    home.anna.record(kinds::kResident, home.person, left.SerializeAsString(), false,
                     world.clock.ms);
    world.sync(home.anna);
    CHECK(world.county->still_due(periods, both)->empty());
    return;
  }
  forget(world, kinds::kResident, home.person);
  CHECK(due().empty());
  CHECK(world.county->still_due(periods, both)->empty());
  CHECK_FALSE(is_forgotten(world, kinds::kHousehold, home.home));
}

TEST_CASE("a date of the past that was typed a moment ago can be mended before it counts") {
  Home home;
  World& world = home.world;
  v1::Household left;
  left.set_moved_out_ms(world.clock.ms - 3650 * kDayMs);
  home.anna.record(kinds::kHousehold, home.home, left.SerializeAsString(), false, world.clock.ms);
  world.sync(home.anna);
  CHECK(world.county->due({})->empty());
  world.clock.ms += 7 * kDayMs;
  CHECK(world.county->due({})->size() == 1);
}

TEST_CASE("who reported a whistle is kept until a year after it was closed") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId id = anna.new_id();
  const RecordId caller = anna.new_id();
  anna.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  v1::WhistleContact contact;
  contact.set_whistle(std::string(id.bytes()));
  contact.set_name(kSecret);
  anna.record(kinds::kWhistleContact, caller, contact.SerializeAsString(), true, world.clock.ms);
  world.sync(anna);
  world.clock.ms += 800 * kDayMs;
  CHECK(world.county->due({})->empty());
  v1::Whistle closed;
  closed.set_state(v1::WHISTLE_STATE_CLOSED);
  closed.set_closed_ms(world.clock.ms);
  REQUIRE(world.county->write(kinds::kWhistle, id, closed.SerializeAsString(), {}, "test"));
  world.clock.ms += 364 * kDayMs;
  CHECK(world.county->due({})->empty());
  world.clock.ms += 1 * kDayMs;
  CHECK(*world.county->due({}) == std::vector<RecordKey>{{kinds::kWhistleContact, caller}});
  RetentionPeriods never;
  never.contact_days = 0;
  CHECK(world.county->due(never)->empty());
}

TEST_CASE("what somebody erased is due after the period of its kind") {
  Home home;
  World& world = home.world;
  Operation& erasure = home.anna.record(kinds::kHousehold, home.home, {}, false, world.clock.ms,
                                        world.county->status()->last_seq);
  erasure.type = OperationType::kErase;
  world.sync(home.anna);
  REQUIRE(holds(world));
  world.clock.ms += 90 * kDayMs;
  CHECK(world.county->due({})->size() == 2);
  forget(world, kinds::kHousehold, home.home);
  CHECK_FALSE(holds(world));
}

}  // namespace gridwhistle
