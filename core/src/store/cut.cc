#include <algorithm>
#include <set>

#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

class CutApplication {
 public:
  explicit CutApplication(StoreState& state)
      : state_(state), position_(state.position), highest_(state.highest) {}

  Result<void> run(const CutDown& cut) {
    const std::int64_t newest_scope_set = state_.newest_scope_set;
    Result<void> applied = apply(cut);
    if (!applied) {
      // Tables and scope sets that were made within are undone with it.
      for (const KindId kind : made_) state_.kinds.erase(kind);
      drop_scope_sets_after(state_, newest_scope_set);
      return applied;
    }
    state_.position = std::move(position_);
    state_.highest = highest_;
    if (leaves_log_) wipe_later(state_);
    touched(state_, {kinds_.begin(), kinds_.end()});
    return settled_ ? reload_refused(state_) : Result<void>();
  }

 private:
  Result<void> apply(const CutDown& cut) {
    GW_TRY_LET(transaction, begin_unsynced(state_));
    for (const Row& row : cut.rows) {
      GW_TRY(take_in(row));
      GW_TRY(settle_kept(row));
      GW_TRY(forget_told(row));
    }
    GW_TRY(mark_unindexed(state_, unindexed_));
    // Terms of removed people would linger in the index until its parts are merged.
    if (forgets_) GW_TRY(compact_index(state_));
    if (leaves_log_) GW_TRY(note_traces(state_));
    advance(cut);
    GW_TRY(save_position(state_, position_));
    GW_TRY(put_meta(state_, "hlc", static_cast<std::int64_t>(highest_.value)));
    state_.sync_due = true;
    return transaction.commit();
  }

  // A scope that was behind may come out ahead of the others: it was read to the end of the log.
  // That is remembered too, or the server would not know what of it the file holds.
  void advance(const CutDown& cut) {
    auto& exceptions = position_.exceptions;
    position_.reached = std::max(position_.reached, cut.upto);
    if (cut.urgent) {
      position_.urgent = std::max(position_.urgent, cut.upto);
      return;
    }
    if (cut.scope.empty()) {
      std::erase_if(exceptions, [&](const ScopeProgress& scope) {
        return scope.seq > position_.cursor && scope.seq <= cut.upto;
      });
      position_.cursor = std::max(position_.cursor, cut.upto);
      return;
    }
    for (ScopeProgress& scope : exceptions) {
      if (scope.scope == cut.scope) scope.seq = std::max(scope.seq, cut.upto);
    }
    std::erase_if(exceptions,
                  [&](const ScopeProgress& scope) { return scope.seq == position_.cursor; });
  }

  Result<const KindTable*> table_for(KindId kind) {
    if (const KindTable* known = table_of(state_, kind)) return known;
    GW_TRY(sqlite::build_unknown_kind(state_.connection, kind, kLayout));
    made_.insert(kind);
    return &state_.kinds.emplace(kind, make_table(state_.schema, kind)).first->second;
  }

  Result<void> take_in(const Row& row) {
    highest_ = std::max(highest_, row.hlc);
    GW_TRY_LET(table, table_for(row.kind));
    // Sensitive data has no place in a file that is not encrypted, whoever sends it.
    if (table->rules().audience == Audience::kCare) return {};
    kinds_.insert(row.kind);
    if (row.forgotten) return forget_whole(*table, row.id);
    GW_TRY_LET(present, load_row(state_, *table, row.id));
    const bool leaves = row.change == RowChange::kLeft || row.change == RowChange::kErased;
    if (leaves && !present) return {};
    if (leaves) return let_go(*table, row, std::move(*present));
    return lay_in(*table, row, present ? std::move(*present) : RecordRow{});
  }

  Result<void> forget_whole(const KindTable& table, const RecordId& id) {
    GW_TRY_LET(kinds, forget_record(state_, table, id));
    kinds_.insert(kinds.begin(), kinds.end());
    forgets_ = true;
    leaves_log_ = true;
    return {};
  }

  Result<void> let_go(const KindTable& table, const Row& row, RecordRow present) {
    const bool traceless = table.personal || row.change == RowChange::kLeft;
    forgets_ |= traceless && table.searchable;
    leaves_log_ |= traceless;
    if (present.pending.empty()) return remove_row(state_, table, row.id);
    present.base_seq = row.last_seq;
    present.own_since = DevSeq();
    present.last_seq = std::max(present.last_seq, row.last_seq);
    present.scopes = kGone;
    GW_TRY(rebase(state_, table, present, std::nullopt));
    GW_TRY(drop_from_index(state_, table, row.id));
    collect_unindexed(unindexed_, table, row.id);
    return save_row(state_, table, row.id, present);
  }

  Result<void> lay_in(const KindTable& table, const Row& row, RecordRow present) {
    std::string delivered =
        row.change == RowChange::kWhole
            ? row.set
            : replace_fields(present.delivered().value_or(""), row.set, row.clear);
    delivered = storable(table, std::move(delivered));
    present.base_seq = row.last_seq;
    present.own_since = DevSeq();
    present.last_seq = std::max(present.last_seq, row.last_seq);
    GW_TRY_LET(scopes, intern_scopes(state_, row.scopes));
    present.scopes = scopes;
    if (made_here(state_, row.id)) GW_TRY(note_media_owed(state_, row.kind, delivered));
    GW_TRY(follow_whole(table, row.id, delivered, present));
    if (present.pending.empty()) {
      present.body = std::move(delivered);
      present.base.reset();
    } else {
      GW_TRY(rebase(state_, table, present, std::move(delivered)));
    }
    collect_unindexed(unindexed_, table, row.id);
    return save_row(state_, table, row.id, present);
  }

  // What became of an own operation that the server had kept. What it made of its record the feed
  // brings, to its author too: it comes off the record's list.
  Result<void> settle_kept(const Row& row) {
    const KindSchema* outcome = state_.schema.kind("Outcome");
    if (outcome == nullptr || row.kind != outcome->id) return {};
    const auto number = [&](std::string_view name) { return number_in(*outcome, row.set, name); };
    const DeviceId device(number("device"));
    if (device != state_.device &&
        std::ranges::find(state_.predecessors, device) == state_.predecessors.end()) {
      return {};
    }
    const DeviceId known_by = device == state_.device ? DeviceId() : device;
    const auto status = static_cast<OutcomeStatus>(number("status"));
    const OutboxKey key = key_of(static_cast<Lane>(number("lane")), LaneSeq(number("lane_seq")));
    if (status == OutcomeStatus::kParked || lane_seq_of(key) == LaneSeq(0)) return {};
    GW_TRY(state_.connection.run(
        "UPDATE outbox SET state=?, status=?, code=? WHERE key=? AND known_by=? AND "
        "state IN (2, 4) AND status IN (?, ?)",
        was_applied(status) ? OutboxState::kApplied : OutboxState::kRefused, status, number("code"),
        key, static_cast<std::int64_t>(known_by.value), OutcomeStatus::kParked,
        OutcomeStatus::kSealed));
    if (state_.connection.changes() == 0) return {};
    settled_ = true;
    GW_TRY_LET(operation, load_operation(state_, key));
    const KindTable* table = operation ? table_of(state_, operation->kind) : nullptr;
    if (table == nullptr) return {};
    GW_TRY(take_off_list(*table, operation->id, key));
    if (operation->type != OperationType::kErase) return {};
    GW_TRY_LET(parts, hidden_by(state_, key));
    for (const Part& part : parts) GW_TRY(take_off_list(*part.table, part.id, key));
    return {};
  }

  // A record that this device wrote and may not see any more, or has moved away from: the feed has
  // no row of it to say so.
  Result<void> forget_told(const Row& row) {
    const KindSchema* outcome = state_.schema.kind("Outcome");
    if (outcome == nullptr || row.kind != outcome->id) return {};
    const auto number = [&](std::string_view name) { return number_in(*outcome, row.set, name); };
    const bool forgotten = number("code") == static_cast<std::uint64_t>(ErrorCode::kForgotten);
    if (!forgotten || number("lane_seq") != 0) return {};
    const KindTable* table =
        table_of(state_, KindId(static_cast<std::uint32_t>(number("record_kind"))));
    const FieldSchema* record = outcome->field("record");
    const auto id = RecordId::from_bytes(
        record != nullptr ? text_of(row.set, record->number).value_or("") : "");
    if (table == nullptr || !id) return {};
    return forget_whole(*table, *id);
  }

  Result<void> take_off_list(const KindTable& table, const RecordId& id, OutboxKey key) {
    GW_TRY_LET(row, load_row(state_, table, id));
    if (!row) return {};
    GW_TRY(take_off(state_, table, key, *row));
    kinds_.insert(table.id);
    collect_unindexed(unindexed_, table, id);
    return save_row(state_, table, id, *row);
  }

  // What comes while the erasure of its whole is under way comes out of sight.
  Result<void> follow_whole(const KindTable& table, const RecordId& id, std::string_view delivered,
                            RecordRow& present) {
    if (table.rules().scope_parent == 0) return {};
    if (!erasures_open_) {
      GW_TRY_LET(open, has_open_erasures(state_));
      erasures_open_ = open;
    }
    if (!*erasures_open_) return {};
    std::vector<PendingKey> keys = pending_of(present.pending);
    std::vector<PendingKey> own;
    for (const PendingKey& pending : keys) {
      GW_TRY_LET(operation, load_operation(state_, pending.key));
      if (operation && operation->id == id) own.push_back(pending);
    }
    if (const auto whole = parent_of(table.rules(), delivered)) {
      GW_TRY_LET(erasure, erasure_over(state_, *whole));
      if (erasure) own.push_back({*erasure, false});
    }
    present.pending = pending_list(own);
    return {};
  }

  // A receipt may quote what was lost; of a CARE record, or one of a kind that may be, that stays
  // on the server.
  std::string storable(const KindTable& table, std::string record) const {
    const KindSchema& kind = table.rules();
    const FieldSchema* lost = kind.field("lost_set");
    const FieldSchema* of_kind = kind.field("record_kind");
    if (kind.name != "Outcome" || lost == nullptr || of_kind == nullptr) return record;
    const KindSchema* quoted = state_.schema.kind(
        KindId(static_cast<std::uint32_t>(int_of(record, of_kind->number).value_or(0))));
    if (quoted != nullptr && quoted->audience != Audience::kCare) return record;
    return replace_fields(record, {}, {lost->number});
  }

  StoreState& state_;
  Position position_;
  Hlc highest_;
  std::set<KindId> kinds_;
  std::set<KindId> made_;
  std::string unindexed_;              ///< new for the search
  bool forgets_ = false;               ///< the index held what is to leave no trace in it
  bool leaves_log_ = false;            ///< neither is the file
  bool settled_ = false;               ///< what became of a kept operation came
  std::optional<bool> erasures_open_;  ///< not asked yet
};

}  // namespace

Result<void> Store::apply_cut(const CutDown& cut) { return CutApplication(*state_).run(cut); }

Result<void> Store::caught_up(Seq seq) {
  Position position = state_->position;
  position.cursor = std::max(position.cursor, seq);
  position.complete = position.cursor;
  position.exceptions.clear();
  position.urgent = position.reached = Seq();
  position.caught_up = true;
  position.caught_up_wall_ms = state_->options.clock->now().wall_ms;
  // Where nothing came, the place in the log and the time are news that a power cut may take.
  GW_TRY_LET(transaction, state_->sync_due ? begin(*state_) : begin_unsynced(*state_));
  GW_TRY(save_position(*state_, position));
  GW_TRY(transaction.commit());
  state_->sync_due = false;
  state_->position = std::move(position);
  // Somebody read the file, or its disk failed, when something was forgotten.
  if (state_->wipe_due) wipe(*state_);
  return {};
}

Result<void> Store::make_durable() {
  if (!state_->sync_due) return {};
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(save_position(*state_, state_->position));
  GW_TRY(transaction.commit());
  state_->sync_due = false;
  return {};
}

}  // namespace gridwhistle::store
