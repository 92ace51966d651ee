#include "client/outcomes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "model/workflow_codes.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::size_t kShownMax = 1000;

/// Names an operation. A refusal whose Outcome has not arrived is named by it too, as an id that no
/// record has: its device is 0, the server, whose counters never reach the uppermost bit.
using OperationName = std::pair<Lane, LaneSeq>;

constexpr std::uint64_t kMark = std::uint64_t{1} << 61;
constexpr int kLaneShift = 56;
constexpr int kStatusShift = 52;
constexpr std::uint64_t kLaneSeqMask = (std::uint64_t{1} << kStatusShift) - 1;
constexpr std::uint64_t kStatusMask = 0xF;

// With the status: what a reviewer decides later about the same operation is another thing to see.
RecordId stand_in(const OperationName& name, std::uint64_t status) {
  const auto lane = static_cast<std::uint64_t>(name.first);
  return RecordId::make(DeviceId(0), kMark | lane << kLaneShift |
                                         (status & kStatusMask) << kStatusShift |
                                         (name.second.value & kLaneSeqMask));
}

std::optional<OperationName> operation_of(const RecordId& id) {
  if (!id.well_formed() || id.device() != DeviceId(0) || (id.counter() & kMark) == 0) {
    return std::nullopt;
  }
  const std::uint64_t counter = id.counter() & ~kMark;
  const auto lane = static_cast<Lane>(counter >> kLaneShift);
  if (std::ranges::find(kLanes, lane) == kLanes.end()) return std::nullopt;
  return OperationName{lane, LaneSeq(counter & kLaneSeqMask)};
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

struct Words {
  std::string zh;
  std::string en;
};

Words reason_of(std::uint32_t code) {
  const WorkflowMessage words = message_of_outcome(code);
  return {std::string(words.zh), std::string(words.en)};
}

Words names_of(const KindSchema* kind, const std::vector<std::uint32_t>& fields) {
  Words names;
  for (const std::uint32_t number : fields) {
    const FieldSchema* field = kind != nullptr ? kind->field(number) : nullptr;
    if (field == nullptr || number == 1) continue;
    names.zh += (names.zh.empty() ? "" : "、") + std::string(field->name_zh);
    names.en += (names.en.empty() ? "" : ", ") + std::string(field->name);
  }
  return names;
}

/// A colleague as this phone knows them; empty where it does not.
std::string colleague(store::Store& store, const RecordId& worker) {
  if (worker.is_nil()) return {};
  const auto found = store.get(kinds::kWorker, worker);
  v1::Worker record;
  return found && record.ParseFromString(found->record) ? record.name() : std::string();
}

Words beaten(store::Store& store, const OutcomeView& view, const KindSchema* kind) {
  const Words fields = names_of(kind, view.lost_fields);
  const std::string who = colleague(store, view.winner);
  return {"您填写的" + (fields.zh.empty() ? "内容" : "“" + fields.zh + "”") + "被" +
              (who.empty() ? "他人" : who) + "的修改覆盖，您的内容保留在这里",
          "what you wrote" + (fields.en.empty() ? "" : " in " + fields.en) +
              " lost to a change by " + (who.empty() ? "somebody else" : who) +
              "; it is kept here"};
}

/// What became of it and why. The server's own words add what a code cannot say, the field's name
/// for instance; what a road's code says is all there is to say.
Words why_of(store::Store& store, const OutcomeView& view, const KindSchema* kind) {
  switch (static_cast<OutcomeStatus>(view.status)) {
    case OutcomeStatus::kBeaten:
      return beaten(store, view, kind);
    case OutcomeStatus::kRevived:
      return {"删除和修改同时发生，整条记录已恢复",
              "it was erased and changed at the same time: the whole record came back"};
    case OutcomeStatus::kSuperseded:
      return {"提出时该交办已有变化，只保留在流转记录中",
              "the assignment had moved on before it arrived; it stands in the timeline only"};
    case OutcomeStatus::kSealed:
      return {"送达时您已不负责该区域，待管理员复核",
              "the place was no longer yours when it arrived; a reviewer decides about it"};
    case OutcomeStatus::kParked:
      if (view.code == static_cast<std::uint32_t>(ErrorCode::kNotFound)) {
        return {"所属记录尚未送达服务器，送达后处理",
                "what it belongs to has not reached the server yet; it is taken up when it does"};
      }
      return {"服务器升级后处理",
              "the server keeps it until its next version, which knows this kind"};
    case OutcomeStatus::kAccepted:
      if (view.code == static_cast<std::uint32_t>(ErrorCode::kOutOfScope)) {
        return {"已受理；网格已重划，记录不在您的范围内了",
                "applied; grids were redrawn, and it lies outside of your areas now"};
      }
      return {"已受理", "applied"};
    case OutcomeStatus::kRejected:
    case OutcomeStatus::kGone:
      break;
  }
  return reason_of(view.code);
}

/// Fills in what follows from the rest: the values as this reader may see them, and the words.
Result<void> complete(store::Store& store, OutcomeView& view, KindId kind, std::string_view lost,
                      const Purpose& purpose) {
  auto shown = store.lost_values(kind, view.record, lost, purpose);
  if (!shown) return std::unexpected(std::move(shown.error()));
  view.lost = std::move(shown->record);
  view.masked = shown->info.masked;
  const KindSchema* known = store.schema().kind(kind);
  if (known != nullptr) view.record_kind = known->name;
  Words why = why_of(store, view, known);
  view.why_zh = std::move(why.zh);
  view.why_en = std::move(why.en);
  return {};
}

Result<OutcomeView> view_of(store::Store& store, const v1::Outcome& outcome, const RecordId& id,
                            const Purpose& purpose) {
  OutcomeView view;
  view.outcome = id;
  view.record = RecordId::from_bytes(outcome.record()).value_or(RecordId());
  view.status = static_cast<std::uint32_t>(outcome.status());
  view.code = static_cast<std::uint32_t>(outcome.code());
  view.message = outcome.message();
  for (const std::int64_t number : outcome.lost_fields()) {
    view.lost_fields.push_back(static_cast<std::uint32_t>(number));
  }
  view.winner = RecordId::from_bytes(outcome.winner()).value_or(RecordId());
  view.restorable = !outcome.lost_set().empty() || outcome.lost_clear_size() > 0;
  view.at_ms = outcome.at_ms();
  const KindId kind(static_cast<std::uint32_t>(outcome.record_kind()));
  if (auto done = complete(store, view, kind, outcome.lost_set(), purpose); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return view;
}

Result<OutcomeView> view_of(store::Store& store, const store::Refused& refused,
                            const Purpose& purpose) {
  const Operation& operation = refused.operation;
  OutcomeView view;
  view.status = static_cast<std::uint32_t>(refused.status);
  view.outcome = stand_in({operation.lane, operation.lane_seq}, view.status);
  view.record = operation.id;
  view.code = refused.code;
  for (const FieldView& field : fields_of(operation.set)) view.lost_fields.push_back(field.number);
  for (const std::uint32_t field : operation.clear) view.lost_fields.push_back(field);
  view.restorable = operation.type == OperationType::kPut && operation.hash_before.empty();
  view.at_ms = operation.claimed.wall_ms;
  if (auto done = complete(store, view, operation.kind, operation.set, purpose); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return view;
}

/// An operation, whichever of its author's devices recorded it.
using ReceiptName = std::tuple<std::uint64_t, std::int64_t, std::int64_t>;

ReceiptName receipt_of(const v1::Outcome& outcome) {
  return {outcome.device(), outcome.lane(), outcome.lane_seq()};
}

/// What a notice says is lost. A restored server may tell anew what a notice of its lost log, which
/// has no place in the log any more, had told.
using LossName = std::tuple<std::uint64_t, std::int64_t, std::string, std::vector<std::int64_t>>;

LossName loss_of(const v1::Outcome& outcome) {
  return {outcome.device(),
          outcome.dev_seq(),
          outcome.record(),
          {outcome.lost_fields().begin(), outcome.lost_fields().end()}};
}

/// What the server had kept it decides about later: what it said in the meantime says nothing then.
int finality(const v1::Outcome& outcome) {
  switch (outcome.status()) {
    case v1::OUTCOME_STATUS_PARKED:
      return 0;
    case v1::OUTCOME_STATUS_SEALED:
      return 1;
    default:
      return 2;
  }
}

/// That a record was forgotten is told to every phone that wrote it: its file is to forget it too.
/// No operation fared otherwise for it.
bool is_for_the_file(const v1::Outcome& outcome) {
  return outcome.lane_seq() == 0 &&
         outcome.code() == static_cast<std::int64_t>(ErrorCode::kForgotten);
}

std::map<ReceiptName, int> finality_of(
    const std::vector<std::pair<RecordId, v1::Outcome>>& receipts) {
  std::map<ReceiptName, int> finalities;
  for (const auto& [id, outcome] : receipts) {
    if (outcome.lane_seq() == 0) continue;
    int& known = finalities[receipt_of(outcome)];
    known = std::max(known, finality(outcome));
  }
  return finalities;
}

Result<bool> has_refused(store::Store& store, const OperationName& name) {
  const auto refused = store.refused();
  if (!refused) return std::unexpected(refused.error());
  return std::ranges::any_of(*refused, [&](const store::Refused& one) {
    return OperationName{one.operation.lane, one.operation.lane_seq} == name;
  });
}

}  // namespace

Result<std::vector<OutcomeView>> outcomes_of(store::Store& store, const Purpose& purpose) {
  Query query;
  query.by("at_ms", true).first(kShownMax);
  auto found = store.query(kinds::kOutcome, query, Purpose{"own outcomes"});
  // Opened for reading alone, a file gives everything masked.
  if (!found && found.error().code == ErrorCode::kReadOnly) {
    found = store.query(kinds::kOutcome, query);
  }
  if (!found) return std::unexpected(found.error());
  const auto refused = store.refused();
  if (!refused) return std::unexpected(refused.error());
  const auto settled = store.settled_outcomes();
  if (!settled) return std::unexpected(settled.error());

  std::vector<std::pair<RecordId, v1::Outcome>> receipts;
  std::map<LossName, RecordId> told_before;
  std::set<LossName> told_anew;
  for (const FoundBytes& row : *found) {
    v1::Outcome outcome;
    if (!outcome.ParseFromString(row.record)) continue;
    receipts.emplace_back(row.info.id, outcome);
    if (outcome.lost_fields().empty()) continue;
    if (row.info.last_seq) {
      told_anew.insert(loss_of(outcome));
    } else {
      told_before.emplace(loss_of(outcome), row.info.id);
    }
  }
  const std::map<ReceiptName, int> settled_as = finality_of(receipts);
  std::vector<OutcomeView> views;
  std::set<OperationName> known;
  for (const auto& [id, outcome] : receipts) {
    // What was taken as its author meant it needs no word, unless it is out of their sight.
    const bool in_sight = outcome.code() != static_cast<std::int64_t>(ErrorCode::kOutOfScope);
    bool seen = settled->contains(id) ||
                (outcome.status() == v1::OUTCOME_STATUS_ACCEPTED && in_sight) ||
                is_for_the_file(outcome);
    if (outcome.device() == store.device().value && outcome.lane_seq() != 0) {
      known.insert(name_of(outcome));
      seen |= settled->contains(
          stand_in(name_of(outcome), static_cast<std::uint64_t>(outcome.status())));
    }
    if (const auto before = told_before.find(loss_of(outcome)); before != told_before.end()) {
      seen |= before->second == id ? told_anew.contains(before->first)
                                   : settled->contains(before->second);
    }
    const auto final = settled_as.find(receipt_of(outcome));
    seen |= final != settled_as.end() && finality(outcome) < final->second;
    if (seen) continue;
    auto view = view_of(store, outcome, id, purpose);
    if (!view) return std::unexpected(std::move(view.error()));
    views.push_back(std::move(*view));
  }
  for (const store::Refused& one : *refused) {
    if (known.contains({one.operation.lane, one.operation.lane_seq})) continue;
    auto view = view_of(store, one, purpose);
    if (!view) return std::unexpected(std::move(view.error()));
    views.push_back(std::move(*view));
  }
  std::ranges::sort(views, [](const OutcomeView& a, const OutcomeView& b) {
    return std::pair(a.at_ms, a.outcome) > std::pair(b.at_ms, b.outcome);
  });
  return views;
}

namespace {

Result<RecordId> write_again(store::Store& store, const RecordId& outcome) {
  if (const auto name = operation_of(outcome)) {
    return store.restore_refused(name->first, name->second, outcome);
  }
  const auto record = outcome_record(store, outcome);
  if (!record) return std::unexpected(record.error());
  const OperationName name = name_of(*record);
  const bool own = record->device() == store.device().value;
  const auto refused = own ? has_refused(store, name) : Result<bool>(false);
  if (!refused) return std::unexpected(refused.error());
  if (*refused) return store.restore_refused(name.first, name.second, outcome);
  return store.restore_outcome(outcome);
}

}  // namespace

Result<Restored> restore_outcome(store::Store& store, const RecordId& outcome) {
  const auto made = store.restored_as(outcome);
  if (!made) return std::unexpected(made.error());
  if (*made) return Restored{**made, true};
  const auto record = write_again(store, outcome);
  if (!record) return std::unexpected(record.error());
  return Restored{*record};
}

Result<void> dismiss_outcome(store::Store& store, const RecordId& outcome) {
  std::optional<OperationName> name = operation_of(outcome);
  if (!name) {
    const auto record = outcome_record(store, outcome);
    if (!record) return std::unexpected(record.error());
    if (record->device() == store.device().value && record->lane_seq() != 0) {
      name = name_of(*record);
    }
  }
  if (auto settled = store.dismiss_outcome(outcome); !settled || !name) return settled;
  return store.dismiss_refused(name->first, name->second);
}

}  // namespace gridwhistle
