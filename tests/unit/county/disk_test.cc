#include "county_day.h"

// The server on a disk that is full, fails or loses power. What a phone was told is "received" must
// be there once, whatever happened; what it was not told it sends again.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

using Fault = PowerCutDisk::Fault;
using Faults = std::vector<std::string>;

Faults after_a_power_cut(CountyDay& day, std::uint64_t seed) {
  day.close();
  day.disk().restore_power(seed);
  if (const auto opened = day.open(); !opened) return {"does not open: " + opened.error().message};
  return day.faults();
}

}  // namespace

TEST_CASE("a day without faults leaves none") {
  CountyDay day;
  day.run();
  CHECK(day.faults() == Faults{});
  CHECK(day.acknowledged() > 15);
  CHECK(after_a_power_cut(day, 1) == Faults{});
}

TEST_CASE("a power cut at any write or sync of a county's day loses nothing acknowledged") {
  bool struck = true;
  std::uint64_t operation = 0;
  for (; struck; ++operation) {
    CAPTURE(operation);
    CountyDay day;
    day.disk().fail_after(operation, Fault::kPower);
    day.run();
    struck = day.disk().struck();
    REQUIRE(after_a_power_cut(day, operation * 17 + 3) == Faults{});
  }
  CHECK(operation > 100);
}

TEST_CASE("a disk that only says that it syncs does lose what was acknowledged") {
  int losses = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CountyDay day;
    day.disk().ignore_syncs();
    day.run();
    losses += after_a_power_cut(day, seed).empty() ? 0 : 1;
  }
  CHECK(losses == 8);
}

TEST_CASE("a county that only asked for synchronous=NORMAL does lose what it acknowledged") {
  int losses = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CountyDay day;
    day.disk().answer_pragma("synchronous", "1");
    REQUIRE(day.open());
    day.run();
    day.disk().fail_after(0, Fault::kPower);
    losses += after_a_power_cut(day, seed).empty() ? 0 : 1;
  }
  CHECK(losses > 0);
}

TEST_CASE("a backup that is put in place is whole, whichever write or sync of it failed once") {
  CountyDay day;
  day.run();
  PowerCutDisk& disk = day.disk();
  bool struck = true;
  std::uint64_t operation = 0;
  int placed = 0;
  for (; struck; ++operation) {
    CAPTURE(operation);
    for (const char* part : {"", "-wal", "-journal"}) disk.remove("copy.db" + std::string(part));
    disk.fail_after(operation, Fault::kIoErrorOnce);
    bool in_place = false;
    const auto made = day.world().county->backup("copy.db", "test", [&]() -> Result<void> {
      if (!disk.sync("copy.db")) return fail(ErrorCode::kIo, "the copy could not be flushed");
      disk.rename("copy.db", "placed.db");
      in_place = true;
      return {};
    });
    struck = disk.struck();
    disk.heal();
    if (!in_place) continue;
    ++placed;
    day.close();
    disk.restore_power(operation);
    disk.remove("placed.db-wal");
    const auto storage = open_sqlite_storage("placed.db", built_schema(), disk.name());
    REQUIRE(storage);
    CHECK((*storage)->damage() == std::vector<std::string>());
    REQUIRE(day.open());
  }
  CHECK(operation > 20);
  CHECK(placed > 0);
}

TEST_CASE("a power cut at any write while a newer build takes a county over loses nothing") {
  std::vector<KindSchema> kinds(built_schema().kinds.begin(), built_schema().kinds.end());
  const auto areas = std::ranges::find(kinds, kinds::kAdminArea, &KindSchema::id);
  areas->fields = areas->fields.first(1);
  const Schema older{0, kinds};
  v1::AdminArea area;
  area.set_code12("440811000000");
  area.set_name("县");
  FakeClock clock;
  FakeRandom random;
  const auto open = [&](PowerCutDisk& disk, const Schema& schema) {
    auto storage = open_sqlite_storage("county.db", schema, disk.name());
    if (!storage) return Result<std::unique_ptr<County>>(std::unexpected(storage.error()));
    CountyOptions options;
    options.server_key_sha256 = std::string(32, 'k');
    return County::open(std::move(*storage), schema, clock, random, options);
  };
  bool struck = true;
  std::uint64_t operation = 0;
  for (; struck; ++operation) {
    CAPTURE(operation);
    PowerCutDisk disk("county_taken_over");
    REQUIRE(create_sqlite_storage("county.db", "440811", older, disk.name()));
    {
      const auto county = open(disk, older);
      REQUIRE(county);
      REQUIRE((*county)->import_records(
          {{kinds::kAdminArea, (*county)->mint_id(), area.SerializeAsString()}}, "test"));
    }
    disk.fail_after(operation, Fault::kPower);
    (void)open(disk, built_schema());
    struck = disk.struck();
    disk.restore_power(operation * 13 + 5);
    const auto county = open(disk, built_schema());
    REQUIRE(county);
    CHECK((*county)->all(kinds::kAdminArea)->size() == 1);
    CHECK((*county)->verify()->faults.empty());
  }
  CHECK(operation > 10);
}

TEST_CASE("one failed write or sync, any of a day, loses and doubles nothing") {
  bool struck = true;
  std::uint64_t operation = 0;
  for (; struck; ++operation) {
    CAPTURE(operation);
    CountyDay day;
    day.disk().fail_after(operation, Fault::kIoErrorOnce);
    day.run();
    struck = day.disk().struck();
    REQUIRE(day.faults() == Faults{});
    if (operation % 4 == 0) REQUIRE(after_a_power_cut(day, operation) == Faults{});
  }
  CHECK(operation > 100);
}

TEST_CASE("a disk that is full or fails from some moment on loses and doubles nothing") {
  const Fault fault = GENERATE(Fault::kNoSpace, Fault::kIoError);
  bool struck = true;
  std::uint64_t operation = 0;
  for (; struck; operation += 4) {
    CAPTURE(operation);
    CountyDay day;
    day.disk().fail_after(operation, fault);
    day.run();
    struck = day.disk().struck();
    REQUIRE(day.faults() == Faults{});
    REQUIRE(after_a_power_cut(day, operation) == Faults{});
  }
  CHECK(operation > 100);
}
