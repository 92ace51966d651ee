#include <algorithm>
#include <array>
#include <set>

#include "store/state.h"
#include "wire/limits.h"

namespace gridwhistle::store {

namespace {

OutboxState state_after(OutcomeStatus status) {
  if (status == OutcomeStatus::kParked) return OutboxState::kParked;
  return was_applied(status) ? OutboxState::kApplied : OutboxState::kRefused;
}

class Acknowledgement {
 public:
  explicit Acknowledgement(StoreState& state) : state_(state), lanes_(state.lanes) {}

  Result<void> run(const v1::Acks& acks) {
    GW_TRY_LET(transaction, begin_unsynced(state_));
    for (const v1::AckRun& run : acks.runs()) GW_TRY(take_over(run));
    if (forgotten_) GW_TRY(compact_index(state_));
    if (forgotten_) GW_TRY(note_traces(state_));
    for (const Lane lane : kLanes) {
      if (lanes_[index_of(lane)].noted == state_.lanes[index_of(lane)].noted) continue;
      GW_TRY(put_meta(state_, "noted" + std::to_string(static_cast<int>(lane)),
                      static_cast<std::int64_t>(lanes_[index_of(lane)].noted.value)));
    }
    std::swap(lanes_, state_.lanes);
    Result<void> done = finish(acks, transaction);
    if (!done) {
      std::swap(lanes_, state_.lanes);
      return done;
    }
    if (forgotten_) wipe(state_);
    state_.refused_records.merge(refused_);
    touched(state_, {kinds_.begin(), kinds_.end()});
    return {};
  }

 private:
  Result<void> finish(const v1::Acks& acks, sqlite::Transaction& transaction) {
    Position position = state_.position;
    const Seq before = position.backed_up;
    if (take_backup_marks(position, acks)) GW_TRY(save_backup_marks(state_, position));
    if (position.backed_up > before) GW_TRY(forget_backed_up(state_, position.backed_up));
    GW_TRY(transaction.commit());
    state_.sync_due = true;
    state_.position = std::move(position);
    return {};
  }

  Result<void> take_over(const v1::AckRun& run) {
    if (run.lane() < 1 || run.lane() > kLaneCount || run.first() == 0) return broken("lane");
    const auto lane = static_cast<Lane>(run.lane());
    LaneProgress& progress = lanes_[index_of(lane)];
    const std::uint64_t end = run.first() + run.count();
    if (end < run.first() || end - 1 > progress.last.value) return broken("never recorded");
    if (run.first() > progress.noted.value + 1) return broken("gap");
    const std::uint64_t first = std::max(run.first(), progress.noted.value + 1);
    if (first >= end) return {};
    const Seq first_seq(run.first_seq() + (first - run.first()));
    const auto status = static_cast<OutcomeStatus>(run.status());
    GW_TRY(lay_in(lane, first, end, first_seq, status));
    GW_TRY(note(lane, first, end, first_seq, run));
    if (run.code() == static_cast<std::uint32_t>(ErrorCode::kForgotten)) {
      GW_TRY(forget_content(lane, first, end));
    }
    progress.noted = LaneSeq(end - 1);
    return {};
  }

  static std::unexpected<Error> broken(std::string_view what) {
    return fail(ErrorCode::kProtocol, "the server acknowledged what it cannot have",
                "acknowledgement: " + std::string(what));
  }

  Result<void> lay_in(Lane lane, std::uint64_t first, std::uint64_t end, Seq first_seq,
                      OutcomeStatus status) {
    const OutboxState after = state_after(status);
    for (std::uint64_t number = first; number < end; ++number) {
      const OutboxKey key = key_of(lane, LaneSeq(number));
      const Seq seq(first_seq.value + (number - first));
      GW_TRY_LET(target, target_of(key));
      const KindTable* table = table_of(state_, target.kind);
      if (target.dismissed) continue;
      kinds_.insert(target.kind);
      if (after == OutboxState::kRefused) refused_.insert(target.id);
      if (after == OutboxState::kParked || table == nullptr) continue;
      GW_TRY_LET(settled, settle_only(*table, target.id, key, seq, status));
      if (!settled) GW_TRY(fold_in(*table, target.id, key, seq, status));
      if (target.type != OperationType::kErase) continue;
      GW_TRY_LET(parts, hidden_by(state_, key));
      for (const Part& part : parts) {
        GW_TRY(fold_in(*part.table, part.id, key, seq, status));
        kinds_.insert(part.table->id);
      }
    }
    return {};
  }

  struct Target {
    KindId kind;
    RecordId id;
    OperationType type{};
    bool dismissed = false;
  };
  Result<Target> target_of(OutboxKey key) {
    GW_TRY_LET(query,
               state_.connection.prepare("SELECT kind, id, type, state FROM outbox WHERE key=?"));
    query.bind(key);
    GW_TRY_LET(row, query.step());
    if (!row) return fail(ErrorCode::kInternal, "an operation is missing", "outbox");
    return Target{KindId(static_cast<std::uint32_t>(query.integer(0))), query.record_id(1),
                  static_cast<OperationType>(query.integer(2)),
                  query.integer(3) == static_cast<std::int64_t>(OutboxState::kDismissed)};
  }

  // The common case, without reading the record: a put and nothing else is pending, so what is
  // seen, *base ⊕ pending*, already is what the server has now.
  Result<bool> settle_only(const KindTable& table, const RecordId& id, OutboxKey key, Seq seq,
                           OutcomeStatus status) {
    if (!was_applied(status)) return false;
    const std::string list = pending_list({{key, false}});
    GW_TRY(state_.connection.run(table.acknowledge, seq, id, sqlite::Blob{list}));
    return state_.connection.changes() == 1;
  }

  Result<void> fold_in(const KindTable& table, const RecordId& id, OutboxKey key, Seq seq,
                       OutcomeStatus status) {
    GW_TRY_LET(row, load_row(state_, table, id));
    if (!row) return {};
    GW_TRY_LET(operation, load_operation(state_, key));
    if (!operation) return {};
    if (was_applied(status)) row->last_seq = std::max(row->last_seq, seq);
    GW_TRY(fold(state_, table, *operation, status, *row));
    GW_TRY(mark_unindexed(state_, table, id));
    return save_row(state_, table, id, *row);
  }

  Result<void> note(Lane lane, std::uint64_t first, std::uint64_t end, Seq first_seq,
                    const v1::AckRun& run) {
    const OutboxKey first_key = key_of(lane, LaneSeq(first));
    return state_.connection.run(
        "UPDATE outbox SET state=CASE state WHEN 3 THEN 3 ELSE ? END, status=?, code=?, seq=? + "
        "(key - ?) WHERE key BETWEEN ? AND ?",
        state_after(static_cast<OutcomeStatus>(run.status())), run.status(), run.code(), first_seq,
        first_key, first_key, key_of(lane, LaneSeq(end - 1)));
  }

  // What it would have made was forgotten before it came; a record that it would only have changed
  // may stand, and go back into the index without it.
  Result<void> forget_content(Lane lane, std::uint64_t first, std::uint64_t end) {
    forgotten_ = true;
    for (std::uint64_t number = first; number < end; ++number) {
      const OutboxKey key = key_of(lane, LaneSeq(number));
      GW_TRY_LET(operation, load_operation(state_, key));
      const KindTable* table = operation ? table_of(state_, operation->kind) : nullptr;
      if (table != nullptr && operation->creates) {
        GW_TRY_LET(kinds, forget_record(state_, *table, operation->id));
        kinds_.insert(kinds.begin(), kinds.end());
      } else if (table != nullptr) {
        GW_TRY(drop_from_index(state_, *table, operation->id));
        GW_TRY(mark_unindexed(state_, *table, operation->id));
      }
      GW_TRY(empty_operation(state_, key));
    }
    return {};
  }

  StoreState& state_;
  bool forgotten_ = false;
  std::array<LaneProgress, kLaneCount> lanes_;
  std::set<KindId> kinds_;
  std::unordered_set<RecordId> refused_;
};

}  // namespace

Result<void> Store::acknowledge(const v1::Acks& acks) { return Acknowledgement(*state_).run(acks); }

}  // namespace gridwhistle::store
