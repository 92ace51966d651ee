#include <algorithm>

#include "base/utf8.h"
#include "model/audience.h"
#include "model/record.h"
#include "store/state.h"
#include "wire/limits.h"

namespace gridwhistle::store {

namespace {

// By count, because the device's clock may jump.
constexpr std::int64_t kReadsKept = 100'000;

std::vector<RecordId> unpacked_ids(std::string_view packed) {
  std::vector<RecordId> ids;
  for (; packed.size() >= RecordId::kSize; packed.remove_prefix(RecordId::kSize)) {
    ids.push_back(*RecordId::from_bytes(packed.substr(0, RecordId::kSize)));
  }
  return ids;
}

Delivery delivery_of(const StoreState& state, const RecordId& id, const RecordRow& row) {
  const std::vector<PendingKey> keys = pending_of(row.pending);
  const bool unsent = std::ranges::any_of(keys, [&](const PendingKey& pending) {
    return lane_seq_of(pending.key) > state.lanes[index_of(lane_of(pending.key))].noted;
  });
  if (unsent) return Delivery::kUnsent;
  if (state.refused_records.contains(id)) return Delivery::kRefused;
  const bool own = row.last_seq > row.base_seq || made_here(state, id);
  return own ? Delivery::kDelivered : Delivery::kNone;
}

}  // namespace

FoundBytes found_of(const StoreState& state, const KindTable& table, const RecordId& id,
                    const RecordRow& row, const Purpose& purpose) {
  FoundBytes found;
  found.info = {.kind = table.id,
                .id = id,
                .delivery = delivery_of(state, id, row),
                .masked = false,
                .last_seq = row.last_seq};
  append_text(found.record, 1, id.bytes());
  const std::string_view body = row.body ? std::string_view(*row.body) : "";
  if (purpose.text.empty() && (table.sensitive || is_private(table.rules()))) {
    found.record += masked_record(table.rules(), body, found.info.masked);
  } else {
    found.record += body;
  }
  return found;
}

Result<void> check_purpose(const StoreState& state, const Purpose& purpose) {
  if (purpose.text.empty()) return {};
  if (is_blank(purpose.text)) {
    return fail(ErrorCode::kPurposeRequired, "the one that was named says nothing", "purpose");
  }
  if (state.options.read_only) {
    return fail(ErrorCode::kReadOnly,
                "reading personal data has to be logged, and this file was "
                "opened for reading only",
                "purpose");
  }
  if (purpose.text.size() > limits::kFieldBytes) {
    return fail(ErrorCode::kTooLarge, "the purpose is too long", "purpose");
  }
  return {};
}

Result<void> log_reads(StoreState& state, const KindTable& table, const std::vector<RecordId>& ids,
                       const Purpose& purpose) {
  // A worker's own receipts tell nobody anything new.
  const bool receipt = table.rules().name == "Outcome";
  if (!table.personal || receipt || ids.empty() || state.options.read_only) return {};
  const std::int64_t at_ms = state.options.clock->now().wall_ms;
  const auto& enrolment = state.position.enrolment;
  const RecordId worker = enrolment ? enrolment->worker : RecordId{};
  std::string packed;
  for (const RecordId& id : ids) packed += id.bytes();
  const auto log = [&]() -> Result<void> {
    GW_TRY_LET(transaction, begin(state));
    GW_TRY(state.connection.run(
        "INSERT INTO access_log(at_ms, worker, kind, id, purpose) VALUES(?, ?, ?, ?, ?)", at_ms,
        worker, table.id, sqlite::Blob{packed}, purpose.text));
    GW_TRY(state.connection.run("DELETE FROM access_log WHERE number<=?",
                                state.connection.last_insert_rowid() - kReadsKept));
    return transaction.commit();
  };
  Result<void> logged = log();
  // A full disk must not hide a worker's own records; masked they give nothing away.
  if (!logged && purpose.text.empty()) return {};
  return logged;
}

Result<FoundBytes> Store::get(KindId kind, const RecordId& id, const Purpose& purpose) {
  GW_TRY(check_purpose(*state_, purpose));
  const KindTable* table = table_of(*state_, kind);
  if (table == nullptr) return fail(ErrorCode::kNotFound, "no such record", "get");
  GW_TRY_LET(current, current_id(*state_, table, id));
  GW_TRY_LET(row, load_row(*state_, *table, current));
  if (!row || !row->body) return fail(ErrorCode::kNotFound, "no such record", "get");
  GW_TRY(log_reads(*state_, *table, {current}, purpose));
  return found_of(*state_, *table, current, *row, purpose);
}

Result<std::vector<Store::AccessLogEntry>> Store::access_log(std::uint64_t before,
                                                             std::size_t limit) {
  GW_TRY_LET(query, state_->connection.prepare(
                        "SELECT number, at_ms, worker, kind, id, purpose FROM access_log "
                        "WHERE ?1=0 OR number<?1 ORDER BY number DESC LIMIT ?2"));
  query.bind(before, limit);
  std::vector<AccessLogEntry> entries;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return entries;
    entries.push_back({query.number(0), query.integer(1), query.record_id(2),
                       KindId(static_cast<std::uint32_t>(query.integer(3))),
                       unpacked_ids(query.blob(4)), std::string(query.text(5))});
  }
}

}  // namespace gridwhistle::store
