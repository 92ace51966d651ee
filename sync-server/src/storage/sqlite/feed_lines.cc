#include "base/line.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/sqlite_storage.h"

namespace gridwhistle {

using sqlite::Statement;

namespace {

FeedEntry entry_of(const Statement& row, int first) {
  return {Seq(row.number(first)),
          {KindId(static_cast<std::uint32_t>(row.integer(first + 1))), row.record_id(first + 2)},
          Seq(row.number(first + 3)),
          row.integer(first + 4) != 0};
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
  return connection_.run("INSERT INTO feed VALUES(?,?,?,?,?,?)", membership.scope, membership.seq,
                         key.kind, key.id, membership.entered, membership.in ? 1 : 0);
}

Result<void> SqliteStorage::drop_line(const Membership& membership) {
  return connection_.run("DELETE FROM feed WHERE scope=? AND seq=?", membership.scope,
                         membership.seq);
}

}  // namespace gridwhistle
