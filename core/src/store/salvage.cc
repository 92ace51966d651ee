#include <cstdio>
#include <map>
#include <string>

#include "base/durable_file.h"
#include "model/record.h"
#include "sqlite/rescue.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

struct TableKey {
  const char* table;
  const char* key;
};
// What nobody but this file has. Records come again with the feed.
constexpr TableKey kOwnTables[] = {{"outbox", "key"},        {"drafts", "name"},
                                   {"access_log", "number"}, {"restored", "outcome"},
                                   {"media", "sha256"},      {"renamed", "before"}};

// A damaged page may still be read, as something else.
bool is_sound(const Operation& operation) {
  const auto lane = static_cast<std::size_t>(operation.lane);
  return lane >= 1 && lane <= kLaneCount && operation.lane_seq && operation.dev_seq &&
         !operation.id.is_nil() && is_canonical(operation.set) && is_canonical(operation.remove);
}

Result<std::vector<Operation>> all_operations(StoreState& state) {
  GW_TRY_LET(keys, state.connection.prepare("SELECT key FROM outbox ORDER BY key"));
  std::vector<Operation> operations;
  for (;;) {
    GW_TRY_LET(row, keys.step());
    if (!row) return operations;
    GW_TRY_LET(operation, load_operation(state, keys.integer(0)));
    operations.push_back(std::move(*operation));
  }
}

// Closes the gaps that damage has left among what is unsent: a lane is sent without gaps, and the
// server has not seen these numbers. A transaction that has lost a part ends there.
Result<std::uint64_t> close_gaps(StoreState& state) {
  std::uint64_t lost = 0;
  GW_TRY_LET(operations, all_operations(state));
  std::map<Lane, LaneSeq> last;
  for (const Lane lane : kLanes) last[lane] = state.lanes[index_of(lane)].noted;
  for (const Operation& operation : operations) {
    const OutboxKey key = key_of(operation.lane, operation.lane_seq);
    if (!is_sound(operation)) {
      GW_TRY(state.connection.run("DELETE FROM outbox WHERE key=?", key));
      ++lost;
      continue;
    }
    LaneSeq& before = last[operation.lane];
    if (operation.lane_seq <= state.lanes[index_of(operation.lane)].noted) continue;
    const LaneSeq next(before.value + 1);
    if (operation.lane_seq != next) {
      lost += operation.lane_seq.value > next.value ? 1 : 0;
      GW_TRY(state.connection.run("UPDATE outbox SET more=0 WHERE key=?",
                                  key_of(operation.lane, before)));
      GW_TRY(state.connection.run("UPDATE outbox SET key=?, recorded_hash=x'' WHERE key=?",
                                  key_of(operation.lane, next), key));
    }
    before = next;
  }
  for (const auto& [lane, end] : last) {
    GW_TRY(
        state.connection.run("UPDATE outbox SET more=0 WHERE key=? AND more=1", key_of(lane, end)));
    GW_TRY(put_meta(state, "last" + std::to_string(static_cast<int>(lane)),
                    static_cast<std::int64_t>(end.value)));
  }
  return lost;
}

// Shows what waits for the server, above nothing: the rest of each record comes with the feed.
Result<std::uint64_t> show_unsent(StoreState& state) {
  std::uint64_t unsent = 0;
  GW_TRY_LET(operations, all_operations(state));
  for (const Operation& operation : operations) {
    const OutboxKey key = key_of(operation.lane, operation.lane_seq);
    GW_TRY_LET(stands, state.connection.number("SELECT state FROM outbox WHERE key=?", 0, key));
    const bool is_unsent = operation.lane_seq > state.lanes[index_of(operation.lane)].noted;
    const bool is_parked = stands == static_cast<std::int64_t>(OutboxState::kParked);
    if (!is_unsent && !is_parked) continue;
    unsent += is_unsent ? 1 : 0;
    const KindTable* table = table_of(state, operation.kind);
    // Of what was forgotten there is nothing to show.
    if (table == nullptr || !operation.hash_before.empty()) continue;
    const bool in_sight = operation.scope.empty() || state.position.grants.empty() ||
                          covers(state.position.grants, operation.scope, table->rules());
    if (!in_sight) continue;
    GW_TRY_LET(found, load_row(state, *table, operation.id));
    RecordRow row = found ? std::move(*found) : RecordRow{};
    std::vector<PendingKey> keys = pending_of(row.pending);
    keys.push_back({key, false});
    row.pending = pending_list(keys);
    GW_TRY(rebase(state, *table, row, std::nullopt));
    GW_TRY_LET(unseen, own_out_of_sight(state, *table, row));
    row.own_since = unseen;
    GW_TRY(save_row(state, *table, operation.id, row));
    GW_TRY(mark_unindexed(state, *table, operation.id));
  }
  GW_TRY(hide_parts_again(state));
  return unsent;
}

Result<void> take_over(sqlite::Connection& damaged, StoreState& state, Salvaged& salvaged) {
  GW_TRY_LET(transaction, begin(state));
  GW_TRY(state.connection.run("DELETE FROM meta"));
  GW_TRY_LET(meta, sqlite::rescue_table(damaged, state.connection, "meta", "key"));
  GW_TRY_LET(device, meta_number(state, "device"));
  if (!meta.whole || device == 0) {
    return fail(ErrorCode::kCorrupt, "too much of the file is damaged to go on with it",
                "salvage: meta");
  }
  GW_TRY(state.connection.run("DELETE FROM meta WHERE key LIKE 'indexed%'"));
  for (const TableKey& own : kOwnTables) {
    GW_TRY_LET(rescued, sqlite::rescue_table(damaged, state.connection, own.table, own.key));
    salvaged.whole &= rescued.whole;
  }
  return transaction.commit();
}

Result<void> begin_anew(StoreState& state, Salvaged& salvaged) {
  GW_TRY_LET(transaction, begin(state));
  GW_TRY_LET(unsent, show_unsent(state));
  salvaged.unsent = unsent;
  Position position = state.position;
  position.cursor = position.complete = Seq();
  position.exceptions.clear();
  position.urgent = position.reached = Seq();
  position.own_since = state.dev_seq;
  position.caught_up = false;
  GW_TRY(save_position(state, position));
  return transaction.commit();
}

void remove_file(const std::string& path) {
  for (const char* part : {"", "-wal", "-shm", "-lock"}) std::remove((path + part).c_str());
}

}  // namespace

Result<Salvaged> Store::salvage(StoreOptions options) {
  const std::string path = options.path;
  const std::string made = path + ".salvage";
  Salvaged salvaged;
  salvaged.kept = path + ".damaged-" + std::to_string(options.clock->now().wall_ms);
  remove_file(made);
  options.path = made;
  {
    GW_TRY_LET(damaged,
               sqlite::Connection::open(
                   {.path = path, .exclusive = true, .application_id = kFormat.application_id}));
    GW_TRY_LET(fresh, Store::open(options));
    GW_TRY(take_over(damaged, *fresh->state_, salvaged));
  }
  {
    GW_TRY_LET(fresh, Store::open(options));
    StoreState& state = *fresh->state_;
    GW_TRY_LET(transaction, begin(state));
    GW_TRY_LET(lost, close_gaps(state));
    salvaged.whole &= lost == 0;
    GW_TRY(transaction.commit());
  }
  {
    GW_TRY_LET(fresh, Store::open(options));
    GW_TRY(begin_anew(*fresh->state_, salvaged));
  }
  // SQLite has laid the log into the file when it closed it; a new file must not find it there.
  if (std::FILE* log = std::fopen((path + "-wal").c_str(), "rb")) {
    std::fclose(log);
    return fail(ErrorCode::kIo, "the damaged file's log cannot be closed; it is left as it is",
                "salvage: wal");
  }
  GW_TRY(replace_file(made, path, salvaged.kept));
  remove_file(made);
  return salvaged;
}

}  // namespace gridwhistle::store
