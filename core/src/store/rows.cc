#include <algorithm>

#include "base/varint.h"
#include "model/record.h"
#include "store/own_order.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::uint64_t kFoldedBit = std::uint64_t{1} << 63;
constexpr std::uint64_t kCounterMax = (std::uint64_t{1} << 62) - 1;
constexpr std::size_t kNewestMax = 4096;  ///< a county's devices, some kinds each

std::optional<std::string> optional_blob(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return std::string(row.blob(column));
}

std::optional<sqlite::Blob> as_blob(const std::optional<std::string>& bytes) {
  if (!bytes) return std::nullopt;
  return sqlite::Blob{*bytes};
}

Result<bool> is_beyond_newest(StoreState& state, const KindTable& table, const RecordId& id) {
  if (!id.well_formed()) return false;
  const DeviceId device = id.device();
  auto known = state.newest.find({table.id, device});
  if (known == state.newest.end()) {
    GW_TRY_LET(query, state.connection.prepare("SELECT max(id) FROM " + table.name +
                                               " WHERE id BETWEEN ? AND ?"));
    query.bind(RecordId::make(device, 0), RecordId::make(device, kCounterMax));
    GW_TRY_LET(row, query.step());
    const RecordId newest = row && !query.is_null(0) ? query.record_id(0) : RecordId{};
    if (state.newest.size() >= kNewestMax) state.newest.clear();
    known = state.newest.emplace(std::pair{table.id, device}, newest).first;
  }
  return id > known->second;
}

void note_newest(StoreState& state, const KindTable& table, const RecordId& id) {
  if (!id.well_formed()) return;
  const auto known = state.newest.find({table.id, id.device()});
  if (known != state.newest.end()) known->second = std::max(known->second, id);
}

// What a put makes of a record; an erasure makes nothing of it.
std::optional<std::string> laid_over(const KindSchema& kind, const std::optional<std::string>& base,
                                     const Operation& operation) {
  if (operation.type == OperationType::kErase) return std::nullopt;
  return overlay(kind, base.value_or(""), operation.set, operation.clear, operation.remove);
}

Result<std::vector<Operation>> load_operations(StoreState& state,
                                               const std::vector<PendingKey>& keys, bool folded) {
  std::vector<Operation> operations;
  for (const PendingKey& pending : keys) {
    if (pending.folded != folded) continue;
    GW_TRY_LET(operation, load_operation(state, pending.key));
    if (operation) operations.push_back(std::move(*operation));
  }
  std::ranges::sort(operations, {}, &Operation::dev_seq);
  return operations;
}

std::vector<Operation> later_than(const Operation& operation,
                                  const std::vector<Operation>& folded) {
  std::vector<Operation> later;
  std::ranges::copy_if(folded, std::back_inserter(later),
                       [&](const Operation& other) { return other.dev_seq > operation.dev_seq; });
  return later;
}

// A fold marker is needed only while something older is under way.
void drop_idle_markers(std::vector<PendingKey>& keys, const std::vector<Operation>& open,
                       const std::vector<Operation>& folded) {
  std::erase_if(keys, [&](const PendingKey& pending) {
    if (!pending.folded) return false;
    const auto marker = std::ranges::find_if(folded, [&](const Operation& operation) {
      return key_of(operation.lane, operation.lane_seq) == pending.key;
    });
    if (marker == folded.end()) return true;
    return std::ranges::none_of(
        open, [&](const Operation& operation) { return operation.dev_seq < marker->dev_seq; });
  });
}

}  // namespace

std::vector<PendingKey> pending_of(std::string_view list) {
  std::vector<PendingKey> keys;
  ByteReader reader(list);
  while (const std::optional<std::uint64_t> word = reader.fixed64()) {
    keys.push_back({static_cast<OutboxKey>(*word & ~kFoldedBit), (*word & kFoldedBit) != 0});
  }
  return keys;
}

std::string pending_list(const std::vector<PendingKey>& keys) {
  std::string list;
  for (const PendingKey& pending : keys) {
    append_fixed64(list,
                   static_cast<std::uint64_t>(pending.key) | (pending.folded ? kFoldedBit : 0));
  }
  return list;
}

Result<std::optional<RecordRow>> load_row(StoreState& state, const KindTable& table,
                                          const RecordId& id) {
  GW_TRY_LET(beyond, is_beyond_newest(state, table, id));
  if (beyond) return std::optional<RecordRow>();
  GW_TRY_LET(query, state.connection.prepare(table.select));
  query.bind(id);
  GW_TRY_LET(found, query.step());
  if (!found) return std::optional<RecordRow>();
  RecordRow row;
  row.body = optional_blob(query, 0);
  row.base = optional_blob(query, 1);
  row.pending = query.blob(2);
  row.base_seq = Seq(query.number(3));
  row.last_seq = Seq(query.number(4));
  row.scopes = query.integer(5);
  row.own_since = DevSeq(query.number(6));
  return std::optional(std::move(row));
}

Result<void> save_row(StoreState& state, const KindTable& table, const RecordId& id,
                      const RecordRow& row) {
  if (!row.body && row.pending.empty()) return remove_row(state, table, id);
  note_newest(state, table, id);
  GW_TRY_LET(upsert, state.connection.prepare(table.upsert));
  const std::optional<sqlite::Blob> pending =
      row.pending.empty() ? std::nullopt : std::optional(sqlite::Blob{row.pending});
  upsert.borrow(id, as_blob(row.base), pending, row.base_seq, row.last_seq, row.scopes,
                row.own_since, as_blob(row.body));
  if (table.schema != nullptr && row.body) {
    constexpr int kFirstField = 9;
    sqlite::bind_fields(upsert, kFirstField, *table.schema, *row.body);
  }
  return upsert.run();
}

Result<void> remove_row(StoreState& state, const KindTable& table, const RecordId& id) {
  GW_TRY(state.connection.run(table.remove, id));
  return drop_from_index(state, table, id);
}

Result<std::vector<RecordId>> ids_of(sqlite::Statement& query) {
  std::vector<RecordId> ids;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return ids;
    ids.push_back(query.record_id(0));
  }
}

std::uint64_t number_in(const KindSchema& kind, std::string_view body, std::string_view field) {
  const FieldSchema* known = kind.field(field);
  if (known == nullptr) return 0;
  const auto value = last_value_of(field_of(body, known->number).entries);
  return value ? value->scalar : 0;
}

void put_on_top(RecordRow& row, OutboxKey key) {
  if (row.pending.empty()) row.base = std::move(row.body);
  std::vector<PendingKey> keys = pending_of(row.pending);
  keys.push_back({key, false});
  row.pending = pending_list(keys);
}

Result<std::string> content_of(StoreState& state, const KindTable& table, const RecordRow& row) {
  if (row.body) return *row.body;
  if (row.base) return *row.base;
  std::optional<std::string> own;
  GW_TRY_LET(unsent, load_operations(state, pending_of(row.pending), false));
  for (const Operation& operation : unsent) {
    if (operation.type != OperationType::kErase) own = laid_over(table.rules(), own, operation);
  }
  return own.value_or("");
}

Result<void> rebase(StoreState& state, const KindTable& table, RecordRow& row,
                    std::optional<std::string> delivered) {
  std::vector<PendingKey> keys = pending_of(row.pending);
  GW_TRY_LET(open, load_operations(state, keys, false));
  GW_TRY_LET(folded, load_operations(state, keys, true));
  drop_idle_markers(keys, open, folded);
  row.pending = pending_list(keys);
  row.body = delivered;
  row.base.reset();
  if (open.empty()) return {};
  for (const Operation& operation : open) {
    row.body =
        laid_over(table.rules(), row.body,
                  without_overwritten(table.rules(), operation, later_than(operation, folded)));
  }
  row.base = std::move(delivered);
  return {};
}

Result<void> take_off(StoreState& state, const KindTable& table, OutboxKey key, RecordRow& row) {
  std::optional<std::string> delivered = row.delivered();
  std::vector<PendingKey> keys = pending_of(row.pending);
  std::erase_if(keys, [&](const PendingKey& pending) { return pending.key == key; });
  row.pending = pending_list(keys);
  return rebase(state, table, row, std::move(delivered));
}

Result<void> fold(StoreState& state, const KindTable& table, const Operation& operation,
                  OutcomeStatus status, RecordRow& row) {
  const OutboxKey key = key_of(operation.lane, operation.lane_seq);
  if (!was_applied(status)) return take_off(state, table, key, row);
  std::optional<std::string> delivered = row.delivered();
  std::vector<PendingKey> keys = pending_of(row.pending);
  GW_TRY_LET(folded, load_operations(state, keys, true));
  const bool revived_erasure =
      status == OutcomeStatus::kRevived && operation.type == OperationType::kErase;
  if (!revived_erasure && row.scopes != kGone) {
    delivered =
        laid_over(table.rules(), delivered,
                  without_overwritten(table.rules(), operation, later_than(operation, folded)));
  }
  for (PendingKey& pending : keys) pending.folded |= pending.key == key;
  row.pending = pending_list(keys);
  return rebase(state, table, row, std::move(delivered));
}

}  // namespace gridwhistle::store
