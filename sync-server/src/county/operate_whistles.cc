#include <algorithm>
#include <tuple>

#include "base/line.h"
#include "county/impl.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// Whistles as operators and staff see them at the server.
namespace gridwhistle {

namespace {

RecordId id_of(const std::string& bytes) {
  return RecordId::from_bytes(bytes).value_or(RecordId{});
}

bool is_over(WhistleState state) {
  constexpr Set<WhistleState> kOver = {WhistleState::kRefused, WhistleState::kMerged,
                                       WhistleState::kClosed, WhistleState::kVoid};
  return kOver.has(state);
}

bool is_done(AssignmentState state) {
  constexpr Set<AssignmentState> kDone = {
      AssignmentState::kObjected, AssignmentState::kReportedBack, AssignmentState::kWithdrawn};
  return kDone.has(state);
}

WhistleSummary summary(RecordId id, const v1::Whistle& record) {
  WhistleSummary out;
  out.id = id;
  out.number = record.number();
  out.title = record.title();
  out.grid = record.grid();
  out.category = record.category();
  out.state = static_cast<WhistleState>(record.state());
  out.whistle_class = static_cast<WhistleClass>(
      record.has_decided_class() ? record.decided_class() : record.whistle_class());
  out.level = static_cast<Level>(record.level());
  out.owner_org = id_of(record.owner_org());
  out.emergency = record.emergency();
  out.supervised = record.supervised();
  out.headless = record.headless();
  out.received_ms = record.received_ms();
  return out;
}

/// What was handled on the spot is for the return visit, whoever would have been called.
bool waits_in_queue(const WhistleSummary& whistle) {
  return whistle.headless && !is_over(whistle.state) &&
         whistle.state != WhistleState::kHandledOnSpot;
}

/// A whistle, an action or an assignment that names no round is of the first.
template <typename Message>
std::int64_t round_of(const Message& record) {
  return record.has_round() ? record.round() : 1;
}

template <typename Message>
Result<Message> read_message(Storage& storage, const RecordKey& key) {
  auto stored = storage.record(key);
  if (!stored) return std::unexpected(std::move(stored.error()));
  Message message;
  if (!*stored || (*stored)->state.erased) {
    return fail(ErrorCode::kNotFound, both("没有这条记录", "there is no such record"));
  }
  if (!message.ParseFromString((*stored)->state.body)) {
    return fail(ErrorCode::kCorrupt, both("有一条记录无法读取", "a record cannot be read"));
  }
  return message;
}

}  // namespace

Result<WhistleSummary> County::Impl::summary_of(RecordId whistle) {
  auto record = read_message<v1::Whistle>(*storage, {kinds::kWhistle, whistle});
  if (!record) return std::unexpected(std::move(record.error()));
  return summary(whistle, *record);
}

Result<std::vector<InboxItem>> County::Impl::assignments_of(RecordId whistle) {
  auto about = summary_of(whistle);
  if (!about) return std::unexpected(std::move(about.error()));
  auto keys = storage->children(whistle);
  if (!keys) return std::unexpected(std::move(keys.error()));
  std::vector<InboxItem> items;
  for (const RecordKey& key : *keys) {
    if (key.kind != kinds::kAssignment) continue;
    auto record = read_message<v1::Assignment>(*storage, key);
    if (!record) return std::unexpected(std::move(record.error()));
    items.push_back({*about, key.id, static_cast<AssignmentPart>(record->part()),
                     static_cast<AssignmentState>(record->state()), round_of(*record),
                     record->assigned_ms()});
  }
  return items;
}

Result<std::vector<WhistleSummary>> County::headless() const {
  auto ids = impl_->storage->find(*impl_->schema.kind(kinds::kWhistle), fields::whistle::kHeadless,
                                  std::int64_t{1});
  if (!ids) return std::unexpected(std::move(ids.error()));
  std::vector<WhistleSummary> all;
  for (const RecordId id : *ids) {
    auto one = impl_->summary_of(id);
    if (!one) return std::unexpected(std::move(one.error()));
    if (waits_in_queue(*one)) all.push_back(std::move(*one));
  }
  std::ranges::sort(all, {}, &WhistleSummary::received_ms);
  return all;
}

Result<std::vector<InboxItem>> County::inbox(RecordId organisation) const {
  Impl& impl = *impl_;
  std::vector<InboxItem> items;
  auto called = impl.storage->find(*impl.schema.kind(kinds::kAssignment),
                                   fields::assignment::kOrganisation, organisation);
  if (!called) return std::unexpected(std::move(called.error()));
  for (const RecordId id : *called) {
    auto record = read_message<v1::Assignment>(*impl.storage, {kinds::kAssignment, id});
    if (!record) return std::unexpected(std::move(record.error()));
    const auto state = static_cast<AssignmentState>(record->state());
    auto about = impl.summary_of(id_of(record->whistle()));
    // One whistle that is gone must not hide the others; `verify` names what it leaves behind.
    if (!about && about.error().code == ErrorCode::kNotFound) continue;
    if (!about) return std::unexpected(std::move(about.error()));
    if (is_done(state) || is_over(about->state)) continue;
    items.push_back({std::move(*about), id, static_cast<AssignmentPart>(record->part()), state,
                     round_of(*record), record->assigned_ms()});
  }
  auto owned = impl.storage->find(*impl.schema.kind(kinds::kWhistle), fields::whistle::kOwnerOrg,
                                  organisation);
  if (!owned) return std::unexpected(std::move(owned.error()));
  for (const RecordId id : *owned) {
    auto about = impl.summary_of(id);
    if (!about) return std::unexpected(std::move(about.error()));
    const bool listed =
        std::ranges::any_of(items, [&](const InboxItem& item) { return item.whistle.id == id; });
    if (!listed && !is_over(about->state)) items.push_back({.whistle = std::move(*about)});
  }
  std::ranges::sort(items, {}, [](const InboxItem& item) {
    return std::tuple(!item.whistle.emergency, !item.whistle.supervised, item.whistle.received_ms);
  });
  return items;
}

Result<Explanation> County::explain(RecordId whistle) const {
  Impl& impl = *impl_;
  auto record = read_message<v1::Whistle>(*impl.storage, {kinds::kWhistle, whistle});
  if (!record) return std::unexpected(std::move(record.error()));
  Explanation out;
  out.whistle = summary(whistle, *record);
  out.record = record->SerializeAsString();
  out.round = round_of(*record);
  out.responsibility_item = record->responsibility_item();
  out.responsibility_version = record->responsibility_version();
  out.routing_rule = record->routing_rule();
  out.reason = record->route_reason();
  auto assignments = impl.assignments_of(whistle);
  if (!assignments) return std::unexpected(std::move(assignments.error()));
  out.assignments = std::move(*assignments);
  auto keys = impl.storage->children(whistle);
  if (!keys) return std::unexpected(std::move(keys.error()));
  std::vector<std::pair<Seq, Explanation::Step>> steps;
  for (const RecordKey& key : *keys) {
    if (key.kind != kinds::kWhistleAction) continue;
    auto stored = impl.storage->record(key);
    if (!stored) return std::unexpected(std::move(stored.error()));
    v1::WhistleAction action;
    if (!*stored || !action.ParseFromString((*stored)->state.body)) continue;
    Explanation::Step step;
    step.action = key.id;
    step.type = static_cast<WhistleActionType>(action.type());
    step.actor = id_of(action.actor());
    step.organisation = id_of(action.organisation());
    step.assignment = id_of(action.assignment());
    step.effective_ms = action.effective_ms();
    step.status = static_cast<OutcomeStatus>(action.status());
    step.code = action.code();
    step.round = round_of(action);
    step.note = action.note();
    step.record = std::move((*stored)->state.body);
    steps.emplace_back((*stored)->state.created, std::move(step));
  }
  std::ranges::sort(steps, {}, [](const auto& pair) { return pair.first; });
  for (auto& [seq, step] : steps) out.steps.push_back(std::move(step));
  return out;
}

Result<Actor> County::Impl::actor_of(RecordId worker, RecordId whistle) {
  auto record = storage->record({kinds::kWorker, worker});
  if (!record) return std::unexpected(std::move(record.error()));
  if (!*record || (*record)->state.erased) {
    return fail(ErrorCode::kNotFound, both("没有这个人员", "there is no such worker"));
  }
  auto reference = applier.reference();
  if (!reference) return std::unexpected(std::move(reference.error()));
  auto at = storage->record({kinds::kWhistle, whistle});
  if (!at) return std::unexpected(std::move(at.error()));
  if (!*at) return fail(ErrorCode::kNotFound, both("没有这条哨声", "there is no such whistle"));
  Actor actor;
  actor.worker = worker;
  const auto organisation =
      text_of((*record)->state.body, fields::worker::kOrganisation).value_or("");
  actor.organisation = RecordId::from_bytes(organisation).value_or(RecordId{});
  actor.level = (*reference)->level_of(actor.organisation);
  const ScopeSet standing(
      derive_grants(storage->county(), worker, (*record)->state.body, now_ms()));
  std::uint64_t roles = 0;
  for (const Membership& m : (*at)->memberships) {
    if (m.in) roles |= standing.roles_over(storage->scope_name(m.scope)).bits();
  }
  actor.roles = RoleSet::of_bits(roles & ~std::uint64_t{1});
  return actor;
}

Result<ActionResult> County::Impl::act(const StaffAction& asked, const Actor& actor,
                                       std::string_view by) {
  v1::WhistleAction content;
  if (!content.ParseFromString(asked.details)) {
    return fail(ErrorCode::kInvalid,
                both("动作的内容无法读取", "the action's details cannot be read"));
  }
  content.set_whistle(std::string(asked.whistle.bytes()));
  content.set_type(static_cast<v1::WhistleActionType>(asked.type));
  if (!asked.assignment.is_nil()) content.set_assignment(std::string(asked.assignment.bytes()));
  if (!actor.worker.is_nil()) content.set_actor(std::string(actor.worker.bytes()));
  if (!actor.organisation.is_nil()) {
    content.set_organisation(std::string(actor.organisation.bytes()));
  }
  content.set_at_ms(now_ms());
  if (!asked.note.empty()) content.set_note(asked.note);
  auto about = read_message<v1::Whistle>(*storage, {kinds::kWhistle, asked.whistle});
  if (!about) return std::unexpected(std::move(about.error()));
  if (!content.has_round()) content.set_round(about->round());
  // Whoever acts at the server sees everything that happened.
  if (!content.has_after()) {
    std::string last = about->last_action();
    if (!asked.assignment.is_nil()) {
      auto assignment =
          read_message<v1::Assignment>(*storage, {kinds::kAssignment, asked.assignment});
      if (!assignment) return std::unexpected(std::move(assignment.error()));
      last = assignment->last_action();
    }
    if (!last.empty()) content.set_after(last);
  }
  ActionResult out;
  out.action = mint();
  auto reference = applier.reference();
  if (!reference) return std::unexpected(std::move(reference.error()));
  Workspace workspace(*storage, schema, now_ms());
  Road road(workspace, **reference, applier.mint());
  auto result = road.propose(out.action, content, actor);
  if (!result) return std::unexpected(std::move(result.error()));
  out.status = result->status;
  out.code = result->code;
  out.message = std::move(result->message);
  if (out.status != OutcomeStatus::kRejected) {
    if (auto done = applier.finish(workspace); !done) return std::unexpected(done.error());
  }
  if (auto noted = note_action(asked, out.status, by); !noted) {
    return std::unexpected(noted.error());
  }
  return out;
}

Result<void> County::Impl::note_action(const StaffAction& asked, OutcomeStatus status,
                                       std::string_view by) {
  return audit(by, "action " + std::to_string(static_cast<int>(asked.type)) + " on whistle " +
                       asked.whistle.text() + ", outcome " +
                       std::to_string(static_cast<int>(status)));
}

Result<ActionResult> County::act(const StaffAction& action, std::string_view by) {
  auto actor = impl_->actor_of(action.actor, action.whistle);
  if (!actor) return std::unexpected(std::move(actor.error()));
  if (!action.organisation.is_nil() && action.organisation != actor->organisation) {
    return ActionResult{.status = OutcomeStatus::kRejected,
                        .code = static_cast<std::int64_t>(ErrorCode::kForbidden),
                        .message = both("只能代表本人所属的机构办理",
                                        "an action is taken for the organisation one belongs to")};
  }
  return impl_->in_batch([&] { return impl_->act(action, *actor, by); });
}

Result<ActionResult> County::assign_headless(RecordId whistle, RecordId lead,
                                             const std::vector<RecordId>& co_departments,
                                             std::string_view by) {
  auto about = impl_->summary_of(whistle);
  if (!about) return std::unexpected(std::move(about.error()));
  if (!waits_in_queue(*about)) {
    return fail(ErrorCode::kConflict,
                both("这条哨声不在无头事项中", "this whistle is not in the queue"));
  }
  auto centre = impl_->county_centre();
  if (!centre) return std::unexpected(std::move(centre.error()));
  // The county stands in for whoever has not taken the earlier steps.
  const Actor county{.worker = {},
                     .organisation = *centre,
                     .roles = {kServerRole, Role::kTownAcceptor, Role::kDispatcher},
                     .level = Level::kCounty};
  v1::WhistleAction details;
  details.set_lead(std::string(lead.bytes()));
  for (const RecordId co : co_departments) details.add_co_departments(std::string(co.bytes()));
  constexpr std::tuple<WhistleState, WhistleActionType> kSteps[] = {
      {WhistleState::kReported, WhistleActionType::kAccept},
      {WhistleState::kVerifying, WhistleActionType::kAccept},
      {WhistleState::kAccepted, WhistleActionType::kBlow},
      {WhistleState::kWhistled, WhistleActionType::kAssign}};
  ActionResult result;
  result.status = OutcomeStatus::kRejected;
  result.code = static_cast<std::int64_t>(WorkflowCode::kWrongState);
  const WorkflowMessage wrong_state = message_of(WorkflowCode::kWrongState);
  result.message = std::string(wrong_state.zh) + " / " + std::string(wrong_state.en);
  StaffAction step;
  step.whistle = whistle;
  step.note = by;
  bool refused = false;
  const auto walked = impl_->in_batch([&]() -> Result<void> {
    for (const auto& [state, type] : kSteps) {
      auto now = impl_->summary_of(whistle);
      if (!now) return std::unexpected(std::move(now.error()));
      if (now->state != state) continue;
      step.type = type;
      if (type != WhistleActionType::kAccept) step.details = details.SerializeAsString();
      auto done = impl_->act(step, county, by);
      if (!done) return std::unexpected(std::move(done.error()));
      result = std::move(*done);
      refused = result.status != OutcomeStatus::kAccepted;
      // An assignment that is refused takes the steps towards it back.
      if (refused)
        return fail(ErrorCode::kConflict, both("不能这样交办", "the assignment is refused"));
    }
    return {};
  });
  if (!walked && !refused) return std::unexpected(walked.error());
  if (refused) {
    const auto noted = impl_->in_batch([&] { return impl_->note_action(step, result.status, by); });
    if (!noted) return std::unexpected(noted.error());
  }
  return result;
}

// The organisation of the county's own area that stands under none: one without a department's
// type, or the only one.
Result<RecordId> County::Impl::county_centre() {
  std::vector<RecordId> typed;
  std::vector<RecordId> typeless;
  const std::int64_t now = now_ms();
  const auto looked =
      storage->scan(kinds::kOrgUnit, [&](RecordId id, StoredRecord stored) -> Result<void> {
        v1::OrgUnit unit;
        if (stored.state.erased || !unit.ParseFromString(stored.state.body)) return {};
        const bool over = unit.has_valid_until_ms() && unit.valid_until_ms() <= now;
        if (over || unit.has_parent() || unit.level() != v1::LEVEL_COUNTY ||
            unit.area12() != storage->county() + "000000") {
          return {};
        }
        (unit.department_type().empty() ? typeless : typed).push_back(id);
        return {};
      });
  if (!looked) return std::unexpected(looked.error());
  const std::vector<RecordId>& candidates = typeless.empty() ? typed : typeless;
  return candidates.size() == 1 ? candidates.front() : RecordId();
}

}  // namespace gridwhistle
