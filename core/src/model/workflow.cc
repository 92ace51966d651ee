#include "model/workflow.h"

#include <algorithm>
#include <cstddef>

#include "model/workflow_guards.h"

namespace gridwhistle {
namespace {

using Action = WhistleActionType;

bool is_with_departments(WhistleState state) {
  constexpr Set<WhistleState> kStates = {WhistleState::kAssigned, WhistleState::kCheckedIn,
                                         WhistleState::kHandling, WhistleState::kReportedBack,
                                         WhistleState::kExtended, WhistleState::kSuspended};
  return kStates.has(state);
}

bool is_open(AssignmentState state) {
  constexpr Set<AssignmentState> kStates = {AssignmentState::kAssigned, AssignmentState::kCheckedIn,
                                            AssignmentState::kHandling, AssignmentState::kExtended,
                                            AssignmentState::kSuspended};
  return kStates.has(state);
}

bool has_worked(AssignmentState state) {
  return state != AssignmentState::kAssigned && state != AssignmentState::kObjected &&
         state != AssignmentState::kWithdrawn;
}

bool is_handling(Action type) {
  return type == Action::kHandleOnSpot || type == Action::kCheckIn || type == Action::kStart ||
         type == Action::kReportBack || type == Action::kResume;
}

WhistleState of_lead(AssignmentState state) {
  switch (state) {
    case AssignmentState::kAssigned:
      return WhistleState::kAssigned;
    case AssignmentState::kCheckedIn:
      return WhistleState::kCheckedIn;
    case AssignmentState::kHandling:
      return WhistleState::kHandling;
    case AssignmentState::kExtended:
      return WhistleState::kExtended;
    case AssignmentState::kSuspended:
      return WhistleState::kSuspended;
    case AssignmentState::kReportedBack:
      return WhistleState::kReportedBack;
    default:
      return WhistleState::kAccepted;
  }
}

bool is_acting_lead(const AssignmentCase& assignment, std::uint32_t round) {
  return assignment.round == round && assignment.part == AssignmentPart::kLead &&
         assignment.state != AssignmentState::kObjected &&
         assignment.state != AssignmentState::kWithdrawn;
}

AssignmentCase* acting_lead(WhistleCase& whistle) {
  for (AssignmentCase& assignment : whistle.assignments) {
    if (is_acting_lead(assignment, whistle.round)) return &assignment;
  }
  return nullptr;
}

AssignmentCase* find_mutable(WhistleCase& whistle, RecordId id) {
  for (AssignmentCase& assignment : whistle.assignments) {
    if (assignment.id == id) return &assignment;
  }
  return nullptr;
}

// ---- What came first ---------------------------------------------------------------------------

constexpr std::ptrdiff_t kNothingSeen = -1;

std::ptrdiff_t place_of(const WhistleCase& whistle, RecordId action) {
  const auto found = std::ranges::find(whistle.past, action, &PastAction::id);
  return found == whistle.past.end() ? kNothingSeen : found - whistle.past.begin();
}

// How far down the log the author had read. Another's action is read in the log's order, so all
// before it was seen too. An own one may have been written before anything of that was seen: it
// counts where it moved the subject itself, else what it was written after does.
std::ptrdiff_t seen_up_to(const WhistleCase& whistle, const ProposedAction& action,
                          RecordId last_move) {
  RecordId after = action.after;
  std::ptrdiff_t limit = static_cast<std::ptrdiff_t>(whistle.past.size());
  while (true) {
    const std::ptrdiff_t place = place_of(whistle, after);
    if (place == kNothingSeen || place >= limit) return kNothingSeen;
    const PastAction& seen = whistle.past[static_cast<std::size_t>(place)];
    if (seen.actor != action.actor || seen.id == last_move) return place;
    after = seen.after;
    limit = place;
  }
}

bool has_moved_on(const WhistleCase& whistle, const ProposedAction& action, RecordId last_move) {
  if (last_move.is_nil() || action.after == last_move) return false;
  return seen_up_to(whistle, action, last_move) < place_of(whistle, last_move);
}

// The action by which this one is late; nothing when it is not.
std::optional<RecordId> beaten_by(const WhistleCase& whistle, const ProposedAction& action,
                                  const AssignmentCase* assignment) {
  if (is_never_late(action.type)) return std::nullopt;
  if (assignment) {
    if (assignment->round < whistle.round || assignment->state == AssignmentState::kWithdrawn) {
      return assignment->last_action.is_nil() ? whistle.last_action : assignment->last_action;
    }
    if (action.round < whistle.round) return whistle.last_action;
    if (has_moved_on(whistle, action, assignment->last_action)) return assignment->last_action;
    return std::nullopt;
  }
  if (action.round < whistle.round) return whistle.last_action;
  if (has_moved_on(whistle, action, whistle.last_action)) return whistle.last_action;
  return std::nullopt;
}

// ---- Finding the row ---------------------------------------------------------------------------

struct Walk {
  const Transition* row = nullptr;
  WorkflowCode code = WorkflowCode::kWrongState;
};

std::uint8_t state_of_subject(const GuardView& view) {
  return view.assignment ? static_cast<std::uint8_t>(view.assignment->state)
                         : static_cast<std::uint8_t>(view.whistle.state);
}

struct Stop {
  std::optional<Guard> at;
  int passed = 0;
};

Stop try_guards(const Transition& row, const GuardView& view) {
  Stop stop;
  for (int i = 0; i < kGuardCount; ++i) {
    const auto guard = static_cast<Guard>(i);
    if (!row.guards.has(guard)) continue;
    if (!passes(guard, view)) {
      stop.at = guard;
      return stop;
    }
    ++stop.passed;
  }
  return stop;
}

// Where several rows could be meant, the first of those that came furthest gives the reason.
Walk find_row(const GuardView& view) {
  Walk best;
  int furthest = -1;
  for (const Transition& row : road()) {
    if (row.action != view.action.type || !row.leaves(state_of_subject(view))) continue;
    if (!row.who.meets(view.action.roles)) {
      if (furthest < 0) best.code = WorkflowCode::kRoleNotAllowed;
      continue;
    }
    const Stop stop = try_guards(row, view);
    if (!stop.at) return {&row, WorkflowCode::kNone};
    if (stop.passed > furthest) {
      furthest = stop.passed;
      best.code = code_of(*stop.at);
    }
  }
  return best;
}

bool is_ever_allowed(const ProposedAction& action) {
  return std::ranges::any_of(road(), [&](const Transition& row) {
    return row.action == action.type && row.who.meets(action.roles);
  });
}

// ---- Walking it --------------------------------------------------------------------------------

void take_over(WhistleCase& whistle, RecordId organisation) {
  if (!organisation.is_nil()) whistle.owner_org = organisation;
}

void withdraw(AssignmentCase& assignment, RecordId by) {
  assignment.state = AssignmentState::kWithdrawn;
  assignment.requested = Action::kUnspecified;
  assignment.last_action = by;
}

void withdraw_open(WhistleCase& whistle, RecordId by) {
  for (AssignmentCase& assignment : whistle.assignments) {
    if (is_open(assignment.state)) withdraw(assignment, by);
  }
}

const AssignmentTarget* target_for(const ProposedAction& action, const AssignmentCase& called) {
  for (const AssignmentTarget& target : action.targets) {
    if (target.organisation == called.organisation) return &target;
  }
  return nullptr;
}

// A co-department that is called again keeps what it has done; whoever is no longer called is
// withdrawn; a lead always begins anew.
void call_departments(WhistleCase& whistle, const ProposedAction& action) {
  std::vector<RecordId> kept;
  for (AssignmentCase& called : whistle.assignments) {
    if (called.round != whistle.round) continue;
    const bool done = called.state == AssignmentState::kReportedBack;
    if (!is_open(called.state) && !done) continue;
    const AssignmentTarget* target = target_for(action, called);
    if (target && target->part == AssignmentPart::kCo && called.part == AssignmentPart::kCo) {
      kept.push_back(called.organisation);
    } else if (!done) {
      withdraw(called, action.id);
    }
  }
  for (const AssignmentTarget& target : action.targets) {
    if (std::ranges::find(kept, target.organisation) != kept.end()) continue;
    AssignmentCase called;
    called.id = target.assignment;
    called.organisation = target.organisation;
    called.part = target.part;
    called.round = whistle.round;
    whistle.assignments.push_back(called);
  }
}

// While a lead is at work the centre may change the level, not take the matter away.
bool is_with_its_lead(WhistleCase& whistle) {
  const AssignmentCase* lead = acting_lead(whistle);
  return is_with_departments(whistle.state) && lead && has_worked(lead->state);
}

void change_level(WhistleCase& whistle, const ProposedAction& action, RecordId new_owner) {
  whistle.level = action.level;
  if (!is_with_its_lead(whistle)) take_over(whistle, new_owner);
}

void return_visit(WhistleCase& whistle, const ProposedAction& action, bool closes) {
  // The server, which closes when the picture has come, has no answer of its own.
  if (action.return_visit_result != ReturnVisitResult::kUnspecified) {
    whistle.return_visit_result = action.return_visit_result;
    if (action.return_visit_result == ReturnVisitResult::kNotReached) ++whistle.contact_attempts;
  }
  if (!closes) return;
  whistle.closed_ms = action.at_ms;
  whistle.closing_reason = whistle.return_visit_result == ReturnVisitResult::kNotReached
                               ? ClosingReason::kNotReached
                               : ClosingReason::kReturnVisit;
}

void reopen(WhistleCase& whistle) {
  ++whistle.round;
  whistle.objections = 0;
  whistle.contact_attempts = 0;
  whistle.closed_ms = 0;
  whistle.closing_reason = ClosingReason::kUnspecified;
  whistle.return_visit_result = ReturnVisitResult::kUnspecified;
}

void accept(WhistleCase& whistle, const ProposedAction& action) {
  whistle.accepted_ms = action.at_ms;
  if (action.whistle_class != WhistleClass::kUnspecified) {
    whistle.whistle_class = action.whistle_class;
  }
  take_over(whistle, action.organisation);
}

// What came back goes to the lead again, or, when it was settled on the spot, to the centre.
void send_back(WhistleCase& whistle, const ProposedAction& action) {
  if (whistle.state == WhistleState::kHandledOnSpot) {
    whistle.return_visit_result = ReturnVisitResult::kUnspecified;
    if (whistle.accepted_ms == 0) accept(whistle, action);
    take_over(whistle, action.organisation);
    return;
  }
  if (AssignmentCase* lead = acting_lead(whistle)) {
    lead->state = AssignmentState::kHandling;
    lead->last_action = action.id;
    take_over(whistle, lead->organisation);
  }
}

void change_whistle(WhistleCase& whistle, const ProposedAction& action, const Transition& row) {
  switch (action.type) {
    case Action::kAccept:
      accept(whistle, action);
      break;
    case Action::kRefuse:
      whistle.refusal_reason = action.refusal_reason;
      break;
    case Action::kMerge:
      whistle.merged_into = action.other_whistle;
      break;
    case Action::kUnmerge:
      whistle.merged_into = {};
      break;
    case Action::kReview:
      whistle.refusal_reason = RefusalReason::kUnspecified;
      break;
    case Action::kHandleOnSpot:
    case Action::kVoid:
      withdraw_open(whistle, action.id);
      break;
    case Action::kBlow:
    case Action::kCheck:
      take_over(whistle, action.organisation);
      break;
    case Action::kAssign:
      call_departments(whistle, action);
      break;
    case Action::kJointMeeting:
      take_over(whistle, action.organisation);
      if (row.guards.has(Guard::kOneLead)) {
        call_departments(whistle, action);
      } else {
        whistle.level = action.level;
      }
      break;
    case Action::kReject:
      send_back(whistle, action);
      break;
    case Action::kReturnVisit:
      return_visit(whistle, action, row.to != 0);
      break;
    case Action::kReopen:
      reopen(whistle);
      break;
    case Action::kPullUp:
      change_level(whistle, action, action.organisation);
      break;
    case Action::kPushDown:
      change_level(whistle, action, action.receiver);
      break;
    case Action::kSupervise:
      whistle.supervised = true;
      break;
    case Action::kLiftSupervision:
      whistle.supervised = false;
      break;
    default:
      break;
  }
  if (row.to == 0) return;
  whistle.state = static_cast<WhistleState>(row.to);
  whistle.last_action = action.id;
}

void change_assignment(WhistleCase& whistle, AssignmentCase& assignment,
                       const ProposedAction& action, const Transition& row) {
  const bool leads = assignment.part == AssignmentPart::kLead;
  switch (action.type) {
    case Action::kRequestExtension:
    case Action::kRequestSuspension:
      assignment.requested = action.type;
      assignment.requested_until_ms = action.until_ms;
      return;
    case Action::kGrantExtension:
      assignment.extended = true;
      if (assignment.requested_until_ms > 0) {
        assignment.handle_due_ms = assignment.requested_until_ms;
      }
      break;
    case Action::kGrantSuspension:
      assignment.suspended_until_ms = assignment.requested_until_ms;
      break;
    case Action::kResume:
      assignment.suspended_until_ms = 0;
      break;
    case Action::kObject:
      if (leads) {
        ++whistle.objections;
        whistle.last_action = action.id;
      }
      break;
    case Action::kCheckIn:
      if (leads) take_over(whistle, assignment.organisation);
      break;
    default:
      break;
  }
  if (is_handling(action.type) && !action.actor.is_nil()) assignment.handler = action.actor;
  assignment.requested = Action::kUnspecified;
  assignment.requested_until_ms = 0;
  assignment.state = static_cast<AssignmentState>(row.to);
  assignment.last_action = action.id;
}

std::vector<RecordId> differing(const WhistleCase& before, const WhistleCase& after) {
  std::vector<RecordId> ids;
  for (std::size_t i = 0; i < after.assignments.size(); ++i) {
    if (i >= before.assignments.size() || before.assignments[i] != after.assignments[i]) {
      ids.push_back(after.assignments[i].id);
    }
  }
  return ids;
}

void walk(Decision& decision, const ProposedAction& action, const Transition& row) {
  WhistleCase& whistle = decision.next;
  if (AssignmentCase* assignment = find_mutable(whistle, action.assignment);
      assignment && row.subject == Subject::kAssignment) {
    change_assignment(whistle, *assignment, action, row);
  } else {
    change_whistle(whistle, action, row);
  }
  whistle.state = state_of(whistle.state, whistle.assignments, whistle.round);
}

const PastAction* decided_before(const WhistleCase& whistle, RecordId id) {
  const auto found = std::ranges::find(whistle.past, id, &PastAction::id);
  return found == whistle.past.end() ? nullptr : &*found;
}

bool is_known(Action type) {
  return type > Action::kUnspecified && static_cast<int>(type) <= kWhistleActionTypeCount;
}

// Fills in everything but `next`.
void judge(Decision& decision, const WhistleCase& whistle, const ProposedAction& action) {
  const auto reject = [&](WorkflowCode code) { decision.code = code; };
  if (!is_known(action.type)) return reject(WorkflowCode::kUnknownAction);
  const AssignmentCase* assignment = nullptr;
  if (needs_assignment(action.type)) {
    assignment = find_assignment(whistle, action.assignment);
    if (!assignment) return reject(WorkflowCode::kNoSuchAssignment);
  }
  if (!is_ever_allowed(action)) return reject(WorkflowCode::kRoleNotAllowed);
  if (action.round > whistle.round) return reject(WorkflowCode::kRoundAhead);
  if (const auto winner = beaten_by(whistle, action, assignment)) {
    decision.verdict = Verdict::kSuperseded;
    decision.superseded_by = *winner;
    return;
  }
  const Walk found = find_row({whistle, action, assignment});
  decision.row = found.row;
  decision.code = found.code;
  if (found.row) decision.verdict = Verdict::kAccepted;
}

}  // namespace

WhistleCase open_whistle(const Report& report) {
  WhistleCase whistle;
  whistle.id = report.id;
  whistle.whistle_class = report.whistle_class;
  whistle.emergency = report.emergency;
  whistle.level = report.level;
  whistle.owner_org = report.first_receiver;
  whistle.source = report.source;
  whistle.reporter = report.reporter;
  whistle.handled_on_spot = report.handled_on_spot;
  ProposedAction first;
  first.type = report.source == Source::kWorker ? Action::kHandleOnSpot : Action::kVerify;
  first.roles = report.source == Source::kWorker ? report.reporter_roles : RoleSet{kServerRole};
  first.actor = report.reporter;
  if (report.source == Source::kWorker && !report.handled_on_spot) return whistle;
  const Walk found = find_row({whistle, first});
  if (found.row) whistle.state = static_cast<WhistleState>(found.row->to);
  return whistle;
}

Decision decide(const WhistleCase& whistle, const ProposedAction& action) {
  Decision decision;
  decision.next = whistle;
  if (const PastAction* before = decided_before(whistle, action.id)) {
    decision.verdict = before->verdict;
    decision.code = before->code;
    decision.replay = true;
    return decision;
  }
  judge(decision, whistle, action);
  if (decision.verdict == Verdict::kAccepted) {
    walk(decision, action, *decision.row);
    decision.touched = differing(whistle, decision.next);
  }
  decision.next.past.push_back(
      {action.id, action.actor, action.after, action.type, decision.verdict, decision.code});
  return decision;
}

WhistleState state_of(WhistleState step, std::span<const AssignmentCase> assignments,
                      std::uint32_t round) {
  if (!is_with_departments(step)) return step;
  for (const AssignmentCase& assignment : assignments) {
    if (is_acting_lead(assignment, round)) return of_lead(assignment.state);
  }
  return WhistleState::kAccepted;
}

RecordId after_for(const WhistleCase& whistle, WhistleActionType type, RecordId assignment) {
  const AssignmentCase* subject =
      needs_assignment(type) ? find_assignment(whistle, assignment) : nullptr;
  return subject && !subject->last_action.is_nil() ? subject->last_action : whistle.last_action;
}

bool was_handled_by(const WhistleCase& whistle, RecordId worker, RecordId organisation) {
  if (whistle.handled_on_spot && !worker.is_nil() && worker == whistle.reporter) return true;
  const bool in_person = std::ranges::any_of(whistle.past, [&](const PastAction& past) {
    return past.verdict == Verdict::kAccepted && is_handling(past.type) && !worker.is_nil() &&
           past.actor == worker;
  });
  const bool as_organisation =
      std::ranges::any_of(whistle.assignments, [&](const AssignmentCase& assignment) {
        return assignment.organisation == organisation && has_worked(assignment.state);
      });
  return in_person || as_organisation;
}

const AssignmentCase* find_assignment(const WhistleCase& whistle, RecordId id) {
  const auto found = std::ranges::find(whistle.assignments, id, &AssignmentCase::id);
  return found == whistle.assignments.end() ? nullptr : &*found;
}

std::vector<AllowedAction> actions_allowed(const WhistleCase& whistle, const Viewer& viewer) {
  ProposedAction wish;
  wish.actor = viewer.worker;
  wish.organisation = viewer.organisation;
  wish.roles = viewer.roles;
  wish.actor_level = viewer.level;
  std::vector<AllowedAction> allowed;
  const auto consider = [&](const Transition& row, const AssignmentCase* assignment) {
    const GuardView view{whistle, wish, assignment};
    if (!row.leaves(state_of_subject(view)) || !row.who.meets(viewer.roles)) return;
    for (int i = 0; i < kGuardCount; ++i) {
      const auto guard = static_cast<Guard>(i);
      if (row.guards.has(guard) && is_known_beforehand(guard) && !passes(guard, view)) return;
    }
    const AllowedAction found{row.action, assignment ? assignment->id : RecordId{}};
    if (std::ranges::find(allowed, found) == allowed.end()) allowed.push_back(found);
  };
  for (const Transition& row : road()) {
    if (row.subject == Subject::kWhistle) {
      consider(row, nullptr);
      continue;
    }
    for (const AssignmentCase& assignment : whistle.assignments) {
      if (assignment.round == whistle.round) consider(row, &assignment);
    }
  }
  return allowed;
}

}  // namespace gridwhistle
