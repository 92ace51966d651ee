#include "support/golden.h"

#include <filesystem>
#include <fstream>

#include "county_world.h"

// Files and frames of builds of the past; tests/support/golden.h.
namespace gridwhistle {
namespace {

using namespace test;

/// A county as it was then, with the build of now.
void open_golden(World& world, std::string_view name) {
  world.county.reset();
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(world.file() + part);
  std::ofstream(world.file(), std::ios::binary) << golden_file(name);
  world.clock.ms += 365 * kDayMs;
  world.open();
}

}  // namespace

TEST_CASE("a county's file of version 1 opens, sound and complete") {
  World world;
  open_golden(world, "v1/county.db");
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
  CHECK(report->orphans.empty());
  CHECK(*world.storage->count(kinds::kVisit) == 3);
  CHECK(*world.storage->count(kinds::kWhistle) == 1);
  CHECK(world.county->devices()->size() == 2);
}

TEST_CASE("a phone of version 1 still uploads: its call is taken, frame by frame") {
  World world;
  open_golden(world, "v1/county.db");
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  for (std::string& frame : golden_lines("v1/frames", "up")) {
    world.county->on_frame(call, std::move(frame));
  }
  world.pump();
  world.county->on_closed(call);
  CHECK(inbox.refused() == ErrorCode{});
  CHECK(answers(inbox) ==
        std::vector{OutcomeStatus::kAccepted, OutcomeStatus::kAccepted, OutcomeStatus::kAccepted});
  CHECK(*world.storage->count(kinds::kVisit) == 4);
  CHECK(*world.storage->count(kinds::kWhistle) == 2);
  CHECK(inbox.all<v1::DownEnd>().size() == 1);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("what a server of version 1 sent is still understood") {
  std::size_t rows = 0;
  std::size_t runs = 0;
  bool welcomed = false;
  for (const std::string& frame : golden_lines("v1/frames", "down")) {
    const auto down = decode_down(built_schema(), frame);
    REQUIRE(down);
    if (const auto* cut = std::get_if<CutDown>(&*down)) rows += cut->rows.size();
    if (const auto* acks = std::get_if<v1::Acks>(&*down)) runs += acks->runs_size();
    welcomed |= std::holds_alternative<v1::Welcome>(*down);
  }
  CHECK(welcomed);
  CHECK(rows == 7);
  CHECK(runs == 2);
}

}  // namespace gridwhistle
