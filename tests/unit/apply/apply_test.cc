#include <catch2/catch.hpp>

#include "apply/author.h"
#include "apply/lanes.h"

using namespace gridwhistle;

namespace {

const ClockPair kClocks{{.wall_ms = 9'000'000, .boot_ms = 500'000, .boot_id = 1}, 10'000'000};

}  // namespace

TEST_CASE("within one start of a phone its boot clock says when, whatever the wall clock says") {
  CHECK(effective_time(kClocks, {.wall_ms = -5, .boot_ms = 400'000, .boot_id = 1}, 10'000'000) ==
        9'900'000);
}

TEST_CASE("across starts the wall clock counts, corrected by how far it is off") {
  CHECK(effective_time(kClocks, {.wall_ms = 8'000'000, .boot_ms = 1, .boot_id = 2}, 10'000'000) ==
        9'000'000);
}

TEST_CASE("no operation is from the future, and an absurd clock means now") {
  CHECK(effective_time(kClocks, {.wall_ms = 20'000'000, .boot_ms = 1, .boot_id = 2}, 10'000'000) ==
        10'000'000);
  CHECK(effective_time(kClocks, {.wall_ms = INT64_MAX, .boot_ms = UINT64_MAX, .boot_id = 1},
                       10'000'000) == 10'000'000);
}

TEST_CASE("operations that fared alike make one run") {
  std::vector<AckedRun> runs;
  append_run(runs, {LaneSeq(1), 1, Seq(10), OutcomeStatus::kAccepted, 0});
  append_run(runs, {LaneSeq(2), 1, Seq(11), OutcomeStatus::kAccepted, 0});
  append_run(runs, {LaneSeq(3), 1, Seq(12), OutcomeStatus::kBeaten, 0});
  append_run(runs, {LaneSeq(4), 1, Seq(15), OutcomeStatus::kBeaten, 0});
  REQUIRE(runs.size() == 3);
  CHECK(runs.front() == AckedRun{LaneSeq(1), 2, Seq(10), OutcomeStatus::kAccepted, 0});
}
