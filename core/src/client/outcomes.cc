#include "client/outcomes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gridwhistle/v1/records.pb.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::size_t kShownMax = 1000;

/// Names an operation. A refusal whose Outcome has not arrived is named by it too, as an id that no
/// record has: its device is 0, the server, whose counters never reach the uppermost bit.
using OperationName = std::pair<Lane, LaneSeq>;

constexpr std::uint64_t kMark = std::uint64_t{1} << 61;
constexpr int kLaneShift = 56;

RecordId stand_in(const OperationName& name) {
  const std::uint64_t lane = static_cast<std::uint64_t>(name.first);
  return RecordId::make(DeviceId(0), kMark | lane << kLaneShift | name.second.value);
}

std::optional<OperationName> operation_of(const RecordId& id) {
  if (!id.well_formed() || id.device() != DeviceId(0) || (id.counter() & kMark) == 0) {
    return std::nullopt;
  }
  const std::uint64_t counter = id.counter() & ~kMark;
  const auto lane = static_cast<Lane>(counter >> kLaneShift);
  if (std::ranges::find(kLanes, lane) == kLanes.end()) return std::nullopt;
  return OperationName{lane, LaneSeq(counter & ((std::uint64_t{1} << kLaneShift) - 1))};
}

Result<v1::Outcome> outcome_record(store::Store& store, const RecordId& id) {
  const auto found = store.get(kinds::kOutcome, id, Purpose{"own outcome"});
  if (!found) return std::unexpected(found.error());
  v1::Outcome outcome;
  if (!outcome.ParseFromString(found->record)) {
    return fail(ErrorCode::kCorrupt, "a stored record cannot be read", "kind Outcome");
  }
  return outcome;
}

OperationName name_of(const v1::Outcome& outcome) {
  return {static_cast<Lane>(outcome.lane()),
          LaneSeq(static_cast<std::uint64_t>(outcome.lane_seq()))};
}

std::string kind_text(const store::Store& store, KindId id) {
  const KindSchema* kind = store.schema().kind(id);
  return kind != nullptr ? std::string(kind->name) : "";
}

OutcomeView view_of(const store::Store& store, const v1::Outcome& outcome, const RecordId& id) {
  OutcomeView view;
  view.outcome = id;
  view.record_kind = kind_text(store, KindId(static_cast<std::uint32_t>(outcome.record_kind())));
  view.record = RecordId::from_bytes(outcome.record()).value_or(RecordId());
  view.status = static_cast<std::uint32_t>(outcome.status());
  view.code = static_cast<std::uint32_t>(outcome.code());
  view.message = outcome.message();
  view.restorable = !outcome.lost_set().empty() || outcome.lost_clear_size() > 0;
  view.at_ms = outcome.at_ms();
  return view;
}

OutcomeView view_of(const store::Store& store, const store::Refused& refused) {
  OutcomeView view;
  view.outcome = stand_in({refused.operation.lane, refused.operation.lane_seq});
  view.record_kind = kind_text(store, refused.operation.kind);
  view.record = refused.operation.id;
  view.status = static_cast<std::uint32_t>(refused.status);
  view.code = refused.code;
  view.restorable = refused.operation.type == OperationType::kPut;
  view.at_ms = refused.operation.claimed.wall_ms;
  return view;
}

Result<bool> has_refused(store::Store& store, const OperationName& name) {
  const auto refused = store.refused();
  if (!refused) return std::unexpected(refused.error());
  return std::ranges::any_of(*refused, [&](const store::Refused& one) {
    return OperationName{one.operation.lane, one.operation.lane_seq} == name;
  });
}

}  // namespace

Result<std::vector<OutcomeView>> outcomes_of(store::Store& store, bool with_accepted) {
  Query query;
  query.by("at_ms", true).first(kShownMax);
  if (!with_accepted) {
    query.that("status", Compare::kNotEqual, {std::int64_t{v1::OUTCOME_STATUS_ACCEPTED}});
  }
  const auto found = store.query(kinds::kOutcome, query, Purpose{"own outcomes"});
  if (!found) return std::unexpected(found.error());
  const auto refused = store.refused();
  if (!refused) return std::unexpected(refused.error());

  std::vector<OutcomeView> views;
  std::set<OperationName> known;
  for (const FoundBytes& row : *found) {
    v1::Outcome outcome;
    if (!outcome.ParseFromString(row.record)) continue;
    if (outcome.device() == store.device().value) known.insert(name_of(outcome));
    views.push_back(view_of(store, outcome, row.info.id));
  }
  for (const store::Refused& one : *refused) {
    if (!known.contains({one.operation.lane, one.operation.lane_seq})) {
      views.push_back(view_of(store, one));
    }
  }
  std::ranges::sort(views, [](const OutcomeView& a, const OutcomeView& b) {
    return std::pair(a.at_ms, a.outcome) > std::pair(b.at_ms, b.outcome);
  });
  return views;
}

Result<RecordId> restore_outcome(store::Store& store, const RecordId& outcome) {
  if (const auto name = operation_of(outcome)) {
    return store.restore_refused(name->first, name->second);
  }
  const auto record = outcome_record(store, outcome);
  if (!record) return std::unexpected(record.error());
  const OperationName name = name_of(*record);
  const bool own = record->device() == store.device().value;
  const auto refused = own ? has_refused(store, name) : Result<bool>(false);
  if (!refused) return std::unexpected(refused.error());
  if (*refused) return store.restore_refused(name.first, name.second);
  return store.restore_outcome(outcome);
}

Result<void> dismiss_outcome(store::Store& store, const RecordId& outcome) {
  if (const auto name = operation_of(outcome)) {
    return store.dismiss_refused(name->first, name->second);
  }
  const auto record = outcome_record(store, outcome);
  if (!record) return std::unexpected(record.error());
  if (record->device() != store.device().value) return {};
  const OperationName name = name_of(*record);
  return store.dismiss_refused(name.first, name.second);
}

}  // namespace gridwhistle
