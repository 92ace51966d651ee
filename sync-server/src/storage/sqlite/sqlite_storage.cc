#include "storage/sqlite/sqlite_storage.h"

#include <array>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/line.h"
#include "storage/open.h"
#include "storage/sqlite/rows_of.h"

namespace gridwhistle {

using sqlite::Blob;
using sqlite::Statement;

namespace {

// Enough for the upper levels of every index of a county's file.
constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
// A day's devices, some kinds each.
constexpr std::size_t kNewestMax = 16384;

sqlite::OpenOptions options_for(const std::string& path, const std::string& vfs) {
  return {.path = path,
          .exclusive = true,
          .cache_bytes = kCacheBytes,
          .application_id = kCountyFile.application_id,
          .vfs = vfs};
}

/// What SQLite's own check finds in a file, at most twenty of them. A page that cannot even be
/// walked is one of them.
Result<std::vector<std::string>> damage_of(sqlite::Connection& connection) {
  constexpr std::string_view kHead = "*** in database main ***\n";
  std::vector<std::string> found;
  const auto checked =
      sqlite::rows_of(connection, "PRAGMA integrity_check(20)", [&](Statement& row) {
        std::string_view told = row.text(0);
        if (told.starts_with(kHead)) told.remove_prefix(kHead.size());
        if (told != "ok") found.emplace_back(told);
      });
  if (!checked && checked.error().code != ErrorCode::kCorrupt) {
    return std::unexpected(checked.error());
  }
  if (!checked) found.push_back(checked.error().message);
  return found;
}

constexpr std::string_view kRowsFact = "rows";
constexpr std::string_view kPutFact = "INSERT OR REPLACE INTO meta VALUES(?,?)";

// In the order of SqliteStorage::Book.
struct BookTable {
  std::string_view table;
  std::string_view zh;
  std::string_view en;
};
constexpr std::array kBooks = {BookTable{"device", "设备", "devices"},
                               BookTable{"worker_grant", "权限", "grants"},
                               BookTable{"epoch", "启动记录", "starts of the server"},
                               BookTable{"merge_audit", "未生效的值", "values that lost"},
                               BookTable{"kept", "留存的内容", "kept work"},
                               BookTable{"gone", "已清理的记录标识", "ids of what is gone"}};

template <typename Counts>
std::string text_of_counts(const Counts& counts) {
  std::string text;
  for (const std::int64_t count : counts) text += std::to_string(count) + " ";
  return text;
}

bool is_county(std::string_view code) {
  return code.size() == 6 && code.find_first_not_of("0123456789") == code.npos;
}

}  // namespace

Result<void> create_sqlite_storage(const std::string& path, const std::string& county,
                                   const Schema& schema, const std::string& vfs) {
  if (!is_county(county)) {
    return fail(ErrorCode::kInvalid, both("县区代码为六位数字", "a county's code has six digits"),
                "county");
  }
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return fail(ErrorCode::kAlreadyExists,
                both("已有同名文件", "there is a file of this name already"));
  }
  auto connection = sqlite::Connection::open(options_for(path, vfs));
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto claimed = sqlite::claim_file(*connection, kCountyFile); !claimed) return claimed;
  if (auto put = connection->run("INSERT INTO meta VALUES('county', ?)", county); !put) return put;
  SqliteStorage storage(std::move(*connection), schema);
  return storage.load();
}

Result<std::unique_ptr<Storage>> open_sqlite_storage(const std::string& path, const Schema& schema,
                                                     const std::string& vfs) {
  std::error_code ignored;
  if (vfs.empty() && !std::filesystem::exists(path, ignored)) {
    return fail(ErrorCode::kNotFound,
                both("没有这个文件；请用 restore 从备份恢复",
                     "there is no such file; `restore` brings it back from a backup"));
  }
  auto connection = sqlite::Connection::open(options_for(path, vfs));
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto claimed = sqlite::claim_file(*connection, kCountyFile); !claimed) {
    return std::unexpected(claimed.error());
  }
  auto storage = std::make_unique<SqliteStorage>(std::move(*connection), schema);
  if (auto loaded = storage->load(); !loaded) return std::unexpected(loaded.error());
  // What a killed process has left in the log may have been forgotten since. A reader in the way,
  // or a disk that takes nothing, is no reason not to open.
  static_cast<void>(storage->cut_log());
  return storage;
}

namespace {

// What files of older builds lack.
constexpr std::pair<const char*, const char*> kLaterColumns[] = {
    {"worker_grant", "roles_inside INTEGER NOT NULL DEFAULT 0"},
    {"device", "predecessor INTEGER NOT NULL DEFAULT 0"},
    {"device", "inherits INTEGER NOT NULL DEFAULT 0"},
};

}  // namespace

Result<void> SqliteStorage::load() {
  if (auto built = sqlite::build_tables(connection_, schema_.schema(), {kRecordColumns}); !built) {
    return built;
  }
  if (auto built = connection_.script(kCountyTables); !built) return built;
  for (const auto& [table, column] : kLaterColumns) {
    if (auto added = sqlite::add_missing_column(connection_, table, column); !added) return added;
  }
  if (auto indexed = index_tombstones(); !indexed) return indexed;
  Result<std::string> county = fact("county");
  if (!county) return std::unexpected(county.error());
  if (!is_county(*county)) {
    return fail(ErrorCode::kNotADatabase, both("不是县区的数据文件", "the file is not a county's"),
                "county");
  }
  county_ = *county;
  const auto last = connection_.number("SELECT value FROM meta WHERE key='last_seq'", 0);
  if (!last) return std::unexpected(last.error());
  committed_seq_ = last_seq_ = Seq(static_cast<std::uint64_t>(*last));
  if (auto loaded = load_counts(); !loaded) return loaded;
  if (auto loaded = load_scopes(); !loaded) return loaded;
  committed_scopes_ = scopes_.size();
  return {};
}

Result<void> SqliteStorage::begin() { return take(sqlite::Transaction::begin(connection_)); }

Result<void> SqliteStorage::begin_unsynced() {
  return take(sqlite::Transaction::begin_unsynced(connection_));
}

Result<void> SqliteStorage::take(Result<sqlite::Transaction> transaction) {
  if (!transaction) return std::unexpected(transaction.error());
  transaction_.emplace(std::move(*transaction));
  if (newest_.size() > kNewestMax) newest_.clear();
  return {};
}

Result<void> SqliteStorage::commit() {
  Result<void> done = write_lines();
  if (done) done = write_parts();
  if (done && last_seq_ != committed_seq_) {
    done = connection_.run("INSERT OR REPLACE INTO meta VALUES('last_seq', ?)", last_seq_);
  }
  if (done && counted_ != committed_counts_) {
    done = set_fact(kRowsFact, text_of_counts(counted_));
  }
  if (done) done = transaction_->commit();
  if (!done) {
    rollback();
    return done;
  }
  transaction_.reset();
  committed_counts_ = counted_;
  committed_seq_ = last_seq_;
  committed_scopes_ = scopes_.size();
  moved_.clear();
  return {};
}

void SqliteStorage::rollback() {
  transaction_.reset();
  lines_.clear();
  parts_.clear();
  forget_recent();
  last_seq_ = committed_seq_;
  counted_ = committed_counts_;
  for (; !moved_.empty(); moved_.pop_back())
    scopes_[moved_.back().first].last = moved_.back().second;
  for (; scopes_.size() > committed_scopes_; scopes_.pop_back()) {
    scope_numbers_.erase(scopes_.back().name);
  }
}

Result<std::string> SqliteStorage::fact(std::string_view name) {
  std::string value;
  const auto read = sqlite::rows_of(
      connection_, "SELECT value FROM meta WHERE key=?",
      [&](Statement& row) { value = std::string(row.text(0)); }, name);
  if (!read) return std::unexpected(read.error());
  return value;
}

Result<void> SqliteStorage::set_fact(std::string_view name, std::string_view value) {
  return connection_.run(kPutFact, name, value);
}

Result<std::int64_t> SqliteStorage::rows_in(std::size_t book) {
  return connection_.number("SELECT count(*) FROM " + std::string(kBooks[book].table), 0);
}

// A file of a build that noted nothing is taken as it is.
Result<void> SqliteStorage::load_counts() {
  auto noted = fact(kRowsFact);
  if (!noted) return std::unexpected(std::move(noted.error()));
  std::istringstream numbers(*noted);
  for (std::size_t book = 0; book < kBookCount; ++book) {
    if (numbers >> counted_[book]) continue;
    auto rows = rows_in(book);
    if (!rows) return std::unexpected(std::move(rows.error()));
    counted_[book] = *rows;
  }
  committed_counts_ = counted_;
  return {};
}

Result<std::vector<Line>> SqliteStorage::short_books() {
  std::vector<Line> faults;
  for (std::size_t book = 0; book < kBookCount; ++book) {
    auto rows = rows_in(book);
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (*rows == counted_[book]) continue;
    const std::string there = std::to_string(*rows);
    const std::string written = std::to_string(counted_[book]);
    faults.push_back(
        {std::string(kBooks[book].zh) + "：写入 " + written + " 条，实有 " + there + " 条",
         std::string(kBooks[book].en) + ": " + written + " were written, " + there + " are there"});
  }
  return faults;
}

Result<std::vector<std::string>> SqliteStorage::damage() { return damage_of(connection_); }

Result<void> SqliteStorage::back_up(const std::string& path, std::string_view fact,
                                    std::string_view value) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return fail(ErrorCode::kAlreadyExists,
                both("已有同名文件", "there is a file of this name already"));
  }
  if (auto copied = connection_.back_up(path); !copied) return copied;
  auto copy = sqlite::Connection::open({.path = path,
                                        .exclusive = true,
                                        .application_id = kCountyFile.application_id,
                                        .vfs = connection_.vfs()});
  if (!copy) return std::unexpected(copy.error());
  if (auto put = copy->run(kPutFact, fact, value); !put) return put;
  // The copy goes on alone: what its log failed to bring into it when it is closed, nobody would
  // hear.
  if (auto cut = copy->cut_log(); !cut) return cut;
  const auto damage = damage_of(*copy);
  if (!damage) return std::unexpected(damage.error());
  if (!damage->empty())
    return fail(ErrorCode::kCorrupt, both("副本已损坏", "the copy is damaged"), "integrity_check");
  return {};
}

}  // namespace gridwhistle
