#include "county_world.h"

// A phone changes hands, or comes back to them.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

std::string household(const std::string& grid, const std::string& address) {
  v1::Household home;
  home.set_grid(grid);
  home.set_address(address);
  return home.SerializeAsString();
}

void enrol_again(World& world, Phone& phone, RecordId worker) {
  const auto code = world.county->create_code(worker, "test");
  REQUIRE(code);
  REQUIRE(world.enrol(phone, code->code).code() == 0);
}

}  // namespace

TEST_CASE("a phone that was revoked and is enrolled again gets everything again") {
  World world;
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  colleague.record(kinds::kHousehold, colleague.new_id(), household(kGrid1, "3 Well Lane"), true,
                   world.clock.ms);
  world.sync(colleague);
  Phone anna = world.phone(world.anna);
  REQUIRE(world.sync(anna)->rows_of(kinds::kHousehold).size() == 1);

  REQUIRE(world.county->revoke(anna.device, DeviceState::kLeft, "test"));
  const auto farewell = world.sync(anna)->all<v1::Welcome>();
  REQUIRE(farewell.size() == 1);
  CHECK(farewell.front().grants().empty());
  anna.grants_version = farewell.front().grants_version();

  enrol_again(world, anna, world.anna);
  const auto back = world.sync(anna);
  CHECK_FALSE(back->all<v1::Welcome>().front().grants().empty());
  CHECK(back->rows_of(kinds::kHousehold).size() == 1);
}

TEST_CASE("a phone that was handed on gets what its new worker holds, however long already") {
  World world;
  Phone bruno = world.phone(world.bruno);
  bruno.record(kinds::kHousehold, bruno.new_id(), household(kGrid2, "5 Well Lane"), true,
               world.clock.ms);
  world.sync(bruno);
  Phone passed_on = world.phone(world.anna);
  CHECK(world.sync(passed_on)->rows_of(kinds::kHousehold).empty());
  enrol_again(world, passed_on, world.bruno);
  CHECK(world.sync(passed_on)->rows_of(kinds::kHousehold).size() == 1);
  CHECK(world.sync(passed_on)->rows_of(kinds::kHousehold).empty());
}

TEST_CASE("whose value lost is told, whoever has the phone by now") {
  World world;
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId home = colleague.new_id();
  colleague.record(kinds::kHousehold, home, household(kGrid1, "3 Well Lane"), true, world.clock.ms);
  world.sync(colleague);
  const Seq made = world.storage->last_seq();

  Phone passed_on = world.phone(world.anna);
  passed_on.record(kinds::kHousehold, home, household(kGrid1, "4 Well Lane"), false,
                   world.clock.ms + 1, made);
  world.sync(passed_on);
  enrol_again(world, passed_on, world.bruno);

  colleague.record(kinds::kHousehold, home, household(kGrid1, "5 Well Lane"), false,
                   world.clock.ms + 2, made);
  world.sync(colleague);
  CHECK(world.sync(passed_on)->rows_of(kinds::kOutcome).empty());
  Phone hers = world.phone(world.anna);
  CHECK(world.sync(hers)->rows_of(kinds::kOutcome).size() == 1);
}
