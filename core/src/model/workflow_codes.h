#pragma once

#include <cstdint>
#include <string_view>

namespace gridwhistle {

/// Why a proposed action was rejected. The numbers are stable and travel as `Outcome` codes; they
/// begin above every ErrorCode. New ones are added at the end.
enum class WorkflowCode : std::uint16_t {
  kNone = 0,                       ///< not rejected
  kUnknownAction = 1001,           ///< an action type this build does not know
  kNoSuchAssignment = 1002,        ///< the action names no assignment of this whistle
  kWrongState = 1003,              ///< the table has no such action from this state
  kRoleNotAllowed = 1004,          ///< none of the actor's roles may do this here
  kRoundAhead = 1005,              ///< the action names a round that has not begun
  kNotYourReport = 1006,           ///< only who reported it may do this
  kAlreadyAccepted = 1007,         ///< it was accepted; a supervisor may do this now
  kWrongSource = 1008,             ///< the rule holds for another source of whistles
  kNotRoutine = 1009,              ///< only a routine whistle is settled on the spot
  kReasonMissing = 1010,           ///< a refusal or an objection says why
  kMergeTarget = 1011,             ///< a merge names another whistle that is open
  kEvidenceMissing = 1012,         ///< evidence from before and after is needed
  kMeetingDue = 1013,              ///< objected to twice: a joint meeting decides
  kNoMeetingDue = 1014,            ///< a joint meeting decides only after a second objection
  kLevelTooLow = 1015,             ///< the actor's level does not decide this
  kLeadMissing = 1016,             ///< exactly one lead, every organisation once
  kLevelNotRaised = 1017,          ///< names a level above the whistle's, not above the actor's
  kLevelNotLowered = 1018,         ///< names a level below the whistle's and who receives it
  kOutsideList = 1019,             ///< not on the receiver's responsibility list
  kNotYourAssignment = 1020,       ///< another organisation's assignment
  kObjectedTwice = 1021,           ///< the joint meeting has decided; no further objection
  kCoDepartmentsOpen = 1022,       ///< the lead reports back after every co-department
  kExtendedAlready = 1023,         ///< one extension an assignment
  kNothingAsked = 1024,            ///< the department has not asked for it
  kDateMissing = 1025,             ///< a suspension names a day to come back
  kDateNotReached = 1026,          ///< the day to come back has not come
  kHandlerMayNot = 1027,           ///< who handled it neither checks nor visits
  kResultMissing = 1028,           ///< a return visit names what it found
  kTooLate = 1029,                 ///< reopened within 30 days, or not at all
  kAlreadySupervised = 1030,       ///< under supervision already
  kNotSupervised = 1031,           ///< not under supervision
  kClosingEvidenceMissing = 1032,  ///< its category is closed only with a picture
};

/// One line for people.
struct WorkflowMessage {
  std::string_view zh;
  std::string_view en;
};

/// The line for a code; a general one for a number this build does not know.
WorkflowMessage message_of(WorkflowCode code);

/// The line for a code as an outcome carries it: a road's, or below those an ErrorCode's.
WorkflowMessage message_of_outcome(std::uint32_t code);

/// The code's stable name, "wrong_state". "unknown" for a number this build does not know.
std::string_view name_of(WorkflowCode code);

}  // namespace gridwhistle
