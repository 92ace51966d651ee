#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/workflow_words.h"

// The whistle's road as a table. `decide` walks it, docs/workflow.md prints it, and a test holds
// the two together row by row.
namespace gridwhistle {

/// Whose state a row is about.
enum class Subject : std::uint8_t { kWhistle, kAssignment };

/// A condition of a row. docs/workflow.md says what each means; they are tried in this order.
enum class Guard : std::uint8_t {
  kOwnReport,
  kBeforeAcceptance,
  kFromOutside,
  kFromWorker,
  kRoutine,
  kReasonGiven,
  kOtherWhistleOpen,
  kEvidence,
  kNoMeetingDue,
  kSecondObjection,
  kAtLevel,
  kTownOrAbove,
  kLevelAbove,
  kOneLead,
  kLevelRaised,
  kLevelLowered,
  kOnReceiversList,
  kOwnOrganisation,
  kNotDecidedByMeeting,
  kCoDepartmentsDone,
  kNotExtended,
  kExtensionAsked,
  kSuspensionAsked,
  kDateGiven,
  kDateReached,
  kNotHandler,
  kReached,
  kNotReached,
  kThirdFailure,
  kWithin30Days,
  kSupervised,
  kNotSupervised,
  kClosingEvidence,
  kEvidenceOnItsWay,
  kVisited,
};
inline constexpr int kGuardCount = 35;

/// Names the time limit within which the action is due, counted from when the subject came into
/// the row's `from`. The lengths are configuration: by class, category, area class, emergency.
enum class LimitKey : std::uint8_t {
  kNone,
  kVerify,
  kAccept,
  kHandleOnSpot,
  kBlow,
  kAssign,
  kObject,
  kCheckIn,
  kHandle,
  kCheck,
  kReview,
  kReturnVisit,
};
inline constexpr int kLimitKeyCount = 11;

/// One row: from any of these states, this action, by any of these roles, under all these guards,
/// leads there.
struct Transition {
  Subject subject = Subject::kWhistle;
  std::uint64_t from = 0;  ///< a bit each: 1 << WhistleState or 1 << AssignmentState
  WhistleActionType action = WhistleActionType::kUnspecified;
  RoleSet who;
  std::uint8_t to = 0;  ///< a WhistleState or AssignmentState; 0 leaves the state as it is
  Set<Guard> guards;
  LimitKey limit = LimitKey::kNone;

  constexpr bool leaves(std::uint8_t state) const { return (from >> state & 1U) != 0; }
};

/// Every row, in the order of the road. Lives for ever.
std::span<const Transition> road();

/// Whether an action belongs to one assignment; the others are the whistle's own.
bool needs_assignment(WhistleActionType type);

/// What no later state of a whistle makes late: remarks and supervision. They are never superseded.
bool is_never_late(WhistleActionType type);

/// Everybody, the server included.
inline constexpr RoleSet kAnyone = RoleSet::of_bits((1U << (kRoleCount + 1)) - 1);

/// Stable names as in docs/workflow.md: "own_report", "accept". "none" is no limit.
std::string_view name_of(Guard guard);
std::string_view name_of(LimitKey limit);

}  // namespace gridwhistle
