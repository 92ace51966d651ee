#include "access/audit.h"

#include "county_world.h"

// Who changed personal data stands in the audit.
namespace gridwhistle {
namespace {

using namespace test;

std::string household(const std::string& notes) {
  v1::Household message;
  message.set_grid(kGrid1);
  message.set_notes(notes);
  return message.SerializeAsString();
}

/// What was noted of phones' writes, in order.
std::vector<std::string> writes(World& world) {
  std::vector<std::string> all;
  const auto scanned = world.storage->scan_audit([&](const AuditRow& row) -> Result<void> {
    if (row.content.starts_with("write: device")) all.push_back(row.content);
    return {};
  });
  REQUIRE(scanned);
  return all;
}

TEST_CASE("who wrote which personal record stands in the audit's chain, and not a word of it") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId walk = phone.new_id();
  phone.record(kinds::kVisit, walk, visit(kGrid1), true, world.clock.ms);
  std::vector<RecordId> homes;
  for (int i = 0; i < 3; ++i) {
    homes.push_back(phone.new_id());
    phone.record(kinds::kHousehold, homes.back(), household("red door"), true, world.clock.ms);
  }
  world.sync(phone);
  const auto first = writes(world);
  REQUIRE(first.size() == 1);
  CHECK(first[0].find(std::to_string(phone.device.value)) != std::string::npos);
  CHECK(first[0].find(world.anna.text()) != std::string::npos);
  CHECK(first[0].find("Household " + homes[0].text() + " and 2 more at ") != std::string::npos);
  CHECK(first[0].find("Visit") == std::string::npos);
  CHECK(first[0].find("red door") == std::string::npos);

  phone
      .record(kinds::kHousehold, homes[1], {}, false, world.clock.ms + 1, world.storage->last_seq())
      .type = OperationType::kErase;
  world.sync(phone);
  const auto second = writes(world);
  REQUIRE(second.size() == 2);
  CHECK(second[1].find("Household " + homes[1].text() + " at ") != std::string::npos);
  CHECK(second[1].ends_with(", erased"));
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
}

TEST_CASE("a frame that comes again is noted once, and what is refused or not personal is not") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kHousehold, phone.new_id(), household("red door"), true, world.clock.ms);
  world.sync(phone, false);
  world.sync(phone);
  CHECK(writes(world).size() == 1);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  v1::Household elsewhere;
  elsewhere.set_grid(kGrid2);
  phone.record(kinds::kHousehold, phone.new_id(), elsewhere.SerializeAsString(), true,
               world.clock.ms);
  world.sync(phone);
  CHECK(writes(world).size() == 1);
}

}  // namespace
}  // namespace gridwhistle
