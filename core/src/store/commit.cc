#include <algorithm>
#include <unordered_set>

#include "model/fields.h"
#include "model/hlc.h"
#include "model/merge.h"
#include "model/whistle_number.h"
#include "store/state.h"
#include "wire/limits.h"

namespace gridwhistle::store {

namespace {

// One transaction of the store. Counters are copies until everything is durable.
class Commit {
 public:
  Commit(StoreState& state, const Changes& changes)
      : state_(state), changes_(changes), ids_(state.ids), numbers_(state.numbers) {}

  Result<std::vector<RecordId>> run(const Restoring& restoring) {
    GW_TRY(check_size());
    GW_TRY(choose_lane());
    GW_TRY_LET(transaction, begin(state_));
    now_ = state_.options.clock->now();
    hlc_ = state_.highest;
    for (const Change& change : changes_) GW_TRY(apply(change));
    std::size_t bytes = 0;  // more than was given, where an edit speaks for a creation
    for (Operation& operation : operations_) {
      operation.more = &operation != &operations_.back();
      bytes += operation.set.size() + operation.remove.size();
      if (bytes > limits::kTransactionBytes) {
        return fail(ErrorCode::kTooLarge, "too much at once", "commit");
      }
      GW_TRY(append_operation(state_, operation));
      GW_TRY(note_media_named(state_, operation));
    }
    if (restoring.dismisses) {
      GW_TRY(state_.connection.run("UPDATE outbox SET state=3 WHERE key=? AND state=2",
                                   *restoring.dismisses));
    }
    if (restoring.settles) {
      GW_TRY(state_.connection.run("INSERT OR REPLACE INTO restored VALUES(?, ?)",
                                   *restoring.settles, records_.front()));
    }
    GW_TRY(transaction.commit());
    publish();
    return std::move(records_);
  }

 private:
  LaneProgress& lane() const { return state_.lanes[index_of(lane_)]; }

  Result<void> check_size() const {
    if (changes_.empty()) return fail(ErrorCode::kInvalid, "nothing to record", "commit");
    std::size_t bytes = 0;
    for (const Change& change : changes_) bytes += change.set.size() + change.remove.size();
    if (changes_.size() > limits::kTransactionOperations) {
      return fail(ErrorCode::kTooMany, "too many changes at once", "commit");
    }
    if (bytes > limits::kTransactionBytes) {
      return fail(ErrorCode::kTooLarge, "too much at once", "commit");
    }
    std::uint64_t unsent = changes_.size();
    for (const LaneProgress& lane : state_.lanes) unsent += lane.last.value - lane.noted.value;
    if (unsent > limits::kPendingOperations) {
      return fail(ErrorCode::kTooMany, "too much is unsent; connect to the server first", "commit");
    }
    return {};
  }

  Result<void> choose_lane() {
    lane_ = kLanes.back();
    for (const Change& change : changes_) {
      const KindTable* table = table_of(state_, change.kind);
      GW_TRY(check_writable(table));
      lane_ = std::min(lane_, table->schema->lane);
    }
    return {};
  }

  Result<void> apply(const Change& change) {
    const KindTable& table = *table_of(state_, change.kind);
    std::optional<RecordRow> before;
    const bool minted = change.id.is_nil();
    if (!minted && !is_unused(change.id)) {
      GW_TRY_LET(row, load_row(state_, table, change.id));
      before = std::move(row);
    }
    const bool there = before && before->body;
    if (change.type == OperationType::kErase) {
      if (!there) return no_such_record();
      GW_TRY(check_erasure(table.rules()));
      return erase(table, change.id, std::move(*before));
    }
    if (there) return edit(table, change, std::move(*before));
    if (before || !(minted || may_create(change.id))) return no_such_record();
    return create(table, change);
  }

  static std::unexpected<Error> no_such_record() {
    return fail(ErrorCode::kNotFound, "there is no such record on this phone", "commit");
  }

  bool is_unused(const RecordId& id) const {
    return is_fresh(state_, id) && !created_.contains(id.counter());
  }

  // Ids this device gave out earlier, perhaps before a restart.
  bool may_create(const RecordId& id) const {
    return id.well_formed() && id.device() == state_.device && id.counter() < ids_.next;
  }

  Result<void> create(const KindTable& table, const Change& change) {
    RecordId id = change.id;
    if (id.is_nil()) {
      GW_TRY_LET(counter, take(state_, ids_, kIds));
      id = RecordId::make(state_.device, counter);
    }
    GW_TRY_LET(number, number_for(table));
    Result<Checked> checked = check_put(state_, table, change, nullptr, true, number);
    if (!checked) return std::unexpected(std::move(checked.error()));
    GW_TRY(check_whole(table, checked->body));
    Operation& operation = record(table, id, OperationType::kPut);
    operation.creates = true;
    created_.insert(id.counter());
    operation.set = std::move(checked->set);
    operation.scope = std::move(checked->scope);
    RecordRow row;
    row.body = std::move(checked->body);
    row.pending = pending_list({{key_of(operation.lane, operation.lane_seq), false}});
    return save_row(state_, table, id, row);
  }

  Result<void> edit(const KindTable& table, const Change& change, RecordRow row) {
    const bool creates = unacknowledged(change.id, row);
    GW_TRY_LET(checked, check_put(state_, table, change, &row, creates, {}));
    GW_TRY(check_whole(table, checked.body));
    if (checked.empty) {
      records_.push_back(change.id);
      return {};
    }
    Operation& operation = record(table, change.id, OperationType::kPut);
    operation.creates = creates;
    operation.scope = std::move(checked.scope);
    operation.set = overtakes_creation(creates, row)
                        ? as_creation(table.rules(), checked.set, checked.body)
                        : std::move(checked.set);
    operation.remove = std::move(checked.remove);
    operation.clear = std::move(checked.clear);
    GW_TRY_LET(seen, seen_of(table.rules(), row, operation));
    operation.base_seq = seen;
    operation.own_since = row.own_since;
    put_on_top(row, key_of(operation.lane, operation.lane_seq));
    row.body = std::move(checked.body);
    return save_row(state_, table, change.id, row);
  }

  Result<void> erase(const KindTable& table, const RecordId& id, RecordRow row) {
    std::string scope;
    if (!is_fragment(table.rules(), row)) {
      GW_TRY_LET(named, scope_of(state_, table.rules(), *row.body));
      scope = std::move(named);
    }
    const bool creates = unacknowledged(id, row);
    Operation& operation = record(table, id, OperationType::kErase);
    operation.creates = creates;
    GW_TRY_LET(seen, seen_of(table.rules(), row, operation));
    operation.base_seq = seen;
    operation.scope = std::move(scope);
    const OutboxKey key = key_of(operation.lane, operation.lane_seq);
    put_on_top(row, key);
    row.body.reset();
    GW_TRY(save_row(state_, table, id, row));
    GW_TRY_LET(parts, hide_parts(state_, table.id, id, key));
    for (const Parent& part : parts) kinds_.push_back(part.kind);
    erased_.push_back({table.id, id});
    erased_.insert(erased_.end(), parts.begin(), parts.end());
    return {};
  }

  // What the writer of `operation` has seen of the record. What came under an unsent write stayed
  // out of sight, so whoever writes over that write has seen no more than it had.
  Result<Seq> seen_of(const KindSchema& kind, const RecordRow& row, const Operation& operation) {
    Seq seen = row.base_seq;
    for (const PendingKey& pending : pending_of(row.pending)) {
      if (pending.folded) continue;
      GW_TRY_LET(unsent, load_operation(state_, pending.key));
      if (!unsent || unsent->id != operation.id) continue;
      if (covers(kind, operation, *unsent)) seen = std::min(seen, unsent->base_seq);
    }
    return seen;
  }

  static bool covers(const KindSchema& kind, const Operation& upper, const Operation& lower) {
    if (upper.type == OperationType::kErase || lower.type == OperationType::kErase) return true;
    const auto units = [&](const Operation& one) {
      return units_of(kind, one.set, one.clear, one.remove);
    };
    const std::vector<std::uint32_t> below = units(lower);
    return std::ranges::any_of(
        units(upper), [&](std::uint32_t unit) { return std::ranges::binary_search(below, unit); });
  }

  // The server would keep it as GONE; its author can still hear of it at once.
  Result<void> check_whole(const KindTable& table, std::string_view body) {
    const std::optional<Parent> whole = parent_of(table.rules(), body);
    if (!whole || (whole == standing_ && erased_.empty())) return {};
    if (std::ranges::find(erased_, *whole) == erased_.end()) {
      GW_TRY_LET(erasure, erasure_over(state_, *whole));
      if (!erasure) {
        standing_ = whole;
        return {};
      }
    }
    return fail(ErrorCode::kNotFound, "what it belongs to has been erased on this phone", "commit");
  }

  bool unacknowledged(const RecordId& id, const RecordRow& row) const {
    return !row.delivered() && !row.last_seq && id.device() == state_.device;
  }

  // All that is pending waits in slower lanes: the server hears of the record by this first.
  bool overtakes_creation(bool creates, const RecordRow& row) const {
    return creates && std::ranges::all_of(pending_of(row.pending), [&](const PendingKey& pending) {
             return lane_of(pending.key) > lane_;
           });
  }

  Operation& record(const KindTable& table, const RecordId& id, OperationType type) {
    hlc_ = next_hlc(hlc_, server_time(state_.position, now_));
    const std::uint64_t nth = operations_.size() + 1;
    Operation& operation = operations_.emplace_back();
    operation.kind = table.id;
    operation.id = id;
    operation.type = type;
    operation.lane = lane_;
    operation.lane_seq = LaneSeq(lane().last.value + nth);
    operation.dev_seq = DevSeq(state_.dev_seq.value + nth);
    operation.hlc = hlc_;
    operation.claimed = now_;
    records_.push_back(id);
    return operation;
  }

  Result<std::string> number_for(const KindTable& table) {
    if (table.rules().name != "Whistle" || !state_.position.enrolment) return std::string();
    GW_TRY_LET(counter, take(state_, numbers_, kNumbers));
    return whistle_number(state_.position.enrolment->short_code, counter);
  }

  void publish() {
    const std::uint64_t count = operations_.size();
    state_.ids = ids_;
    state_.numbers = numbers_;
    state_.highest = hlc_;
    lane().last.value += count;
    state_.dev_seq.value += count;
    for (const std::uint64_t counter : created_) state_.fresh_ids.erase(counter);
    for (const Operation& operation : operations_) kinds_.push_back(operation.kind);
    touched(state_, kinds_);
  }

  StoreState& state_;
  const Changes& changes_;
  Lane lane_ = Lane::kBulk;
  Counter ids_;
  Counter numbers_;
  ClockReading now_;
  Hlc hlc_;
  std::vector<Operation> operations_;
  std::vector<RecordId> records_;
  std::unordered_set<std::uint64_t> created_;  ///< counters of the ids of what is new
  std::vector<Parent> erased_;      ///< by this transaction, parts too: no outbox has it yet
  std::optional<Parent> standing_;  ///< not erased: members of a household come one after another
  std::vector<KindId> kinds_;       ///< touched beside those of the operations
};

}  // namespace

Result<std::vector<RecordId>> commit_changes(StoreState& state, const Changes& changes,
                                             const Restoring& restoring) {
  if (state.predecessors.empty()) return Commit(state, changes).run(restoring);
  GW_TRY_LET(current, current_changes(state, changes));
  return Commit(state, current).run(restoring);
}

Result<std::vector<RecordId>> Store::commit(const Changes& changes) {
  return commit_changes(*state_, changes);
}

Result<RecordId> Store::put(Change change) {
  GW_TRY_LET(ids, commit({std::move(change)}));
  return ids.front();
}

Result<void> Store::erase(KindId kind, const RecordId& id) {
  GW_TRY(commit({{.kind = kind, .id = id, .type = OperationType::kErase}}));
  return {};
}

}  // namespace gridwhistle::store
