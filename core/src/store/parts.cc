#include <algorithm>

#include "base/varint.h"
#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

bool follows(const KindSchema& part, KindId whole) {
  if (part.scope_parent == 0) return false;
  return part.scope_parent_kind == whole || part.scope_parent_kind_field != 0;
}

}  // namespace

Result<std::vector<Part>> parts_in_sight(StoreState& state, const Parent& whole) {
  std::vector<Part> parts;
  for (const auto& [kind, table] : state.kinds) {
    const KindSchema& rules = table.rules();
    if (!follows(rules, whole.kind)) continue;
    GW_TRY_LET(query, state.connection.prepare("SELECT id, body FROM " + table.name + " WHERE " +
                                               sqlite::column_name(rules.scope_parent) +
                                               "=? AND body IS NOT NULL"));
    query.bind(whole.id);
    for (;;) {
      GW_TRY_LET(row, query.step());
      if (!row) break;
      const auto named = parent_of(rules, query.blob(1));
      if (named && named->kind == whole.kind) parts.push_back({&table, query.record_id(0)});
    }
  }
  return parts;
}

Result<std::vector<Parent>> hide_parts(StoreState& state, KindId whole, const RecordId& id,
                                       OutboxKey erasure) {
  std::vector<Parent> hidden;
  std::vector<Parent> wholes = {{whole, id}};
  while (!wholes.empty()) {
    const Parent next = wholes.back();
    wholes.pop_back();
    GW_TRY_LET(parts, parts_in_sight(state, next));
    for (const Part& part : parts) {
      if (part.table->rules().never_erased) continue;
      GW_TRY_LET(row, load_row(state, *part.table, part.id));
      put_on_top(*row, erasure);
      row->body.reset();
      GW_TRY(save_row(state, *part.table, part.id, *row));
      GW_TRY(mark_unindexed(state, *part.table, part.id));
      hidden.push_back({part.table->id, part.id});
      wholes.push_back(hidden.back());
    }
  }
  return hidden;
}

Result<std::vector<Part>> hidden_by(StoreState& state, OutboxKey erasure) {
  const std::string entry = pending_list({{erasure, false}});
  std::vector<Part> parts;
  for (const auto& [kind, table] : state.kinds) {
    if (table.rules().scope_parent == 0) continue;
    GW_TRY_LET(query, state.connection.prepare("SELECT id FROM " + table.name +
                                               " WHERE instr(pending, ?)>0"));
    query.bind(sqlite::Blob{entry});
    GW_TRY_LET(ids, ids_of(query));
    for (const RecordId& part : ids) parts.push_back({&table, part});
  }
  return parts;
}

Result<std::optional<OutboxKey>> erasure_over(StoreState& state, const Parent& whole) {
  const KindTable* wholes = table_of(state, whole.kind);
  if (wholes == nullptr) return std::nullopt;
  GW_TRY_LET(query, state.connection.prepare(wholes->hidden));
  query.bind(whole.id);
  GW_TRY_LET(hidden, query.step());
  if (!hidden) return std::nullopt;
  for (const PendingKey& pending : pending_of(query.blob(0))) {
    if (pending.folded) continue;
    GW_TRY_LET(operation, load_operation(state, pending.key));
    if (operation && operation->type == OperationType::kErase) return pending.key;
  }
  return std::nullopt;
}

Result<bool> has_open_erasures(StoreState& state) {
  for (const Lane lane : kLanes) {
    const LaneProgress& progress = state.lanes[index_of(lane)];
    GW_TRY_LET(some, state.connection.number(
                         "SELECT EXISTS(SELECT 1 FROM outbox WHERE key>? AND key<=? AND type=?)", 0,
                         key_of(lane, progress.noted), key_of(lane, progress.last),
                         OperationType::kErase));
    if (some != 0) return true;
  }
  return false;
}

Result<void> hide_parts_again(StoreState& state) {
  GW_TRY_LET(query,
             state.connection.prepare("SELECT key, kind, id FROM outbox WHERE type=? AND state=0"));
  query.bind(OperationType::kErase);
  struct Erasure {
    OutboxKey key;
    Parent whole;
  };
  std::vector<Erasure> all;
  for (;;) {
    GW_TRY_LET(found, query.step());
    if (!found) break;
    all.push_back({query.integer(0),
                   {KindId(static_cast<std::uint32_t>(query.integer(1))), query.record_id(2)}});
  }
  for (const auto& [key, whole] : all) {
    const KindTable* table = table_of(state, whole.kind);
    if (table == nullptr) continue;
    GW_TRY_LET(row, load_row(state, *table, whole.id));
    if (row && !row->body) GW_TRY(hide_parts(state, whole.kind, whole.id, key));
  }
  return {};
}

}  // namespace gridwhistle::store
