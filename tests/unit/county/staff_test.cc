#include <set>

#include "county_world.h"

// A phone has of the county's people and lists what its worker's scopes need.
namespace gridwhistle {
namespace {

using namespace test;

std::set<RecordId> people(const Inbox& inbox) {
  std::set<RecordId> ids;
  for (const Row& row : inbox.rows_of(kinds::kWorker)) ids.insert(row.id);
  return ids;
}

std::size_t lists(const Inbox& inbox) {
  return inbox.rows_of(kinds::kRoutingRule).size() +
         inbox.rows_of(kinds::kResponsibilityItem).size();
}

TEST_CASE("a phone has the people of its own grid, village, town and county, and no neighbour's") {
  World world;
  v1::OrgUnit bureau;
  bureau.set_code("B1");
  bureau.set_level(v1::LEVEL_COUNTY);
  bureau.set_area12("440811000000");
  const RecordId frida = world.worker("W5", Role::kDepartment, "", world.import(bureau));
  const RecordId head = world.worker("W6", Role::kSupervisor, "county:440811");
  Phone anna = world.phone(world.anna);
  CHECK(people(*world.sync(anna)) == std::set{world.anna, world.dora, frida, head});

  SECTION("a town's centre has all who work in the town") {
    Phone dora = world.phone(world.dora);
    CHECK(people(*world.sync(dora)) == std::set{world.anna, world.bruno, world.dora, frida, head});
  }
  SECTION("a department has everybody: it is called to any grid") {
    Phone erik = world.phone(world.erik);
    CHECK(people(*world.sync(erik)) ==
          std::set{world.anna, world.bruno, world.dora, world.erik, frida, head});
  }
  SECTION("a volunteer has nobody but themselves") {
    const RecordId vera = world.worker("W7", Role::kVolunteer, kGrid1);
    Phone phone = world.phone(vera);
    CHECK(people(*world.sync(phone)) == std::set{vera});
  }
  SECTION("who takes over in another grid goes with it, and is missed where they were") {
    v1::Worker moved;
    moved.set_code("W2");
    v1::WorkerRole& role = *moved.add_roles();
    role.set_role(v1::ROLE_GRID_WORKER);
    role.set_scope(kGrid1);
    world.import(moved, world.bruno);
    const auto came = world.sync(anna)->rows_of(kinds::kWorker);
    REQUIRE(came.size() == 1);
    CHECK(came.front().id == world.bruno);
    CHECK(came.front().change == RowChange::kWhole);
    moved.mutable_roles(0)->set_scope(kGrid2);
    world.import(moved, world.bruno);
    const auto went = world.sync(anna)->rows_of(kinds::kWorker);
    REQUIRE(went.size() == 1);
    CHECK(went.front().change == RowChange::kLeft);
  }
}

TEST_CASE("who works in more places than a row can name is known in the whole county") {
  World world;
  v1::Worker busy;
  busy.set_code("W5");
  for (int i = 1; i <= 70; ++i) {
    v1::WorkerRole& role = *busy.add_roles();
    role.set_role(v1::ROLE_GRID_WORKER);
    role.set_scope("440811001001" + std::to_string(100 + i));
  }
  const RecordId ida = world.import(busy);
  Phone phone = world.phone(ida);
  CHECK(people(*world.sync(phone)).contains(ida));
  Phone anna = world.phone(world.anna);
  CHECK(people(*world.sync(anna)).contains(ida));
}

TEST_CASE("rules and responsibilities go to a centre's staff alone: no other phone reads them") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone erik = world.phone(world.erik);
  Phone dora = world.phone(world.dora);
  CHECK(lists(*world.sync(anna)) == 0);
  CHECK(lists(*world.sync(erik)) == 0);
  CHECK(lists(*world.sync(dora)) == 2);
}

}  // namespace
}  // namespace gridwhistle
