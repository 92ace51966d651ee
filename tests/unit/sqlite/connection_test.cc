#include "sqlite/connection.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/sha256.h"
#include "sqlite/transaction.h"
#include "support/failing_allocations.h"
#include "support/power_cut_vfs.h"
#include "support/temp_folder.h"

namespace gridwhistle::sqlite {
namespace {

using test::PowerCutDisk;
using test::TempFolder;

// Before anything uses SQLite.
test::FailingAllocations& allocations = test::FailingAllocations::of_process();

Connection opened(const std::string& path) {
  Result<Connection> connection = Connection::open({.path = path, .exclusive = true});
  REQUIRE(connection);
  return std::move(*connection);
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

TEST_CASE("a transaction that was given up without memory is undone before anything else is done") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(x)"));
  const std::uint64_t before = allocations.failures();
  {
    auto given_up = Transaction::begin(connection);
    REQUIRE(given_up);
    REQUIRE(connection.run("INSERT INTO t VALUES(1)"));
    allocations.fail_after(0);
  }
  allocations.heal();
  REQUIRE(allocations.failures() == before + 1);
  CHECK(connection.number("SELECT count(*) FROM t", -1) == 0);
  auto next = Transaction::begin(connection);
  REQUIRE(next);
  REQUIRE(connection.run("INSERT INTO t VALUES(2)"));
  REQUIRE(next->commit());
  CHECK(connection.number("SELECT x FROM t", -1) == 2);
}

TEST_CASE("commits that do not wait for the disk let the log grow no further than those that do") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(x)"));
  const std::string bytes(100'000, 'x');
  for (int i = 0; i < 400; ++i) {
    auto transaction = Transaction::begin_unsynced(connection);
    REQUIRE(transaction);
    REQUIRE(connection.run("INSERT INTO t VALUES(?)", bytes));
    REQUIRE(transaction->commit());
  }
  CHECK(std::filesystem::file_size(folder.file("a") + "-wal") < 18'000'000);
}

TEST_CASE("what was bound comes back as it was") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(i, u, d, s, b, n, e, id)"));
  const RecordId id = RecordId::make(DeviceId(77), 5);
  REQUIRE(connection.run("INSERT INTO t VALUES(?,?,?,?,?,?,?,?)", std::int64_t{-3},
                         std::uint64_t{1} << 63, 2.5, "巡查", Blob{std::string_view("a\0b", 3)},
                         nullptr, Blob{}, id));
  Result<Statement> row = connection.prepare("SELECT * FROM t");
  REQUIRE(row);
  REQUIRE(row->step().value());
  CHECK(row->integer(0) == -3);
  CHECK(row->number(1) == std::uint64_t{1} << 63);
  CHECK(row->real(2) == 2.5);
  CHECK(row->text(3) == "巡查");
  CHECK(row->blob(4) == std::string_view("a\0b", 3));
  CHECK(row->is_null(5));
  CHECK_FALSE(row->is_null(6));
  CHECK(row->blob(6).empty());
  CHECK(row->record_id(7) == id);
  CHECK_FALSE(row->step().value());
}

TEST_CASE("a new file, its log and its copy are for their owner alone, whatever the umask") {
  TempFolder folder;
  const mode_t before = ::umask(0);
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(i)"));
  const auto copied = connection.back_up(folder.file("copy"));
  ::umask(before);
  REQUIRE(copied);
  for (const char* name : {"a", "a-wal", "a-shm", "a-lock", "copy"}) {
    INFO(name);
    const auto kept = std::filesystem::status(folder.file(name)).permissions();
    CHECK(kept == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  }
}

TEST_CASE("a statement that is on loan is not lent twice") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(i); INSERT INTO t VALUES(1),(2)"));
  Result<Statement> first = connection.prepare("SELECT i FROM t ORDER BY i");
  REQUIRE(first->step().value());
  Result<Statement> second = connection.prepare("SELECT i FROM t ORDER BY i");
  REQUIRE(second->step().value());
  CHECK(second->integer(0) == 1);
  REQUIRE(first->step().value());
  CHECK(first->integer(0) == 2);
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(i)"));
  {
    auto transaction = Transaction::begin(connection);
    REQUIRE(transaction);
    REQUIRE(connection.run("INSERT INTO t VALUES(1)"));
  }
  CHECK(connection.number("SELECT count(*) FROM t", -1).value() == 0);
  auto transaction = Transaction::begin(connection);
  REQUIRE(connection.run("INSERT INTO t VALUES(1)"));
  REQUIRE(transaction->commit());
  CHECK(connection.number("SELECT count(*) FROM t", -1).value() == 1);
}

TEST_CASE("wrong SQL and broken constraints are internal errors") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  CHECK(connection.script("SELEC 1").error().code == ErrorCode::kInternal);
  REQUIRE(connection.script("CREATE TABLE t(i UNIQUE); INSERT INTO t VALUES(1)"));
  CHECK(connection.run("INSERT INTO t VALUES(1)").error().code == ErrorCode::kInternal);
}

TEST_CASE("a file that is not a database is refused and left as it is") {
  TempFolder folder;
  const std::string path = folder.file("letter.txt");
  const std::string text(5000, 'x');
  std::ofstream(path) << text;
  const auto refused = Connection::open({.path = path});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNotADatabase);
  CHECK(contents(path) == text);
}

TEST_CASE("a database of another program is refused and left as it is") {
  TempFolder folder;
  const std::string path = folder.file("other.db");
  {
    // Rollback mode, so that turning it into WAL would show in the file.
    Connection other = opened(path);
    REQUIRE(other.script("PRAGMA journal_mode=DELETE; CREATE TABLE theirs(i)"));
  }
  const std::string before = contents(path);
  const auto refused = Connection::open({.path = path, .application_id = 42});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNotADatabase);
  CHECK(contents(path) == before);
}

TEST_CASE("a folder that cannot be written and a missing file to read are read-only errors") {
  CHECK(Connection::open({.path = "/nowhere/at/all/a"}).error().code == ErrorCode::kReadOnly);
  CHECK(Connection::open({.path = "/nowhere/at/all/a", .exclusive = true}).error().code ==
        ErrorCode::kReadOnly);
  TempFolder folder;
  CHECK(Connection::open({.path = folder.file("none"), .read_only = true}).error().code ==
        ErrorCode::kReadOnly);
}

TEST_CASE("a second exclusive opening is locked out, in this process and in another") {
  TempFolder folder;
  const std::string path = folder.file("a");
  Connection connection = opened(path);
  CHECK(Connection::open({.path = path, .exclusive = true}).error().code == ErrorCode::kLocked);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto again = Connection::open({.path = path, .exclusive = true});
    ::_exit(!again && again.error().code == ErrorCode::kLocked ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a reader needs no lock and sees what was committed") {
  TempFolder folder;
  Connection writer = opened(folder.file("a"));
  REQUIRE(writer.script("CREATE TABLE t(i); INSERT INTO t VALUES(1)"));
  Result<Connection> reader = Connection::open({.path = folder.file("a"), .read_only = true});
  REQUIRE(reader);
  CHECK(reader->number("SELECT i FROM t", 0).value() == 1);
  CHECK(reader->run("INSERT INTO t VALUES(2)").error().code == ErrorCode::kReadOnly);
}

TEST_CASE("of rows that were deleted not a byte is in the file once it is wiped") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(id BLOB PRIMARY KEY, x TEXT) WITHOUT ROWID"));
  // Keys that spread: rows come between rows, and pages are laid out anew.
  constexpr int kRows = 2'000;
  const auto key = [](int i) { return sha256(std::to_string(i)); };
  for (int i = 0; i < kRows; ++i) {
    REQUIRE(connection.run("INSERT INTO t VALUES(?, ?)", Blob{key(i)},
                           "secret" + std::string(static_cast<std::size_t>(i % 200), 's')));
  }
  for (int i = 0; i < kRows; ++i) {
    if (i % 7 != 0) REQUIRE(connection.run("DELETE FROM t WHERE id=?", Blob{key(i)}));
  }
  REQUIRE(connection.run("UPDATE t SET x='kept'"));
  const auto holds = [&](std::string_view bytes) {
    std::ostringstream content;
    content << std::ifstream(folder.file("a"), std::ios::binary).rdbuf();
    return content.str().contains(bytes);
  };
  REQUIRE(connection.cut_log());
  CHECK(holds("secret"));
  REQUIRE(connection.wipe());
  CHECK_FALSE(holds("secret"));
  CHECK(holds("kept"));
  CHECK(std::filesystem::file_size(folder.file("a") + "-wal") == 0);
  // What is written next brings none of it back, and the file is sound.
  REQUIRE(connection.run("INSERT INTO t SELECT randomblob(16), 'more' FROM t"));
  REQUIRE(connection.cut_log());
  CHECK_FALSE(holds("secret"));
  Result<Statement> check = connection.prepare("PRAGMA integrity_check");
  REQUIRE(check);
  REQUIRE(check->step().value());
  CHECK(check->text(0) == "ok");
  CHECK(*connection.number("SELECT count(*) FROM t", 0) == 2 * ((kRows + 6) / 7));
}

TEST_CASE("what was deleted before the first part was wiped is gone after the last") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(id BLOB PRIMARY KEY, x TEXT) WITHOUT ROWID"));
  const auto key = [](int i) { return sha256(std::to_string(i)); };
  const auto text = [](std::string_view word, int i) {
    return std::string(word) + std::string(static_cast<std::size_t>(i % 200), 's');
  };
  constexpr int kRows = 2'000;
  for (int i = 0; i < kRows; ++i) {
    REQUIRE(connection.run("INSERT INTO t VALUES(?, ?)", Blob{key(i)}, text("secret", i)));
  }
  REQUIRE(connection.run("UPDATE t SET x='kept'"));
  // Pages are laid out anew and the file grows while it is looked through.
  int more = kRows;
  int parts = 0;
  std::uint64_t at = 0;
  do {
    const auto next = connection.wipe(at, 40'000);
    REQUIRE(next);
    CHECK((*next == 0 || *next > at));
    at = *next;
    ++parts;
    for (int i = 0; i < 20; ++i, ++more) {
      REQUIRE(connection.run("INSERT INTO t VALUES(?, ?)", Blob{key(more)}, text("more", more)));
    }
  } while (at != 0);
  CHECK(parts > 5);
  REQUIRE(connection.cut_log());
  std::ostringstream content;
  content << std::ifstream(folder.file("a"), std::ios::binary).rdbuf();
  CHECK_FALSE(content.str().contains("secret"));
  CHECK(*connection.number("SELECT count(*) FROM t", 0) == more);
}

TEST_CASE("a backup is the whole database") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"));
  REQUIRE(connection.script("CREATE TABLE t(i); INSERT INTO t VALUES(7)"));
  REQUIRE(connection.back_up(folder.file("b")));
  Connection copy = opened(folder.file("b"));
  CHECK(copy.number("SELECT i FROM t", 0).value() == 7);
}

TEST_CASE("a full disk and a failing disk say so, and writing works again afterwards") {
  PowerCutDisk disk("connection_faults");
  Result<Connection> connection = Connection::open({.path = "a", .vfs = disk.name()});
  REQUIRE(connection);
  REQUIRE(connection->script("CREATE TABLE t(i)"));
  disk.fail_after(0, PowerCutDisk::Fault::kNoSpace);
  const std::string large(100'000, 'x');
  CHECK(connection->run("INSERT INTO t VALUES(?)", large).error().code == ErrorCode::kDiskFull);
  disk.heal();
  disk.fail_after(0, PowerCutDisk::Fault::kIoError);
  CHECK(connection->run("INSERT INTO t VALUES(1)").error().code == ErrorCode::kIo);
  disk.heal();
  CHECK(connection->run("INSERT INTO t VALUES(1)"));
  CHECK(connection->number("SELECT count(*) FROM t", -1).value() == 1);
}

}  // namespace
}  // namespace gridwhistle::sqlite
