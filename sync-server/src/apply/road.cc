#include "apply/road.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/utf8.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "routing/route.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

namespace whistle_field = fields::whistle;

const Actor kServer{
    .worker = {}, .organisation = {}, .roles = {kServerRole}, .level = Level::kCity};

RecordId id_of(const std::string& bytes) {
  return RecordId::from_bytes(bytes).value_or(RecordId{});
}

std::string bytes_of(RecordId id) { return std::string(id.bytes()); }

std::string bytes_or_none(RecordId id) { return id.is_nil() ? std::string() : bytes_of(id); }

template <typename Message>
Result<Message> read_message(Workspace& workspace, KindId kind, RecordId id) {
  auto page = workspace.open({kind, id});
  if (!page) return std::unexpected(std::move(page.error()));
  Message message;
  if (!message.ParseFromString((*page)->record.state.body)) {
    return fail(ErrorCode::kCorrupt, "a record cannot be read", std::string((*page)->kind->name));
  }
  return message;
}

AssignmentCase assignment_of(RecordId id, const v1::Assignment& record) {
  AssignmentCase out;
  out.id = id;
  out.organisation = id_of(record.organisation());
  out.part = static_cast<AssignmentPart>(record.part());
  out.state = static_cast<AssignmentState>(record.state());
  out.round = static_cast<std::uint32_t>(record.round());
  out.last_action = id_of(record.last_action());
  out.handler = id_of(record.handler());
  out.extended = record.extended();
  out.requested = static_cast<WhistleActionType>(record.requested());
  out.requested_until_ms = record.requested_until_ms();
  out.suspended_until_ms = record.suspended_until_ms();
  out.handle_due_ms = record.handle_due_ms();
  return out;
}

PastAction past_of(RecordId id, const v1::WhistleAction& record) {
  PastAction past;
  past.id = id;
  past.actor = id_of(record.actor());
  past.after = id_of(record.after());
  past.type = static_cast<WhistleActionType>(record.type());
  past.verdict =
      record.status() == v1::OUTCOME_STATUS_SUPERSEDED ? Verdict::kSuperseded : Verdict::kAccepted;
  past.code = static_cast<WorkflowCode>(record.code());
  return past;
}

// Sets a field to a value, or empties it where the value is none.
template <typename Value, typename Set>
void lay(Value value, std::uint32_t number, std::vector<std::uint32_t>& clear, Set set) {
  if (value == Value{}) {
    clear.push_back(number);
  } else {
    set(value);
  }
}

template <typename Set>
void lay_id(RecordId id, std::uint32_t number, std::vector<std::uint32_t>& clear, Set set) {
  lay(bytes_or_none(id), number, clear, set);
}

// Nobody is called yet: who is to be may still change with what is said of the whistle.
bool is_before_blowing(WhistleState state) {
  constexpr Set<WhistleState> kStates = {WhistleState::kReported, WhistleState::kVerifying,
                                         WhistleState::kAccepted, WhistleState::kHandledOnSpot};
  return kStates.has(state);
}

// Whom the server takes for a volunteer is one, whatever the phone says.
Source source_of(const v1::Whistle& record, const Actor& reporter) {
  if (reporter.roles == RoleSet{Role::kVolunteer}) return Source::kVolunteer;
  if (record.has_source()) return static_cast<Source>(record.source());
  return reporter.worker.is_nil() ? Source::kPlatform : Source::kWorker;
}

bool may_take_another_in(WhistleState state) {
  constexpr Set<WhistleState> kOver = {WhistleState::kUnspecified, WhistleState::kRefused,
                                       WhistleState::kMerged, WhistleState::kClosed,
                                       WhistleState::kVoid};
  return !kOver.has(state);
}

std::string both(const WorkflowMessage& message) {
  return std::string(message.zh) + " / " + std::string(message.en);
}

RoadResult refused(WorkflowCode code) {
  return {OutcomeStatus::kRejected, static_cast<std::uint32_t>(code), both(message_of(code))};
}

RoadResult refused(ErrorCode code, std::string message) {
  return {OutcomeStatus::kRejected, static_cast<std::uint32_t>(code), std::move(message)};
}

// Notes on a whistle where it goes; what is to be emptied is returned.
std::vector<std::uint32_t> lay_route(const routing::Route& route, v1::Whistle& write) {
  namespace f = whistle_field;
  std::vector<std::uint32_t> clear;
  lay(route.item, f::kResponsibilityItem, clear,
      [&](const auto& v) { write.set_responsibility_item(v); });
  lay(route.list_version, f::kResponsibilityVersion, clear,
      [&](const auto& v) { write.set_responsibility_version(v); });
  lay(route.rule, f::kRoutingRule, clear, [&](const auto& v) { write.set_routing_rule(v); });
  write.set_route_reason(route.reason.zh);
  if (route.is_headless()) {
    write.set_headless(true);
    clear.push_back(f::kRouted);
  } else {
    write.set_routed(true);
    clear.push_back(f::kHeadless);
  }
  return clear;
}

routing::Facts facts_of(const v1::Whistle& record, const Reference& reference,
                        std::int64_t now_ms) {
  routing::Facts facts;
  facts.category = record.category();
  facts.area = record.grid();
  const auto type = reference.grid_types.find(record.grid());
  if (type != reference.grid_types.end()) facts.grid_type = type->second;
  facts.source = static_cast<Source>(record.source());
  facts.whistle_class = static_cast<WhistleClass>(
      record.has_decided_class() ? record.decided_class() : record.whistle_class());
  facts.emergency = record.emergency();
  facts.level = static_cast<Level>(record.level());
  facts.at_ms = now_ms;
  return facts;
}

}  // namespace

struct Road::Case {
  v1::Whistle record;
  WhistleCase whistle;
};

WhistleCase case_of(RecordId id, const v1::Whistle& record) {
  WhistleCase whistle;
  whistle.id = id;
  whistle.state = static_cast<WhistleState>(record.state());
  whistle.whistle_class = static_cast<WhistleClass>(
      record.has_decided_class() ? record.decided_class() : record.whistle_class());
  whistle.emergency = record.emergency();
  whistle.level = static_cast<Level>(record.level());
  whistle.round = static_cast<std::uint32_t>(std::max<std::int64_t>(record.round(), 1));
  whistle.owner_org = id_of(record.owner_org());
  whistle.source = static_cast<Source>(record.source());
  whistle.reporter = id_of(record.reporter());
  whistle.handled_on_spot = record.handled_on_spot();
  whistle.supervised = record.supervised();
  whistle.objections = static_cast<std::uint32_t>(record.objections());
  whistle.contact_attempts = static_cast<std::uint32_t>(record.contact_attempts());
  whistle.accepted_ms = record.accepted_ms();
  whistle.closed_ms = record.closed_ms();
  whistle.refusal_reason = static_cast<RefusalReason>(record.refusal_reason());
  whistle.merged_into = id_of(record.merged_into());
  whistle.closing_reason = static_cast<ClosingReason>(record.closing_reason());
  whistle.return_visit_result = static_cast<ReturnVisitResult>(record.return_visit_result());
  whistle.last_action = id_of(record.last_action());
  return whistle;
}

Result<Road::Case> Road::read_case(RecordId whistle) {
  auto record = read_message<v1::Whistle>(workspace_, kinds::kWhistle, whistle);
  if (!record) return std::unexpected(std::move(record.error()));
  Case at{std::move(*record), {}};
  at.whistle = case_of(whistle, at.record);
  auto keys = workspace_.children(whistle);
  if (!keys) return std::unexpected(std::move(keys.error()));
  std::vector<std::pair<Seq, PastAction>> past;
  std::vector<std::pair<Seq, AssignmentCase>> assignments;
  for (const RecordKey& key : *keys) {
    if (key.kind == kinds::kAssignment) {
      auto message = read_message<v1::Assignment>(workspace_, key.kind, key.id);
      if (!message) return std::unexpected(std::move(message.error()));
      assignments.emplace_back((*workspace_.open(key))->record.state.created,
                               assignment_of(key.id, *message));
    } else if (key.kind == kinds::kWhistleAction) {
      auto message = read_message<v1::WhistleAction>(workspace_, key.kind, key.id);
      if (!message) return std::unexpected(std::move(message.error()));
      // Without a status: not decided yet, for instance the one that is being decided.
      if (!message->has_status()) continue;
      past.emplace_back((*workspace_.open(key))->record.state.created, past_of(key.id, *message));
    }
  }
  const auto by_seq = [](const auto& pair) { return pair.first; };
  std::ranges::sort(past, {}, by_seq);
  std::ranges::sort(assignments, {}, by_seq);
  for (auto& [seq, action] : past) at.whistle.past.push_back(action);
  for (auto& [seq, assignment] : assignments) at.whistle.assignments.push_back(assignment);
  return at;
}

Result<void> Road::opened(RecordId id, const Actor& reporter, Seq seq) {
  auto record = read_message<v1::Whistle>(workspace_, kinds::kWhistle, id);
  if (!record) return std::unexpected(std::move(record.error()));
  Report report;
  report.id = id;
  report.source = source_of(*record, reporter);
  report.whistle_class = record->has_whistle_class()
                             ? static_cast<WhistleClass>(record->whistle_class())
                             : WhistleClass::kRoutine;
  report.emergency = record->emergency();
  report.reporter = reporter.worker;
  report.reporter_roles = reporter.roles;
  report.first_receiver = reporter.organisation;
  if (report.first_receiver.is_nil()) {
    report.first_receiver = reference_.centre_of(record->grid(), workspace_.now_ms());
  }
  const Level level = reference_.level_of(report.first_receiver);
  report.level = level == Level::kUnspecified ? Level::kVillage : level;
  report.handled_on_spot = record->handled_on_spot();
  const WhistleCase opened = open_whistle(report);

  v1::Whistle write;
  write.set_source(static_cast<v1::Source>(report.source));
  write.set_state(static_cast<v1::WhistleState>(opened.state));
  write.set_level(static_cast<v1::Level>(opened.level));
  if (!opened.owner_org.is_nil()) write.set_owner_org(bytes_of(opened.owner_org));
  write.set_received_ms(workspace_.now_ms());
  write.set_round(opened.round);
  record->MergeFrom(write);
  const std::vector<std::uint32_t> clear = lay_route(route_of(*record), write);
  return workspace_.write_message({kinds::kWhistle, id}, write, clear, seq);
}

routing::Route Road::route_of(const v1::Whistle& record) const {
  return routing::route(reference_.book, facts_of(record, reference_, workspace_.now_ms()));
}

Result<RecordId> Road::whistle_of(const v1::Attachment& attachment) {
  const RecordKey parent{KindId(static_cast<std::uint32_t>(attachment.parent_kind())),
                         id_of(attachment.parent())};
  if (parent.kind == kinds::kWhistle) return parent.id;
  if (parent.kind != kinds::kWhistleAction && parent.kind != kinds::kAssignment) return RecordId();
  auto page = workspace_.open(parent);
  if (!page) return std::unexpected(std::move(page.error()));
  return workspace_.parent_of(*(*page)->kind, (*page)->record.state.body).id;
}

// Each picture counts once, and only where it was taken of this whistle, one of its actions or its
// assignments.
Result<void> Road::count_evidence(RecordId whistle, const v1::WhistleAction& content,
                                  ProposedAction& action) {
  const std::set<std::string> named(content.evidence().begin(), content.evidence().end());
  for (const std::string& bytes : named) {
    const RecordKey key{kinds::kAttachment, id_of(bytes)};
    auto page = workspace_.open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    v1::Attachment attachment;
    // Evidence that is still on its way counts as what is lacking.
    if (!(*page)->record.state.exists) {
      ++(action.evidence_before == 0 ? action.evidence_before : action.evidence_after);
    } else if (attachment.ParseFromString((*page)->record.state.body)) {
      auto about = whistle_of(attachment);
      if (!about) return std::unexpected(std::move(about.error()));
      if (*about != whistle) continue;
      if (attachment.stage() == v1::ATTACHMENT_STAGE_BEFORE) ++action.evidence_before;
      if (attachment.stage() == v1::ATTACHMENT_STAGE_AFTER) ++action.evidence_after;
    }
  }
  return {};
}

// What a picture of how it was left has come to. Of a whistle that was reopened only the new
// round's pictures say anything: what its actions name, or what was added to them.
Result<ClosingEvidence> Road::closing_evidence(const Case& at, const v1::WhistleAction& content) {
  if (!reference_.closed_with_picture.contains(at.record.category())) {
    return ClosingEvidence::kNotNeeded;
  }
  auto keys = workspace_.children(at.whistle.id);
  if (!keys) return std::unexpected(std::move(keys.error()));
  std::set<RecordId> pictures;
  for (const std::string& bytes : content.evidence()) pictures.insert(id_of(bytes));
  std::vector<RecordId> parents;
  if (at.whistle.round == 1) parents.push_back(at.whistle.id);
  for (const RecordKey& key : *keys) {
    if (key.kind == kinds::kWhistleAction) {
      auto action = read_message<v1::WhistleAction>(workspace_, key.kind, key.id);
      if (!action) return std::unexpected(std::move(action.error()));
      if (std::max<std::int64_t>(action->round(), 1) != at.whistle.round) continue;
      for (const std::string& bytes : action->evidence()) pictures.insert(id_of(bytes));
      parents.push_back(key.id);
    } else if (key.kind == kinds::kAssignment) {
      const AssignmentCase* part = find_assignment(at.whistle, key.id);
      if (part != nullptr && part->round == at.whistle.round) parents.push_back(key.id);
    }
  }
  for (const RecordId parent : parents) {
    auto parts = workspace_.children(parent);
    if (!parts) return std::unexpected(std::move(parts.error()));
    for (const RecordKey& part : *parts) {
      if (part.kind == kinds::kAttachment) pictures.insert(part.id);
    }
  }
  auto best = ClosingEvidence::kMissing;
  for (const RecordId id : pictures) {
    auto page = workspace_.open({kinds::kAttachment, id});
    if (!page) return std::unexpected(std::move(page.error()));
    const RecordState& state = (*page)->record.state;
    v1::Attachment picture;
    if (!state.exists) {
      best = std::max(best, ClosingEvidence::kOnItsWay);
    } else if (!state.erased && picture.ParseFromString(state.body) &&
               picture.stage() == v1::ATTACHMENT_STAGE_AFTER) {
      auto about = whistle_of(picture);
      if (!about) return std::unexpected(std::move(about.error()));
      if (*about != at.whistle.id) continue;
      best =
          std::max(best, picture.stored() ? ClosingEvidence::kArrived : ClosingEvidence::kOnItsWay);
    }
  }
  return best;
}

Result<void> Road::picture_arrived(const v1::Attachment& picture) {
  if (picture.stage() != v1::ATTACHMENT_STAGE_AFTER) return {};
  auto whistle = whistle_of(picture);
  if (!whistle) return std::unexpected(std::move(whistle.error()));
  return whistle->is_nil() ? Result<void>{} : close_if_visited(*whistle);
}

// The machine says whether a visit waits for its picture; if none does, nothing is written.
Result<void> Road::close_if_visited(RecordId whistle) {
  auto record = read_message<v1::Whistle>(workspace_, kinds::kWhistle, whistle);
  if (!record) return std::unexpected(std::move(record.error()));
  if (!record->has_return_visit_result() || record->has_closed_ms()) return {};
  auto at = read_case(whistle);
  if (!at) return std::unexpected(std::move(at.error()));
  const RecordId id = mint_();
  v1::WhistleAction content;
  content.set_whistle(bytes_of(whistle));
  content.set_type(v1::WHISTLE_ACTION_TYPE_RETURN_VISIT);
  content.set_at_ms(workspace_.now_ms());
  content.set_note("回访已完成，结案所需照片已到齐，自动结案");
  content.set_round(at->whistle.round);
  if (!at->whistle.last_action.is_nil()) content.set_after(bytes_of(at->whistle.last_action));
  auto action = proposal(*at, id, content, kServer);
  if (!action) return std::unexpected(std::move(action.error()));
  if (decide(at->whistle, *action).verdict != Verdict::kAccepted) return {};
  auto closed = propose(id, content, kServer);
  if (!closed) return std::unexpected(std::move(closed.error()));
  return {};
}

Result<ProposedAction> Road::proposal(const Case& at, RecordId id, const v1::WhistleAction& content,
                                      const Actor& actor) {
  ProposedAction action;
  action.id = id;
  action.type = static_cast<WhistleActionType>(content.type());
  action.actor = actor.worker;
  action.organisation = actor.organisation;
  action.roles = actor.roles;
  action.actor_level = actor.level;
  action.assignment = id_of(content.assignment());
  action.after = id_of(content.after());
  action.round =
      content.has_round() ? static_cast<std::uint32_t>(content.round()) : at.whistle.round;
  action.at_ms = workspace_.now_ms();
  action.refusal_reason = static_cast<RefusalReason>(content.reason());
  action.says_why = content.reason() != 0 || !is_blank(content.note());
  action.whistle_class = static_cast<WhistleClass>(content.whistle_class());
  action.other_whistle = id_of(content.other_whistle());
  if (!action.other_whistle.is_nil()) {
    auto other = read_message<v1::Whistle>(workspace_, kinds::kWhistle, action.other_whistle);
    if (!other) return std::unexpected(std::move(other.error()));
    action.other_whistle_open = may_take_another_in(static_cast<WhistleState>(other->state()));
  }
  if (content.has_lead()) {
    action.targets.push_back({mint_(), id_of(content.lead()), AssignmentPart::kLead});
    action.receiver = id_of(content.lead());
  }
  for (const std::string& co : content.co_departments()) {
    action.targets.push_back({mint_(), id_of(co), AssignmentPart::kCo});
  }
  action.level = static_cast<Level>(content.level());
  if (!action.receiver.is_nil()) {
    action.on_receivers_list =
        routing::is_on_list(reference_.book, at.record.category(),
                            reference_.level_of(action.receiver), workspace_.now_ms());
  }
  action.until_ms = content.until_ms();
  action.return_visit_result = static_cast<ReturnVisitResult>(content.return_visit_result());
  if (auto counted = count_evidence(at.whistle.id, content, action); !counted) {
    return std::unexpected(counted.error());
  }
  if (action.type == WhistleActionType::kReturnVisit) {
    auto evidence = closing_evidence(at, content);
    if (!evidence) return std::unexpected(std::move(evidence.error()));
    action.closing_evidence = *evidence;
  }
  return action;
}

const routing::Organisation* Road::in_force(RecordId organisation) const {
  const auto found = reference_.organisations.find(organisation);
  if (found == reference_.organisations.end()) return nullptr;
  return found->second.valid.holds_at(workspace_.now_ms()) ? &found->second : nullptr;
}

// Whom an action calls has to be there, and somebody in it who can act: a whistle in the hands of
// nobody would wait for ever.
Result<bool> Road::can_be_called(RecordId organisation) {
  if (in_force(organisation) == nullptr) return false;
  auto people = workspace_.storage().find(*workspace_.schema().kind(kinds::kWorker),
                                          fields::worker::kOrganisation, organisation);
  if (!people) return std::unexpected(std::move(people.error()));
  for (const RecordId person : *people) {
    auto worker = read_message<v1::Worker>(workspace_, kinds::kWorker, person);
    if (!worker) return std::unexpected(std::move(worker.error()));
    if (worker->has_left_ms() && worker->left_ms() <= workspace_.now_ms()) continue;
    if (std::ranges::any_of(worker->roles(), [](const v1::WorkerRole& held) {
          return held.role() == v1::ROLE_DEPARTMENT;
        })) {
      return true;
    }
  }
  return false;
}

// Who takes a whistle that is handed down: of the level it goes to, around the place it lies in.
bool Road::can_receive(RecordId organisation, const v1::Whistle& whistle, Level level) const {
  const routing::Organisation* receiver = in_force(organisation);
  return receiver != nullptr && receiver->level == level &&
         whistle.grid().starts_with(routing::area_prefix_of(receiver->area12));
}

Result<std::optional<RoadResult>> Road::nobody_called(const v1::Whistle& whistle,
                                                      const v1::WhistleAction& content,
                                                      const Actor& actor) {
  if (content.type() == v1::WHISTLE_ACTION_TYPE_PUSH_DOWN && content.has_lead() &&
      !can_receive(id_of(content.lead()), whistle, static_cast<Level>(content.level()))) {
    return refused(ErrorCode::kNotFound,
                   "该单位不在此层级或不管辖此地 / this organisation is not of that level, or does "
                   "not serve the place; name another");
  }
  const bool calls = content.type() == v1::WHISTLE_ACTION_TYPE_ASSIGN ||
                     content.type() == v1::WHISTLE_ACTION_TYPE_BLOW ||
                     content.type() == v1::WHISTLE_ACTION_TYPE_JOINT_MEETING;
  if (!calls || actor.roles == RoleSet{kServerRole}) return std::nullopt;
  std::vector<std::string> named(content.co_departments().begin(), content.co_departments().end());
  if (content.has_lead()) named.push_back(content.lead());
  for (const std::string& organisation : named) {
    auto callable = can_be_called(id_of(organisation));
    if (!callable) return std::unexpected(std::move(callable.error()));
    if (!*callable) {
      return refused(
          ErrorCode::kNotFound,
          "没有该单位，或其中无人承办哨声；请另选单位 / there is no such organisation in "
          "force, or nobody in it handles whistles; call another");
    }
  }
  return std::nullopt;
}

Result<RoadResult> Road::proposed(RecordId id, const Actor& actor, std::int64_t effective_ms,
                                  Seq seq) {
  auto content = read_message<v1::WhistleAction>(workspace_, kinds::kWhistleAction, id);
  if (!content) return std::unexpected(std::move(content.error()));
  if (content->has_actor() && id_of(content->actor()) != actor.worker) {
    return refused(ErrorCode::kForbidden, "an action is taken in one's own name");
  }
  if (content->has_organisation() && id_of(content->organisation()) != actor.organisation) {
    return refused(ErrorCode::kForbidden, "an action is taken for one's own organisation");
  }
  auto page = workspace_.open({kinds::kWhistle, id_of(content->whistle())});
  if (!page) return std::unexpected(std::move(page.error()));
  if (!(*page)->record.state.exists || (*page)->record.state.erased) {
    return refused(ErrorCode::kNotFound, "there is no such whistle");
  }
  auto at = read_case(id_of(content->whistle()));
  if (!at) return std::unexpected(std::move(at.error()));
  auto nobody = nobody_called(at->record, *content, actor);
  if (!nobody) return std::unexpected(std::move(nobody.error()));
  if (*nobody) return std::move(**nobody);
  auto action = proposal(*at, id, *content, actor);
  if (!action) return std::unexpected(std::move(action.error()));
  const Decision decision = decide(at->whistle, *action);
  if (decision.verdict == Verdict::kRejected) return refused(decision.code);

  RoadResult result;
  v1::WhistleAction write;
  if (decision.verdict == Verdict::kSuperseded) result.status = OutcomeStatus::kSuperseded;
  write.set_status(static_cast<v1::OutcomeStatus>(result.status));
  write.set_effective_ms(effective_ms);
  if (!decision.superseded_by.is_nil()) write.set_superseded_by(bytes_of(decision.superseded_by));
  if (!content->has_actor() && !actor.worker.is_nil()) write.set_actor(bytes_of(actor.worker));
  if (auto written = workspace_.write_message({kinds::kWhistleAction, id}, write, {}, seq);
      !written) {
    return std::unexpected(written.error());
  }
  if (decision.verdict == Verdict::kSuperseded) return result;
  if (auto written = write_case(*at, decision, *content, id, actor); !written) {
    return std::unexpected(written.error());
  }
  if (action->type != WhistleActionType::kBlow) {
    // A remark may name the picture that a visit waits for.
    if (action->type == WhistleActionType::kComment && content->evidence_size() > 0) {
      if (auto closed = close_if_visited(at->whistle.id); !closed) {
        return std::unexpected(closed.error());
      }
    }
    if (auto followed = follow_facts(at->whistle.id, at->record, workspace_.next_seq());
        !followed) {
      return std::unexpected(followed.error());
    }
    return result;
  }
  // The county that assigns from its queue has said whom it calls.
  if (actor.worker.is_nil() && content->has_lead()) return result;
  if (auto called = call_by_rule(at->whistle.id); !called) return std::unexpected(called.error());
  return result;
}

Result<RoadResult> Road::propose(RecordId id, const v1::WhistleAction& content,
                                 const Actor& actor) {
  const Seq seq = workspace_.next_seq();
  if (auto written = workspace_.write_message({kinds::kWhistleAction, id}, content, {}, seq);
      !written) {
    return refused(written.error().code, written.error().message);
  }
  return proposed(id, actor, workspace_.now_ms(), seq);
}

Result<void> Road::edited(RecordId id, const std::string& before, Seq seq) {
  v1::Whistle was;
  if (!was.ParseFromString(before)) return fail(ErrorCode::kCorrupt, "a whistle cannot be read");
  if (auto followed = follow_facts(id, was, seq); !followed) return followed;
  return close_if_visited(id);
}

// Where a whistle would go is worked out anew when what decides it has changed.
Result<void> Road::follow_facts(RecordId id, const v1::Whistle& before, Seq seq) {
  auto record = read_message<v1::Whistle>(workspace_, kinds::kWhistle, id);
  if (!record) return std::unexpected(std::move(record.error()));
  const std::int64_t now_ms = workspace_.now_ms();
  if (facts_of(*record, reference_, now_ms) == facts_of(before, reference_, now_ms)) return {};
  return lead_anew(id, *record, seq);
}

Result<void> Road::lead_anew(RecordId id, const v1::Whistle& record, Seq seq) {
  const auto state = static_cast<WhistleState>(record.state());
  if (state == WhistleState::kWhistled && record.headless()) return call_by_rule(id);
  if (!is_before_blowing(state)) return {};
  v1::Whistle write;
  const std::vector<std::uint32_t> clear = lay_route(route_of(record), write);
  return workspace_.write_message({kinds::kWhistle, id}, write, clear, seq);
}

Result<bool> Road::rules_changed(RecordId id) {
  auto record = read_message<v1::Whistle>(workspace_, kinds::kWhistle, id);
  if (!record) return std::unexpected(std::move(record.error()));
  if (auto led = lead_anew(id, *record, workspace_.next_seq()); !led) {
    return std::unexpected(led.error());
  }
  record = read_message<v1::Whistle>(workspace_, kinds::kWhistle, id);
  if (!record) return std::unexpected(std::move(record.error()));
  return !record->headless();
}

// The departments that the responsibility list names are called at once; where it names none, the
// county has to.
Result<void> Road::call_by_rule(RecordId whistle) {
  auto at = read_case(whistle);
  if (!at) return std::unexpected(std::move(at.error()));
  const routing::Route route = route_of(at->record);
  v1::Whistle write;
  const std::vector<std::uint32_t> clear = lay_route(route, write);
  const Seq seq = workspace_.next_seq();
  if (auto noted = workspace_.write_message({kinds::kWhistle, whistle}, write, clear, seq);
      !noted) {
    return noted;
  }
  if (route.is_headless()) return {};
  v1::WhistleAction content;
  content.set_whistle(bytes_of(whistle));
  content.set_type(v1::WHISTLE_ACTION_TYPE_ASSIGN);
  content.set_at_ms(workspace_.now_ms());
  content.set_note(route.reason.zh);
  content.set_round(at->whistle.round);
  if (!at->whistle.last_action.is_nil()) content.set_after(bytes_of(at->whistle.last_action));
  content.set_lead(bytes_of(route.lead));
  for (const RecordId co : route.co_departments) content.add_co_departments(bytes_of(co));
  content.set_responsibility_item(route.item);
  auto called = propose(mint_(), content, kServer);
  if (!called) return std::unexpected(std::move(called.error()));
  return {};
}

Result<void> Road::write_case(const Case& before, const Decision& decision,
                              const v1::WhistleAction& content, RecordId action,
                              const Actor& actor) {
  const WhistleCase& next = decision.next;
  for (const RecordId id : decision.touched) {
    if (auto written = write_assignment(before, *find_assignment(next, id), content, decision);
        !written) {
      return written;
    }
  }
  v1::Whistle write;
  std::vector<std::uint32_t> clear;
  namespace f = fields::whistle;
  write.set_state(static_cast<v1::WhistleState>(next.state));
  write.set_level(static_cast<v1::Level>(next.level));
  write.set_round(next.round);
  if (next.whistle_class != before.whistle.whistle_class) {
    write.set_decided_class(static_cast<v1::WhistleClass>(next.whistle_class));
  }
  lay_id(next.owner_org, f::kOwnerOrg, clear, [&](const auto& v) { write.set_owner_org(v); });
  lay_id(next.merged_into, f::kMergedInto, clear, [&](const auto& v) { write.set_merged_into(v); });
  lay_id(next.last_action, f::kLastAction, clear, [&](const auto& v) { write.set_last_action(v); });
  lay(next.supervised, f::kSupervised, clear, [&](bool v) { write.set_supervised(v); });
  lay(next.objections, f::kObjections, clear, [&](auto v) { write.set_objections(v); });
  lay(next.contact_attempts, f::kContactAttempts, clear,
      [&](auto v) { write.set_contact_attempts(v); });
  lay(next.accepted_ms, f::kAcceptedMs, clear, [&](auto v) { write.set_accepted_ms(v); });
  lay(next.closed_ms, f::kClosedMs, clear, [&](auto v) { write.set_closed_ms(v); });
  lay(next.refusal_reason, f::kRefusalReason, clear,
      [&](auto v) { write.set_refusal_reason(static_cast<v1::RefusalReason>(v)); });
  lay(next.closing_reason, f::kClosingReason, clear,
      [&](auto v) { write.set_closing_reason(static_cast<v1::ClosingReason>(v)); });
  lay(next.return_visit_result, f::kReturnVisitResult, clear,
      [&](auto v) { write.set_return_visit_result(static_cast<v1::ReturnVisitResult>(v)); });
  if (was_handled_by(next, actor.worker, {}) && !actor.worker.is_nil()) {
    write.set_last_handler(bytes_of(actor.worker));
  }
  if (next.last_action == action && !decision.touched.empty() && content.has_lead()) {
    write.set_routed(true);
    clear.push_back(f::kHeadless);
    if (content.has_responsibility_item()) {
      write.set_responsibility_item(content.responsibility_item());
    }
  }
  if (auto written =
          workspace_.write_message({kinds::kWhistle, next.id}, write, clear, workspace_.next_seq());
      !written) {
    return written;
  }
  return decision.touched.empty() ? Result<void>{} : place_whistle(next);
}

Result<void> Road::write_assignment(const Case& before, const AssignmentCase& assignment,
                                    const v1::WhistleAction& content, const Decision& decision) {
  namespace f = fields::assignment;
  const AssignmentCase* was = find_assignment(before.whistle, assignment.id);
  v1::Assignment write;
  std::vector<std::uint32_t> clear;
  write.set_whistle(bytes_of(before.whistle.id));
  write.set_organisation(bytes_of(assignment.organisation));
  write.set_part(static_cast<v1::AssignmentPart>(assignment.part));
  write.set_state(static_cast<v1::AssignmentState>(assignment.state));
  write.set_round(assignment.round);
  lay_id(assignment.last_action, f::kLastAction, clear,
         [&](const auto& v) { write.set_last_action(v); });
  lay_id(assignment.handler, f::kHandler, clear, [&](const auto& v) { write.set_handler(v); });
  lay(assignment.extended, f::kExtended, clear, [&](bool v) { write.set_extended(v); });
  lay(assignment.requested, f::kRequested, clear,
      [&](auto v) { write.set_requested(static_cast<v1::WhistleActionType>(v)); });
  lay(assignment.requested_until_ms, f::kRequestedUntilMs, clear,
      [&](auto v) { write.set_requested_until_ms(v); });
  lay(assignment.suspended_until_ms, f::kSuspendedUntilMs, clear,
      [&](auto v) { write.set_suspended_until_ms(v); });
  lay(assignment.handle_due_ms, f::kHandleDueMs, clear,
      [&](auto v) { write.set_handle_due_ms(v); });
  if (was == nullptr) {
    write.set_assigned_ms(workspace_.now_ms());
    if (content.has_responsibility_item()) {
      write.set_responsibility_item(content.responsibility_item());
    }
  } else if (was->state != assignment.state && decision.row != nullptr) {
    if (assignment.state == AssignmentState::kCheckedIn) {
      write.set_checked_in_ms(workspace_.now_ms());
    }
    if (assignment.state == AssignmentState::kReportedBack) {
      write.set_reported_back_ms(workspace_.now_ms());
    }
    if (assignment.state == AssignmentState::kObjected) write.set_objected(true);
  }
  return workspace_.write_message({kinds::kAssignment, assignment.id}, write, clear,
                                  workspace_.next_seq());
}

// The organisations that are called see the whistle and what follows it; who is withdrawn does not.
Result<void> Road::place_whistle(const WhistleCase& whistle) {
  const RecordKey key{kinds::kWhistle, whistle.id};
  auto page = workspace_.open(key);
  if (!page) return std::unexpected(std::move(page.error()));
  auto leaves = workspace_.leaves_by_content(*(*page)->kind, (*page)->record.state.body);
  if (!leaves) return std::unexpected(std::move(leaves.error()));
  for (const AssignmentCase& assignment : whistle.assignments) {
    if (assignment.state == AssignmentState::kWithdrawn) continue;
    const std::string scope = org_scope(assignment.organisation);
    if (std::ranges::find(*leaves, scope) == leaves->end()) leaves->push_back(scope);
  }
  auto now = workspace_.leaves_of(key);
  if (!now) return std::unexpected(std::move(now.error()));
  std::ranges::copy_if(*now, std::back_inserter(*leaves), is_worker_scope);
  std::ranges::sort(*leaves);
  std::ranges::sort(*now);
  if (*leaves == *now) return {};
  return workspace_.place(key, *leaves, workspace_.next_seq());
}

}  // namespace gridwhistle
