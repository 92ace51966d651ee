#include "model/workflow_guards.h"

#include <algorithm>

namespace gridwhistle {
namespace {

constexpr std::int64_t kReopenWindowMs = 30LL * 24 * 60 * 60 * 1000;
constexpr std::uint32_t kContactsTried = 3;
constexpr std::uint32_t kObjectionsBeforeMeeting = 2;

bool by_server(const GuardView& view) { return view.action.roles.has(kServerRole); }

// A county is the top of its own log: nobody in it stands above its own staff.
bool decides_above(const GuardView& view) {
  return by_server(view) || view.action.actor_level > view.whistle.level ||
         view.action.actor_level >= Level::kCounty;
}

bool names_one_lead(const GuardView& view) {
  const auto& targets = view.action.targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].organisation.is_nil() || targets[i].assignment.is_nil()) return false;
    if (find_assignment(view.whistle, targets[i].assignment)) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (targets[i].organisation == targets[j].organisation) return false;
      if (targets[i].assignment == targets[j].assignment) return false;
    }
  }
  return std::ranges::count(targets, AssignmentPart::kLead, &AssignmentTarget::part) == 1;
}

bool raises_level(const GuardView& view) {
  const Level wanted = view.action.level;
  const Level reach = by_server(view) ? Level::kCity : view.action.actor_level;
  return wanted > view.whistle.level && wanted <= reach;
}

bool lowers_level(const GuardView& view) {
  return view.action.level != Level::kUnspecified && view.action.level < view.whistle.level &&
         !view.action.receiver.is_nil();
}

bool co_departments_done(const GuardView& view) {
  if (view.assignment->part != AssignmentPart::kLead) return true;
  return std::ranges::all_of(view.whistle.assignments, [&](const AssignmentCase& other) {
    return other.round != view.whistle.round || other.id == view.assignment->id ||
           other.state == AssignmentState::kReportedBack ||
           other.state == AssignmentState::kObjected || other.state == AssignmentState::kWithdrawn;
  });
}

bool date_reached(const GuardView& view) {
  const std::int64_t date = view.assignment->state == AssignmentState::kSuspended
                                ? view.assignment->suspended_until_ms
                                : view.assignment->handle_due_ms;
  return date > 0 && view.action.at_ms >= date;
}

bool was_reached(ReturnVisitResult result) {
  return result == ReturnVisitResult::kSatisfied || result == ReturnVisitResult::kDissatisfied ||
         result == ReturnVisitResult::kUnresolved;
}

// All that a visit has to find out is known; what is lacking is the picture.
bool was_visited(const WhistleCase& whistle) {
  return was_reached(whistle.return_visit_result) ||
         (whistle.return_visit_result == ReturnVisitResult::kNotReached &&
          whistle.contact_attempts >= kContactsTried);
}

bool may_object(const GuardView& view) {
  return view.assignment->part != AssignmentPart::kLead ||
         view.whistle.objections < kObjectionsBeforeMeeting;
}

}  // namespace

bool passes(Guard guard, const GuardView& view) {
  const WhistleCase& whistle = view.whistle;
  const ProposedAction& action = view.action;
  switch (guard) {
    case Guard::kOwnReport:
      return !action.actor.is_nil() && action.actor == whistle.reporter;
    case Guard::kBeforeAcceptance:
      return whistle.accepted_ms == 0;
    case Guard::kFromOutside:
      return whistle.source != Source::kWorker;
    case Guard::kFromWorker:
      return whistle.source == Source::kWorker;
    case Guard::kRoutine:
      return whistle.whistle_class == WhistleClass::kRoutine;
    case Guard::kReasonGiven:
      return action.type == WhistleActionType::kObject
                 ? action.says_why
                 : action.refusal_reason != RefusalReason::kUnspecified;
    case Guard::kOtherWhistleOpen:
      return !action.other_whistle.is_nil() && action.other_whistle != whistle.id &&
             action.other_whistle_open;
    case Guard::kEvidence:
      return action.evidence_before > 0 && action.evidence_after > 0;
    case Guard::kNoMeetingDue:
      return whistle.objections < kObjectionsBeforeMeeting;
    case Guard::kSecondObjection:
      return whistle.objections >= kObjectionsBeforeMeeting;
    case Guard::kAtLevel:
      return by_server(view) || action.actor_level >= whistle.level;
    case Guard::kTownOrAbove:
      return action.actor_level >= Level::kTown;
    case Guard::kLevelAbove:
      return decides_above(view);
    case Guard::kOneLead:
      return names_one_lead(view);
    case Guard::kLevelRaised:
      return raises_level(view);
    case Guard::kLevelLowered:
      return lowers_level(view);
    case Guard::kOnReceiversList:
      return action.on_receivers_list;
    case Guard::kOwnOrganisation:
      return action.organisation == view.assignment->organisation;
    case Guard::kNotDecidedByMeeting:
      return may_object(view);
    case Guard::kCoDepartmentsDone:
      return co_departments_done(view);
    case Guard::kNotExtended:
      return !view.assignment->extended;
    case Guard::kExtensionAsked:
      return view.assignment->requested == WhistleActionType::kRequestExtension;
    case Guard::kSuspensionAsked:
      return view.assignment->requested == WhistleActionType::kRequestSuspension;
    case Guard::kDateGiven:
      return action.until_ms > action.at_ms;
    case Guard::kDateReached:
      return date_reached(view);
    case Guard::kNotHandler:
      return !was_handled_by(whistle, action.actor, action.organisation);
    case Guard::kReached:
      return was_reached(action.return_visit_result);
    case Guard::kNotReached:
      return action.return_visit_result == ReturnVisitResult::kNotReached &&
             whistle.contact_attempts + 1 < kContactsTried;
    case Guard::kThirdFailure:
      return action.return_visit_result == ReturnVisitResult::kNotReached &&
             whistle.contact_attempts + 1 >= kContactsTried;
    case Guard::kWithin30Days:
      return whistle.state != WhistleState::kClosed ||
             action.at_ms - whistle.closed_ms <= kReopenWindowMs;
    case Guard::kSupervised:
      return whistle.supervised;
    case Guard::kNotSupervised:
      return !whistle.supervised;
    case Guard::kClosingEvidence:
      return action.closing_evidence == ClosingEvidence::kNotNeeded ||
             action.closing_evidence == ClosingEvidence::kArrived;
    case Guard::kEvidenceOnItsWay:
      return action.closing_evidence == ClosingEvidence::kOnItsWay;
    case Guard::kVisited:
      return action.return_visit_result == ReturnVisitResult::kUnspecified && was_visited(whistle);
  }
  return false;
}

WorkflowCode code_of(Guard guard) {
  switch (guard) {
    case Guard::kOwnReport:
      return WorkflowCode::kNotYourReport;
    case Guard::kBeforeAcceptance:
      return WorkflowCode::kAlreadyAccepted;
    case Guard::kFromOutside:
    case Guard::kFromWorker:
      return WorkflowCode::kWrongSource;
    case Guard::kRoutine:
      return WorkflowCode::kNotRoutine;
    case Guard::kReasonGiven:
      return WorkflowCode::kReasonMissing;
    case Guard::kOtherWhistleOpen:
      return WorkflowCode::kMergeTarget;
    case Guard::kEvidence:
      return WorkflowCode::kEvidenceMissing;
    case Guard::kNoMeetingDue:
      return WorkflowCode::kMeetingDue;
    case Guard::kSecondObjection:
      return WorkflowCode::kNoMeetingDue;
    case Guard::kAtLevel:
    case Guard::kTownOrAbove:
    case Guard::kLevelAbove:
      return WorkflowCode::kLevelTooLow;
    case Guard::kOneLead:
      return WorkflowCode::kLeadMissing;
    case Guard::kLevelRaised:
      return WorkflowCode::kLevelNotRaised;
    case Guard::kLevelLowered:
      return WorkflowCode::kLevelNotLowered;
    case Guard::kOnReceiversList:
      return WorkflowCode::kOutsideList;
    case Guard::kOwnOrganisation:
      return WorkflowCode::kNotYourAssignment;
    case Guard::kNotDecidedByMeeting:
      return WorkflowCode::kObjectedTwice;
    case Guard::kCoDepartmentsDone:
      return WorkflowCode::kCoDepartmentsOpen;
    case Guard::kNotExtended:
      return WorkflowCode::kExtendedAlready;
    case Guard::kExtensionAsked:
    case Guard::kSuspensionAsked:
      return WorkflowCode::kNothingAsked;
    case Guard::kDateGiven:
      return WorkflowCode::kDateMissing;
    case Guard::kDateReached:
      return WorkflowCode::kDateNotReached;
    case Guard::kNotHandler:
      return WorkflowCode::kHandlerMayNot;
    case Guard::kReached:
    case Guard::kNotReached:
    case Guard::kThirdFailure:
    case Guard::kVisited:
      return WorkflowCode::kResultMissing;
    case Guard::kWithin30Days:
      return WorkflowCode::kTooLate;
    case Guard::kSupervised:
      return WorkflowCode::kNotSupervised;
    case Guard::kNotSupervised:
      return WorkflowCode::kAlreadySupervised;
    case Guard::kClosingEvidence:
    case Guard::kEvidenceOnItsWay:
      return WorkflowCode::kClosingEvidenceMissing;
  }
  return WorkflowCode::kUnknownAction;
}

bool is_known_beforehand(Guard guard) {
  constexpr Set<Guard> kSaidByTheAction = {
      Guard::kReasonGiven,     Guard::kOtherWhistleOpen, Guard::kEvidence,
      Guard::kOneLead,         Guard::kLevelRaised,      Guard::kLevelLowered,
      Guard::kOnReceiversList, Guard::kDateGiven,        Guard::kDateReached,
      Guard::kReached,         Guard::kNotReached,       Guard::kThirdFailure,
      Guard::kWithin30Days,    Guard::kClosingEvidence,  Guard::kEvidenceOnItsWay,
  };
  return !kSaidByTheAction.has(guard);
}

}  // namespace gridwhistle
