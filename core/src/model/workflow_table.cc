#include "model/workflow_table.h"

#include <array>
#include <cstddef>

namespace gridwhistle {
namespace {

using Action = WhistleActionType;
using W = WhistleState;
using A = AssignmentState;
using G = Guard;
using L = LimitKey;
using enum Role;

constexpr RoleSet kAcceptors = {kVillageAcceptor, kTownAcceptor};
constexpr RoleSet kCentre = {kTownAcceptor, kDispatcher, kSupervisor};
constexpr RoleSet kAbove = {kDispatcher, kSupervisor};
constexpr RoleSet kServer = {kServerRole};

constexpr std::uint64_t kEveryState = (std::uint64_t{1} << (kWhistleStateCount + 1)) - 2;
constexpr std::uint64_t kOpen =
    Set<W>::of_bits(kEveryState).without({W::kRefused, W::kMerged, W::kClosed, W::kVoid}).bits();

constexpr Transition whistle(Set<W> from, Action action, RoleSet who, W to, Set<G> guards = {},
                             L limit = L::kNone) {
  return {
      Subject::kWhistle, from.bits(), action, who, static_cast<std::uint8_t>(to), guards, limit};
}

constexpr Transition part(Set<A> from, Action action, RoleSet who, A to, Set<G> guards,
                          L limit = L::kNone) {
  return {Subject::kAssignment,          from.bits(), action, who,
          static_cast<std::uint8_t>(to), guards,      limit};
}

constexpr W kSame = W::kUnspecified;
constexpr A kSamePart = A::kUnspecified;

constexpr std::array kRoad = std::to_array<Transition>({
    // Coming in.
    whistle({W::kReported}, Action::kVerify, kServer, W::kVerifying, {G::kFromOutside}),
    whistle({W::kReported}, Action::kHandleOnSpot, {kGridWorker}, W::kHandledOnSpot,
            {G::kOwnReport, G::kRoutine}),
    whistle({W::kReported}, Action::kAccept, kAcceptors, W::kAccepted, {G::kAtLevel}, L::kAccept),
    whistle({W::kReported}, Action::kRefuse, kAcceptors, W::kRefused,
            {G::kReasonGiven, G::kAtLevel}, L::kAccept),
    whistle({W::kReported}, Action::kMerge, kAcceptors, W::kMerged,
            {G::kOtherWhistleOpen, G::kAtLevel}, L::kAccept),
    whistle({W::kVerifying}, Action::kVerify, {kGridWorker, kVillageAcceptor}, kSame, {},
            L::kVerify),
    whistle({W::kVerifying}, Action::kAccept, kAcceptors, W::kAccepted, {G::kAtLevel}, L::kVerify),
    whistle({W::kVerifying}, Action::kRefuse, kAcceptors, W::kRefused,
            {G::kReasonGiven, G::kAtLevel}, L::kVerify),
    whistle({W::kVerifying}, Action::kMerge, kAcceptors, W::kMerged,
            {G::kOtherWhistleOpen, G::kAtLevel}, L::kVerify),
    whistle({W::kRefused}, Action::kReview, {kSupervisor}, W::kVerifying),
    whistle({W::kMerged}, Action::kUnmerge, {kSupervisor}, W::kReported, {G::kFromWorker}),
    whistle({W::kMerged}, Action::kUnmerge, {kSupervisor}, W::kVerifying, {G::kFromOutside}),

    // Small things are solved in the grid.
    whistle({W::kAccepted}, Action::kHandleOnSpot, {kGridWorker}, W::kHandledOnSpot,
            {G::kRoutine, G::kEvidence}, L::kHandleOnSpot),
    whistle({W::kHandledOnSpot}, Action::kAccept, kAcceptors, kSame,
            {G::kBeforeAcceptance, G::kNotHandler}, L::kAccept),
    whistle({W::kHandledOnSpot}, Action::kReject, kAcceptors, W::kAccepted, {G::kNotHandler}),

    // Calling others.
    whistle({W::kAccepted}, Action::kBlow, {kTownAcceptor, kDispatcher}, W::kWhistled,
            {G::kNoMeetingDue, G::kAtLevel, G::kTownOrAbove}, L::kBlow),
    whistle({W::kWhistled}, Action::kAssign, {kServerRole, kDispatcher}, W::kAssigned,
            {G::kAtLevel, G::kOneLead}, L::kAssign),
    whistle({W::kAccepted}, Action::kJointMeeting, {kDispatcher}, W::kAssigned,
            {G::kSecondObjection, G::kLevelAbove, G::kOneLead}, L::kAssign),
    whistle({W::kAccepted}, Action::kJointMeeting, {kDispatcher}, kSame,
            {G::kSecondObjection, G::kLevelAbove, G::kLevelRaised}, L::kAssign),

    // What each called organisation does.
    part({A::kAssigned}, Action::kObject, {kDepartment}, A::kObjected,
         {G::kReasonGiven, G::kOwnOrganisation, G::kNotDecidedByMeeting}, L::kObject),
    part({A::kAssigned}, Action::kCheckIn, {kDepartment}, A::kCheckedIn, {G::kOwnOrganisation},
         L::kCheckIn),
    part({A::kCheckedIn}, Action::kStart, {kDepartment}, A::kHandling, {G::kOwnOrganisation},
         L::kHandle),
    part({A::kHandling}, Action::kReportBack, {kDepartment}, A::kReportedBack,
         {G::kOwnOrganisation, G::kCoDepartmentsDone}, L::kHandle),
    part({A::kHandling}, Action::kRequestExtension, {kDepartment}, kSamePart,
         {G::kOwnOrganisation, G::kNotExtended}),
    part({A::kHandling}, Action::kGrantExtension, kAbove, A::kExtended,
         {G::kLevelAbove, G::kNotExtended, G::kExtensionAsked}),
    part({A::kHandling}, Action::kRequestSuspension, {kDepartment}, kSamePart,
         {G::kOwnOrganisation, G::kDateGiven}),
    part({A::kHandling}, Action::kGrantSuspension, kAbove, A::kSuspended,
         {G::kLevelAbove, G::kSuspensionAsked}),
    part({A::kExtended, A::kSuspended}, Action::kResume, {kDepartment}, A::kHandling,
         {G::kOwnOrganisation}),
    part({A::kExtended, A::kSuspended}, Action::kResume, kServer, A::kHandling, {G::kDateReached}),

    // Checking, asking, closing.
    whistle({W::kReportedBack}, Action::kCheck, kCentre, W::kChecking, {G::kNotHandler}, L::kCheck),
    whistle({W::kReportedBack}, Action::kReject, kCentre, W::kHandling, {G::kNotHandler},
            L::kCheck),
    whistle({W::kChecking}, Action::kReview, kCentre, W::kReturnVisit, {G::kNotHandler},
            L::kReview),
    whistle({W::kChecking}, Action::kReject, kCentre, W::kHandling, {G::kNotHandler}, L::kReview),
    whistle({W::kReturnVisit, W::kHandledOnSpot}, Action::kReturnVisit, {kReturnVisitor},
            W::kClosed, {G::kNotHandler, G::kReached, G::kClosingEvidence}, L::kReturnVisit),
    whistle({W::kReturnVisit, W::kHandledOnSpot}, Action::kReturnVisit, {kReturnVisitor}, kSame,
            {G::kNotHandler, G::kReached, G::kEvidenceOnItsWay}, L::kReturnVisit),
    whistle({W::kReturnVisit, W::kHandledOnSpot}, Action::kReturnVisit, {kReturnVisitor}, kSame,
            {G::kNotHandler, G::kNotReached}, L::kReturnVisit),
    whistle({W::kReturnVisit, W::kHandledOnSpot}, Action::kReturnVisit, {kReturnVisitor},
            W::kClosed, {G::kNotHandler, G::kThirdFailure, G::kClosingEvidence}, L::kReturnVisit),
    whistle({W::kReturnVisit, W::kHandledOnSpot}, Action::kReturnVisit, {kReturnVisitor}, kSame,
            {G::kNotHandler, G::kThirdFailure, G::kEvidenceOnItsWay}, L::kReturnVisit),
    whistle({W::kReturnVisit, W::kHandledOnSpot}, Action::kReturnVisit, kServer, W::kClosed,
            {G::kClosingEvidence, G::kVisited}),
    whistle({W::kReturnVisit, W::kClosed}, Action::kReopen,
            {kServerRole, kVillageAcceptor, kTownAcceptor, kSupervisor}, W::kAccepted,
            {G::kWithin30Days}),

    // From above, at any time.
    whistle(Set<W>::of_bits(kOpen), Action::kPullUp,
            {kServerRole, kTownAcceptor, kDispatcher, kSupervisor}, kSame,
            {G::kLevelAbove, G::kLevelRaised}),
    whistle(Set<W>::of_bits(kOpen), Action::kPushDown, kCentre, kSame,
            {G::kAtLevel, G::kLevelLowered, G::kOnReceiversList}),
    whistle(Set<W>::of_bits(kOpen), Action::kSupervise, {kServerRole, kDispatcher, kSupervisor},
            kSame, {G::kLevelAbove, G::kNotSupervised}),
    whistle(Set<W>::of_bits(kOpen), Action::kLiftSupervision, kAbove, kSame,
            {G::kLevelAbove, G::kSupervised}),

    // Taking back, and remarks.
    whistle({W::kReported, W::kVerifying, W::kHandledOnSpot}, Action::kVoid,
            kAnyone.without(kServer), W::kVoid, {G::kOwnReport, G::kBeforeAcceptance}),
    whistle(Set<W>::of_bits(kEveryState).without({W::kReported, W::kVerifying, W::kVoid}),
            Action::kVoid, {kSupervisor}, W::kVoid),
    whistle(Set<W>::of_bits(kEveryState), Action::kComment, kAnyone, kSame),
});

constexpr std::array<std::string_view, kGuardCount> kGuards = {"own_report",
                                                               "before_acceptance",
                                                               "from_outside",
                                                               "from_worker",
                                                               "routine",
                                                               "reason_given",
                                                               "other_whistle_open",
                                                               "evidence",
                                                               "no_meeting_due",
                                                               "second_objection",
                                                               "at_level",
                                                               "town_or_above",
                                                               "level_above",
                                                               "one_lead",
                                                               "level_raised",
                                                               "level_lowered",
                                                               "on_receivers_list",
                                                               "own_organisation",
                                                               "not_decided_by_meeting",
                                                               "co_departments_done",
                                                               "not_extended",
                                                               "extension_asked",
                                                               "suspension_asked",
                                                               "date_given",
                                                               "date_reached",
                                                               "not_handler",
                                                               "reached",
                                                               "not_reached",
                                                               "third_failure",
                                                               "within_30_days",
                                                               "supervised",
                                                               "not_supervised",
                                                               "closing_evidence",
                                                               "evidence_on_its_way",
                                                               "visited"};

constexpr std::array<std::string_view, kLimitKeyCount + 1> kLimits = {
    "none",   "verify",   "accept", "handle_on_spot", "blow",   "assign",
    "object", "check_in", "handle", "check",          "review", "return_visit"};

}  // namespace

std::span<const Transition> road() { return kRoad; }

bool needs_assignment(WhistleActionType type) {
  for (const Transition& row : kRoad) {
    if (row.action == type) return row.subject == Subject::kAssignment;
  }
  return false;
}

bool is_never_late(WhistleActionType type) {
  return type == WhistleActionType::kComment || type == WhistleActionType::kSupervise ||
         type == WhistleActionType::kLiftSupervision;
}

std::string_view name_of(Guard guard) {
  const auto index = static_cast<std::size_t>(guard);
  return index < kGuards.size() ? kGuards[index] : std::string_view();
}

std::string_view name_of(LimitKey limit) {
  const auto index = static_cast<std::size_t>(limit);
  return index < kLimits.size() ? kLimits[index] : std::string_view();
}

}  // namespace gridwhistle
