#include <algorithm>

#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::int64_t kEmergencyPatience_ms = 5 * 60 * 1000;

ClockReading claimed_of(const sqlite::Statement& row, int first) {
  return {row.integer(first), row.number(first + 1), row.number(first + 2)};
}

class Report {
 public:
  explicit Report(StoreState& state) : state_(state), now_(state.options.clock->now()) {}

  Result<StoreStatus> run() {
    for (const Lane lane : kLanes) {
      GW_TRY(count_unsent(lane));
      GW_TRY(note_oldest(lane));
      GW_TRY(count_rest(lane));
    }
    GW_TRY(find_emergencies());
    const Position& position = state_.position;
    if (position.server_ms != 0) {
      status_.since_contact_ms = elapsed_ms(position.server_heard, now_);
    }
    if (position.caught_up_wall_ms != 0) {
      status_.since_caught_up_ms =
          std::max<std::int64_t>(now_.wall_ms - position.caught_up_wall_ms, 0);
    }
    return std::move(status_);
  }

 private:
  OutboxKey first_unsent(Lane lane) const {
    return key_of(lane, LaneSeq(state_.lanes[index_of(lane)].noted.value + 1));
  }
  OutboxKey last(Lane lane) const { return key_of(lane, state_.lanes[index_of(lane)].last); }

  Result<void> count_unsent(Lane lane) {
    GW_TRY_LET(query, state_.connection.prepare(
                          "SELECT kind, count(*) FROM outbox WHERE key BETWEEN ? AND ? "
                          "GROUP BY kind ORDER BY kind"));
    query.bind(first_unsent(lane), last(lane));
    for (;;) {
      GW_TRY_LET(row, query.step());
      if (!row) return {};
      status_.unsent.push_back(
          {lane, KindId(static_cast<std::uint32_t>(query.integer(0))), query.number(1)});
    }
  }

  Result<void> note_oldest(Lane lane) {
    GW_TRY_LET(query, state_.connection.prepare(
                          "SELECT wall_ms, boot_ms, boot_id FROM outbox WHERE key BETWEEN ? AND ? "
                          "ORDER BY key LIMIT 1"));
    query.bind(first_unsent(lane), last(lane));
    GW_TRY_LET(row, query.step());
    if (!row) return {};
    const std::int64_t age_ms = elapsed_ms(claimed_of(query, 0), now_);
    status_.oldest_unsent_ms = std::max(status_.oldest_unsent_ms.value_or(0), age_ms);
    return {};
  }

  Result<void> count_rest(Lane lane) {
    const LaneProgress& progress = state_.lanes[index_of(lane)];
    const LaneSeq sent = state_.sent[index_of(lane)];
    status_.sent[index_of(lane)] = sent > progress.noted ? sent.value - progress.noted.value : 0;
    GW_TRY_LET(kept, state_.connection.number(
                         "SELECT count(*) FROM outbox WHERE key BETWEEN ? AND ? AND seq>?", 0,
                         key_of(lane, LaneSeq(0)), key_of(lane, progress.noted),
                         state_.position.backed_up));
    GW_TRY_LET(refused, state_.connection.number(
                            "SELECT count(*) FROM outbox WHERE state=2 AND key BETWEEN ? AND ?", 0,
                            key_of(lane, LaneSeq(0)), key_of(lane, progress.noted)));
    status_.not_backed_up[index_of(lane)] = static_cast<std::uint64_t>(kept);
    status_.refused += static_cast<std::uint64_t>(refused);
    return {};
  }

  Result<void> find_emergencies() {
    const KindSchema* kind = state_.schema.kind("Whistle");
    const FieldSchema* emergency = kind != nullptr ? kind->field("emergency") : nullptr;
    if (emergency == nullptr) return {};
    GW_TRY_LET(query, state_.connection.prepare(
                          "SELECT id, fields, wall_ms, boot_ms, boot_id FROM outbox "
                          "WHERE key BETWEEN ? AND ? AND kind=? AND type=0 ORDER BY key"));
    query.bind(first_unsent(kind->lane), last(kind->lane), kind->id);
    for (;;) {
      GW_TRY_LET(row, query.step());
      if (!row) return {};
      const std::int64_t age_ms = elapsed_ms(claimed_of(query, 2), now_);
      if (int_of(query.blob(1), emergency->number).value_or(0) == 0) continue;
      if (age_ms <= kEmergencyPatience_ms) continue;
      GW_TRY(note_emergency(*kind, query.record_id(0), query.blob(1), age_ms));
    }
  }

  // Its words as they are now, or as recorded where it went with its scope; one that was erased
  // meanwhile needs nobody any more.
  Result<void> note_emergency(const KindSchema& kind, const RecordId& id, std::string_view recorded,
                              std::int64_t age_ms) {
    GW_TRY_LET(row, load_row(state_, *table_of(state_, kind.id), id));
    if (row && !row->body) return {};
    const std::string_view body = row ? std::string_view(*row->body) : recorded;
    const auto text = [&](std::string_view name) {
      const FieldSchema* field = kind.field(name);
      return std::string(field != nullptr ? text_of(body, field->number).value_or("") : "");
    };
    status_.emergencies.push_back({id, text("number"), text("title"), age_ms});
    return {};
  }

  StoreState& state_;
  ClockReading now_;
  StoreStatus status_;
};

}  // namespace

Result<StoreStatus> Store::status() { return Report(*state_).run(); }

}  // namespace gridwhistle::store
