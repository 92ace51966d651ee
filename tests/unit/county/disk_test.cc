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
