#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/line.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/operation.h"
#include "model/workflow_words.h"
#include "storage/rows.h"

// What operators see of a county, and what they ask of it. Values only.
namespace gridwhistle {

/// A record as it stands on the server.
struct StoredRow {
  KindId kind;
  RecordId id;
  std::string body;  ///< canonical
  Seq last_seq;
  bool erased = false;
};

/// A record the operator brings: the whole of it. Fields that the stored record has and this one
/// lacks become empty.
struct ImportedRecord {
  KindId kind;
  RecordId id;       ///< from `find` for one that is there already, else from `mint_id`
  std::string body;  ///< a message of the kind; field 1 is ignored
};

struct ImportReport {
  std::size_t created = 0;
  std::size_t changed = 0;
  std::size_t unchanged = 0;
  std::size_t led = 0;  ///< whistles that left the 无头事项 queue, because a rule covers them now
};

/// Grids to be split or merged. All grids by their code15.
struct RedrawRequest {
  std::vector<std::string> from;
  std::vector<std::string> to;  ///< a grid that goes on, smaller or larger, stands in both
  std::string rest;             ///< of `to`: takes what no boundary and no other record places
  /// Who goes on in these of `to` alone; everybody else with a role in `from` has it in all of
  /// `to`.
  std::map<RecordId, std::vector<std::string>> workers;
};

/// What a redrawing does, or would do.
struct RedrawReport {
  bool known = false;  ///< it was ordered before: nothing is ordered again
  std::map<std::pair<std::string, KindId>, std::uint64_t> records;  ///< how many go where
  std::vector<RecordId> workers;                                    ///< whose roles follow
  std::vector<std::string> rules;  ///< routing rules that go by the code of an old grid
};

/// What one worker took over from another.
struct HandoverReport {
  std::vector<std::string> grids;  ///< code15
  std::uint64_t roles = 0;
  std::uint64_t tasks = 0;       ///< open, and given to the one before
  std::uint64_t care_plans = 0;  ///< not ended
};

/// What became of a part of a bundle.
struct BundleReport {
  std::string short_code;     ///< of the phone that made it
  std::uint64_t taken = 0;    ///< operations that were new
  std::uint64_t known = 0;    ///< that had come before
  std::uint64_t waiting = 0;  ///< of those taken: kept until a person, or what they need, decides
  std::uint64_t refused = 0;  ///< of those taken; their author hears why in the next call
};

/// A one-time code, to be shown to one person once. Only its hash is kept.
struct IssuedCode {
  std::string code;  ///< "K7QM-3F9X-2TRB"
  std::int64_t expires_ms = 0;
};

/// A device's number as operators read and type it: 16 hexadecimal digits.
std::string device_text(DeviceId device);

struct DeviceInfo {
  DeviceId device;
  RecordId worker;
  DeviceState state = DeviceState::kActive;  ///< kLeft too when the worker's record says so
  std::string short_code;
  std::string name;      ///< as the device says
  std::string software;  ///< as the device says
  std::int64_t enrolled_ms = 0;
  std::int64_t last_seen_ms = 0;  ///< 0: never called
  std::uint32_t unsent = 0;       ///< operations it told of in its last call and never sent
  Seq cursor;                     ///< how far it had read when it called last
  DeviceId predecessor;           ///< whose file its own was a copy of; 0: none
  std::int64_t forked_ms = 0;  ///< when it was last turned away as FORKED; 0: not since the start
};

/// A whistle in a list.
struct WhistleSummary {
  RecordId id;
  std::string number;
  std::string title;
  std::string grid;
  std::string category;
  WhistleState state = WhistleState::kUnspecified;
  WhistleClass whistle_class = WhistleClass::kUnspecified;
  Level level = Level::kUnspecified;
  RecordId owner_org;
  bool emergency = false;
  bool supervised = false;
  bool headless = false;
  std::int64_t received_ms = 0;
};

/// What an organisation has to do about a whistle.
struct InboxItem {
  WhistleSummary whistle;
  RecordId assignment;  ///< nil: the organisation owns the whistle without being called
  AssignmentPart part = AssignmentPart::kUnspecified;
  AssignmentState state = AssignmentState::kUnspecified;
  std::int64_t round = 0;  ///< of the assignment; 0: owned without being called
  std::int64_t assigned_ms = 0;
};

/// An operation kept for a reviewer because its author no longer held the scope.
struct SealedOperation {
  std::uint64_t number = 0;  ///< names it in `accept_sealed` and `return_sealed`
  DeviceId device;
  RecordId worker;
  KindId kind;
  RecordId record;
  OperationType type = OperationType::kPut;
  std::int64_t received_ms = 0;
  std::int64_t effective_ms = 0;
  std::string set;  ///< personal data: show it masked
};

/// A record that came back because an erasure met an edit.
struct FlaggedRecord {
  KindId kind;
  RecordId record;
  Seq seq;  ///< of the change; names it in `close_flagged`
  std::int64_t at_ms = 0;
};

/// A decision kept until its whistle arrives, or a part until what another phone made does; then it
/// is judged by itself.
struct WaitingOperation {
  std::uint64_t number = 0;  ///< names it in `return_sealed`
  DeviceId device;
  RecordId worker;
  RecordId record;  ///< the WhistleAction, or the part
  RecordId awaits;  ///< the record that it belongs to
  std::int64_t received_ms = 0;
};

struct ReviewList {
  std::vector<SealedOperation> sealed;
  std::vector<WaitingOperation> waiting;
  std::vector<FlaggedRecord> flagged;
  std::uint64_t parked = 0;  ///< operations of kinds this build does not know
};

/// Why a whistle is where it is.
struct Explanation {
  WhistleSummary whistle;
  std::string record;      ///< the Whistle as it is stored
  std::int64_t round = 1;  ///< it is in
  std::string responsibility_item;
  std::string responsibility_version;
  std::string routing_rule;
  std::string reason;
  /// The timeline, in the order of the log.
  struct Step {
    RecordId action;
    WhistleActionType type = WhistleActionType::kUnspecified;
    RecordId actor;
    RecordId organisation;
    RecordId assignment;
    std::int64_t effective_ms = 0;
    OutcomeStatus status = OutcomeStatus::kAccepted;
    std::int64_t code = 0;
    std::int64_t round = 1;
    std::string note;
    std::string record;  ///< the WhistleAction as it is stored
  };
  std::vector<Step> steps;
  std::vector<InboxItem> assignments;
};

/// An action that staff take at the server itself.
struct StaffAction {
  RecordId whistle;
  RecordId assignment;  ///< nil for the whistle's own chain
  WhistleActionType type = WhistleActionType::kUnspecified;
  RecordId actor;         ///< a Worker; the roles are theirs
  RecordId organisation;  ///< nil: the actor's own
  std::string note;
  /// Further fields of WhistleAction, canonical: `lead`, `co_departments`, `reason`, `until_ms`…
  std::string details;
};

struct ActionResult {
  RecordId action;
  OutcomeStatus status = OutcomeStatus::kAccepted;
  std::int64_t code = 0;  ///< an ErrorCode or a WorkflowCode
  std::string message;
};

/// What some of a round of sweeping has taken.
struct SweepReport {
  std::size_t records = 0;
  std::size_t exits = 0;  ///< of records from scopes
  bool more = false;      ///< the round is not over
};

/// What a forgetting took, or would take.
struct ForgetReport {
  std::vector<RecordKey> records;  ///< with all that belongs to them
  std::uint64_t receipts = 0;      ///< of their writers, that quote what they said
  std::uint64_t lost_values = 0;
  std::uint64_t kept = 0;  ///< transactions kept for later that speak of them
  /// Why what was removed still stands beside the file for a while; none when it is gone.
  std::optional<Error> not_wiped;
};

struct CountyStatus {
  std::string county;
  Seq last_seq;
  Seq backed_up;    ///< in the newest backup
  Seq forgettable;  ///< in every backup that may be restored: phones keep what comes after it
  std::int64_t backed_up_ms = 0;
  std::uint64_t epochs = 0;
  std::uint64_t devices = 0;
  std::uint64_t silent_devices = 0;  ///< active, not heard of for three days
  std::uint64_t whistles = 0;
  std::uint64_t headless = 0;
  std::uint64_t sealed = 0;
  std::uint64_t parked = 0;  ///< waiting for an upgrade, or for their whistle
  std::uint64_t sessions = 0;
  std::uint64_t redrawing = 0;  ///< redrawn grids whose records are still on their way
  std::vector<std::pair<KindId, std::uint64_t>> records;  ///< not erased, by kind
};

/// Whether the county's storage does its work.
struct StorageHealth {
  /// Why it takes no writes from anybody; none while it does.
  std::optional<Error> refuses;
  std::int64_t since_ms = 0;   ///< of `refuses`
  std::uint64_t failures = 0;  ///< commits and reads that failed since the start
  struct PutOff {
    std::string short_code;  ///< empty: a phone that could not even be recognised
    Error why;
  };
  /// Phones whose work it refused lately, although it takes that of others.
  std::vector<PutOff> put_off;
};

struct VerifyReport {
  std::vector<Line> faults;  ///< what is broken; empty is well
  /// Parts whose whole is gone. Somebody must look, but a copy that has them is no worse than
  /// the county was: it may still be restored.
  std::vector<Line> orphans;
  std::vector<Line> notes;  ///< what is unusual but allowed: references that dangle
  std::uint64_t records = 0;
  std::uint64_t memberships = 0;
  std::uint64_t audit_entries = 0;
};

}  // namespace gridwhistle
