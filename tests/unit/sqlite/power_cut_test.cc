#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "sqlite/connection.h"
#include "sqlite/transaction.h"
#include "support/power_cut_vfs.h"

namespace gridwhistle::sqlite {
namespace {

using test::PowerCutDisk;

struct Outcome {
  std::int64_t acknowledged = 0;
  std::int64_t found = 0;
  bool sound = true;
};

// Inserts 1, 2, 3… until the power goes at that operation, and looks what is left.
Outcome cut_at(std::uint64_t operation, Durability durability, std::uint64_t seed) {
  PowerCutDisk disk("power_cut");
  Outcome outcome;
  {
    Result<Connection> connection =
        Connection::open({.path = "a", .durability = durability, .vfs = disk.name()});
    REQUIRE(connection);
    REQUIRE(connection->script("CREATE TABLE t(i INTEGER PRIMARY KEY, text)"));
    REQUIRE(connection->script("PRAGMA wal_checkpoint(TRUNCATE)"));
    disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    const std::string text(700, 'x');
    while (outcome.acknowledged < 1000 &&
           connection->run("INSERT INTO t VALUES(?, ?)", outcome.acknowledged + 1, text)) {
      ++outcome.acknowledged;
    }
  }
  disk.restore_power(seed);
  Result<Connection> connection = Connection::open({.path = "a", .vfs = disk.name()});
  REQUIRE(connection);
  outcome.found = connection->number("SELECT count(*) FROM t", 0).value_or(-1);
  Result<Statement> check = connection->prepare("PRAGMA integrity_check");
  outcome.sound = check && check->step().value_or(false) && check->text(0) == "ok";
  return outcome;
}

TEST_CASE("nothing acknowledged is lost to a power cut, whatever sectors arrived") {
  for (std::uint64_t operation = 0; operation < 150; ++operation) {
    CAPTURE(operation);
    const Outcome outcome = cut_at(operation, Durability::kPowerCut, operation * 31 + 7);
    CHECK(outcome.sound);
    CHECK(outcome.found >= outcome.acknowledged);
    CHECK(outcome.found <= outcome.acknowledged + 1);
  }
}

// The control: a disk that forgets must show it where durability was not asked for.
TEST_CASE("without a sync at each commit a power cut does lose what was acknowledged") {
  int lost = 0;
  for (std::uint64_t operation = 20; operation < 60; ++operation) {
    const Outcome outcome = cut_at(operation, Durability::kCrash, operation);
    CHECK(outcome.sound);
    if (outcome.found < outcome.acknowledged) ++lost;
  }
  CHECK(lost > 0);
}

// A system that could not write pages holds them for written: they are read as they should be, and
// are on no disk. The next process must not build on them.
TEST_CASE("a failed sync, a killed process and a power cut lose nothing acknowledged in between") {
  const OpenOptions options{.path = "a", .vfs = "failed_sync"};
  const std::string text(700, 'x');
  for (std::uint64_t operation = 0; operation < 60; ++operation) {
    CAPTURE(operation);
    PowerCutDisk disk(options.vfs);
    std::vector<std::int64_t> acknowledged;
    const auto insert = [&](Connection& connection, std::int64_t from) {
      for (std::int64_t i = from; i < from + 5; ++i) {
        if (connection.run("INSERT INTO t VALUES(?, ?)", i, text)) acknowledged.push_back(i);
      }
    };
    {
      Connection connection = *Connection::open(options);
      REQUIRE(connection.script("CREATE TABLE t(i INTEGER PRIMARY KEY, text)"));
      disk.fail_after(operation, PowerCutDisk::Fault::kIoErrorOnce);
      insert(connection, 100);
      disk.fail_after(0, PowerCutDisk::Fault::kKill);
    }
    disk.restart();
    {
      Connection connection = *Connection::open(options);
      insert(connection, 200);
      disk.fail_after(0, PowerCutDisk::Fault::kPower);
    }
    disk.restore_power(operation);
    Connection connection = *Connection::open(options);
    for (const std::int64_t i : acknowledged) {
      CHECK(connection.number("SELECT i FROM t WHERE i=?", -1, i) == i);
    }
  }
}

// Two of three commits do not wait for the disk. Which were told to have gone well, the last that
// did wait, and what is left when the power went at that operation.
struct Mixed {
  std::vector<std::int64_t> told;
  std::int64_t synced = 0;
  std::vector<std::int64_t> found;

  std::int64_t missing(std::int64_t upto) const {
    return std::ranges::count_if(told, [&](std::int64_t i) {
      return i <= upto && std::ranges::find(found, i) == found.end();
    });
  }
};

Mixed mix_and_cut_at(std::uint64_t operation, std::optional<std::uint64_t> failure) {
  const OpenOptions options{.path = "a", .vfs = "mixed"};
  PowerCutDisk disk(options.vfs);
  Mixed outcome;
  {
    Connection connection = *Connection::open(options);
    REQUIRE(connection.script("CREATE TABLE t(i INTEGER PRIMARY KEY, text)"));
    // Of a failure inside a run only the one operation fails; the run goes on.
    if (failure) disk.fail_after(*failure, PowerCutDisk::Fault::kIoErrorOnce);
    if (!failure) disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    for (std::int64_t i = 1; i <= 60; ++i) {
      if (failure && i == 40) disk.fail_after(operation, PowerCutDisk::Fault::kPower);
      const bool waits = i % 3 == 0;
      auto transaction =
          waits ? Transaction::begin(connection) : Transaction::begin_unsynced(connection);
      if (!transaction) continue;
      if (!connection.run("INSERT INTO t VALUES(?, ?)", i, std::string(700, 'x'))) continue;
      if (!transaction->commit()) continue;
      // One of nothing takes nothing along.
      if (auto none = Transaction::begin(connection); none) static_cast<void>(none->commit());
      outcome.told.push_back(i);
      if (waits) outcome.synced = i;
    }
  }
  disk.restore_power(operation * 13 + failure.value_or(0));
  Connection connection = *Connection::open(options);
  auto rows = connection.prepare("SELECT i FROM t ORDER BY i");
  REQUIRE(rows);
  while (rows->step().value_or(false)) outcome.found.push_back(rows->integer(0));
  return outcome;
}

TEST_CASE("a commit that waits for the disk takes along all that did not") {
  std::int64_t lost = 0;
  for (std::uint64_t operation = 0; operation < 120; ++operation) {
    CAPTURE(operation);
    const Mixed outcome = mix_and_cut_at(operation, std::nullopt);
    CHECK(outcome.missing(outcome.synced) == 0);
    // What is left is what was first, without a gap.
    CHECK((outcome.found.empty() || outcome.found.back() == std::ssize(outcome.found)));
    lost += outcome.missing(60);
  }
  CHECK(lost > 0);  // or they did wait
}

TEST_CASE("what did not wait outlives a sync that failed, once a later one goes well") {
  for (std::uint64_t failure = 0; failure < 70; ++failure) {
    CAPTURE(failure);
    const Mixed outcome = mix_and_cut_at(failure % 40, failure);
    CHECK(outcome.missing(outcome.synced) == 0);
  }
}

TEST_CASE("a full disk is opened with all that its log holds") {
  const OpenOptions options{.path = "a", .vfs = "full_with_a_log"};
  PowerCutDisk disk(options.vfs);
  {
    Connection connection = *Connection::open(options);
    REQUIRE(connection.script("CREATE TABLE t(i INTEGER PRIMARY KEY, text)"));
    for (int i = 0; i < 50; ++i) {
      REQUIRE(connection.run("INSERT INTO t VALUES(?, ?)", i, std::string(700, 'x')));
    }
    disk.fail_after(0, PowerCutDisk::Fault::kKill);
  }
  disk.restart();
  disk.fail_after(0, PowerCutDisk::Fault::kNoSpace);
  Connection connection = *Connection::open(options);
  CHECK(connection.number("SELECT count(*) FROM t", 0) == 50);
}

}  // namespace
}  // namespace gridwhistle::sqlite
