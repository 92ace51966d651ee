#pragma once

#include <cstdint>
#include <string>

#include "apply/reference.h"
#include "apply/workspace.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/workflow.h"
#include "routing/route.h"

// The whistle's road on the server: what the pure machine decides, read from records and written
// back to them.
namespace gridwhistle {

/// Who proposes an action, as the server knows them.
struct Actor {
  RecordId worker;        ///< nil: the server by a rule
  RecordId organisation;  ///< the worker's own
  RoleSet roles;          ///< over this whistle, at the effective time
  Level level = Level::kUnspecified;
};

struct RoadResult {
  OutcomeStatus status = OutcomeStatus::kAccepted;
  std::uint32_t code = 0;
  std::string message;
};

class Road {
 public:
  /// All outlive it.
  Road(Workspace& workspace, const Reference& reference, const MintId& mint)
      : workspace_(workspace), reference_(reference), mint_(mint) {}

  /// A whistle was just recorded as change `seq`: gives it its state, its first owner, and what
  /// routing makes of it.
  Result<void> opened(RecordId whistle, const Actor& reporter, Seq seq);

  /// A whistle was just edited as change `seq`; `before` is what it was. Its route follows it until
  /// departments are called.
  Result<void> edited(RecordId whistle, const std::string& before, Seq seq);

  /// The rules have changed: who is to be called to a whistle nobody is called to yet is worked out
  /// anew. Whether somebody answers for it now.
  Result<bool> rules_changed(RecordId whistle);

  /// A WhistleAction was just recorded as change `seq`. Rejected: the caller takes it back.
  Result<RoadResult> proposed(RecordId action, const Actor& actor, std::int64_t effective_ms,
                              Seq seq);

  /// The bytes of a picture have arrived: closes the whistle that waited for no more than that.
  Result<void> picture_arrived(const v1::Attachment& picture);

  /// The server proposes an action by a rule, or staff do at the server itself.
  Result<RoadResult> propose(RecordId action, const v1::WhistleAction& content, const Actor& actor);

 private:
  struct Case;
  Result<Case> read_case(RecordId whistle);
  Result<ProposedAction> proposal(const Case& at, RecordId id, const v1::WhistleAction& content,
                                  const Actor& actor);
  /// Null where there is no such organisation, or it has ended.
  const routing::Organisation* in_force(RecordId organisation) const;
  Result<bool> can_be_called(RecordId organisation);
  bool can_receive(RecordId organisation, const v1::Whistle& whistle, Level level) const;
  /// Why what an action names cannot be called; nothing where it can.
  Result<std::optional<RoadResult>> nobody_called(const v1::Whistle& whistle,
                                                  const v1::WhistleAction& content,
                                                  const Actor& actor);
  /// The whistle that a picture was taken of; nil where it was of something else.
  Result<RecordId> whistle_of(const v1::Attachment& attachment);
  Result<void> count_evidence(RecordId whistle, const v1::WhistleAction& content,
                              ProposedAction& action);
  Result<ClosingEvidence> closing_evidence(const Case& at, const v1::WhistleAction& content);
  Result<void> close_if_visited(RecordId whistle);
  Result<void> write_case(const Case& before, const Decision& decision,
                          const v1::WhistleAction& content, RecordId action, const Actor& actor);
  Result<void> write_assignment(const Case& before, const AssignmentCase& assignment,
                                const v1::WhistleAction& content, const Decision& decision);
  Result<void> place_whistle(const WhistleCase& whistle);
  Result<void> call_by_rule(RecordId whistle);
  Result<void> follow_facts(RecordId whistle, const v1::Whistle& before, Seq seq);
  Result<void> lead_anew(RecordId whistle, const v1::Whistle& record, Seq seq);
  routing::Route route_of(const v1::Whistle& record) const;

  Workspace& workspace_;
  const Reference& reference_;
  const MintId& mint_;
};

/// A Whistle record as the machine sees it, without its assignments and past.
WhistleCase case_of(RecordId id, const v1::Whistle& record);

}  // namespace gridwhistle
