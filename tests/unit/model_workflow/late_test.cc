#include <catch2/catch.hpp>

#include "scene.h"

namespace gridwhistle {
namespace {

using Action = WhistleActionType;
constexpr RoleSet kDepartmentRole = {Role::kDepartment};

// What a department's officer writes: on the lead's assignment, after what they had seen.
ProposedAction of_waterworks(std::uint64_t id, Action type, RecordId after) {
  ProposedAction action;
  action.id = a_id(id);
  action.type = type;
  action.actor = kOfficer;
  action.organisation = kWaterworks;
  action.roles = kDepartmentRole;
  action.actor_level = Level::kCounty;
  action.assignment = kLeadPart;
  action.after = after;
  action.at_ms = kNow;
  return action;
}

ProposedAction of_colleague(std::uint64_t id, Action type, RecordId after) {
  ProposedAction action = of_waterworks(id, type, after);
  action.actor = a_id(42);
  return action;
}

ProposedAction of_centre(std::uint64_t id, Action type, RecordId after) {
  ProposedAction action;
  action.id = a_id(id);
  action.type = type;
  action.actor = kClerk;
  action.organisation = kCountyCentre;
  action.roles = {Role::kTownAcceptor, Role::kDispatcher, Role::kSupervisor};
  action.actor_level = Level::kCounty;
  action.after = after;
  action.at_ms = kNow;
  return action;
}

}  // namespace

TEST_CASE("a chain written offline is applied whole: own pending actions do not supersede it") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_waterworks(101, Action::kCheckIn, {}));
  must(whistle, of_waterworks(102, Action::kStart, a_id(101)));
  must(whistle, of_waterworks(103, Action::kReportBack, a_id(102)));
  CHECK(whistle.state == WhistleState::kReportedBack);
}

TEST_CASE("two colleagues who both check in offline: the second is kept and told by whom") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_colleague(101, Action::kCheckIn, {}));
  const Decision second = decide(whistle, of_waterworks(102, Action::kCheckIn, {}));
  CHECK(second.verdict == Verdict::kSuperseded);
  CHECK(second.superseded_by == a_id(101));
  CHECK(second.next.past.back().id == a_id(102));

  SECTION("and what was written on top of it is superseded as well") {
    whistle = second.next;
    const Decision third = decide(whistle, of_waterworks(103, Action::kStart, a_id(102)));
    CHECK(third.verdict == Verdict::kSuperseded);
  }
  SECTION("but having seen the colleague's, the same person goes on") {
    whistle = second.next;
    must(whistle, of_waterworks(103, Action::kStart, a_id(101)));
    CHECK(whistle.state == WhistleState::kHandling);
  }
}

TEST_CASE("a refused action counts as what it was written after") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_waterworks(101, Action::kCheckIn, {}));
  const Decision refused = decide(whistle, of_waterworks(102, Action::kReportBack, a_id(101)));
  CHECK(refused.code == WorkflowCode::kWrongState);
  whistle = refused.next;
  must(whistle, of_waterworks(103, Action::kStart, a_id(102)));
  CHECK(whistle.state == WhistleState::kHandling);
}

TEST_CASE("an own remark written offline hides nothing that was decided before it arrived") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_colleague(101, Action::kCheckIn, {}));
  ProposedAction remark = of_waterworks(102, Action::kComment, {});
  must(whistle, remark);
  CHECK(decide(whistle, of_waterworks(103, Action::kCheckIn, a_id(102))).verdict ==
        Verdict::kSuperseded);
}

TEST_CASE("having read another's remark means having read all before it") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_colleague(101, Action::kCheckIn, {}));
  must(whistle, of_centre(102, Action::kComment, {}));
  must(whistle, of_waterworks(103, Action::kStart, a_id(102)));
  CHECK(whistle.state == WhistleState::kHandling);
}

TEST_CASE("an `after` that the server has never decided counts as nothing seen") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_waterworks(101, Action::kCheckIn, a_id(900)));
  CHECK(decide(whistle, of_waterworks(102, Action::kStart, a_id(900))).verdict ==
        Verdict::kSuperseded);
}

TEST_CASE("a department's work does not make a centre's action late, nor the other way") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_waterworks(101, Action::kCheckIn, {}));
  ProposedAction raise = of_centre(102, Action::kPullUp, {});
  raise.level = Level::kTown;
  must(whistle, raise);
  must(whistle, of_waterworks(103, Action::kStart, a_id(101)));
  CHECK(whistle.state == WhistleState::kHandling);
  CHECK(whistle.level == Level::kTown);
  CHECK(whistle.owner_org == kWaterworks);
}

TEST_CASE("a lead's objection moves the whistle itself on, a co-department's does not") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  const ProposedAction withdrawal = of_centre(101, Action::kVoid, {});
  SECTION("the lead's") {
    ProposedAction objection = of_waterworks(102, Action::kObject, {});
    objection.says_why = true;
    must(whistle, objection);
    CHECK(whistle.state == WhistleState::kAccepted);
    CHECK(decide(whistle, withdrawal).superseded_by == a_id(102));
  }
  SECTION("a co-department's") {
    whistle.assignments[1].state = AssignmentState::kAssigned;
    ProposedAction objection = of_waterworks(102, Action::kObject, {});
    objection.says_why = true;
    objection.organisation = kPolice;
    objection.assignment = kCoPart;
    must(whistle, objection);
    must(whistle, withdrawal);
    CHECK(whistle.state == WhistleState::kVoid);
  }
}

TEST_CASE("after a rejection the old check is late, even though the state is the same again") {
  WhistleCase whistle = whistle_in(WhistleState::kHandling);
  must(whistle, of_waterworks(101, Action::kReportBack, {}));
  const ProposedAction old_check = of_centre(102, Action::kCheck, a_id(101));
  ProposedAction rejection = of_centre(103, Action::kReject, a_id(101));
  rejection.actor = a_id(43);
  must(whistle, rejection);
  CHECK(whistle.state == WhistleState::kHandling);
  CHECK(decide(whistle, of_waterworks(104, Action::kReportBack, {})).verdict ==
        Verdict::kSuperseded);
  must(whistle, of_waterworks(105, Action::kReportBack, a_id(103)));
  CHECK(decide(whistle, old_check).verdict == Verdict::kSuperseded);
  must(whistle, of_centre(106, Action::kCheck, a_id(105)));
}

TEST_CASE("what was written for a round that is over is superseded") {
  WhistleCase whistle = whistle_in(WhistleState::kClosed);
  must(whistle, of_centre(101, Action::kReopen, {}));
  CHECK(whistle.round == 2);
  CHECK(whistle.state == WhistleState::kAccepted);
  ProposedAction old_blow = of_centre(102, Action::kBlow, a_id(101));
  old_blow.round = 1;
  CHECK(decide(whistle, old_blow).verdict == Verdict::kSuperseded);
  CHECK(decide(whistle, of_waterworks(103, Action::kReportBack, a_id(101))).verdict ==
        Verdict::kSuperseded);
  ProposedAction ahead = of_centre(104, Action::kBlow, a_id(101));
  ahead.round = 3;
  CHECK(decide(whistle, ahead).code == WorkflowCode::kRoundAhead);
}

TEST_CASE("work on an assignment that was withdrawn meanwhile is superseded") {
  WhistleCase whistle = whistle_in(WhistleState::kHandling);
  must(whistle, of_centre(101, Action::kVoid, {}));
  const Decision late = decide(whistle, of_waterworks(102, Action::kReportBack, {}));
  CHECK(late.verdict == Verdict::kSuperseded);
  CHECK(late.superseded_by == a_id(101));
}

TEST_CASE("the same action again gets the same answer and changes nothing") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  const ProposedAction check_in = of_waterworks(101, Action::kCheckIn, {});
  must(whistle, check_in);
  must(whistle, of_waterworks(102, Action::kStart, a_id(101)));
  const Decision again = decide(whistle, check_in);
  CHECK(again.replay);
  CHECK(again.verdict == Verdict::kAccepted);
  CHECK(again.next == whistle);
  CHECK(again.touched.empty());
}

TEST_CASE("the phone's `after` is the last action that moved the subject, else the whistle's") {
  WhistleCase whistle = whistle_in(WhistleState::kWhistled);
  whistle.assignments.clear();
  ProposedAction assign = of_centre(101, Action::kAssign, {});
  assign.targets = {{kLeadPart, kWaterworks, AssignmentPart::kLead}};
  must(whistle, assign);
  CHECK(after_for(whistle, Action::kCheckIn, kLeadPart) == a_id(101));
  must(whistle,
       of_waterworks(102, Action::kCheckIn, after_for(whistle, Action::kCheckIn, kLeadPart)));
  CHECK(after_for(whistle, Action::kCheckIn, kLeadPart) == a_id(102));
  CHECK(after_for(whistle, Action::kBlow, {}) == a_id(101));
}

TEST_CASE("an assignment that the centre names needlessly does not make its own action late") {
  WhistleCase whistle = whistle_in(WhistleState::kAssigned);
  must(whistle, of_waterworks(101, Action::kCheckIn, {}));
  must(whistle, of_waterworks(102, Action::kStart, a_id(101)));
  must(whistle, of_waterworks(103, Action::kReportBack, a_id(102)));
  ProposedAction check = of_centre(104, Action::kCheck, {});
  check.assignment = kLeadPart;
  check.after = after_for(whistle, check.type, check.assignment);
  must(whistle, check);
  ProposedAction review = of_centre(105, Action::kReview, {});
  review.assignment = kLeadPart;
  review.after = after_for(whistle, review.type, review.assignment);
  CHECK(review.after == a_id(104));
  CHECK(decide(whistle, review).verdict == Verdict::kAccepted);
}

}  // namespace gridwhistle
