#include "support/golden.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "county_world.h"

// Files and frames of builds of the past; tests/support/golden.h.
namespace gridwhistle {
namespace {

using namespace test;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return std::move(bytes).str();
}

/// A county as it was then, with the build of now.
void open_golden(World& world, std::string_view name) {
  world.county.reset();
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(world.file() + part);
  std::ofstream(world.file(), std::ios::binary) << golden_file(name);
  world.clock.ms += 365 * kDayMs;
  world.open();
}

v1::Visit noting(const std::string& notes) {
  v1::Visit visit;
  visit.set_notes(notes);
  return visit;
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

TEST_CASE("files and frames of version 1 are written", "[.][regenerate]") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone other = world.phone(world.worker("W5", Role::kGridWorker, kGrid1));
  const RecordId walk = anna.new_id();
  anna.record(kinds::kVisit, walk, visit(kGrid1, "quiet"), true, world.clock.ms);
  anna.record(kinds::kVisit, anna.new_id(), visit(kGrid1, "all lamps lit"), true, world.clock.ms);
  anna.record(kinds::kWhistle, anna.new_id(), whistle(kGrid1), true, world.clock.ms);
  other.record(kinds::kVisit, other.new_id(), visit(kGrid1, "a colleague's"), true, world.clock.ms);
  world.sync(other);
  std::vector<GoldenLine> lines;
  const auto answered = world.sync(anna);
  for (const std::string& frame : answered->raw) lines.push_back({"down", frame});
  // Two people edit one field; a record is erased and comes back.
  other.record(kinds::kVisit, walk, noting("not so quiet").SerializeAsString(), false,
               ++world.clock.ms);
  world.sync(other);
  anna.record(kinds::kVisit, walk, noting("very quiet").SerializeAsString(), false,
              ++world.clock.ms);
  world.sync(anna);
  anna.record(kinds::kVisit, walk, noting("quiet again").SerializeAsString(), false,
              ++world.clock.ms);
  anna.record(kinds::kVisit, anna.new_id(), visit(kGrid1, "later"), true, world.clock.ms);
  anna.record(kinds::kWhistle, anna.new_id(), whistle(kGrid1), true, world.clock.ms);
  lines.push_back({"up", anna.hello(world.clock)});
  for (const Lane lane : kLanes) {
    for (const std::string& frame : anna.frames(lane, anna.noted[lane])) {
      lines.push_back({"up", frame});
    }
  }
  lines.push_back({"up", encode(v1::UpEnd())});
  world.county.reset();
  write_golden_file("v1/county.db", bytes_of(world.file()));
  write_golden_lines("v1/frames", lines);
}

}  // namespace gridwhistle
