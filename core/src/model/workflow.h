#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/workflow_codes.h"
#include "model/workflow_table.h"
#include "model/workflow_words.h"

// The whistle's road: values in, values out. The server decides with it, the phone runs the same
// functions over base and pending actions and shows the result as proposed. docs/workflow.md has
// the table and the laws. Fields bear the names of v1::Whistle, v1::Assignment and
// v1::WhistleAction.
namespace gridwhistle {

/// What became of a proposed action.
enum class Verdict : std::uint8_t {
  kAccepted,    ///< it has happened
  kRejected,    ///< it may not happen; the code says why
  kSuperseded,  ///< it came after its subject had moved on: kept in the timeline, not applied
};

/// An action that was decided, whatever the verdict. The WhistleAction rows of a whistle give them.
struct PastAction {
  RecordId id;
  RecordId actor;
  RecordId after;
  WhistleActionType type = WhistleActionType::kUnspecified;
  Verdict verdict = Verdict::kAccepted;
  WorkflowCode code = WorkflowCode::kNone;

  bool operator==(const PastAction&) const = default;
};

/// One organisation's part of a whistle.
struct AssignmentCase {
  RecordId id;
  RecordId organisation;
  AssignmentPart part = AssignmentPart::kCo;
  AssignmentState state = AssignmentState::kAssigned;
  std::uint32_t round = 1;
  /// The last action that changed its state; nil before the first.
  RecordId last_action;
  /// Who last worked on it.
  RecordId handler;
  bool extended = false;
  /// kRequestExtension or kRequestSuspension while one is open, else kUnspecified.
  WhistleActionType requested = WhistleActionType::kUnspecified;
  std::int64_t requested_until_ms = 0;
  std::int64_t suspended_until_ms = 0;
  /// Moved by an extension that named a date; otherwise not touched here.
  std::int64_t handle_due_ms = 0;

  bool operator==(const AssignmentCase&) const = default;
};

/// A whistle as its road sees it.
struct WhistleCase {
  RecordId id;
  WhistleState state = WhistleState::kReported;
  WhistleClass whistle_class = WhistleClass::kRoutine;
  bool emergency = false;
  Level level = Level::kVillage;
  std::uint32_t round = 1;
  /// The one organisation that answers for it. Never nil.
  RecordId owner_org;
  Source source = Source::kWorker;
  RecordId reporter;
  /// The reporter said when reporting that it was settled.
  bool handled_on_spot = false;
  bool supervised = false;
  /// The leads' objections in this round; a co-department's frees itself and is not counted.
  std::uint32_t objections = 0;
  /// Failed contacts of the return visit in this round.
  std::uint32_t contact_attempts = 0;
  std::int64_t accepted_ms = 0;  ///< 0 until somebody accepted it
  std::int64_t closed_ms = 0;    ///< 0 unless closed
  RefusalReason refusal_reason = RefusalReason::kUnspecified;
  RecordId merged_into;
  ClosingReason closing_reason = ClosingReason::kUnspecified;
  ReturnVisitResult return_visit_result = ReturnVisitResult::kUnspecified;
  /// The last action that changed the whistle's own step; nil before the first. What departments do
  /// is not among them, except a lead's objection.
  RecordId last_action;
  /// Of all rounds.
  std::vector<AssignmentCase> assignments;
  /// Every action decided on this whistle and its assignments, in the log's order.
  std::vector<PastAction> past;

  bool operator==(const WhistleCase&) const = default;
};

/// An organisation to call.
struct AssignmentTarget {
  /// For the new assignment, if one is made: minted by the caller, never used before.
  RecordId assignment;
  RecordId organisation;
  AssignmentPart part = AssignmentPart::kCo;
};

/// The picture that some categories are closed with: of how it was left, from this round.
enum class ClosingEvidence : std::uint8_t {
  kNotNeeded,  ///< the whistle's category does not ask for it
  kMissing,
  kOnItsWay,  ///< a record announces it, or the action names it; its bytes have not arrived
  kArrived,   ///< at the server, whole
};

/// What somebody wants to do, with what the caller looked up about it.
struct ProposedAction {
  RecordId id;
  WhistleActionType type = WhistleActionType::kUnspecified;
  RecordId actor;
  RecordId organisation;
  /// Held over this whistle at the effective time. Bit 0, the server itself, never from outside.
  RoleSet roles;
  /// The level of the actor's organisation.
  Level actor_level = Level::kUnspecified;
  /// Named by what departments do and by grants; see `needs_assignment`.
  RecordId assignment;
  /// As `after_for` gave it to the author: the last action seen on that subject, own pending ones
  /// included; nil if none. Any other action its author had seen serves as well.
  RecordId after;
  std::uint32_t round = 1;
  std::int64_t at_ms = 0;  ///< the server's receipt, milliseconds since 1970

  RefusalReason refusal_reason = RefusalReason::kUnspecified;  ///< kRefuse
  bool says_why = false;  ///< kObject: names a reason by its number, or says it in the note
  WhistleClass whistle_class = WhistleClass::kUnspecified;  ///< kAccept: what it takes, if given
  RecordId other_whistle;                                   ///< kMerge
  bool other_whistle_open = false;                          ///< kMerge: it may take another in
  std::vector<AssignmentTarget> targets;                    ///< kAssign, kJointMeeting
  Level level = Level::kUnspecified;  ///< kPullUp, kPushDown, kJointMeeting: the level to be
  RecordId receiver;                  ///< kPushDown: the centre at that level
  bool on_receivers_list = false;     ///< kPushDown: the receiver's list has an item for it
  std::int64_t until_ms = 0;          ///< requests: the day asked for
  std::uint32_t evidence_before = 0;  ///< pictures of the state found
  std::uint32_t evidence_after = 0;   ///< pictures of the state left
  /// kReturnVisit: the picture it is closed with.
  ClosingEvidence closing_evidence = ClosingEvidence::kNotNeeded;
  ReturnVisitResult return_visit_result = ReturnVisitResult::kUnspecified;  ///< kReturnVisit
};

/// What became of a proposed action, and the case after it.
struct Decision {
  Verdict verdict = Verdict::kRejected;
  WorkflowCode code = WorkflowCode::kNone;  ///< why, when rejected
  /// The id was decided before: `verdict` and `code` are those of then, `next` is the case as
  /// given.
  bool replay = false;
  /// The action that came before it, when superseded.
  RecordId superseded_by;
  /// The row that was walked, when accepted now; its `limit` is the one that was kept or missed.
  const Transition* row = nullptr;
  /// Assignments that are new or differ, in the order of `next.assignments`.
  std::vector<RecordId> touched;
  /// The action is the last of `next.past`; unless accepted, nothing else has changed.
  WhistleCase next;
};

/// A whistle as it comes in.
struct Report {
  RecordId id;
  Source source = Source::kWorker;
  WhistleClass whistle_class = WhistleClass::kRoutine;
  bool emergency = false;
  /// Nil when no worker recorded it.
  RecordId reporter;
  /// Held by the reporter over the whistle's grid.
  RoleSet reporter_roles;
  /// The reporter's village or town centre: owns it until another has accepted it. Never nil.
  RecordId first_receiver;
  Level level = Level::kVillage;
  /// The reporter says that it is settled.
  bool handled_on_spot = false;
};

/// A new whistle: VERIFYING when it came from anybody but a worker, HANDLED_ON_SPOT when a grid
/// worker has settled a routine matter, else REPORTED. A claim to have settled it that the table
/// does not allow leaves it REPORTED, for an acceptor to look at.
WhistleCase open_whistle(const Report& report);

/// Decides an action. Pure: equal arguments, equal results.
Decision decide(const WhistleCase& whistle, const ProposedAction& action);

/// The state of a whistle: its own step, or, once departments are called, what the lead of the
/// round has come to; ACCEPTED when that lead has objected.
WhistleState state_of(WhistleState step, std::span<const AssignmentCase> assignments,
                      std::uint32_t round);

/// The `after` of an action recorded now: the last seen on its subject, which is this assignment
/// for what departments do and for grants (`needs_assignment`), and else the whistle, whichever
/// assignment it names. A phone asks the case with its own pending actions decided into it.
RecordId after_for(const WhistleCase& whistle, WhistleActionType type, RecordId assignment);

/// Whether this worker, or their organisation, handled the whistle in any round: neither may check
/// it or visit for it.
bool was_handled_by(const WhistleCase& whistle, RecordId worker, RecordId organisation);

/// The assignment with this id; null when there is none. Points into `whistle`.
const AssignmentCase* find_assignment(const WhistleCase& whistle, RecordId id);

/// Who looks at a whistle and wonders what may be done.
struct Viewer {
  RecordId worker;
  RecordId organisation;
  RoleSet roles;
  Level level = Level::kUnspecified;
};

/// Something that may be done now; the assignment is nil for what concerns the whistle itself.
struct AllowedAction {
  WhistleActionType type = WhistleActionType::kUnspecified;
  RecordId assignment;

  bool operator==(const AllowedAction&) const = default;
};

/// What this viewer may do, provided the action then says what it has to (a reason, a date, a
/// result…). In the order of the road, each once.
std::vector<AllowedAction> actions_allowed(const WhistleCase& whistle, const Viewer& viewer);

}  // namespace gridwhistle
