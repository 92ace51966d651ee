#include "county_world.h"
#include "support/power_cut_vfs.h"

// What the county knows of its own storage, and says to whoever asks how it is.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

using Fault = PowerCutDisk::Fault;

constexpr std::int64_t kSomeTimeMs = 10'000;

void write_visit(World& world, Phone& phone) {
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1, std::string(3000, 'v')), true,
               world.clock.ms);
}

void pump_later(World& world, std::int64_t later_ms = kSomeTimeMs) {
  world.clock.ms += later_ms;
  world.pump();
}

// What happens instead when the record of this id is written.
void spoil_write_of(World& world, RecordId id, const std::string& instead) {
  std::string hex;
  char two[3];
  for (const char byte : id.bytes()) {
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(byte));
    hex += two;
  }
  run_sql(world, "CREATE TRIGGER spoilt BEFORE INSERT ON k" + std::to_string(kinds::kVisit.value) +
                     " WHEN new.id=x'" + hex + "' BEGIN SELECT " + instead + "; END");
}

}  // namespace

TEST_CASE("a county whose storage works says so") {
  World world;
  Phone anna = world.phone(world.anna);
  write_visit(world, anna);
  world.sync(anna);
  const StorageHealth health = world.county->storage_health();
  CHECK_FALSE(health.refuses);
  CHECK(health.failures == 0);
  CHECK(health.put_off.empty());
}

TEST_CASE(
    "a county says that its disk is full or fails, why and since when, until it works again") {
  const auto [fault, code] = GENERATE(table<Fault, ErrorCode>(
      {{Fault::kNoSpace, ErrorCode::kDiskFull}, {Fault::kIoError, ErrorCode::kIo}}));
  PowerCutDisk disk("storage_health");
  World world(disk.name());
  Phone anna = world.phone(world.anna);
  disk.fail_after(0, fault);
  for (int i = 0; i < 300; ++i) write_visit(world, anna);
  const std::int64_t struck_ms = world.clock.ms;
  world.sync(anna);
  for (int time = 0; time < 2; ++time) {
    const StorageHealth health = world.county->storage_health();
    REQUIRE(health.refuses);
    CHECK(health.refuses->code == code);
    CHECK(health.since_ms == struck_ms);
    CHECK(health.failures > 0);
    // Nobody in particular is at fault.
    CHECK(health.put_off.empty());
    pump_later(world);
  }

  disk.heal();
  CHECK(world.county->storage_health().refuses);
  // Nobody calls; the county finds out by itself.
  CHECK(world.county->pump().wake_after_ms <= kSomeTimeMs);
  pump_later(world);
  CHECK_FALSE(world.county->storage_health().refuses);
  CHECK(world.county->storage_health().since_ms == 0);
  CHECK(world.county->storage_health().failures > 0);
  world.sync(anna, false);
  CHECK(*world.storage->count(kinds::kVisit) == 300);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("an operator's change and an enrolment that find the disk full are heard of, too") {
  PowerCutDisk disk("storage_health");
  World world(disk.name());
  Phone phone{.device = DeviceId(5), .key = *P256Key::make()};
  const std::string code = world.county->create_code(world.anna, "test")->code;
  disk.fail_after(0, Fault::kIoError);
  SECTION("a change") { CHECK_FALSE(world.county->create_code(world.anna, "test")); }
  SECTION("an enrolment") { CHECK(world.enrol(phone, code).code() != 0); }
  CHECK(world.county->storage_health().refuses);
  disk.heal();
  pump_later(world);
  CHECK_FALSE(world.county->storage_health().refuses);
}

TEST_CASE("a backup that finds no room is no fault of the county's own disk") {
  World world;
  CHECK_FALSE(world.county->backup("/no/such/folder/copy.db", "test"));
  CHECK_FALSE(world.county->storage_health().refuses);
}

TEST_CASE(
    "a phone whose work is refused while that of others is taken is named until it is taken") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone carla = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  write_visit(world, anna);
  write_visit(world, carla);
  spoil_write_of(world, carla.lanes[Lane::kRecords][0].id, "RAISE(ABORT, 'no')");
  for (int time = 0; time < 3; ++time) {
    CHECK(world.sync(anna)->refused() == ErrorCode{});
    CHECK(world.sync(carla)->refused() == ErrorCode::kBusy);
    const StorageHealth health = world.county->storage_health();
    CHECK_FALSE(health.refuses);
    REQUIRE(health.put_off.size() == 1);
    CHECK(health.put_off[0].short_code == carla.short_code);
    CHECK(health.put_off[0].why.code == ErrorCode::kInternal);
    CHECK(health.put_off[0].why.detail.starts_with("sqlite "));
  }
  SECTION("it is taken at last") {
    run_sql(world, "DROP TRIGGER spoilt");
    CHECK(world.sync(carla)->refused() == ErrorCode{});
    CHECK(*world.storage->count(kinds::kVisit) == 2);
  }
  SECTION("it does not come back") { pump_later(world, std::int64_t{16} * 60'000); }
  CHECK(world.county->storage_health().put_off.empty());
}

TEST_CASE("a phone that cannot be answered because something cannot be read is named, too") {
  World world;
  Phone anna = world.phone(world.anna);
  write_visit(world, anna);
  world.sync(anna, false);
  run_sql(world, "ALTER TABLE chunk RENAME TO away");
  Phone only_asks = anna;
  only_asks.noted[Lane::kRecords] = 0;
  CHECK(world.ask(only_asks)->refused() == ErrorCode::kBusy);
  REQUIRE(world.county->storage_health().put_off.size() == 1);
  CHECK(world.county->storage_health().put_off[0].short_code == anna.short_code);
  run_sql(world, "ALTER TABLE away RENAME TO chunk");
  anna.calls = only_asks.calls;
  CHECK(world.sync(anna)->refused() == ErrorCode{});
  CHECK(world.county->storage_health().put_off.empty());
}

TEST_CASE(
    "a frame of which a part cannot be stored is put off whole, whatever the storage calls it") {
  World world;
  Phone anna = world.phone(world.anna);
  for (int i = 0; i < 3; ++i) write_visit(world, anna);
  // SQLite's "too big" is no fault of the worker's: who is refused for that gives up the work.
  spoil_write_of(world, anna.lanes[Lane::kRecords][1].id, "zeroblob(2000000000)");
  const Seq before = world.storage->last_seq();
  const auto refused = world.sync(anna);
  CHECK(refused->refused() == ErrorCode::kBusy);
  CHECK(refused->runs().empty());
  CHECK(*world.storage->count(kinds::kVisit) == 0);
  CHECK(world.storage->last_seq() == before);
  run_sql(world, "DROP TRIGGER spoilt");
  CHECK(world.sync(anna)->refused() == ErrorCode{});
  CHECK(*world.storage->count(kinds::kVisit) == 3);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a damaged note of the backup is told as damage, at the start and in the status") {
  const std::string damage = GENERATE(as<std::string>{}, "", "12x", "-1", "99999999999999999999");
  const bool sound = damage.empty();
  World world;
  world.county.reset();
  run_sql(world, "INSERT OR REPLACE INTO meta VALUES('backed_up','" + damage + "')");
  const auto opened = world.try_open();
  CHECK(opened.has_value() == sound);
  if (!opened) CHECK(opened.error().code == ErrorCode::kCorrupt);

  world.county.reset();
  run_sql(world, "UPDATE meta SET value='' WHERE key='backed_up'");
  run_sql(world, "INSERT OR REPLACE INTO meta VALUES('backed_up_ms','" + damage + "')");
  world.open();
  const auto status = world.county->status();
  CHECK(status.has_value() == sound);
  if (!status) CHECK(status.error().code == ErrorCode::kCorrupt);
}
TEST_CASE("a county whose log ends before what it holds is not served from, but restored") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone);
  world.county.reset();
  run_sql(world, "UPDATE meta SET value=value-2 WHERE key='last_seq'");
  const auto opened = world.try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorrupt);
  CHECK(opened.error().message.find("restore") != std::string::npos);
}
