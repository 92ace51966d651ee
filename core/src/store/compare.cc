#include <algorithm>

#include "model/digest.h"
#include "store/state.h"

// What this file holds of the server's records, in sum and range by range.
namespace gridwhistle::store {

namespace {

constexpr std::string_view kComparedMs = "compared_ms";
constexpr std::int64_t kCompareEveryMs = std::int64_t{7} * 24 * 3600 * 1000;

// Every record that the server has too, as it delivered it: what is pending stands aside.
template <typename Each>
Result<void> each_delivered(StoreState& state, Each each) {
  for (const auto& [kind, table] : state.kinds) {
    if (table.schema == nullptr || !is_compared(*table.schema)) continue;
    GW_TRY_LET(rows, state.connection.prepare(
                         "SELECT id, CASE WHEN ifnull(length(pending), 0) = 0 THEN body ELSE "
                         "base END FROM " +
                         table.name + " WHERE scopes != ?"));
    rows.bind(kGone);
    for (;;) {
      GW_TRY_LET(found, rows.step());
      if (!found) break;
      if (rows.is_null(1)) continue;
      const RecordId id = rows.record_id(0);
      each(kind, id, digest_of(kind, id, rows.blob(1)));
    }
  }
  return {};
}

}  // namespace

Result<RangeDigests> Store::digests() {
  RangeDigests sums{};
  GW_TRY(each_delivered(*state_, [&](KindId, const RecordId& id, std::uint64_t digest) {
    sums[range_of(id)] += digest;
  }));
  return sums;
}

Result<std::vector<v1::RangeContents>> Store::contents(const std::vector<std::uint32_t>& ranges) {
  std::vector<v1::RangeContents> contents;
  std::array<std::size_t, kDigestRanges> places;
  places.fill(kDigestRanges);
  for (const std::uint32_t range : ranges) {
    if (range >= kDigestRanges || places[range] != kDigestRanges) continue;
    places[range] = contents.size();
    contents.emplace_back().set_range(range);
  }
  GW_TRY(each_delivered(*state_, [&](KindId kind, const RecordId& id, std::uint64_t digest) {
    const std::size_t place = places[range_of(id)];
    if (place == kDigestRanges) return;
    v1::RecordDigest& record = *contents[place].add_records();
    record.set_kind(kind.value);
    record.set_id(std::string(id.bytes()));
    record.set_digest(digest);
  }));
  return contents;
}

Result<void> Store::note_compared() {
  Position position = state_->position;
  position.reconcile = false;
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(put_meta(*state_, kComparedMs, position.server_ms));
  GW_TRY(save_position(*state_, position));
  GW_TRY(transaction.commit());
  state_->position = std::move(position);
  return {};
}

// By the server's clock: the phone's may say anything. A file that was never compared is new, and
// was made by this build or came whole from the server a moment ago.
Result<bool> Store::compare_due() {
  const Position& position = state_->position;
  if (!position.caught_up || !position.exceptions.empty()) return false;
  if (position.reconcile) return true;
  GW_TRY_LET(compared_ms, meta_number(*state_, kComparedMs));
  if (compared_ms == 0 && position.server_ms != 0) {
    GW_TRY(note_compared());
    return false;
  }
  return position.server_ms - compared_ms >= kCompareEveryMs;
}

}  // namespace gridwhistle::store
