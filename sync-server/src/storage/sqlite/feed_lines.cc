#include <algorithm>
#include <utility>

#include "base/line.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/sqlite_storage.h"

namespace gridwhistle {

using sqlite::Lifetime;
using sqlite::Statement;

namespace {

FeedEntry entry_of(const Statement& row, int first) {
  return {Seq(row.number(first)),
          {KindId(static_cast<std::uint32_t>(row.integer(first + 1))), row.record_id(first + 2)},
          Seq(row.number(first + 3)),
          row.integer(first + 4) != 0};
}

// A statement costs about as much as what it puts in, so lines go together.
constexpr std::size_t kTogether = 32;

// "INSERT INTO t VALUES(?,?),(?,?)…" with `rows` rows.
std::string insert_sql(std::string_view into, std::string_view row, std::size_t rows) {
  std::string sql(into);
  for (std::size_t i = 0; i < rows; ++i) {
    sql += i == 0 ? " VALUES" : ",";
    sql += row;
  }
  return sql;
}

/// Puts `rows` in, all of them by one statement where they are `kTogether`, else one by one.
template <typename Row, typename Bind>
Result<void> insert_all(sqlite::Connection& connection, const std::string& one,
                        const std::string& many, const std::vector<Row>& rows, const Bind& bind) {
  if (rows.empty()) return {};
  const bool together = rows.size() == kTogether;
  Result<Statement> statement = connection.prepare(together ? many : one);
  if (!statement) return std::unexpected(std::move(statement.error()));
  int last = 0;
  for (const Row& row : rows) {
    last = bind(*statement, last, row);
    if (together) continue;
    if (auto put = statement->run(); !put) return put;
    last = 0;
  }
  return together ? statement->run() : Result<void>();
}

}  // namespace

Result<void> SqliteStorage::load_scopes() {
  return sqlite::rows_of(
      connection_,
      "SELECT no, name, (SELECT max(seq) FROM feed WHERE feed.scope=scope.no) FROM scope ORDER BY "
      "no",
      [&](Statement& row) -> Result<void> {
        if (row.number(0) != scopes_.size() + 1) {
          return fail(ErrorCode::kCorrupt, "the county's file is damaged", "scope numbers");
        }
        // A disk that lost what it had said was on it leaves a file whose parts are of different
        // times. Numbers given anew would be taken for changes that phones have read.
        if (Seq(row.number(2)) > last_seq_) {
          return fail(
              ErrorCode::kCorrupt,
              both("数据文件的日志比其内容短，部分内容已丢失；请用 restore 恢复备份",
                   "the file's log ends before what it holds, some of it is lost; `restore` "
                   "a backup"),
              "log end");
        }
        scopes_.push_back({std::string(row.text(1)), Seq(row.number(2))});
        scope_numbers_.emplace(scopes_.back().name,
                               ScopeNo(static_cast<std::uint32_t>(scopes_.size())));
        return {};
      });
}

Result<ScopeNo> SqliteStorage::scope_no(std::string_view leaf) {
  const auto known = scope_numbers_.find(leaf);
  if (known != scope_numbers_.end()) return known->second;
  const ScopeNo no(static_cast<std::uint32_t>(scopes_.size() + 1));
  if (auto put = connection_.run("INSERT INTO scope VALUES(?,?)", no, leaf); !put) {
    return std::unexpected(put.error());
  }
  scopes_.push_back({std::string(leaf), Seq()});
  scope_numbers_.emplace(leaf, no);
  return no;
}

const std::string& SqliteStorage::scope_name(ScopeNo scope) const {
  return scopes_[scope.value - 1].name;
}

Seq SqliteStorage::scope_last(ScopeNo scope) const { return scopes_[scope.value - 1].last; }

std::vector<ScopeNo> SqliteStorage::leaves_of(const ScopeGrant& grant) const {
  std::vector<ScopeNo> leaves;
  if (!grant.subtree) {
    const auto own = scope_numbers_.find(grant.scope);
    if (own != scope_numbers_.end()) leaves.push_back(own->second);
    return leaves;
  }
  for (const auto& [name, no] : scope_numbers_) {
    if (reaches(grant, name)) leaves.push_back(no);
  }
  return leaves;
}

Result<std::vector<FeedEntry>> SqliteStorage::feed(ScopeNo scope, Seq after, std::size_t limit,
                                                   std::span<const KindId> kinds) {
  if (auto written = write_lines(); !written) return std::unexpected(written.error());
  std::string of_kinds;
  for (const KindId kind : kinds) {
    of_kinds += (of_kinds.empty() ? " AND kind IN (" : ",") + std::to_string(kind.value);
  }
  if (!of_kinds.empty()) of_kinds += ")";
  std::vector<FeedEntry> entries;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT seq, kind, id, entered, held FROM feed WHERE scope=? AND seq>?" + of_kinds +
          " ORDER BY seq LIMIT ?",
      [&](Statement& row) { entries.push_back(entry_of(row, 0)); }, scope, after, limit);
  if (!read) return std::unexpected(read.error());
  return entries;
}

Result<std::vector<FeedEntry>> SqliteStorage::exits(Seq after, Seq upto, std::size_t limit) {
  if (auto written = write_lines(); !written) return std::unexpected(written.error());
  std::vector<FeedEntry> entries;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT seq, kind, id, entered, held FROM feed WHERE held=0 AND seq>?1 AND seq<=min(?2, "
      "ifnull((SELECT seq FROM feed WHERE held=0 AND seq>?1 ORDER BY seq LIMIT 1 OFFSET ?3 - 1), "
      "?2)) ORDER BY seq",
      [&](Statement& row) { entries.push_back(entry_of(row, 0)); }, after, upto, limit);
  if (!read) return std::unexpected(read.error());
  return entries;
}

Result<void> SqliteStorage::scan_feed(
    const std::function<Result<void>(ScopeNo, const FeedEntry&)>& each) {
  if (auto written = write_lines(); !written) return written;
  return sqlite::rows_of(
      connection_, "SELECT scope, seq, kind, id, entered, held FROM feed ORDER BY scope, seq",
      [&](Statement& row) {
        return each(ScopeNo(static_cast<std::uint32_t>(row.integer(0))), entry_of(row, 1));
      });
}

Result<void> SqliteStorage::put_line(const Membership& membership, const RecordKey& key) {
  Seq& last = scopes_[membership.scope.value - 1].last;
  if (membership.seq > last) {
    moved_.emplace_back(membership.scope.value - 1, last);
    last = membership.seq;
  }
  lines_.push_back({membership, key});
  return lines_.size() < kTogether && transaction_ ? Result<void>() : write_lines();
}

Result<void> SqliteStorage::drop_line(const Membership& membership) {
  const auto same = [&](const FeedLine& line) {
    return line.membership.scope == membership.scope && line.membership.seq == membership.seq;
  };
  if (std::erase_if(lines_, same) > 0) return {};
  return connection_.run("DELETE FROM feed WHERE scope=? AND seq=?", membership.scope,
                         membership.seq);
}

Result<void> SqliteStorage::write_lines() {
  static const std::string one = insert_sql("INSERT INTO feed", "(?,?,?,?,?,?)", 1);
  static const std::string many = insert_sql("INSERT INTO feed", "(?,?,?,?,?,?)", kTogether);
  const std::vector<FeedLine> lines = std::exchange(lines_, {});
  return insert_all(connection_, one, many, lines,
                    [](Statement& statement, int last, const FeedLine& line) {
                      const Membership& m = line.membership;
                      statement.bind_int(++last, m.scope.value);
                      statement.bind_int(++last, static_cast<std::int64_t>(m.seq.value));
                      statement.bind_int(++last, line.key.kind.value);
                      statement.bind_blob(++last, line.key.id.bytes(), Lifetime::kBorrowed);
                      statement.bind_int(++last, static_cast<std::int64_t>(m.entered.value));
                      statement.bind_int(++last, m.in ? 1 : 0);
                      return last;
                    });
}

Result<void> SqliteStorage::put_part(RecordId parent, const RecordKey& key) {
  parts_.push_back({parent, key});
  return parts_.size() < kTogether && transaction_ ? Result<void>() : write_parts();
}

Result<void> SqliteStorage::write_parts() {
  static const std::string one = insert_sql("INSERT OR IGNORE INTO child", "(?,?,?)", 1);
  static const std::string many = insert_sql("INSERT OR IGNORE INTO child", "(?,?,?)", kTogether);
  const std::vector<Part> parts = std::exchange(parts_, {});
  return insert_all(connection_, one, many, parts,
                    [](Statement& statement, int last, const Part& part) {
                      statement.bind_blob(++last, part.parent.bytes(), Lifetime::kBorrowed);
                      statement.bind_int(++last, part.key.kind.value);
                      statement.bind_blob(++last, part.key.id.bytes(), Lifetime::kBorrowed);
                      return last;
                    });
}

}  // namespace gridwhistle
