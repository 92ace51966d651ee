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
    Result<void> applied = apply(cut);
    if (!applied) {
      // Tables and scope sets that were made within are undone with it.
      for (const KindId kind : made_) state_.kinds.erase(kind);
      GW_TRY(reload_scope_sets(state_));
      return applied;
    }
    state_.position = std::move(position_);
    state_.highest = highest_;
    touched(state_, {kinds_.begin(), kinds_.end()});
    return {};
  }

 private:
  Result<void> apply(const CutDown& cut) {
    GW_TRY_LET(transaction, begin(state_));
    for (const Row& row : cut.rows) GW_TRY(take_in(row));
    // Terms of removed people would linger in the index until its parts are merged.
    if (forgets_) {
      GW_TRY(state_.connection.run("INSERT INTO search_terms(search_terms) VALUES('optimize')"));
    }
    advance(cut);
    GW_TRY(save_position(state_, position_));
    GW_TRY(put_meta(state_, "hlc", static_cast<std::int64_t>(highest_.value)));
    return transaction.commit();
  }

  void advance(const CutDown& cut) {
    if (cut.scope.empty()) {
      position_.cursor = std::max(position_.cursor, cut.upto);
      return;
    }
    for (ScopeProgress& lag : position_.exceptions) {
      if (lag.scope == cut.scope) lag.seq = std::max(lag.seq, cut.upto);
    }
    std::erase_if(position_.exceptions,
                  [&](const ScopeProgress& lag) { return lag.seq >= position_.cursor; });
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
    GW_TRY_LET(present, load_row(state_, *table, row.id));
    const bool leaves = row.change == RowChange::kLeft || row.change == RowChange::kErased;
    if (leaves && !present) return {};
    if (leaves) return let_go(*table, row, std::move(*present));
    return lay_in(*table, row, present ? std::move(*present) : RecordRow{});
  }

  Result<void> let_go(const KindTable& table, const Row& row, RecordRow present) {
    forgets_ |= table.personal && table.searchable;
    if (present.pending.empty()) return remove_row(state_, table, row.id);
    present.base_seq = row.last_seq;
    present.last_seq = std::max(present.last_seq, row.last_seq);
    present.scopes = kGone;
    GW_TRY(rebase(state_, table, present, std::nullopt));
    GW_TRY(drop_from_index(state_, table, row.id));
    GW_TRY(mark_unindexed(state_, table, row.id));
    return save_row(state_, table, row.id, present);
  }

  Result<void> lay_in(const KindTable& table, const Row& row, RecordRow present) {
    std::string delivered =
        row.change == RowChange::kWhole
            ? row.set
            : replace_fields(present.delivered().value_or(""), row.set, row.clear);
    delivered = storable(table, std::move(delivered));
    present.base_seq = row.last_seq;
    present.last_seq = std::max(present.last_seq, row.last_seq);
    GW_TRY_LET(scopes, intern_scopes(state_, row.scopes));
    present.scopes = scopes;
    if (present.pending.empty()) {
      present.body = std::move(delivered);
      present.base.reset();
    } else {
      GW_TRY(rebase(state_, table, present, std::move(delivered)));
    }
    GW_TRY(mark_unindexed(state_, table, row.id));
    return save_row(state_, table, row.id, present);
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
  bool forgets_ = false;
};

}  // namespace

Result<void> Store::apply_cut(const CutDown& cut) { return CutApplication(*state_).run(cut); }

Result<void> Store::caught_up(Seq seq) {
  Position position = state_->position;
  position.cursor = std::max(position.cursor, seq);
  position.complete = position.cursor;
  position.exceptions.clear();
  position.caught_up = true;
  position.caught_up_wall_ms = state_->options.clock->now().wall_ms;
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(save_position(*state_, position));
  GW_TRY(transaction.commit());
  state_->position = std::move(position);
  return {};
}

}  // namespace gridwhistle::store
