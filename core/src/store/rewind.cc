#include <algorithm>

#include "store/state.h"

namespace gridwhistle::store {

namespace {

// Acknowledgements behind the parting were given by a log that is gone: of each lane everything
// from the first such operation on is to be sent again, as far as nothing is missing from there on.
// A server that says what it has of the lane knows it best: what is offered again with another base
// under a number that it has would be a fork.
Result<LaneSeq> first_lost(StoreState& state, Lane lane, Seq shared,
                           const std::optional<LaneSeq>& held) {
  const LaneProgress& progress = state.lanes[index_of(lane)];
  if (held) {
    const LaneSeq next(std::min(held->value, progress.noted.value) + 1);
    return std::max(next, progress.first);
  }
  GW_TRY_LET(key, state.connection.number(
                      "SELECT min(key) FROM outbox WHERE key BETWEEN ? AND ? AND seq>?", 0,
                      key_of(lane, progress.first), key_of(lane, progress.noted), shared));
  return key != 0 ? lane_seq_of(key) : LaneSeq(progress.noted.value + 1);
}

// Rows whose content the server may not have any more. Of those the operations remain; what others
// wrote comes again with the feed.
Result<void> drop_delivered(StoreState& state, const KindTable& table, Seq shared) {
  GW_TRY_LET(query, state.connection.prepare("SELECT id FROM " + table.name + " WHERE last_seq>?"));
  query.bind(shared);
  std::vector<RecordId> ids;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) break;
    ids.push_back(query.record_id(0));
  }
  for (const RecordId& id : ids) {
    GW_TRY_LET(row, load_row(state, table, id));
    row->base_seq = row->last_seq = Seq();
    GW_TRY(rebase(state, table, *row, std::nullopt));
    GW_TRY(save_row(state, table, id, *row));
    GW_TRY(mark_unindexed(state, table, id));
  }
  return {};
}

Result<void> pend_again(StoreState& state, Lane lane, LaneSeq first) {
  GW_TRY_LET(query,
             state.connection.prepare(
                 "SELECT key, kind, id, scope FROM outbox WHERE key BETWEEN ? AND ? AND state<>3"));
  query.bind(key_of(lane, first), key_of(lane, state.lanes[index_of(lane)].noted));
  struct Again {
    OutboxKey key;
    KindId kind;
    RecordId id;
    std::string scope;
  };
  std::vector<Again> all;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) break;
    all.push_back({query.integer(0), KindId(static_cast<std::uint32_t>(query.integer(1))),
                   query.record_id(2), std::string(query.text(3))});
  }
  for (const Again& again : all) {
    const KindTable* table = table_of(state, again.kind);
    if (table == nullptr) continue;
    GW_TRY_LET(found, load_row(state, *table, again.id));
    // A record that went with its scope is offered again, and does not come back into sight.
    if (!found && !again.scope.empty() &&
        !covers(state.position.grants, again.scope, table->rules().audience)) {
      continue;
    }
    RecordRow row = found ? std::move(*found) : RecordRow{};
    std::optional<std::string> delivered = row.delivered();
    std::vector<PendingKey> keys = pending_of(row.pending);
    std::erase_if(keys, [&](const PendingKey& pending) { return pending.key == again.key; });
    keys.push_back({again.key, false});
    row.pending = pending_list(keys);
    GW_TRY(rebase(state, *table, row, std::move(delivered)));
    GW_TRY(save_row(state, *table, again.id, row));
    GW_TRY(mark_unindexed(state, *table, again.id));
  }
  return {};
}

}  // namespace

Result<std::array<LaneProgress, kLaneCount>> rewind(StoreState& state, Seq shared,
                                                    const LanesHeld& held, Position& position) {
  std::array<LaneProgress, kLaneCount> lanes = state.lanes;
  for (auto& [id, table] : state.kinds) GW_TRY(drop_delivered(state, table, shared));
  for (const Lane lane : kLanes) {
    GW_TRY_LET(first, first_lost(state, lane, shared, held[index_of(lane)]));
    GW_TRY(pend_again(state, lane, first));
    lanes[index_of(lane)].noted = LaneSeq(first.value - 1);
    // What its worker has put aside keeps its number and says nothing any more.
    GW_TRY(state.connection.run(
        "UPDATE outbox SET type=0, creates=0, status=0, code=0, seq=0, fields=x'', clear=x'', "
        "remove=x'' WHERE state=3 AND key BETWEEN ? AND ?",
        key_of(lane, first), key_of(lane, lanes[index_of(lane)].last)));
    GW_TRY(state.connection.run(
        "UPDATE outbox SET state=0, status=0, code=0, seq=0, base_seq=min(base_seq, ?) "
        "WHERE state<>3 AND key BETWEEN ? AND ?",
        shared, key_of(lane, first), key_of(lane, lanes[index_of(lane)].last)));
    GW_TRY(put_meta(state, "noted" + std::to_string(static_cast<int>(lane)),
                    static_cast<std::int64_t>(first.value - 1)));
  }
  // Everything is read anew, scope by scope. The cursor stays where the logs part: rows up to there
  // are still in the file, and the server has to know that to tell what left or was erased since.
  position.cursor = std::min(position.cursor, shared);
  position.complete = Seq();
  position.exceptions.clear();
  for (const GrantHeld& grant : position.grants) {
    if (position.cursor) position.exceptions.push_back({grant.scope, Seq()});
  }
  // Rows were dropped, own writes in them too: the feed must bring those like everybody's.
  position.own_since = state.dev_seq;
  position.backed_up = std::min(position.backed_up, shared);
  position.caught_up = false;
  return lanes;
}

}  // namespace gridwhistle::store
