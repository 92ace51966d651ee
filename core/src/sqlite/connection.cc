#include "sqlite/connection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sqlite/file_lock.h"
#include "sqlite/internal.h"

namespace gridwhistle::sqlite {

namespace {

// Queries are composed, so their number is not bounded by the program's text.
constexpr std::size_t kCachedStatementsMax = 256;
// 16 MB of 4 KB pages before they are copied back: large downloads and uploads touch the same pages
// of their indexes again and again. The log keeps its length until it is closed: one that is cut
// and grows anew makes every commit dearer by half.
constexpr int kLogPages = 4000;

// Statements of one shape differ in their first words, in their last or in their length.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    constexpr std::size_t kEnd = 32;
    const std::hash<std::string_view> hash;
    if (text.size() <= 2 * kEnd) return hash(text);
    const std::size_t ends = hash(text.substr(0, kEnd)) ^ hash(text.substr(text.size() - kEnd));
    return ends + text.size();
  }
};

ErrorCode code_of(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_FULL:
      return ErrorCode::kDiskFull;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return ErrorCode::kReadOnly;
    // Neither says that something is broken: the same call may go well later.
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
      return ErrorCode::kIo;
    case SQLITE_NOTADB:
      return ErrorCode::kNotADatabase;
    case SQLITE_CORRUPT:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kLocked;
    case SQLITE_TOOBIG:
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kInternal;
  }
}

/// Makes the file, unless it is there, for its owner alone: it holds people's data, and SQLite
/// would leave the mode to the umask. Its log and its index take the mode after it. What does not
/// go well is for the opening to say.
///
/// Never opens a file that is there: closing it again would drop SQLite's own locks.
void make_private(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) ::close(descriptor);
}

/// Everything that was committed stands in the file itself, none of it in a log beside it.
bool has_no_log(const std::string& path) {
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(path + "-wal", none);
  return none || size == 0;
}

/// The file as one that nobody changes: nothing beside it is made, nor looked at.
std::string unchanging(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      uri += {'%', kDigits[static_cast<unsigned char>(c) >> 4], kDigits[c & 0xF]};
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void count_no_memory() { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

std::unexpected<Error> error_of(int sqlite_code, sqlite3* handle) {
  std::string message = sqlite3_errstr(sqlite_code);
  if (handle != nullptr) message = sqlite3_errmsg(handle);
  ErrorCode code = code_of(sqlite_code);
  // Where no row is written SQLite has no word of its own for it: the shared index of a WAL.
  const bool no_space = handle != nullptr && sqlite3_system_errno(handle) == ENOSPC;
  if (code == ErrorCode::kIo && no_space) code = ErrorCode::kDiskFull;
  return fail(code, "database: " + message, "sqlite " + std::to_string(sqlite_code));
}

namespace {

/// Writes the log that was found once more where it lies, and syncs it. Takes no room.
///
/// A process whose sync failed, and that then died, has left commits in the log that are read as
/// they should be and that no later sync brings to the disk: the system holds them for written.
/// Whatever is committed behind them would go with them when the power goes.
Result<void> renew_log(sqlite3* handle) {
  sqlite3_file* log = nullptr;
  int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK) return error_of(code, handle);
  if (log == nullptr || log->pMethods == nullptr) return {};
  sqlite3_int64 size = 0;
  code = log->pMethods->xFileSize(log, &size);
  std::vector<char> part(std::size_t{1} << 16);
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
    const int length =
        static_cast<int>(std::min(size - at, static_cast<sqlite3_int64>(part.size())));
    code = log->pMethods->xRead(log, part.data(), length, at);
    if (code == SQLITE_OK) code = log->pMethods->xWrite(log, part.data(), length, at);
    at += length;
  }
  if (code == SQLITE_OK && size > 0) code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return error_of(code, nullptr);
  return {};
}

}  // namespace

struct Connection::State {
  // After each commit that wrote. Copying the log back syncs it first, and of what fails there
  // nobody hears: only what is synced already is copied.
  static int committed(void* self, sqlite3* handle, const char* database, int pages) {
    State& state = *static_cast<State*>(self);
    state.log_pages = pages;
    if (state.syncs && pages >= kLogPages) {
      sqlite3_wal_checkpoint_v2(handle, database, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }
    return SQLITE_OK;
  }

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (auto& [sql, prepared] : cache) sqlite3_finalize(prepared.statement);
    sqlite3_close_v2(handle);
  }

  sqlite3* handle = nullptr;
  FileLock lock;
  std::string vfs;
  Durability durability = Durability::kPowerCut;
  bool rollback_due = false;  ///< of a transaction that is over, when there was no memory for it
  int log_pages = 0;          ///< since it was begun anew
  bool sync_due = false;      ///< commits are to wait for the disk again, and do not know it
  bool syncs = true;          ///< commits wait for the disk
  bool behind = false;        ///< the log has commits that did not wait for the disk
  bool renewal_due = false;   ///< and the sync that was to bring them there failed
  sqlite3_int64 changes_before = 0;  ///< the transaction that is open
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> cache;
};

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const OpenOptions& options) {
  FileLock lock;
  if (options.exclusive && !options.read_only && options.vfs.empty()) {
    Result<FileLock> taken = FileLock::take(options.path + "-lock");
    if (!taken) return std::unexpected(std::move(taken.error()));
    lock = std::move(*taken);
  }
  if (!options.read_only && options.vfs.empty()) make_private(options.path);
  const auto open_as = [&](const std::string& name, int more_flags) -> Result<Connection> {
    auto state = std::make_unique<State>();
    state->vfs = options.vfs;
    state->durability = options.durability;
    const int flags =
        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | more_flags |
        (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const int code = sqlite3_open_v2(name.c_str(), &state->handle, flags,
                                     options.vfs.empty() ? nullptr : options.vfs.c_str());
    if (code != SQLITE_OK) return error_of(code, state->handle);
    if (!options.read_only && sqlite3_db_readonly(state->handle, "main") == 1) {
      return fail(ErrorCode::kReadOnly, "the file cannot be written", "open");
    }
    sqlite3_busy_timeout(state->handle, static_cast<int>(options.busy_timeout.count()));
    Connection connection(std::move(state));
    const std::string cache = std::to_string(options.cache_bytes / 1024);
    // The first read is what tells a database from any other file, before anything is written.
    if (auto read = connection.script("PRAGMA mmap_size=0; PRAGMA cache_size=-" + cache +
                                      "; PRAGMA temp_store=MEMORY; SELECT 1 FROM sqlite_schema");
        !read) {
      return std::unexpected(std::move(read.error()));
    }
    return connection;
  };
  auto opened = open_as(options.path, 0);
  if (!opened && options.read_only && options.vfs.empty() && has_no_log(options.path)) {
    // A reader too makes the log's index, which a full or read-only disk does not let it. Whoever
    // else is on this machine writes nothing then either.
    const ErrorCode why = opened.error().code;
    if (why == ErrorCode::kReadOnly || why == ErrorCode::kDiskFull) {
      opened = open_as(unchanging(options.path), SQLITE_OPEN_URI);
    }
  }
  if (!opened) return opened;
  Connection connection = std::move(*opened);
  connection.state_->lock = std::move(lock);
  if (auto known = connection.check_application(options.application_id); !known) {
    return std::unexpected(std::move(known.error()));
  }
  if (options.read_only) return connection;
  if (auto set = connection.script("PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL"); !set) {
    return std::unexpected(std::move(set.error()));
  }
  if (auto set = connection.sync_commits(true); !set) {
    return std::unexpected(std::move(set.error()));
  }
  sqlite3_wal_hook(connection.native(), &State::committed, connection.state_.get());
  if (auto renewed = renew_log(connection.native()); !renewed) {
    return std::unexpected(std::move(renewed.error()));
  }
  return connection;
}

Result<void> Connection::check_application(std::uint32_t expected) {
  if (expected == 0) return {};
  const auto found = number("PRAGMA application_id", 0);
  if (!found) return std::unexpected(found.error());
  const auto tables = number("SELECT count(*) FROM sqlite_schema", 0);
  if (!tables) return std::unexpected(tables.error());
  const bool empty = *tables == 0 && *found == 0;
  if (empty || *found == static_cast<std::int64_t>(expected)) return {};
  return fail(ErrorCode::kNotADatabase, "the file is a database of something else", "open");
}

void Connection::roll_back() {
  // Some errors (a full disk, an I/O error) have undone everything already.
  if (in_transaction()) sqlite3_exec(state_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
  state_->rollback_due = in_transaction();
}

// Nobody reads or writes within what was to be undone.
Result<void> Connection::catch_up() {
  if (state_->rollback_due) {
    roll_back();
    if (state_->rollback_due) return error_of(SQLITE_NOMEM, state_->handle);
  }
  if (state_->sync_due) {
    if (auto set = sync_commits(true); !set) return set;
  }
  return {};
}

// After a sync that failed the system may hold what was not written for written: what did not wait
// for the disk is written once more.
Result<void> Connection::commit() {
  // One of nothing syncs nothing.
  const bool writes = sqlite3_txn_state(state_->handle, "main") == SQLITE_TXN_WRITE &&
                      sqlite3_total_changes64(state_->handle) != state_->changes_before;
  auto committed = run("COMMIT");
  if (!committed) {
    state_->renewal_due = state_->behind;
  } else if (!state_->syncs) {
    state_->behind = true;
  } else if (writes) {
    state_->behind = false;
  }
  return committed;
}

Result<void> Connection::begin() {
  if (state_->renewal_due) {
    if (auto undone = catch_up(); !undone) return undone;
    if (auto renewed = renew_log(native()); !renewed) return renewed;
    state_->renewal_due = state_->behind = false;
  }
  auto begun = run("BEGIN IMMEDIATE");
  state_->changes_before = sqlite3_total_changes64(state_->handle);
  return begun;
}

Result<void> Connection::sync_commits(bool sync) {
  // One that waits lets the log be copied back and begun anew; else it would grow without end.
  if (!sync && state_->log_pages >= kLogPages) return {};
  const bool full = sync && state_->durability == Durability::kPowerCut;
  state_->sync_due = true;
  const std::string set = std::string("PRAGMA synchronous=") + (full ? "FULL" : "NORMAL");
  const int code = sqlite3_exec(state_->handle, set.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, state_->handle);
  state_->sync_due = false;
  state_->syncs = sync;
  return {};
}

Result<void> Connection::script(std::string_view sql) {
  if (auto undone = catch_up(); !undone) return undone;
  const std::string text(sql);
  const int code = sqlite3_exec(state_->handle, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, state_->handle);
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  if (auto undone = catch_up(); !undone) return std::unexpected(undone.error());
  auto known = state_->cache.find(sql);
  if (known != state_->cache.end() && !known->second.on_loan) {
    known->second.on_loan = true;
    return Statement(known->second.statement, &known->second);
  }
  const bool keep = known == state_->cache.end() && state_->cache.size() < kCachedStatementsMax;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(state_->handle, sql.data(), static_cast<int>(sql.size()),
                                      keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
  if (code != SQLITE_OK) return error_of(code, state_->handle);
  if (statement == nullptr) return fail(ErrorCode::kInternal, "empty statement", "prepare");
  if (!keep) return Statement(statement, nullptr);
  Prepared& prepared = state_->cache[std::string(sql)];
  prepared = {.statement = statement, .on_loan = true};
  return Statement(statement, &prepared);
}

std::int64_t Connection::changes() const { return sqlite3_changes64(state_->handle); }

std::int64_t Connection::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(state_->handle);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(state_->handle) == 0; }

const std::string& Connection::vfs() const { return state_->vfs; }

bool Connection::is_read_only() const { return sqlite3_db_readonly(state_->handle, "main") == 1; }

Result<void> Connection::back_up(const std::string& path) {
  if (vfs().empty()) make_private(path);
  State copy;
  int code = sqlite3_open_v2(
      path.c_str(), &copy.handle,
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
      vfs().empty() ? nullptr : vfs().c_str());
  if (code != SQLITE_OK) return error_of(code, copy.handle);
  sqlite3_backup* backup = sqlite3_backup_init(copy.handle, "main", state_->handle, "main");
  if (backup == nullptr) return error_of(sqlite3_extended_errcode(copy.handle), copy.handle);
  // All pages in one step: within it nobody's write can start the copy over.
  sqlite3_backup_step(backup, -1);
  code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) return error_of(code, copy.handle);
  return {};
}

Result<void> Connection::cut_log() {
  const auto busy = number("PRAGMA wal_checkpoint(TRUNCATE)", 0);
  if (!busy) {
    state_->renewal_due = state_->behind;
    return std::unexpected(busy.error());
  }
  if (*busy == 0) {
    state_->behind = false;
    return {};
  }
  return fail(ErrorCode::kLocked, "database: another connection reads an older state", "wipe");
}

namespace {

// The bytes of a page that belong to no cell: from the end of the list of cells to the first of
// them. Empty for what is no page of a tree. (SQLite's file format, "B-tree Pages".)
std::pair<std::size_t, std::size_t> gap_of(std::string_view page, bool is_first) {
  const std::size_t header = is_first ? 100 : 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(page[at]); };
  const auto number = [&](std::size_t at) { return std::size_t{byte(at)} << 8 | byte(at + 1); };
  const bool is_inner = byte(header) == 2 || byte(header) == 5;
  const bool is_leaf = byte(header) == 10 || byte(header) == 13;
  if (!is_inner && !is_leaf) return {};
  const std::size_t begin = header + (is_inner ? 12 : 8) + 2 * number(header + 3);
  const std::size_t content = number(header + 5);
  const std::size_t end = content == 0 ? 65536 : content;
  return begin < end && end <= page.size() ? std::pair(begin, end)
                                           : std::pair<std::size_t, std::size_t>();
}

sqlite3_file* file_of(sqlite3* handle, int which) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle, "main", which, static_cast<void*>(&file));
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

// Page by page in the file itself: nobody writes meanwhile, and there is no log to be copied over
// it. What is between cells nobody reads. Where to go on; 0 behind the last page.
Result<std::uint64_t> zero_gaps(sqlite3* handle, std::uint64_t page_bytes, std::uint64_t from,
                                std::uint64_t most) {
  sqlite3_file* const file = file_of(handle, SQLITE_FCNTL_FILE_POINTER);
  if (file == nullptr) return fail(ErrorCode::kIo, "database: the file cannot be reached", "wipe");
  sqlite3_int64 size = 0;
  if (const int code = file->pMethods->xFileSize(file, &size); code != SQLITE_OK) {
    return error_of(code, handle);
  }
  std::string page(page_bytes, '\0');
  const std::string zeros(page_bytes, '\0');
  const auto pages = static_cast<std::uint64_t>(size) / page_bytes;
  const std::uint64_t first = std::min(from / page_bytes, pages);
  const std::uint64_t next =
      first + std::min(pages - first, std::max<std::uint64_t>(most / page_bytes, 1));
  for (std::uint64_t nth = first; nth < next; ++nth) {
    const auto at = static_cast<sqlite3_int64>(nth * page_bytes);
    int code = file->pMethods->xRead(file, page.data(), static_cast<int>(page_bytes), at);
    if (code != SQLITE_OK) return error_of(code, handle);
    const auto [begin, end] = gap_of(page, at == 0);
    if (std::string_view(page).substr(begin, end - begin).find_first_not_of('\0') ==
        std::string_view::npos) {
      continue;
    }
    code = file->pMethods->xWrite(file, zeros.data(), static_cast<int>(end - begin),
                                  at + static_cast<sqlite3_int64>(begin));
    if (code != SQLITE_OK) return error_of(code, handle);
  }
  // Also what an earlier wipe has written, whose end nobody saw.
  const int synced = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  if (synced != SQLITE_OK) return error_of(synced, handle);
  return next < pages ? next * page_bytes : 0;
}

}  // namespace

Result<std::uint64_t> Connection::wipe(std::uint64_t from, std::uint64_t bytes) {
  if (auto cut = cut_log(); !cut) return std::unexpected(cut.error());
  const auto page_bytes = number("PRAGMA page_size", 0);
  if (!page_bytes) return std::unexpected(page_bytes.error());
  if (auto begun = run("BEGIN IMMEDIATE"); !begun) return std::unexpected(begun.error());
  // Another process may have written before this one holds the right to.
  sqlite3_int64 log_bytes = 0;
  if (sqlite3_file* const log = file_of(native(), SQLITE_FCNTL_JOURNAL_POINTER)) {
    log->pMethods->xFileSize(log, &log_bytes);
  }
  Result<std::uint64_t> next =
      log_bytes == 0 ? zero_gaps(native(), static_cast<std::uint64_t>(*page_bytes), from, bytes)
                     : fail(ErrorCode::kLocked, "database: another process writes to it", "wipe");
  roll_back();
  // Pages that are held in memory would bring their old bytes back.
  sqlite3_db_release_memory(native());
  return next;
}

sqlite3* Connection::native() const { return state_->handle; }

}  // namespace gridwhistle::sqlite
