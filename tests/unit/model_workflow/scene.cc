#include "scene.h"

#include <stdexcept>
#include <string>

namespace gridwhistle {
namespace {

AssignmentCase called(RecordId id, RecordId organisation, AssignmentPart part,
                      AssignmentState state) {
  AssignmentCase assignment;
  assignment.id = id;
  assignment.organisation = organisation;
  assignment.part = part;
  assignment.state = state;
  return assignment;
}

AssignmentState lead_state_for(WhistleState state) {
  switch (state) {
    case WhistleState::kAssigned:
      return AssignmentState::kAssigned;
    case WhistleState::kCheckedIn:
      return AssignmentState::kCheckedIn;
    case WhistleState::kHandling:
      return AssignmentState::kHandling;
    case WhistleState::kExtended:
      return AssignmentState::kExtended;
    case WhistleState::kSuspended:
      return AssignmentState::kSuspended;
    default:
      return AssignmentState::kReportedBack;
  }
}

AssignmentCase& lead_of(WhistleCase& whistle) { return whistle.assignments.at(0); }

}  // namespace

RecordId a_id(std::uint64_t number) { return RecordId::make(DeviceId(0x71), number); }

WhistleCase whistle_in(WhistleState state) {
  Report report;
  report.id = kWhistle;
  report.reporter = kReporter;
  report.reporter_roles = {Role::kGridWorker};
  report.first_receiver = kVillageCentre;
  WhistleCase whistle = open_whistle(report);
  whistle.state = state;
  if (state >= WhistleState::kAssigned && state <= WhistleState::kClosed) {
    whistle.assignments.push_back(
        called(kLeadPart, kWaterworks, AssignmentPart::kLead, lead_state_for(state)));
    whistle.assignments.push_back(
        called(kCoPart, kPolice, AssignmentPart::kCo, AssignmentState::kReportedBack));
  }
  if (state == WhistleState::kClosed) whistle.closed_ms = kNow - kDay;
  return whistle;
}

WhistleCase whistle_with_lead_in(AssignmentState state) {
  WhistleCase whistle = whistle_in(WhistleState::kHandling);
  lead_of(whistle).state = state;
  whistle.state = state_of(whistle.state, whistle.assignments, whistle.round);
  return whistle;
}

ProposedAction action_on(const WhistleCase& whistle, WhistleActionType type, RoleSet roles) {
  ProposedAction action;
  action.id = a_id(1000 + whistle.past.size());
  action.type = type;
  action.actor = kClerk;
  action.organisation = kTownCentre;
  action.roles = roles;
  action.actor_level = Level::kTown;
  action.round = whistle.round;
  action.at_ms = kNow;
  if (needs_assignment(type)) action.assignment = kLeadPart;
  action.after = after_for(whistle, action.type, action.assignment);
  return action;
}

void satisfy(Guard guard, Scene& scene) {
  WhistleCase& whistle = scene.whistle;
  ProposedAction& action = scene.action;
  switch (guard) {
    case Guard::kOwnReport:
      action.actor = whistle.reporter;
      break;
    case Guard::kBeforeAcceptance:
      whistle.accepted_ms = 0;
      break;
    case Guard::kFromOutside:
      whistle.source = Source::kHotline;
      break;
    case Guard::kFromWorker:
      whistle.source = Source::kWorker;
      break;
    case Guard::kRoutine:
      whistle.whistle_class = WhistleClass::kRoutine;
      break;
    case Guard::kReasonGiven:
      action.refusal_reason = RefusalReason::kOutsideArea;
      action.says_why = true;
      break;
    case Guard::kOtherWhistleOpen:
      action.other_whistle = a_id(99);
      action.other_whistle_open = true;
      break;
    case Guard::kEvidence:
      action.evidence_before = action.evidence_after = 1;
      break;
    case Guard::kNoMeetingDue:
    case Guard::kNotDecidedByMeeting:
      whistle.objections = 1;
      break;
    case Guard::kSecondObjection:
      whistle.objections = 2;
      break;
    case Guard::kAtLevel:
    case Guard::kTownOrAbove:
    case Guard::kLevelAbove:
      break;
    case Guard::kOneLead:
      action.targets = {{a_id(50), kForestry, AssignmentPart::kLead},
                        {a_id(51), kPolice, AssignmentPart::kCo}};
      break;
    case Guard::kLevelRaised:
      action.level = Level::kTown;
      break;
    case Guard::kLevelLowered:
      whistle.level = Level::kTown;
      action.level = Level::kVillage;
      action.receiver = kVillageCentre;
      break;
    case Guard::kOnReceiversList:
      action.on_receivers_list = true;
      break;
    case Guard::kOwnOrganisation:
      action.organisation = kWaterworks;
      break;
    case Guard::kCoDepartmentsDone:
      whistle.assignments.at(1).state = AssignmentState::kReportedBack;
      break;
    case Guard::kNotExtended:
      lead_of(whistle).extended = false;
      break;
    case Guard::kExtensionAsked:
      lead_of(whistle).requested = WhistleActionType::kRequestExtension;
      break;
    case Guard::kSuspensionAsked:
      lead_of(whistle).requested = WhistleActionType::kRequestSuspension;
      lead_of(whistle).requested_until_ms = kNow + 10 * kDay;
      break;
    case Guard::kDateGiven:
      action.until_ms = kNow + 10 * kDay;
      break;
    case Guard::kDateReached:
      lead_of(whistle).suspended_until_ms = lead_of(whistle).handle_due_ms = kNow;
      break;
    case Guard::kNotHandler:
      action.actor = kClerk;
      break;
    case Guard::kReached:
      action.return_visit_result = ReturnVisitResult::kDissatisfied;
      break;
    case Guard::kNotReached:
      action.return_visit_result = ReturnVisitResult::kNotReached;
      whistle.contact_attempts = 1;
      break;
    case Guard::kThirdFailure:
      action.return_visit_result = ReturnVisitResult::kNotReached;
      whistle.contact_attempts = 2;
      break;
    case Guard::kWithin30Days:
      if (whistle.closed_ms != 0) whistle.closed_ms = kNow - 30 * kDay;
      break;
    case Guard::kSupervised:
      whistle.supervised = true;
      break;
    case Guard::kNotSupervised:
      whistle.supervised = false;
      break;
    case Guard::kClosingEvidence:
      action.closing_evidence = ClosingEvidence::kArrived;
      break;
    case Guard::kEvidenceOnItsWay:
      action.closing_evidence = ClosingEvidence::kOnItsWay;
      break;
    case Guard::kVisited:
      whistle.return_visit_result = ReturnVisitResult::kSatisfied;
      break;
  }
}

void violate(Guard guard, Scene& scene) {
  WhistleCase& whistle = scene.whistle;
  ProposedAction& action = scene.action;
  switch (guard) {
    case Guard::kOwnReport:
      action.actor = kOfficer;
      break;
    case Guard::kBeforeAcceptance:
      whistle.accepted_ms = kNow - kDay;
      break;
    case Guard::kFromOutside:
      whistle.source = Source::kWorker;
      break;
    case Guard::kFromWorker:
      whistle.source = Source::kPlatform;
      break;
    case Guard::kRoutine:
      whistle.whistle_class = WhistleClass::kKey;
      break;
    case Guard::kReasonGiven:
      action.refusal_reason = RefusalReason::kUnspecified;
      action.says_why = false;
      break;
    case Guard::kOtherWhistleOpen:
      action.other_whistle = whistle.id;
      break;
    case Guard::kEvidence:
      action.evidence_before = 0;
      break;
    case Guard::kNoMeetingDue:
    case Guard::kNotDecidedByMeeting:
      whistle.objections = 2;
      break;
    case Guard::kSecondObjection:
      whistle.objections = 1;
      break;
    case Guard::kAtLevel:
      whistle.level = Level::kCounty;
      break;
    case Guard::kTownOrAbove:
      action.actor_level = Level::kVillage;
      break;
    case Guard::kLevelAbove:
      action.actor_level = whistle.level;
      break;
    case Guard::kOneLead:
      action.targets.at(1).part = AssignmentPart::kLead;
      break;
    case Guard::kLevelRaised:
      action.level = Level::kCity;
      break;
    case Guard::kLevelLowered:
      action.receiver = {};
      break;
    case Guard::kOnReceiversList:
      action.on_receivers_list = false;
      break;
    case Guard::kOwnOrganisation:
      action.organisation = kPolice;
      break;
    case Guard::kCoDepartmentsDone:
      whistle.assignments.at(1).state = AssignmentState::kHandling;
      break;
    case Guard::kNotExtended:
      lead_of(whistle).extended = true;
      break;
    case Guard::kExtensionAsked:
      lead_of(whistle).requested = WhistleActionType::kRequestSuspension;
      break;
    case Guard::kSuspensionAsked:
      lead_of(whistle).requested = WhistleActionType::kUnspecified;
      break;
    case Guard::kDateGiven:
      action.until_ms = kNow;
      break;
    case Guard::kDateReached:
      lead_of(whistle).suspended_until_ms = lead_of(whistle).handle_due_ms = kNow + 1;
      break;
    case Guard::kNotHandler:
      whistle.past.push_back(
          {a_id(77), action.actor, {}, WhistleActionType::kStart, Verdict::kAccepted, {}});
      break;
    case Guard::kReached:
    case Guard::kNotReached:
    case Guard::kThirdFailure:
      action.return_visit_result = ReturnVisitResult::kUnspecified;
      break;
    case Guard::kWithin30Days:
      if (whistle.closed_ms != 0) whistle.closed_ms = kNow - 30 * kDay - 1;
      break;
    case Guard::kSupervised:
      whistle.supervised = false;
      break;
    case Guard::kNotSupervised:
      whistle.supervised = true;
      break;
    case Guard::kClosingEvidence:
    case Guard::kEvidenceOnItsWay:
      action.closing_evidence = ClosingEvidence::kMissing;
      break;
    case Guard::kVisited:
      whistle.return_visit_result = ReturnVisitResult::kUnspecified;
      break;
  }
}

void must(WhistleCase& whistle, const ProposedAction& action) {
  Decision decision = decide(whistle, action);
  if (decision.verdict != Verdict::kAccepted) {
    throw std::runtime_error(std::string(name_of(action.type)) + " from " +
                             std::string(name_of(whistle.state)) + ": " +
                             std::string(name_of(decision.code)));
  }
  whistle = decision.next;
}

}  // namespace gridwhistle
