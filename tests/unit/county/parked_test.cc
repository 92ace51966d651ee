#include <algorithm>

#include "county_world.h"

// Phones that know more than the server: it keeps what it does not understand, until it does.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

// The schema of an older server, which had no places yet.
const Schema& older() {
  static const std::vector<KindSchema> kinds = [] {
    std::vector<KindSchema> all(built_schema().kinds.begin(), built_schema().kinds.end());
    std::erase_if(all, [](const KindSchema& kind) { return kind.id == kinds::kPlace; });
    return all;
  }();
  static const Schema schema{built_schema().version, kinds};
  return schema;
}

std::string shop(const std::string& name, int inspection = 0) {
  v1::Place place;
  if (!name.empty()) place.set_grid(kGrid1);
  if (!name.empty()) place.set_name(name);
  if (inspection != 0) place.add_inspections()->set_text(std::to_string(inspection));
  return place.SerializeAsString();
}

std::size_t notices(World& world, Phone& phone) {
  phone.cursor.Clear();
  return world.sync(phone, false)->rows_of(kinds::kOutcome).size();
}

constexpr auto kAccepted = OutcomeStatus::kAccepted;
constexpr auto kParked = OutcomeStatus::kParked;

}  // namespace

TEST_CASE("what the server does not know yet is kept, and applied once by the first that does") {
  World world;
  Phone phone = world.phone(world.anna);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  world.open(older());
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  phone.record(kinds::kPlace, id, shop("shop", 1), true, world.clock.ms);
  phone.record(kinds::kPlace, id, shop("", 2), false, world.clock.ms + 1);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  CHECK(answers(*world.sync(phone, false)) == std::vector{kAccepted, kParked, kParked, kAccepted});
  CHECK(answers(*world.sync(phone, false)) == std::vector{kAccepted, kParked, kParked, kAccepted});
  CHECK(world.county->status()->parked == 2);
  CHECK(world.county->review()->parked == 2);
  CHECK(notices(world, phone) == 2);
  CHECK(world.sync(colleague)->rows_of(kinds::kVisit).size() == 2);
  world.open(older());
  CHECK(world.county->status()->parked == 2);
  CHECK(notices(world, phone) == 2);

  for (int start = 0; start < 2; ++start) {
    world.open();
    CHECK(world.county->status()->parked == 0);
    const auto row = world.county->get(kinds::kPlace, id);
    REQUIRE(row);
    REQUIRE(*row);
    v1::Place place;
    REQUIRE(place.ParseFromString((*row)->body));
    CHECK(place.name() == "shop");
    REQUIRE(place.inspections_size() == 2);
    CHECK(place.inspections(1).text() == "2");
  }
  CHECK(world.sync(colleague)->rows_of(kinds::kPlace).size() == 1);
  CHECK(answers(*world.sync(phone)) == std::vector{kAccepted, kParked, kParked, kAccepted});
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a transaction with one unknown kind waits as a whole, however often the server starts") {
  World world;
  Phone phone = world.phone(world.anna);
  world.open(older());
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms).more = true;
  phone.record(kinds::kPlace, phone.new_id(), shop("shop"), true, world.clock.ms);
  CHECK(answers(*world.sync(phone)) == std::vector{kParked, kParked});
  CHECK(*world.storage->count(kinds::kVisit) == 0);
  for (int start = 0; start < 3; ++start) {
    CHECK(world.county->status()->parked == 1);
    CHECK(notices(world, phone) == 2);
    world.open(older());
  }
  world.open();
  CHECK(world.county->status()->parked == 0);
  CHECK(*world.storage->count(kinds::kVisit) == 1);
  CHECK(*world.storage->count(kinds::kPlace) == 1);
  // Its author hears that it was applied, too.
  CHECK(notices(world, phone) == 4);
}

TEST_CASE("an edit that waited comes back to its author like to everybody once it is applied") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, visit(kGrid1, "first"), true, world.clock.ms);
  world.sync(phone);
  world.open(older());
  v1::Visit edit;
  edit.set_notes("second");
  phone.record(kinds::kVisit, id, edit.SerializeAsString(), false, world.clock.ms + 1).more = true;
  phone.record(kinds::kPlace, phone.new_id(), shop("shop"), true, world.clock.ms + 1);
  CHECK(answers(*world.sync(phone)).back() == kParked);
  world.open();
  const auto inbox = world.sync(phone);
  REQUIRE(inbox->rows_of(kinds::kVisit).size() == 1);
  CHECK(text_of(inbox->rows_of(kinds::kVisit)[0].set, fields::visit::kNotes) == "second");
  CHECK(inbox->rows_of(kinds::kPlace).size() == 1);
  // Its own row comes before the word that it was applied.
  CHECK(inbox->rows().back().kind == kinds::kOutcome);
}

TEST_CASE("what waited for an upgrade is judged by what its author held when it was written") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  world.open(older());
  phone.record(kinds::kPlace, phone.new_id(), shop("shop"), true, world.clock.ms);
  world.sync(phone);
  world.clock.ms += 1000;
  v1::Worker moved;
  moved.set_code("W9");
  v1::WorkerRole& role = *moved.add_roles();
  role.set_role(static_cast<v1::Role>(Role::kGridWorker));
  role.set_scope(kGrid2);
  world.import(moved, carla);
  const bool late = GENERATE(false, true);
  world.clock.ms += late ? std::int64_t{40} * 24 * 3600 * 1000 : 1000;
  world.open();
  CHECK(world.county->status()->parked == 0);
  CHECK(world.county->status()->sealed == (late ? 1 : 0));
  CHECK(*world.storage->count(kinds::kPlace) == (late ? 0 : 1));
}

TEST_CASE("a field that the server does not know yet is kept and handed on") {
  static const std::vector<FieldSchema> fields = [] {
    const KindSchema& kind = *built_schema().kind(kinds::kVisit);
    std::vector<FieldSchema> all(kind.fields.begin(), kind.fields.end());
    std::erase_if(all, [](const FieldSchema& f) { return f.number == fields::visit::kNotes; });
    return all;
  }();
  static std::vector<KindSchema> kinds(built_schema().kinds.begin(), built_schema().kinds.end());
  std::ranges::find(kinds, kinds::kVisit, &KindSchema::id)->fields = fields;
  const Schema without{built_schema().version, kinds};
  World world;
  Phone phone = world.phone(world.anna);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  world.open(without);
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, visit(kGrid1, "new words"), true, world.clock.ms);
  CHECK(answers(*world.sync(phone)) == std::vector{kAccepted});
  const auto rows = world.sync(colleague)->rows_of(kinds::kVisit);
  REQUIRE(rows.size() == 1);
  CHECK(text_of(rows[0].set, fields::visit::kNotes) == "new words");
  world.open();
  CHECK(text_of((*world.county->get(kinds::kVisit, id))->body, fields::visit::kNotes) ==
        "new words");
}
