#include "feed/comparison.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "feed/limits.h"

namespace gridwhistle {

Comparison::Comparison(Storage& storage, const Schema& schema, const ScopeSet& grants,
                       std::uint32_t reader_schema, const v1::Digests& theirs)
    : storage_(storage), schema_(schema), grants_(grants), reader_schema_(reader_schema) {
  std::copy_n(theirs.ranges().begin(), kDigestRanges, theirs_.begin());
  std::set<ScopeNo> leaves;
  for (const ScopeGrant& grant : grants_.grants()) {
    for (const ScopeNo leaf : storage_.leaves_of(grant)) leaves.insert(leaf);
  }
  leaves_.assign(leaves.begin(), leaves.end());
}

Result<bool> Comparison::read(std::size_t records_max) {
  for (std::size_t records = 0; !leaves_.empty();) {
    if (records >= records_max) return false;
    const auto lines = storage_.feed(leaves_.back(), read_to_, limits::kFeedLinesRead);
    if (!lines) return std::unexpected(lines.error());
    if (lines->empty()) {
      leaves_.pop_back();
      read_to_ = {};
      continue;
    }
    read_to_ = lines->back().seq;
    records += lines->size();
    for (const FeedEntry& line : *lines) {
      if (!line.in || digests_.contains(line.key)) continue;
      auto row = row_now(line.key);
      if (!row) return std::unexpected(std::move(row.error()));
      if (!*row) continue;
      const std::uint64_t digest = digest_of(line.key.kind, line.key.id, (*row)->set);
      digests_.emplace(line.key, digest);
      ours_[range_of(line.key.id)] += digest;
    }
  }
  return true;
}

v1::Differences Comparison::differences() const {
  v1::Differences said;
  for (std::uint32_t range = 0; range < kDigestRanges; ++range) {
    if (ours_[range] != theirs_[range]) said.add_ranges(range);
  }
  return said;
}

// As the device may see it; nothing where it may not, or is not asked about it.
Result<std::optional<Row>> Comparison::row_now(const RecordKey& key) const {
  const KindSchema* kind = schema_.kind(key.kind);
  if (kind == nullptr || kind->since > reader_schema_ || !is_compared(*kind)) return std::nullopt;
  auto stored = storage_.record(key);
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (!*stored || (*stored)->state.erased) return std::nullopt;
  Row row;
  for (const Membership& m : (*stored)->memberships) {
    if (!m.in) continue;
    const std::string& leaf = storage_.scope_name(m.scope);
    if (grants_.sees(*kind, leaf)) row.scopes.push_back(leaf);
  }
  if (row.scopes.empty()) return std::nullopt;
  const RecordState& state = (*stored)->state;
  row.kind = key.kind;
  row.id = key.id;
  row.last_seq = state.last_seq;
  row.hlc = state.hlc;
  row.change = RowChange::kWhole;
  row.set = state.body;
  return row;
}

// Whether it is known to be gone for the device. What the server has never heard of may be all that
// is left of somebody's work, and what waits for its whole nobody sees but who wrote it: neither is
// taken from a phone.
Result<bool> Comparison::has_left(const RecordKey& key) const {
  const KindSchema* kind = schema_.kind(key.kind);
  if (kind == nullptr || !is_compared(*kind)) return false;
  auto stored = storage_.record(key);
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (!*stored) return storage_.is_gone(key);
  return (*stored)->state.erased || std::ranges::any_of((*stored)->memberships, &Membership::in);
}

Result<std::vector<Row>> Comparison::repairs(const v1::RangeContents& theirs, Seq read_to) {
  std::vector<Row> rows;
  std::set<RecordKey> told;
  for (const v1::RecordDigest& record : theirs.records()) {
    const RecordKey key{KindId(record.kind()), *RecordId::from_bytes(record.id())};
    told.insert(key);
    const auto ours = digests_.find(key);
    if (ours != digests_.end() && ours->second == record.digest()) continue;
    auto row = row_now(key);
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) {
      auto left = has_left(key);
      if (!left) return std::unexpected(std::move(left.error()));
      if (!*left) continue;
      Row gone;
      gone.kind = key.kind;
      gone.id = key.id;
      gone.last_seq = read_to;
      gone.change = RowChange::kLeft;
      auto stored = storage_.record(key);
      if (!stored) return std::unexpected(std::move(stored.error()));
      gone.forgotten = *stored && (*stored)->state.forgotten;
      rows.push_back(std::move(gone));
    } else if (digest_of(key.kind, key.id, (*row)->set) != record.digest()) {
      rows.push_back(std::move(**row));
    }
  }
  for (const auto& [key, digest] : digests_) {
    if (range_of(key.id) != theirs.range() || told.contains(key)) continue;
    auto row = row_now(key);
    if (!row) return std::unexpected(std::move(row.error()));
    if (*row) rows.push_back(std::move(**row));
  }
  return rows;
}

}  // namespace gridwhistle
