#include <algorithm>

#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::string_view kRefusedColumns =
    "SELECT "
    "key,dev_seq,kind,id,type,creates,more,base_seq,hlc,wall_ms,boot_ms,boot_id,scope,fields,"
    "clear,remove,own_since,hash_before,recorded_hash,status,code,seq FROM outbox WHERE state=2";

Refused read_refused(const sqlite::Statement& row) {
  constexpr int kStatus = 19;
  return {read_operation(row), static_cast<OutcomeStatus>(row.integer(kStatus)),
          static_cast<std::uint32_t>(row.integer(kStatus + 1)), Seq(row.number(kStatus + 2))};
}

// Fields that cannot be written again are left to what the record says.
std::string writable(const KindSchema& kind, std::string_view set, bool record_exists) {
  std::string kept;
  for (const FieldView& field : fields_of(set)) {
    const FieldSchema* known = kind.field(field.number);
    const MergePolicy policy = known != nullptr ? known->merge : MergePolicy::kLww;
    if (policy == MergePolicy::kServer) continue;
    if (policy == MergePolicy::kImmutable && record_exists) continue;
    kept += field.entries;
  }
  return kept;
}

// Commits lost values on the record as it is now. Where it is gone it is made again: under its own
// id when this device made it, so that what refers to it stays right, else under a new one.
Result<RecordId> write_again(StoreState& state, Change change, const Restoring& restoring) {
  const KindTable* table = table_of(state, change.kind);
  GW_TRY(check_writable(table));
  GW_TRY_LET(row, load_row(state, *table, change.id));
  const bool exists = row && row->body;
  change.set = writable(table->rules(), change.set, exists);
  if (!exists && change.id.device() != state.device) change.id = RecordId();
  if (!exists) change.clear.clear();
  if (change.set.empty() && change.clear.empty() && change.remove.empty()) {
    return fail(ErrorCode::kConflict, "it holds nothing that can be written again", "restore");
  }
  GW_TRY_LET(ids, commit_changes(state, {std::move(change)}, restoring));
  return ids.front();
}

}  // namespace

Result<std::vector<Refused>> Store::refused() {
  GW_TRY_LET(query,
             state_->connection.prepare(std::string(kRefusedColumns) + " ORDER BY dev_seq DESC"));
  std::vector<Refused> all;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return all;
    all.push_back(read_refused(query));
  }
}

Result<RecordId> Store::restore_refused(Lane lane, LaneSeq lane_seq,
                                        const std::optional<RecordId>& outcome) {
  const OutboxKey key = key_of(lane, lane_seq);
  std::optional<Refused> refused;
  {
    GW_TRY_LET(query, state_->connection.prepare(std::string(kRefusedColumns) + " AND key=?"));
    query.bind(key);
    GW_TRY_LET(row, query.step());
    if (!row) return fail(ErrorCode::kNotFound, "there is no such refused change", "restore");
    refused = read_refused(query);
  }
  if (refused->operation.type == OperationType::kErase) {
    return fail(ErrorCode::kConflict, "it holds nothing that can be written again", "restore");
  }
  const Operation& operation = refused->operation;
  GW_TRY_LET(id, write_again(*state_,
                             {.kind = operation.kind,
                              .id = operation.id,
                              .set = operation.set,
                              .clear = operation.clear,
                              .remove = operation.remove},
                             {.dismisses = key, .settles = outcome}));
  GW_TRY(reload_refused(*state_));
  return id;
}

Result<void> Store::dismiss_refused(Lane lane, LaneSeq lane_seq) {
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(state_->connection.run("UPDATE outbox SET state=3 WHERE key=? AND state=2",
                                key_of(lane, lane_seq)));
  GW_TRY(transaction.commit());
  return reload_refused(*state_);
}

Result<std::optional<RecordId>> Store::restored_as(const RecordId& outcome) {
  GW_TRY_LET(made, state_->connection.prepare("SELECT record FROM restored WHERE outcome=?"));
  made.bind(outcome);
  GW_TRY_LET(known, made.step());
  if (!known || made.blob(0).empty()) return std::nullopt;
  return made.record_id(0);
}

Result<RecordId> Store::restore_outcome(const RecordId& outcome) {
  // Once, however often one taps.
  GW_TRY_LET(made, restored_as(outcome));
  if (made) return *made;
  const KindSchema* outcomes = state_->schema.kind("Outcome");
  const KindTable* table = outcomes != nullptr ? table_of(*state_, outcomes->id) : nullptr;
  if (table == nullptr) return fail(ErrorCode::kNotFound, "there is no such outcome", "restore");
  GW_TRY_LET(row, load_row(*state_, *table, outcome));
  if (!row || !row->body) return fail(ErrorCode::kNotFound, "there is no such outcome", "restore");
  const auto number = [&](std::string_view name) { return outcomes->field(name)->number; };
  Change change;
  change.kind =
      KindId(static_cast<std::uint32_t>(int_of(*row->body, number("record_kind")).value_or(0)));
  change.id =
      RecordId::from_bytes(text_of(*row->body, number("record")).value_or("")).value_or(RecordId{});
  change.set = text_of(*row->body, number("lost_set")).value_or("");
  for (const ValueView& value : values_of(field_of(*row->body, number("lost_clear")).entries)) {
    change.clear.push_back(static_cast<std::uint32_t>(value.scalar));
  }
  return write_again(*state_, std::move(change), {.dismisses = {}, .settles = outcome});
}

Result<void> Store::dismiss_outcome(const RecordId& outcome) {
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(state_->connection.run("INSERT OR IGNORE INTO restored VALUES(?, x'')", outcome));
  return transaction.commit();
}

Result<std::set<RecordId>> Store::settled_outcomes() {
  GW_TRY_LET(query, state_->connection.prepare("SELECT outcome FROM restored"));
  std::set<RecordId> all;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return all;
    all.insert(query.record_id(0));
  }
}

Result<FoundBytes> Store::lost_values(KindId kind, const RecordId& id, std::string_view values,
                                      const Purpose& purpose) {
  const KindTable* table = table_of(*state_, kind);
  FoundBytes found;
  if (table == nullptr) return found;
  GW_TRY(check_purpose(*state_, purpose));
  if (!purpose.text.empty()) {
    GW_TRY(log_reads(*state_, *table, {id}, purpose));
    found.record = values;
  } else {
    found.record = masked_record(table->rules(), values, found.info.masked);
  }
  return found;
}

}  // namespace gridwhistle::store
