#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/merge.h"
#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

// The records that a rewind takes out of the file until the feed brings them again.
struct Dropped {
  std::vector<Parent> records;
  std::unordered_map<RecordId, std::int64_t> places;  // the scopes that each lies in
};

// The set of scopes that a record lies in, as far as this file can tell: the feed has never named
// any for own work that it was not sent, so that goes by its content, or by what it follows.
Result<std::int64_t> place_of(StoreState& state, const KindTable& table, const RecordRow& row,
                              int depth = 0) {
  constexpr int kDepthMax = 4;
  if (row.scopes != 0) return row.scopes;
  GW_TRY_LET(body, content_of(state, table, row));
  if (body.empty()) return 0;
  if (table.rules().scope_parent == 0) {
    const auto scope = scope_of(state, table.rules(), body);
    return scope && !scope->empty() ? intern_scopes(state, {*scope}) : Result<std::int64_t>(0);
  }
  const auto named = parent_of(table.rules(), body);
  const KindTable* parent = named ? table_of(state, named->kind) : nullptr;
  if (parent == nullptr || depth == kDepthMax) return 0;
  GW_TRY_LET(followed, load_row(state, *parent, named->id));
  return followed ? place_of(state, *parent, *followed, depth + 1) : Result<std::int64_t>(0);
}

Result<std::vector<RecordId>> ids_where(StoreState& state, const KindTable& table,
                                        std::string_view condition) {
  GW_TRY_LET(query, state.connection.prepare("SELECT id FROM " + table.name + " WHERE " +
                                             std::string(condition)));
  return ids_of(query);
}

// Own work that follows a record is judged by that one when grants change, which may be gone from
// the file then: where the work lies is noted beforehand.
Result<void> note_places(StoreState& state, const KindTable& table) {
  if (table.rules().scope_parent == 0) return {};
  GW_TRY_LET(ids, ids_where(state, table, "scopes=0"));
  for (const RecordId& id : ids) {
    GW_TRY_LET(row, load_row(state, table, id));
    GW_TRY_LET(place, place_of(state, table, *row));
    if (place == 0) continue;
    GW_TRY(state.connection.run("UPDATE " + table.name + " SET scopes=? WHERE id=?", place, id));
  }
  return {};
}

// Acknowledgements behind the parting were given by a log that is gone: of each lane everything
// from the first such operation on is to be sent again, as far as nothing is missing from there on.
// The server may have some of it, from another copy of this file: each is known by the hash it was
// recorded with. Nor does a lane leave a gap behind what the server says that it has.
Result<LaneSeq> first_lost(StoreState& state, Lane lane, Seq shared,
                           const std::optional<LaneSeq>& held) {
  const LaneProgress& progress = state.lanes[index_of(lane)];
  GW_TRY_LET(key, state.connection.number(
                      "SELECT min(key) FROM outbox WHERE key BETWEEN ? AND ? AND seq>?", 0,
                      key_of(lane, progress.first), key_of(lane, progress.noted), shared));
  const LaneSeq lost = key != 0 ? lane_seq_of(key) : LaneSeq(progress.noted.value + 1);
  if (!held || held->value >= lost.value) return lost;
  return std::max(LaneSeq(held->value + 1), progress.first);
}

// Where phone and server know no start in common, how much the server has of the lane is all that
// tells.
LaneSeq first_not_held(const StoreState& state, Lane lane, const std::optional<LaneSeq>& held) {
  const LaneProgress& progress = state.lanes[index_of(lane)];
  const std::uint64_t last = held ? held->value : 0;
  return std::max(LaneSeq(std::min(last, progress.noted.value) + 1), progress.first);
}

Result<std::vector<OutboxKey>> keys_of(sqlite::Statement& query) {
  std::vector<OutboxKey> keys;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return keys;
    keys.push_back(query.integer(0));
  }
}

// What is offered again claims less than it did, or says less: it stays what was recorded.
Result<void> note_hashes(StoreState& state, Lane lane, LaneSeq first) {
  GW_TRY_LET(query, state.connection.prepare(
                        "SELECT key FROM outbox WHERE key BETWEEN ? AND ? AND recorded_hash=x'' "
                        "AND hash_before=x'' AND (base_seq>0 OR own_since>0 OR state=3 OR "
                        "id IN (SELECT id FROM outbox WHERE state=2))"));
  query.bind(key_of(lane, first), key_of(lane, state.lanes[index_of(lane)].last));
  GW_TRY_LET(keys, keys_of(query));
  for (const OutboxKey key : keys) {
    GW_TRY_LET(operation, load_operation(state, key));
    GW_TRY(state.connection.run("UPDATE outbox SET recorded_hash=? WHERE key=?",
                                sqlite::Blob{hash_of(*operation)}, key));
  }
  return {};
}

/// Of each lane, the first operation that is offered again.
using FirstLost = std::array<LaneSeq, kLaneCount>;

Result<bool> is_offered_again(StoreState& state, std::int64_t dev_seq, const FirstLost& first) {
  GW_TRY_LET(key, state.connection.number("SELECT key FROM outbox WHERE dev_seq=?", 0, dev_seq));
  return key != 0 && lane_seq_of(key) >= first[index_of(lane_of(key))];
}

// Whether a notice of the lost log stays: nobody would ever tell its author again. A value of this
// device lost, and it is not offered again to lose anew; or its author then wrote over what it had
// lost to, and offered again the two look as if one had replaced the other knowingly.
Result<bool> stays_told(StoreState& state, const KindSchema& outcome, std::string_view notice,
                        const FirstLost& first) {
  const auto entries = [&](std::string_view name) {
    const FieldSchema* field = outcome.field(name);
    return values_of(field != nullptr ? field_of(notice, field->number).entries
                                      : std::string_view());
  };
  const auto number = [&](std::string_view name) { return number_in(outcome, notice, name); };
  const auto records = entries("record");
  const auto lost_fields = entries("lost_fields");
  if (number("device") != state.device.value || records.empty()) return false;
  GW_TRY_LET(again, is_offered_again(state, static_cast<std::int64_t>(number("dev_seq")), first));
  if (!again) return !lost_fields.empty();
  const auto has_lost = [&](std::uint32_t field) {
    return std::ranges::any_of(lost_fields,
                               [&](const ValueView& lost) { return lost.scalar == field; });
  };
  GW_TRY_LET(query, state.connection.prepare(
                        "SELECT key FROM outbox WHERE id=? AND kind=? AND dev_seq>?"));
  query.bind(RecordId::from_bytes(records.front().bytes).value_or(RecordId()),
             static_cast<std::int64_t>(number("record_kind")),
             static_cast<std::int64_t>(number("dev_seq")));
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return false;
    GW_TRY_LET(later, load_operation(state, query.integer(0)));
    if (std::ranges::any_of(fields_of(later->set),
                            [&](const FieldView& field) { return has_lost(field.number); }) ||
        std::ranges::any_of(later->clear, has_lost)) {
      return true;
    }
  }
}

// Of what is dropped the own operations remain; what others wrote comes again with the feed.
Result<void> drop(StoreState& state, const KindTable& table, const RecordId& id, RecordRow row,
                  Dropped& dropped) {
  GW_TRY_LET(place, place_of(state, table, row));
  dropped.records.push_back({table.id, id});
  dropped.places.emplace(id, place);
  row.base_seq = row.last_seq = Seq();
  row.scopes = place;
  GW_TRY(rebase(state, table, row, std::nullopt));
  GW_TRY_LET(unseen, own_out_of_sight(state, table, row));
  row.own_since = unseen;
  GW_TRY(save_row(state, table, id, row));
  return mark_unindexed(state, table, id);
}

// Rows whose content the server may not have any more.
Result<void> drop_delivered(StoreState& state, const KindTable& table, Seq shared,
                            const FirstLost& first, Dropped& dropped) {
  GW_TRY_LET(ids, ids_where(state, table, "last_seq>" + std::to_string(shared.value)));
  for (const RecordId& id : ids) {
    GW_TRY_LET(row, load_row(state, table, id));
    if (table.rules().name == "Outcome" && row->body) {
      GW_TRY_LET(stays, stays_told(state, table.rules(), *row->body, first));
      if (stays) {
        row->base_seq = row->last_seq = Seq();
        GW_TRY(save_row(state, table, id, *row));
        continue;
      }
    }
    GW_TRY(drop(state, table, id, std::move(*row), dropped));
  }
  return {};
}

// A part is in the file because its whole was in sight. Whether the log that is left shows it to
// this phone, only that log can say, and it has nothing to say of a part that it never showed.
Result<void> drop_parts(StoreState& state, Dropped& dropped) {
  for (std::size_t at = 0; at < dropped.records.size(); ++at) {
    const Parent whole = dropped.records[at];  // the list grows
    GW_TRY_LET(parts, parts_in_sight(state, whole));
    for (const Part& part : parts) {
      if (dropped.places.contains(part.id)) continue;
      GW_TRY_LET(row, load_row(state, *part.table, part.id));
      GW_TRY(drop(state, *part.table, part.id, std::move(*row), dropped));
    }
  }
  return {};
}

// Whether the file shows a record that it has no row of, once an own operation on it waits again: a
// record that went with its scope, or with what it follows, does not come back into sight.
bool comes_into_sight(const StoreState& state, const KindTable& table, const Operation& operation,
                      const Dropped& dropped) {
  return dropped.places.contains(operation.id) ||
         (!operation.scope.empty() &&
          covers(state.position.grants, operation.scope, table.rules()));
}

Result<void> pend_again(StoreState& state, Lane lane, LaneSeq first, const Dropped& dropped) {
  GW_TRY_LET(query, state.connection.prepare(
                        "SELECT key FROM outbox WHERE key BETWEEN ? AND ? AND state<>3"));
  query.bind(key_of(lane, first), key_of(lane, state.lanes[index_of(lane)].noted));
  GW_TRY_LET(all, keys_of(query));
  for (const OutboxKey key : all) {
    GW_TRY_LET(operation, load_operation(state, key));
    const KindTable* table = operation ? table_of(state, operation->kind) : nullptr;
    // Of what was forgotten there is nothing to show.
    if (table == nullptr || !operation->hash_before.empty()) continue;
    GW_TRY_LET(found, load_row(state, *table, operation->id));
    if (!found && !comes_into_sight(state, *table, *operation, dropped)) continue;
    RecordRow row = found ? std::move(*found) : RecordRow{};
    if (const auto place = dropped.places.find(operation->id);
        !found && place != dropped.places.end()) {
      row.scopes = place->second;
    }
    std::optional<std::string> delivered = row.delivered();
    std::vector<PendingKey> keys = pending_of(row.pending);
    std::erase_if(keys, [&](const PendingKey& pending) { return pending.key == key; });
    keys.push_back({key, false});
    row.pending = pending_list(keys);
    GW_TRY(rebase(state, *table, row, std::move(delivered)));
    if (!row.delivered()) {
      GW_TRY_LET(unseen, own_out_of_sight(state, *table, row));
      row.own_since = unseen;
    }
    GW_TRY(save_row(state, *table, operation->id, row));
    GW_TRY(mark_unindexed(state, *table, operation->id));
  }
  return {};
}

// What the lost log had refused or sealed was off its record when its author wrote there again. The
// log that is left may take it: then the later write must not pass for one that had seen it.
Result<void> note_refused(StoreState& state, Lane lane, LaneSeq first) {
  return state.connection.run(
      "UPDATE outbox SET own_since=max(own_since, coalesce((SELECT max(refused.dev_seq) FROM "
      "outbox "
      "AS refused WHERE refused.state=2 AND refused.id=outbox.id AND refused.kind=outbox.kind AND "
      "refused.dev_seq<outbox.dev_seq), 0)) WHERE state<>3 AND key BETWEEN ? AND ?",
      key_of(lane, first), key_of(lane, state.lanes[index_of(lane)].last));
}

}  // namespace

Result<DevSeq> own_out_of_sight(StoreState& state, const KindTable& table, const RecordRow& row) {
  DevSeq upto = state.dev_seq;
  for (const PendingKey& pending : pending_of(row.pending)) {
    GW_TRY_LET(waits, load_operation(state, pending.key));
    if (!waits) continue;
    if (waits->creates && check_required(table.rules(), waits->set)) return DevSeq(0);
    upto = std::min(upto, DevSeq(waits->dev_seq.value - 1));
  }
  return upto;
}

Result<std::array<LaneProgress, kLaneCount>> rewind(StoreState& state, Seq shared,
                                                    bool is_known_parting, const LanesHeld& held,
                                                    Position& position) {
  std::array<LaneProgress, kLaneCount> lanes = state.lanes;
  FirstLost firsts;
  for (const Lane lane : kLanes) {
    const std::optional<LaneSeq>& has = held[index_of(lane)];
    GW_TRY_LET(first, is_known_parting ? first_lost(state, lane, shared, has)
                                       : Result<LaneSeq>(first_not_held(state, lane, has)));
    firsts[index_of(lane)] = first;
    GW_TRY(note_hashes(state, lane, first));
  }
  Dropped dropped;
  for (auto& [id, table] : state.kinds) GW_TRY(note_places(state, table));
  for (auto& [id, table] : state.kinds) {
    GW_TRY(drop_delivered(state, table, shared, firsts, dropped));
  }
  GW_TRY(drop_parts(state, dropped));
  for (const Lane lane : kLanes) GW_TRY(note_refused(state, lane, firsts[index_of(lane)]));
  for (const Lane lane : kLanes) {
    const LaneSeq first = firsts[index_of(lane)];
    GW_TRY(pend_again(state, lane, first, dropped));
    lanes[index_of(lane)].noted = LaneSeq(first.value - 1);
    // What its worker has put aside keeps its number and says nothing any more.
    GW_TRY(
        state.connection.run("UPDATE outbox SET type=0, creates=0, status=0, code=0, seq=0, "
                             "known_by=0, fields=x'', clear=x'', "
                             "remove=x'' WHERE state=3 AND key BETWEEN ? AND ?",
                             key_of(lane, first), key_of(lane, lanes[index_of(lane)].last)));
    // What its author had seen of the lost log hid values of the log that is left, which the author
    // need not have seen: a write of values claims to have seen none of it, and whose value it
    // replaces is told. What erases, removes or empties goes by what was seen up to the parting, or
    // it would undo nothing.
    GW_TRY(
        state.connection.run("UPDATE outbox SET state=0, status=0, code=0, seq=0, known_by=0, "
                             "base_seq=CASE WHEN base_seq<=? THEN "
                             "base_seq WHEN type=? AND clear=x'' AND remove=x'' THEN 0 ELSE ? END "
                             "WHERE state<>3 AND key BETWEEN ? AND ?",
                             shared, OperationType::kPut, shared, key_of(lane, first),
                             key_of(lane, lanes[index_of(lane)].last)));
    GW_TRY(put_meta(state, "noted" + std::to_string(static_cast<int>(lane)),
                    static_cast<std::int64_t>(first.value - 1)));
  }
  GW_TRY(hide_parts_again(state));
  // Everything is read anew, scope by scope. The cursor stays where the logs part: rows up to there
  // are still in the file, and the server has to know that to tell what left or was erased since.
  position.cursor = std::min(position.cursor, shared);
  position.complete = Seq();
  position.exceptions.clear();
  position.urgent = Seq();
  position.reached = std::min(position.reached, shared);
  for (const GrantHeld& grant : position.grants) {
    if (position.cursor) position.exceptions.push_back({grant.scope, Seq()});
  }
  // Rows were dropped, own writes in them too: the feed must bring those like everybody's.
  position.own_since = state.dev_seq;
  position.caught_up = false;
  return lanes;
}

}  // namespace gridwhistle::store
