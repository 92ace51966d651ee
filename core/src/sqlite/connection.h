#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"
#include "sqlite/statement.h"

struct sqlite3;

namespace gridwhistle::sqlite {

/// What a commit survives.
enum class Durability : std::uint8_t {
  kPowerCut,  ///< WAL, synchronous=FULL: a commit that returned is on the disk
  kCrash,     ///< WAL, synchronous=NORMAL: a power cut may undo the last commits; nothing is torn
};

/// SQLite counts no longer how much memory it holds, which takes a lock each time it takes or gives
/// back a piece. For a program's `main`, before anything of SQLite: it holds for the whole process,
/// which is its host's where the library is in somebody's app. Too late, it changes nothing.
void count_no_memory();

struct OpenOptions {
  std::string path;
  /// Nothing is written, no lock taken: a reader beside whoever writes.
  bool read_only = false;
  /// No second connection that asks for it too, in any process, gets the file: kLocked. Stands
  /// beside the file as `path`-lock, so readers are not hindered. A named VFS is not locked.
  bool exclusive = false;
  Durability durability = Durability::kPowerCut;
  /// How long to wait for another connection's write.
  std::chrono::milliseconds busy_timeout{2000};
  std::size_t cache_bytes = std::size_t{4} << 20;
  /// What the file must say it is (see FileFormat), unless it is empty; else kNotADatabase and the
  /// file stays as it is. 0: any database.
  std::uint32_t application_id = 0;
  /// A registered SQLite VFS; empty: the system's.
  std::string vfs;
};

/// One connection to a database file, in WAL mode, without memory mapping. One thread at a time.
///
/// Errors of everything here: kDiskFull, kReadOnly (also: cannot be opened), kIo, kNotADatabase,
/// kCorrupt, kLocked (another connection writes), kTooLarge, kInternal (wrong SQL or a broken
/// constraint; SQLite's words are in the message).
class Connection {
 public:
  /// Opens the file, or creates it (mode 0600) unless read-only. What is no database is left alone.
  static Result<Connection> open(const OpenOptions& options);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// Runs statements separated by semicolons; rows are dropped.
  Result<void> script(std::string_view sql);

  /// The statement for `sql`, from the cache where it is free. Use it for SQL that comes back.
  Result<Statement> prepare(std::string_view sql);

  /// Runs one statement with its parameters; rows are dropped. See Statement::bind for the types.
  template <typename... Values>
  Result<void> run(std::string_view sql, const Values&... values) {
    Result<Statement> statement = prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    statement->borrow(values...);
    return statement->run();
  }

  /// The first column of the first row as a number; `none` when there is no row or it is NULL.
  template <typename... Values>
  Result<std::int64_t> number(std::string_view sql, std::int64_t none, const Values&... values) {
    Result<Statement> statement = prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    statement->borrow(values...);
    const Result<bool> row = statement->step();
    if (!row) return std::unexpected(row.error());
    return *row && !statement->is_null(0) ? statement->integer(0) : none;
  }

  /// Rows changed by the last statement.
  std::int64_t changes() const;
  /// The row number of the last insert.
  std::int64_t last_insert_rowid() const;
  /// The VFS it was opened with; empty: the system's.
  const std::string& vfs() const;
  /// Whether it can only read.
  bool is_read_only() const;
  /// Whether a transaction is open.
  bool in_transaction() const;
  /// Undoes the transaction that is open, if any: now or, where there is no memory for it, before
  /// anything else is done here.
  void roll_back();

  /// Copies the log back and cuts it to nothing. Outside of transactions. kLocked: another
  /// connection reads an older state; the same call goes well later.
  Result<void> cut_log();

  /// Cuts the log, and zeroes what pages hold between their cells, so that what commits have
  /// removed or replaced stands neither in the file nor beside it. Pages and cells that fall free
  /// SQLite zeroes at once, but where it spreads a page's rows over several it leaves the old bytes
  /// of those that went. Reads the file from this byte on, so many at most and a page at least, and
  /// gives the byte to go on from; 0: the file has ended. What was removed before the first call is
  /// gone after the last, whatever is written between them.
  /// Outside of transactions; errors as of `cut_log`.
  Result<std::uint64_t> wipe(std::uint64_t from = 0, std::uint64_t bytes = kWholeFile);
  static constexpr std::uint64_t kWholeFile = std::numeric_limits<std::uint64_t>::max();

  /// Copies the whole database, as of one moment, into a new file (mode 0600) on the same VFS,
  /// while others read and write. After an error the new file is in an unknown state.
  Result<void> back_up(const std::string& path);

  /// For code that needs SQLite itself (virtual tables, hooks). Lives as long as the connection.
  sqlite3* native() const;

 private:
  friend class Transaction;
  struct State;
  explicit Connection(std::unique_ptr<State> state);

  Result<void> check_application(std::uint32_t expected);
  /// What an earlier failure has left to do, before anything else is done here.
  Result<void> catch_up();
  /// A writing transaction. Nothing is committed behind what a failed sync may have lost: that is
  /// written once more first. Reads need not wait for a disk that takes nothing.
  Result<void> begin();
  Result<void> commit();
  /// Whether commits from here on wait for the disk, as far as the connection's durability has it.
  /// Not within a transaction. What fails is made up for before anything else is done here.
  Result<void> sync_commits(bool sync);

  std::unique_ptr<State> state_;
};

}  // namespace gridwhistle::sqlite
