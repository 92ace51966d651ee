#include <algorithm>
#include <functional>
#include <random>

#include "county_world.h"

// What belongs to a record is erased with it. Merge laws, "Erasing".
namespace gridwhistle {
namespace {

using namespace test;

std::string household(const std::string& notes = "red door", const std::string& grid = kGrid1) {
  v1::Household message;
  message.set_grid(grid);
  message.set_notes(notes);
  return message.SerializeAsString();
}

std::string resident(RecordId home, const std::string& relation = "head") {
  v1::Resident message;
  message.set_household(std::string(home.bytes()));
  message.set_relation(relation);
  return message.SerializeAsString();
}

std::string care(RecordId person) {
  v1::ResidentCare message;
  message.set_resident(std::string(person.bytes()));
  message.set_living_alone(true);
  return message.SerializeAsString();
}

Operation& erase(Phone& phone, KindId kind, RecordId id, std::int64_t at_ms, Seq seen) {
  Operation& operation = phone.record(kind, id, {}, false, at_ms, seen);
  operation.type = OperationType::kErase;
  return operation;
}

bool is_erased(World& world, KindId kind, RecordId id) {
  const auto record = world.storage->record({kind, id});
  REQUIRE(record);
  REQUIRE(*record);
  return (*record)->state.erased;
}

std::vector<v1::Outcome> outcomes_of(const Inbox& inbox) {
  std::vector<v1::Outcome> all;
  for (const Row& row : inbox.rows_of(kinds::kOutcome)) {
    REQUIRE(all.emplace_back().ParseFromString(row.set));
  }
  return all;
}

/// A household of grid 1 with a resident who is looked after, known to everybody there.
struct Home {
  World world;
  Phone anna = world.phone(world.anna);
  Phone greta = world.phone(world.worker("W8", Role::kCareWorker, kGrid1));
  Phone hugo = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  RecordId home = anna.new_id();
  RecordId person = anna.new_id();
  RecordId need = greta.new_id();
  RecordId walk = anna.new_id();

  Home() {
    anna.record(kinds::kHousehold, home, household(), true, now());
    anna.record(kinds::kResident, person, resident(home), true, now());
    v1::Visit visit;
    visit.set_grid(kGrid1);
    visit.set_kind(v1::VISIT_KIND_HOUSEHOLD);
    visit.set_household(std::string(home.bytes()));
    anna.record(kinds::kVisit, walk, visit.SerializeAsString(), true, now());
    world.sync(anna);
    greta.record(kinds::kResidentCare, need, care(person), true, now());
    world.sync(greta);
    for (Phone* phone : {&anna, &greta, &hugo}) world.sync(*phone);
  }

  std::int64_t now() { return ++world.clock.ms; }
  Seq seen(const Phone& phone) const { return Seq(phone.cursor.seq()); }
};

TEST_CASE("a household's erasure takes its residents and their care along, and no visit") {
  Home h;
  erase(h.anna, kinds::kHousehold, h.home, h.now(), h.seen(h.anna));
  const auto answer = h.world.sync(h.anna);
  CHECK(is_erased(h.world, kinds::kHousehold, h.home));
  CHECK(is_erased(h.world, kinds::kResident, h.person));
  CHECK(is_erased(h.world, kinds::kResidentCare, h.need));
  CHECK_FALSE(is_erased(h.world, kinds::kVisit, h.walk));

  SECTION("and every phone is told, the eraser's too") {
    REQUIRE(answer->rows_of(kinds::kResident).size() == 1);
    CHECK(answer->rows_of(kinds::kResident).front().change == RowChange::kErased);
    const auto news = h.world.sync(h.greta);
    for (const KindId kind : {kinds::kHousehold, kinds::kResident, kinds::kResidentCare}) {
      REQUIRE(news->rows_of(kind).size() == 1);
      CHECK(news->rows_of(kind).front().change == RowChange::kErased);
    }
  }
  SECTION("and whoever wrote what the eraser could not see is told, with the value kept") {
    const auto told = outcomes_of(*h.world.sync(h.greta));
    REQUIRE(told.size() == 1);
    CHECK(told[0].record() == h.need.bytes());
    CHECK(told[0].status() == static_cast<int>(OutcomeStatus::kGone));
    CHECK(told[0].lost_set().empty());
    CHECK(h.world.storage->lost_values({kinds::kResidentCare, h.need})->size() == 1);
    CHECK(outcomes_of(*h.world.sync(h.hugo)).empty());
  }
  SECTION("and a phone that comes later hears of none of it") {
    Phone fresh = h.world.phone(h.world.worker("W7", Role::kGridWorker, kGrid1));
    CHECK(h.world.sync(fresh)->rows_of(kinds::kResident).empty());
  }
  SECTION("and the county is sound") {
    const auto report = h.world.county->verify();
    REQUIRE(report);
    CHECK(report->faults.empty());
    CHECK(report->orphans.empty());
  }
}

TEST_CASE("an edit that brings a household back brings back what went along, and nothing else") {
  Home h;
  const RecordId moved_out = h.anna.new_id();
  h.anna.record(kinds::kResident, moved_out, resident(h.home), true, h.now());
  h.world.sync(h.anna);
  erase(h.anna, kinds::kResident, moved_out, h.now(), h.world.storage->last_seq());
  h.world.sync(h.anna);
  h.world.sync(h.hugo);
  erase(h.anna, kinds::kHousehold, h.home, h.now(), h.seen(h.anna));
  v1::Household edit;
  edit.set_notes("still there");
  h.hugo.record(kinds::kHousehold, h.home, edit.SerializeAsString(), false, h.now(),
                h.seen(h.hugo));
  h.world.sync(h.anna);
  h.world.sync(h.greta);
  h.world.sync(h.hugo);
  CHECK_FALSE(is_erased(h.world, kinds::kHousehold, h.home));
  CHECK_FALSE(is_erased(h.world, kinds::kResident, h.person));
  CHECK_FALSE(is_erased(h.world, kinds::kResidentCare, h.need));
  CHECK(is_erased(h.world, kinds::kResident, moved_out));
  for (Phone* phone : {&h.anna, &h.greta}) {
    const auto rows = h.world.sync(*phone)->rows_of(kinds::kResident);
    REQUIRE(rows.size() == 1);
    CHECK(rows.front().id == h.person);
    CHECK(rows.front().change != RowChange::kErased);
    CHECK(rows.front().set == (*h.world.storage->record({kinds::kResident, h.person}))->state.body);
  }
}

TEST_CASE("what is written late to a part of an erased household is GONE, and comes back with it") {
  Home h;
  erase(h.anna, kinds::kHousehold, h.home, h.now(), h.seen(h.anna));
  h.world.sync(h.anna);
  const RecordId late = h.hugo.new_id();
  h.hugo.record(kinds::kResident, late, resident(h.home, "son"), true, h.now());
  v1::Resident edit;
  edit.set_relation("widow");
  h.hugo.record(kinds::kResident, h.person, edit.SerializeAsString(), false, h.now(),
                h.seen(h.hugo));
  const auto answer = h.world.sync(h.hugo);
  for (const v1::AckRun& run : answer->runs()) {
    CHECK(run.status() == static_cast<std::uint32_t>(OutcomeStatus::kGone));
    CHECK(run.code() == static_cast<std::uint32_t>(ErrorCode::kGone));
  }
  const auto told = outcomes_of(*answer);
  REQUIRE(told.size() == 2);
  CHECK(told[0].lost_set() ==
        *canonical(*built_schema().kind(kinds::kResident), resident(h.home, "son")));
  CHECK(is_erased(h.world, kinds::kResident, late));
  CHECK(is_erased(h.world, kinds::kResident, h.person));

  v1::Household back;
  back.set_notes("a mistake");
  h.greta.record(kinds::kHousehold, h.home, back.SerializeAsString(), false, h.now(),
                 h.seen(h.greta));
  h.world.sync(h.greta);
  const auto rows = h.world.sync(h.hugo)->rows_of(kinds::kResident);
  CHECK(rows.size() == 2);
  v1::Resident person;
  REQUIRE(
      person.ParseFromString((*h.world.storage->record({kinds::kResident, h.person}))->state.body));
  CHECK(person.relation() == "widow");
}

TEST_CASE("each who wrote what an eraser of the whole cannot have seen is told of the own words") {
  Home h;
  v1::Resident relation;
  relation.set_relation("widow");
  h.hugo.record(kinds::kResident, h.person, relation.SerializeAsString(), false, h.now(),
                h.seen(h.hugo));
  v1::Resident name;
  name.set_name("Chen Yi");
  h.greta.record(kinds::kResident, h.person, name.SerializeAsString(), false, h.now(),
                 h.seen(h.greta));
  h.world.sync(h.hugo);
  h.world.sync(h.greta);
  erase(h.anna, kinds::kHousehold, h.home, h.now(), h.seen(h.anna));
  h.world.sync(h.anna);
  const auto told = [&](Phone& phone) {
    std::vector<v1::Outcome> outcomes = outcomes_of(*h.world.sync(phone));
    std::erase_if(outcomes, [&](const v1::Outcome& o) { return o.record() != h.person.bytes(); });
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].status() == v1::OUTCOME_STATUS_GONE);
    v1::Resident lost;
    REQUIRE(lost.ParseFromString(outcomes[0].lost_set()));
    return lost;
  };
  CHECK(told(h.hugo).SerializeAsString() == relation.SerializeAsString());
  CHECK(told(h.greta).SerializeAsString() == name.SerializeAsString());
}

TEST_CASE("a resident who moved to another household stays, whichever came first") {
  for (const bool erased_first : {true, false}) {
    Home h;
    const RecordId other = h.anna.new_id();
    h.anna.record(kinds::kHousehold, other, household("blue door"), true, h.now());
    h.world.sync(h.anna);
    h.world.sync(h.hugo);
    erase(h.anna, kinds::kHousehold, h.home, h.now(), h.seen(h.anna));
    v1::Resident move;
    move.set_household(std::string(other.bytes()));
    h.hugo.record(kinds::kResident, h.person, move.SerializeAsString(), false, h.now(),
                  h.seen(h.hugo));
    h.world.sync(erased_first ? h.anna : h.hugo);
    h.world.sync(erased_first ? h.hugo : h.anna);
    CHECK(is_erased(h.world, kinds::kHousehold, h.home));
    CHECK_FALSE(is_erased(h.world, kinds::kResident, h.person));
    CHECK_FALSE(is_erased(h.world, kinds::kResidentCare, h.need));
    CHECK(outcomes_of(*h.world.sync(h.hugo)).empty());
  }
}

TEST_CASE("a patrol's erasure takes the track along that only comes later by a slower lane") {
  Home h;
  const RecordId patrol = h.anna.new_id();
  const RecordId track = h.anna.new_id();
  v1::Visit walk;
  REQUIRE(walk.ParseFromString(visit(kGrid1)));
  walk.set_started_ms(h.now());
  h.anna.record(kinds::kVisit, patrol, walk.SerializeAsString(), true, h.now());
  v1::TrackBatch batch;
  batch.set_visit(std::string(patrol.bytes()));
  batch.add_points()->set_at_ms(h.now());
  h.anna.record(kinds::kTrackBatch, track, batch.SerializeAsString(), true, h.now());
  erase(h.anna, kinds::kVisit, patrol, h.now(), {});
  const auto answer = h.world.sync(h.anna);
  CHECK(is_erased(h.world, kinds::kTrackBatch, track));
  CHECK(outcomes_of(*answer).empty());
}

/// What may happen to a household and its people, each by one of three phones that have seen the
/// same and nothing of each other.
struct Deed {
  std::size_t phone = 0;
  std::function<void(Home&, Phone&)> record;
};

std::vector<Deed> random_deeds(std::mt19937& dice) {
  std::vector<Deed> all;
  for (int i = 0; i < 6; ++i) {
    const std::size_t who = dice() % 3;
    const std::string word = "w" + std::to_string(i);
    switch (dice() % 6) {
      case 0:
        all.push_back({who, [](Home& h, Phone& p) {
                         erase(p, kinds::kHousehold, h.home, h.now(), h.seen(p));
                       }});
        break;
      case 1:
        all.push_back({who, [](Home& h, Phone& p) {
                         erase(p, kinds::kResident, h.person, h.now(), h.seen(p));
                       }});
        break;
      case 2:
        all.push_back({who, [word](Home& h, Phone& p) {
                         v1::Household edit;
                         edit.set_notes(word);
                         p.record(kinds::kHousehold, h.home, edit.SerializeAsString(), false,
                                  h.now(), h.seen(p));
                       }});
        break;
      case 3:
        all.push_back({who, [word](Home& h, Phone& p) {
                         v1::Resident edit;
                         edit.set_relation(word);
                         p.record(kinds::kResident, h.person, edit.SerializeAsString(), false,
                                  h.now(), h.seen(p));
                       }});
        break;
      case 4:
        all.push_back({who, [](Home& h, Phone& p) {
                         p.record(kinds::kResident, p.new_id(), resident(h.home), true, h.now());
                       }});
        break;
      default:
        all.push_back({1, [](Home& h, Phone& p) {
                         p.record(kinds::kResidentCare, p.new_id(), care(h.person), true, h.now());
                       }});
        break;
    }
  }
  return all;
}

std::map<RecordKey, std::string> outcome_of(const std::vector<Deed>& deeds,
                                            std::vector<std::size_t> order) {
  Home h;
  // Ids are drawn by lot and differ from county to county; what is the same record goes by its
  // author and its number there.
  Phone* const phones[] = {&h.anna, &h.greta, &h.hugo};
  for (const Deed& deed : deeds) deed.record(h, *phones[deed.phone]);
  for (const std::size_t at : order) h.world.sync(*phones[at]);
  std::map<RecordKey, std::string> end;
  for (const KindId kind : {kinds::kHousehold, kinds::kResident, kinds::kResidentCare}) {
    const auto scanned = h.world.storage->scan(kind, [&](RecordId id, StoredRecord stored) {
      const auto author = std::ranges::find_if(
          phones, [&](const Phone* phone) { return phone->device == id.device(); });
      const auto name = RecordId::make(
          DeviceId(static_cast<std::uint64_t>(author - std::begin(phones)) + 1), id.counter());
      std::string& text = end[{kind, name}];
      text = stored.state.erased ? "erased" : "stands";
      if (kind == kinds::kHousehold) {
        text += text_of(stored.state.body, fields::household::kNotes).value_or("");
      }
      if (kind == kinds::kResident) {
        text += text_of(stored.state.body, fields::resident::kRelation).value_or("");
      }
      return Result<void>{};
    });
    REQUIRE(scanned);
  }
  const auto report = h.world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
  CHECK(report->orphans.empty());
  return end;
}

TEST_CASE("wholes and parts end in the same records in whichever order erasures and edits arrive") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 dice(seed);
  for (int round = 0; round < 5; ++round) {
    INFO("round " << round);
    const std::vector<Deed> deeds = random_deeds(dice);
    const auto first = outcome_of(deeds, {0, 1, 2});
    CHECK(outcome_of(deeds, {2, 1, 0}) == first);
    CHECK(outcome_of(deeds, {1, 2, 0}) == first);
  }
}

}  // namespace
}  // namespace gridwhistle
