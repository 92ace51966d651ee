#include "client/road.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/workflow.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::size_t kActionsMax = 1000;

RecordId id_of(const std::string& bytes) {
  return RecordId::from_bytes(bytes).value_or(RecordId());
}

std::string bytes_of(const RecordId& id) { return std::string(id.bytes()); }

template <typename Rule, typename Word>
Rule as(Word word) {
  return static_cast<Rule>(word);
}

template <typename T>
Result<Found<T>> parsed(FoundBytes found) {
  Found<T> typed{{}, found.info};
  if (!typed.record.ParseFromString(found.record)) {
    return fail(ErrorCode::kCorrupt, "a stored record cannot be read", "whistle's road");
  }
  return typed;
}

template <typename T>
Result<Found<T>> one(store::Store& store, const RecordId& id) {
  auto found = store.get(kind_of<T>, id);
  if (!found) return std::unexpected(std::move(found.error()));
  return parsed<T>(std::move(*found));
}

template <typename T>
Result<std::vector<Found<T>>> of_whistle(store::Store& store, const RecordId& whistle) {
  auto found = store.query(kind_of<T>, Query().is("whistle", bytes_of(whistle)).first(kActionsMax));
  if (!found) return std::unexpected(std::move(found.error()));
  std::vector<Found<T>> all;
  for (FoundBytes& row : *found) {
    auto typed = parsed<T>(std::move(row));
    if (!typed) return std::unexpected(std::move(typed.error()));
    all.push_back(std::move(*typed));
  }
  return all;
}

bool is_decided(const v1::WhistleAction& action) { return action.has_status(); }

/// Decided actions in the log's order, then this phone's own in the order it recorded them.
bool comes_before(const Found<v1::WhistleAction>& a, const Found<v1::WhistleAction>& b) {
  if (is_decided(a.record) != is_decided(b.record)) return is_decided(a.record);
  if (is_decided(a.record)) return a.info.last_seq < b.info.last_seq;
  return a.info.id.counter() < b.info.id.counter();
}

Result<Road> rows_of(store::Store& store, const RecordId& id) {
  Road road;
  auto whistle = one<v1::Whistle>(store, id);
  if (!whistle) return std::unexpected(std::move(whistle.error()));
  auto actions = of_whistle<v1::WhistleAction>(store, id);
  if (!actions) return std::unexpected(std::move(actions.error()));
  auto assignments = of_whistle<v1::Assignment>(store, id);
  if (!assignments) return std::unexpected(std::move(assignments.error()));
  road.whistle = std::move(*whistle);
  road.actions = std::move(*actions);
  std::ranges::sort(road.actions, comes_before);
  for (Found<v1::Assignment>& assignment : *assignments) {
    const v1::AssignmentState state = assignment.record.state();
    road.parts.push_back({std::move(assignment), state});
  }
  return road;
}

AssignmentCase case_of(const v1::Assignment& row, const RecordId& id) {
  AssignmentCase assignment;
  assignment.id = id;
  assignment.organisation = id_of(row.organisation());
  assignment.part = as<AssignmentPart>(row.part());
  assignment.state = as<AssignmentState>(row.state());
  assignment.round = static_cast<std::uint32_t>(std::max<std::int64_t>(row.round(), 1));
  assignment.last_action = id_of(row.last_action());
  assignment.handler = id_of(row.handler());
  assignment.extended = row.extended();
  assignment.requested = as<WhistleActionType>(row.requested());
  assignment.requested_until_ms = row.requested_until_ms();
  assignment.suspended_until_ms = row.suspended_until_ms();
  assignment.handle_due_ms = row.handle_due_ms();
  return assignment;
}

PastAction past_of(const Found<v1::WhistleAction>& row) {
  PastAction past;
  past.id = row.info.id;
  past.actor = id_of(row.record.actor());
  past.after = id_of(row.record.after());
  past.type = as<WhistleActionType>(row.record.type());
  past.code = as<WorkflowCode>(row.record.code());
  const v1::OutcomeStatus status = row.record.status();
  past.verdict = status == v1::OUTCOME_STATUS_ACCEPTED     ? Verdict::kAccepted
                 : status == v1::OUTCOME_STATUS_SUPERSEDED ? Verdict::kSuperseded
                                                           : Verdict::kRejected;
  return past;
}

/// Held by this phone's worker anywhere: where exactly a role reaches is the server's to judge.
RoleSet roles_held(store::Store& store) {
  const auto state = store.sync_state();
  if (!state) return {};
  std::uint64_t bits = 0;
  for (const store::GrantHeld& grant : state->grants) bits |= grant.roles;
  return RoleSet::of_bits(bits);
}

/// Where a whistle stands. One of which the server has not spoken is this phone's own, and is
/// opened by the rule that the server opens it by.
WhistleState state_of_row(store::Store& store, const v1::Whistle& row) {
  if (row.has_state()) return as<WhistleState>(row.state());
  Report report;
  report.reporter_roles = roles_held(store);
  if (row.has_source()) report.source = as<Source>(row.source());
  if (report.reporter_roles == RoleSet{Role::kVolunteer}) report.source = Source::kVolunteer;
  if (row.has_whistle_class()) report.whistle_class = as<WhistleClass>(row.whistle_class());
  report.reporter = id_of(row.reporter());
  report.handled_on_spot = row.handled_on_spot();
  return open_whistle(report).state;
}

WhistleCase case_of(store::Store& store, const Road& road) {
  const v1::Whistle& row = road.whistle.record;
  WhistleCase whistle;
  whistle.id = road.whistle.info.id;
  whistle.state = state_of_row(store, row);
  whistle.whistle_class =
      as<WhistleClass>(row.has_decided_class() ? row.decided_class() : row.whistle_class());
  whistle.emergency = row.emergency();
  whistle.level = row.has_level() ? as<Level>(row.level()) : Level::kVillage;
  whistle.round = static_cast<std::uint32_t>(std::max<std::int64_t>(row.round(), 1));
  whistle.reporter = id_of(row.reporter());
  // Before the server has spoken nobody owns it; its reporter stands in.
  whistle.owner_org = row.has_owner_org() ? id_of(row.owner_org()) : whistle.reporter;
  whistle.source = row.has_source() ? as<Source>(row.source()) : Source::kWorker;
  whistle.handled_on_spot = row.handled_on_spot();
  whistle.supervised = row.supervised();
  whistle.objections = static_cast<std::uint32_t>(row.objections());
  whistle.contact_attempts = static_cast<std::uint32_t>(row.contact_attempts());
  whistle.accepted_ms = row.accepted_ms();
  whistle.closed_ms = row.closed_ms();
  whistle.refusal_reason = as<RefusalReason>(row.refusal_reason());
  whistle.merged_into = id_of(row.merged_into());
  whistle.closing_reason = as<ClosingReason>(row.closing_reason());
  whistle.return_visit_result = as<ReturnVisitResult>(row.return_visit_result());
  whistle.last_action = id_of(row.last_action());
  for (const RoadPart& part : road.parts) {
    whistle.assignments.push_back(case_of(part.assignment.record, part.assignment.info.id));
  }
  for (const Found<v1::WhistleAction>& action : road.actions) {
    if (is_decided(action.record)) whistle.past.push_back(past_of(action));
  }
  return whistle;
}

/// What this phone knows of the one who acts.
struct Actor {
  RecordId organisation;
  Level level = Level::kUnspecified;
  RoleSet roles;
};

Actor actor_of(store::Store& store, const RecordId& worker, RecordId organisation) {
  Actor actor;
  if (organisation.is_nil()) {
    const auto row = one<v1::Worker>(store, worker);
    if (row) organisation = id_of(row->record.organisation());
  }
  actor.organisation = organisation;
  const auto unit = one<v1::OrgUnit>(store, organisation);
  if (unit) actor.level = as<Level>(unit->record.level());
  actor.roles = roles_held(store);
  return actor;
}

void add_targets(const v1::WhistleAction& row, ProposedAction& action) {
  // An assignment that does not exist yet is named after its organisation.
  const RecordId lead = id_of(row.lead());
  if (!lead.is_nil()) action.targets.push_back({lead, lead, AssignmentPart::kLead});
  for (const std::string& bytes : row.co_departments()) {
    const RecordId co = id_of(bytes);
    action.targets.push_back({co, co, AssignmentPart::kCo});
  }
}

void count_one(v1::AttachmentStage stage, ProposedAction& action) {
  action.evidence_before += stage == v1::ATTACHMENT_STAGE_BEFORE ? 1 : 0;
  action.evidence_after += stage == v1::ATTACHMENT_STAGE_AFTER ? 1 : 0;
}

void count_evidence(store::Store& store, const v1::WhistleAction& row, ProposedAction& action) {
  for (const std::string& bytes : row.evidence()) {
    const auto attachment = one<v1::Attachment>(store, id_of(bytes));
    if (attachment) count_one(attachment->record.stage(), action);
  }
}

bool takes_another_in(store::Store& store, const RecordId& whistle) {
  const auto other = one<v1::Whistle>(store, whistle);
  if (!other) return false;
  const WhistleState state = state_of_row(store, other->record);
  return state != WhistleState::kClosed && state != WhistleState::kVoid &&
         state != WhistleState::kRefused && state != WhistleState::kMerged;
}

bool is_closed_with_picture(store::Store& store, const v1::Whistle& whistle) {
  const auto found = store.query(kinds::kCategory, Query().is("code", whistle.category()).first(1));
  v1::Category category;
  return found && !found->empty() && category.ParseFromString(found->front().record) &&
         category.closing_evidence();
}

ClosingEvidence shown_by(const v1::Attachment& picture) {
  if (picture.stage() != v1::ATTACHMENT_STAGE_AFTER) return ClosingEvidence::kMissing;
  return picture.stored() ? ClosingEvidence::kArrived : ClosingEvidence::kOnItsWay;
}

/// What this phone knows of the pictures that count: the whistle's own in its first round, and
/// those that an action of the round names or that were added to one.
ClosingEvidence closing_evidence(store::Store& store, const Road& road,
                                 const v1::WhistleAction& proposed) {
  const v1::Whistle& whistle = road.whistle.record;
  if (!is_closed_with_picture(store, whistle)) return ClosingEvidence::kNotNeeded;
  const auto round_of = [](const auto& row) { return std::max<std::int64_t>(row.round(), 1); };
  std::vector<std::string> named(proposed.evidence().begin(), proposed.evidence().end());
  std::vector<RecordId> parents;
  if (round_of(whistle) == 1) parents.push_back(road.whistle.info.id);
  for (const Found<v1::WhistleAction>& action : road.actions) {
    if (round_of(action.record) != round_of(whistle)) continue;
    named.insert(named.end(), action.record.evidence().begin(), action.record.evidence().end());
    parents.push_back(action.info.id);
  }
  for (const RoadPart& part : road.parts) {
    if (round_of(part.assignment.record) != round_of(whistle)) continue;
    parents.push_back(part.assignment.info.id);
  }
  auto best = ClosingEvidence::kMissing;
  for (const std::string& id : named) {
    const auto picture = one<v1::Attachment>(store, id_of(id));
    best = std::max(best, picture ? shown_by(picture->record) : ClosingEvidence::kOnItsWay);
  }
  for (const RecordId& parent : parents) {
    const auto found =
        store.query(kinds::kAttachment, Query().is("parent", bytes_of(parent)).first(kActionsMax));
    if (!found) continue;
    for (const FoundBytes& row : *found) {
      v1::Attachment picture;
      if (picture.ParseFromString(row.record)) best = std::max(best, shown_by(picture));
    }
  }
  return best;
}

ProposedAction proposal_of(store::Store& store, const Road& road, const v1::WhistleAction& row,
                           const RecordId& id) {
  const RecordId worker = id_of(row.actor());
  const Actor actor = actor_of(store, worker, id_of(row.organisation()));
  ProposedAction action;
  action.id = id;
  action.type = as<WhistleActionType>(row.type());
  action.actor = worker;
  action.organisation = actor.organisation;
  action.roles = actor.roles;
  action.actor_level = actor.level;
  action.assignment = id_of(row.assignment());
  action.after = id_of(row.after());
  action.round = static_cast<std::uint32_t>(std::max<std::int64_t>(row.round(), 1));
  action.at_ms = row.at_ms();
  action.refusal_reason = as<RefusalReason>(row.reason());
  action.says_why = row.reason() != 0 || !is_blank(row.note());
  action.whistle_class = as<WhistleClass>(row.whistle_class());
  action.other_whistle = id_of(row.other_whistle());
  if (!action.other_whistle.is_nil()) {
    action.other_whistle_open = takes_another_in(store, action.other_whistle);
  }
  add_targets(row, action);
  action.level = as<Level>(row.level());
  action.receiver = id_of(row.lead());
  // Which list the receiver has is the server's to look up.
  action.on_receivers_list = true;
  action.until_ms = row.until_ms();
  count_evidence(store, row, action);
  action.return_visit_result = as<ReturnVisitResult>(row.return_visit_result());
  if (action.type == WhistleActionType::kReturnVisit) {
    action.closing_evidence = closing_evidence(store, road, row);
  }
  return action;
}

WhistleCase case_with_pending(store::Store& store, const Road& road) {
  WhistleCase whistle = case_of(store, road);
  for (const Found<v1::WhistleAction>& action : road.actions) {
    if (is_decided(action.record)) continue;
    whistle = decide(whistle, proposal_of(store, road, action.record, action.info.id)).next;
  }
  return whistle;
}

}  // namespace

Result<Road> road_of(store::Store& store, const RecordId& id) {
  auto road = rows_of(store, id);
  if (!road) return road;
  const WhistleCase whistle = case_with_pending(store, *road);
  road->proposed = static_cast<v1::WhistleState>(whistle.state);
  for (RoadPart& part : road->parts) {
    const AssignmentCase* assignment = find_assignment(whistle, part.assignment.info.id);
    if (assignment == nullptr) continue;
    part.proposed = static_cast<v1::AssignmentState>(assignment->state);
  }
  return road;
}

Result<std::vector<v1::Attachment>> completed_evidence(store::Store& store,
                                                       const std::string& whistle,
                                                       std::vector<v1::Attachment> evidence,
                                                       const RecordId& worker) {
  for (v1::Attachment& attachment : evidence) {
    const auto id = store.new_id();
    if (!id) return std::unexpected(id.error());
    attachment.set_id(bytes_of(*id));
    attachment.set_parent(whistle);
    attachment.set_parent_kind(kinds::kWhistle.value);
    attachment.set_evidence(true);
    if (!attachment.has_author()) attachment.set_author(bytes_of(worker));
  }
  return evidence;
}

Result<v1::WhistleAction> completed_action(store::Store& store, const v1::WhistleAction& given,
                                           const std::vector<v1::Attachment>& evidence,
                                           const RecordId& worker, std::int64_t now_ms) {
  const auto road = rows_of(store, id_of(given.whistle()));
  if (!road) return std::unexpected(road.error());
  const WhistleCase whistle = case_with_pending(store, *road);
  v1::WhistleAction action = given;
  if (!action.has_actor()) action.set_actor(bytes_of(worker));
  if (!action.has_organisation()) {
    const Actor actor = actor_of(store, worker, {});
    if (!actor.organisation.is_nil()) action.set_organisation(bytes_of(actor.organisation));
  }
  if (!action.has_at_ms()) action.set_at_ms(now_ms);
  if (!action.has_round()) action.set_round(whistle.round);
  if (!action.has_after()) {
    const RecordId after = after_for(whistle, static_cast<WhistleActionType>(action.type()),
                                     id_of(action.assignment()));
    if (!after.is_nil()) action.set_after(bytes_of(after));
  }
  const auto id = action.has_id() ? Result<RecordId>(id_of(action.id())) : store.new_id();
  if (!id) return std::unexpected(id.error());
  action.set_id(bytes_of(*id));
  ProposedAction proposal = proposal_of(store, *road, action, *id);
  for (const v1::Attachment& attachment : evidence) {
    action.add_evidence(attachment.id());
    count_one(attachment.stage(), proposal);
    if (proposal.closing_evidence == ClosingEvidence::kNotNeeded) continue;
    proposal.closing_evidence = std::max(proposal.closing_evidence, shown_by(attachment));
  }
  const Decision decision = decide(whistle, proposal);
  if (decision.verdict != Verdict::kRejected) return action;
  const WorkflowMessage words = message_of(decision.code);
  const bool role = decision.code == WorkflowCode::kRoleNotAllowed;
  return fail(role ? ErrorCode::kForbidden : ErrorCode::kConflict,
              std::string(words.zh) + " " + std::string(words.en),
              std::string(name_of(decision.code)));
}

}  // namespace gridwhistle
