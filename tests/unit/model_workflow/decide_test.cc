#include <algorithm>
#include <catch2/catch.hpp>

#include "scene.h"

namespace gridwhistle {
namespace {

using Action = WhistleActionType;

// A story: each call is the next action, by somebody entitled to it.
class Story {
 public:
  explicit Story(Report report = ordinary_report()) : whistle(open_whistle(report)) {}

  static Report ordinary_report() {
    Report report;
    report.id = kWhistle;
    report.reporter = kReporter;
    report.reporter_roles = {Role::kGridWorker};
    report.first_receiver = kVillageCentre;
    return report;
  }

  ProposedAction by(RecordId actor, RecordId organisation, Level level, RoleSet roles,
                    Action type) {
    ProposedAction action;
    action.id = a_id(next_id_++);
    action.type = type;
    action.actor = actor;
    action.organisation = organisation;
    action.actor_level = level;
    action.roles = roles;
    action.round = whistle.round;
    action.at_ms = kNow;
    action.after = after_for(whistle, action.type, {});
    return action;
  }
  ProposedAction village(Action type) {
    return by(a_id(60), kVillageCentre, Level::kVillage, {Role::kVillageAcceptor}, type);
  }
  ProposedAction town(Action type) {
    return by(a_id(61), kTownCentre, Level::kTown, {Role::kTownAcceptor, Role::kDispatcher}, type);
  }
  ProposedAction county(Action type) {
    return by(a_id(62), kCountyCentre, Level::kCounty, {Role::kDispatcher, Role::kSupervisor},
              type);
  }
  ProposedAction visitor(Action type) {
    return by(a_id(63), kTownCentre, Level::kTown, {Role::kReturnVisitor}, type);
  }
  ProposedAction department(RecordId organisation, Action type) {
    ProposedAction action = by(a_id(64), organisation, Level::kCounty, {Role::kDepartment}, type);
    for (const AssignmentCase& assignment : whistle.assignments) {
      if (assignment.organisation == organisation) action.assignment = assignment.id;
    }
    action.after = after_for(whistle, action.type, action.assignment);
    action.says_why = type == Action::kObject;
    return action;
  }
  ProposedAction calling(ProposedAction action, RecordId lead, std::vector<RecordId> others = {}) {
    action.targets.push_back({a_id(next_id_++), lead, AssignmentPart::kLead});
    for (const RecordId& other : others) {
      action.targets.push_back({a_id(next_id_++), other, AssignmentPart::kCo});
    }
    return action;
  }

  void then(const ProposedAction& action) { must(whistle, action); }
  WorkflowCode refusal(const ProposedAction& action) { return decide(whistle, action).code; }

  void blown_for(RecordId lead, std::vector<RecordId> others = {}) {
    if (whistle.state == WhistleState::kReported) then(village(Action::kAccept));
    then(town(Action::kBlow));
    then(calling(town(Action::kAssign), lead, others));
  }
  void worked_by(RecordId organisation) {
    then(department(organisation, Action::kCheckIn));
    then(department(organisation, Action::kStart));
    then(department(organisation, Action::kReportBack));
  }

  WhistleCase whistle;

 private:
  std::uint64_t next_id_ = 500;
};

}  // namespace

TEST_CASE("a whistle goes the whole way, and each organisation owns it from when it took it on") {
  Story story;
  CHECK(story.whistle.state == WhistleState::kReported);
  CHECK(story.whistle.owner_org == kVillageCentre);
  story.then(story.village(Action::kAccept));
  CHECK(story.whistle.state == WhistleState::kAccepted);
  story.then(story.town(Action::kBlow));
  CHECK(story.whistle.owner_org == kTownCentre);
  story.then(story.calling(story.town(Action::kAssign), kWaterworks, {kPolice}));
  CHECK(story.whistle.state == WhistleState::kAssigned);
  CHECK(story.whistle.owner_org == kTownCentre);
  story.then(story.department(kPolice, Action::kCheckIn));
  CHECK(story.whistle.state == WhistleState::kAssigned);
  story.then(story.department(kWaterworks, Action::kCheckIn));
  CHECK(story.whistle.state == WhistleState::kCheckedIn);
  CHECK(story.whistle.owner_org == kWaterworks);
  story.then(story.department(kWaterworks, Action::kStart));
  CHECK(story.refusal(story.department(kWaterworks, Action::kReportBack)) ==
        WorkflowCode::kCoDepartmentsOpen);
  story.then(story.department(kPolice, Action::kStart));
  story.then(story.department(kPolice, Action::kReportBack));
  CHECK(story.whistle.state == WhistleState::kHandling);
  story.then(story.department(kWaterworks, Action::kReportBack));
  CHECK(story.whistle.state == WhistleState::kReportedBack);
  story.then(story.town(Action::kCheck));
  CHECK(story.whistle.owner_org == kTownCentre);
  story.then(story.town(Action::kReview));
  CHECK(story.whistle.state == WhistleState::kReturnVisit);
  ProposedAction visit = story.visitor(Action::kReturnVisit);
  visit.return_visit_result = ReturnVisitResult::kSatisfied;
  story.then(visit);
  CHECK(story.whistle.state == WhistleState::kClosed);
  CHECK(story.whistle.closing_reason == ClosingReason::kReturnVisit);
  CHECK(story.whistle.closed_ms == kNow);
}

TEST_CASE("what comes from anybody but a worker waits to be verified") {
  for (const Source source :
       {Source::kResident, Source::kHotline, Source::kPlatform, Source::kVolunteer}) {
    Report report = Story::ordinary_report();
    report.source = source;
    CHECK(open_whistle(report).state == WhistleState::kVerifying);
  }
}

TEST_CASE("a grid worker reports a routine matter as settled; of others the claim alone is kept") {
  Report report = Story::ordinary_report();
  report.handled_on_spot = true;
  CHECK(open_whistle(report).state == WhistleState::kHandledOnSpot);
  report.whistle_class = WhistleClass::kKey;
  CHECK(open_whistle(report).state == WhistleState::kReported);
  report.whistle_class = WhistleClass::kRoutine;
  report.reporter_roles = {Role::kMicroContact};
  CHECK(open_whistle(report).state == WhistleState::kReported);
}

TEST_CASE("who reported it as settled on the spot does not make the return visit") {
  Report report = Story::ordinary_report();
  report.handled_on_spot = true;
  Story story(report);
  ProposedAction visit = story.visitor(Action::kReturnVisit);
  visit.return_visit_result = ReturnVisitResult::kSatisfied;
  ProposedAction own_visit = visit;
  own_visit.actor = kReporter;
  CHECK(story.refusal(own_visit) == WorkflowCode::kHandlerMayNot);
  story.then(visit);
  CHECK(story.whistle.state == WhistleState::kClosed);
}

TEST_CASE("acceptance looks at what was settled on the spot, and may send it on the long way") {
  Report report = Story::ordinary_report();
  report.handled_on_spot = true;
  Story story(report);
  story.then(story.village(Action::kReject));
  CHECK(story.whistle.state == WhistleState::kAccepted);
  CHECK(story.whistle.accepted_ms == kNow);
  story.blown_for(kWaterworks);
  CHECK(story.whistle.state == WhistleState::kAssigned);
}

TEST_CASE("a lead's second objection makes a joint meeting due, and after it no lead objects") {
  Story story;
  story.blown_for(kWaterworks, {kPolice});
  story.then(story.department(kWaterworks, Action::kObject));
  CHECK(story.whistle.state == WhistleState::kAccepted);
  CHECK(story.whistle.owner_org == kTownCentre);
  CHECK(story.refusal(story.county(Action::kJointMeeting)) == WorkflowCode::kNoMeetingDue);
  story.blown_for(kForestry, {kPolice});
  story.then(story.department(kForestry, Action::kObject));
  CHECK(story.refusal(story.town(Action::kBlow)) == WorkflowCode::kMeetingDue);

  SECTION("the meeting names a lead") {
    story.then(story.calling(story.county(Action::kJointMeeting), kForestry));
    CHECK(story.whistle.state == WhistleState::kAssigned);
    CHECK(story.refusal(story.department(kForestry, Action::kObject)) ==
          WorkflowCode::kObjectedTwice);
  }
  SECTION("or raises it to the next level, which then holds the meeting") {
    ProposedAction meeting = story.county(Action::kJointMeeting);
    meeting.level = Level::kCounty;
    story.then(meeting);
    CHECK(story.whistle.state == WhistleState::kAccepted);
    CHECK(story.whistle.level == Level::kCounty);
    CHECK(story.whistle.owner_org == kCountyCentre);
    CHECK(story.refusal(story.calling(story.town(Action::kJointMeeting), kForestry)) ==
          WorkflowCode::kLevelTooLow);
  }
}

TEST_CASE("an objection that does not say why is refused and uses nothing up") {
  Story story;
  story.blown_for(kWaterworks, {kPolice});
  for (const RecordId& called : {kWaterworks, kPolice}) {
    ProposedAction mute = story.department(called, Action::kObject);
    mute.says_why = false;
    CHECK(story.refusal(mute) == WorkflowCode::kReasonMissing);
  }
  CHECK(story.whistle.objections == 0);
  story.then(story.department(kWaterworks, Action::kObject));
  CHECK(story.whistle.objections == 1);
}

TEST_CASE("a co-department called again keeps what it has done; one not called is withdrawn") {
  Story story;
  story.blown_for(kWaterworks, {kPolice, kForestry});
  story.then(story.department(kPolice, Action::kCheckIn));
  story.then(story.department(kWaterworks, Action::kObject));
  story.then(story.department(kPolice, Action::kStart));
  CHECK(story.whistle.state == WhistleState::kAccepted);
  story.blown_for(kWaterworks, {kPolice});
  REQUIRE(story.whistle.assignments.size() == 4);
  CHECK(story.whistle.assignments[0].state == AssignmentState::kObjected);
  CHECK(story.whistle.assignments[1].state == AssignmentState::kHandling);
  CHECK(story.whistle.assignments[2].state == AssignmentState::kWithdrawn);
  CHECK(story.whistle.assignments[3].state == AssignmentState::kAssigned);
  CHECK(story.whistle.assignments[3].organisation == kWaterworks);
}

TEST_CASE("a co-department's objection frees it, and the lead need not wait for it") {
  Story story;
  story.blown_for(kWaterworks, {kPolice});
  story.then(story.department(kPolice, Action::kObject));
  CHECK(story.whistle.state == WhistleState::kAssigned);
  CHECK(story.whistle.objections == 0);
  story.worked_by(kWaterworks);
  CHECK(story.whistle.state == WhistleState::kReportedBack);
}

TEST_CASE("an extension is asked for, granted from above, and given once") {
  Story story;
  story.blown_for(kWaterworks);
  story.then(story.department(kWaterworks, Action::kCheckIn));
  story.then(story.department(kWaterworks, Action::kStart));
  const RecordId assignment = story.whistle.assignments[0].id;
  const auto grant = [&](ProposedAction action) {
    action.assignment = assignment;
    action.after = after_for(story.whistle, action.type, assignment);
    return action;
  };
  CHECK(story.refusal(grant(story.county(Action::kGrantExtension))) == WorkflowCode::kNothingAsked);
  ProposedAction request = story.department(kWaterworks, Action::kRequestExtension);
  request.until_ms = kNow + 3 * kDay;
  story.then(request);
  ProposedAction too_low = grant(story.town(Action::kGrantExtension));
  too_low.actor_level = Level::kVillage;
  CHECK(story.refusal(too_low) == WorkflowCode::kLevelTooLow);
  story.then(grant(story.county(Action::kGrantExtension)));
  CHECK(story.whistle.state == WhistleState::kExtended);
  CHECK(story.whistle.assignments[0].handle_due_ms == kNow + 3 * kDay);
  story.then(story.department(kWaterworks, Action::kResume));
  CHECK(story.refusal(story.department(kWaterworks, Action::kRequestExtension)) ==
        WorkflowCode::kExtendedAlready);
}

TEST_CASE("a suspension names its day, and on that day the server resumes the work") {
  Story story;
  story.blown_for(kWaterworks);
  story.then(story.department(kWaterworks, Action::kCheckIn));
  story.then(story.department(kWaterworks, Action::kStart));
  ProposedAction request = story.department(kWaterworks, Action::kRequestSuspension);
  CHECK(story.refusal(request) == WorkflowCode::kDateMissing);
  request.until_ms = kNow + 9 * kDay;
  story.then(request);
  ProposedAction grant = story.county(Action::kGrantSuspension);
  grant.assignment = request.assignment;
  grant.after = after_for(story.whistle, grant.type, grant.assignment);
  story.then(grant);
  CHECK(story.whistle.state == WhistleState::kSuspended);
  ProposedAction resume = story.by({}, {}, Level::kUnspecified, {kServerRole}, Action::kResume);
  resume.assignment = request.assignment;
  resume.after = after_for(story.whistle, resume.type, resume.assignment);
  CHECK(story.refusal(resume) == WorkflowCode::kDateNotReached);
  resume.at_ms = kNow + 9 * kDay;
  story.then(resume);
  CHECK(story.whistle.state == WhistleState::kHandling);
}

TEST_CASE("the third failed contact closes a whistle as not reached") {
  Story story;
  story.blown_for(kWaterworks);
  story.worked_by(kWaterworks);
  story.then(story.town(Action::kCheck));
  story.then(story.town(Action::kReview));
  for (int i = 0; i < 3; ++i) {
    CHECK(story.whistle.state == WhistleState::kReturnVisit);
    ProposedAction visit = story.visitor(Action::kReturnVisit);
    visit.return_visit_result = ReturnVisitResult::kNotReached;
    story.then(visit);
  }
  CHECK(story.whistle.state == WhistleState::kClosed);
  CHECK(story.whistle.closing_reason == ClosingReason::kNotReached);
}

TEST_CASE("a category that asks for a picture is closed only with one that has arrived") {
  Story story;
  story.whistle = whistle_in(WhistleState::kReturnVisit);
  ProposedAction visit = story.visitor(Action::kReturnVisit);
  visit.return_visit_result = ReturnVisitResult::kSatisfied;
  visit.closing_evidence = ClosingEvidence::kMissing;
  CHECK(story.refusal(visit) == WorkflowCode::kClosingEvidenceMissing);
  visit.closing_evidence = ClosingEvidence::kArrived;
  story.then(visit);
  CHECK(story.whistle.state == WhistleState::kClosed);
}

TEST_CASE("a visit whose picture is on its way counts, and the server closes when that is there") {
  for (const auto result : {ReturnVisitResult::kUnresolved, ReturnVisitResult::kNotReached}) {
    Story story;
    story.whistle = whistle_in(WhistleState::kReturnVisit);
    story.whistle.contact_attempts = 2;
    ProposedAction close = story.by({}, {}, Level::kCity, {kServerRole}, Action::kReturnVisit);
    close.closing_evidence = ClosingEvidence::kArrived;
    CHECK(story.refusal(close) == WorkflowCode::kResultMissing);
    ProposedAction visit = story.visitor(Action::kReturnVisit);
    visit.return_visit_result = result;
    visit.closing_evidence = ClosingEvidence::kOnItsWay;
    story.then(visit);
    CHECK(story.whistle.state == WhistleState::kReturnVisit);
    CHECK(story.whistle.return_visit_result == result);
    close = story.by({}, {}, Level::kCity, {kServerRole}, Action::kReturnVisit);
    close.closing_evidence = ClosingEvidence::kOnItsWay;
    CHECK(story.refusal(close) == WorkflowCode::kClosingEvidenceMissing);
    close.closing_evidence = ClosingEvidence::kArrived;
    const std::uint32_t attempts = story.whistle.contact_attempts;
    story.then(close);
    CHECK(story.whistle.state == WhistleState::kClosed);
    CHECK(story.whistle.return_visit_result == result);
    CHECK(story.whistle.contact_attempts == attempts);
    CHECK(story.whistle.closing_reason == (result == ReturnVisitResult::kNotReached
                                               ? ClosingReason::kNotReached
                                               : ClosingReason::kReturnVisit));
  }
}

TEST_CASE("what is sent back from the spot is closed by a visit anew, not by a late picture") {
  Story story;
  story.whistle = whistle_in(WhistleState::kHandledOnSpot);
  ProposedAction visit = story.visitor(Action::kReturnVisit);
  visit.return_visit_result = ReturnVisitResult::kSatisfied;
  visit.closing_evidence = ClosingEvidence::kOnItsWay;
  story.then(visit);
  story.then(story.village(Action::kReject));
  story.blown_for(kWaterworks);
  story.worked_by(kWaterworks);
  story.then(story.town(Action::kCheck));
  story.then(story.town(Action::kReview));
  ProposedAction close = story.by({}, {}, Level::kCity, {kServerRole}, Action::kReturnVisit);
  close.closing_evidence = ClosingEvidence::kArrived;
  CHECK(story.refusal(close) == WorkflowCode::kResultMissing);
}

TEST_CASE("neither the person nor the organisation that handled it checks it") {
  Story story;
  story.blown_for(kWaterworks);
  story.worked_by(kWaterworks);
  ProposedAction same_person = story.town(Action::kCheck);
  same_person.actor = a_id(64);
  CHECK(story.refusal(same_person) == WorkflowCode::kHandlerMayNot);
  ProposedAction same_house = story.town(Action::kCheck);
  same_house.organisation = kWaterworks;
  CHECK(story.refusal(same_house) == WorkflowCode::kHandlerMayNot);
}

TEST_CASE("work that is sent back belongs to the lead again") {
  Story story;
  story.blown_for(kWaterworks);
  story.worked_by(kWaterworks);
  story.then(story.town(Action::kCheck));
  story.then(story.county(Action::kReject));
  CHECK(story.whistle.state == WhistleState::kHandling);
  CHECK(story.whistle.owner_org == kWaterworks);
  story.then(story.department(kWaterworks, Action::kReportBack));
  CHECK(story.whistle.state == WhistleState::kReportedBack);
}

TEST_CASE("reopening within 30 days keeps the whistle and begins the next round") {
  Story story;
  story.blown_for(kWaterworks);
  story.worked_by(kWaterworks);
  story.then(story.town(Action::kCheck));
  story.then(story.town(Action::kReview));
  ProposedAction visit = story.visitor(Action::kReturnVisit);
  visit.return_visit_result = ReturnVisitResult::kUnresolved;
  story.then(visit);
  ProposedAction late = story.county(Action::kReopen);
  late.at_ms = kNow + 31 * kDay;
  CHECK(story.refusal(late) == WorkflowCode::kTooLate);
  story.then(story.county(Action::kReopen));
  CHECK(story.whistle.id == kWhistle);
  CHECK(story.whistle.round == 2);
  story.blown_for(kWaterworks);
  CHECK(story.whistle.state == WhistleState::kAssigned);
  story.worked_by(kWaterworks);
  CHECK(story.whistle.state == WhistleState::kReportedBack);
}

TEST_CASE("a push down outside the receiver's list is refused, inside it passes at once") {
  Story story;
  story.then(story.village(Action::kAccept));
  ProposedAction pull = story.county(Action::kPullUp);
  pull.level = Level::kCounty;
  story.then(pull);
  CHECK(story.whistle.owner_org == kCountyCentre);
  CHECK(story.refusal(story.town(Action::kBlow)) == WorkflowCode::kLevelTooLow);
  ProposedAction push = story.county(Action::kPushDown);
  push.level = Level::kTown;
  push.receiver = kTownCentre;
  CHECK(story.refusal(push) == WorkflowCode::kOutsideList);
  push.on_receivers_list = true;
  story.then(push);
  CHECK(story.whistle.level == Level::kTown);
  CHECK(story.whistle.owner_org == kTownCentre);
}

TEST_CASE("its creator takes a whistle back before acceptance, a supervisor afterwards") {
  Story story;
  ProposedAction own =
      story.by(kReporter, kVillageCentre, Level::kVillage, {Role::kGridWorker}, Action::kVoid);
  CHECK(decide(story.whistle, own).verdict == Verdict::kAccepted);
  story.then(story.village(Action::kAccept));
  own.after = after_for(story.whistle, own.type, {});
  CHECK(story.refusal(own) == WorkflowCode::kRoleNotAllowed);
  story.then(story.county(Action::kVoid));
  CHECK(story.whistle.state == WhistleState::kVoid);
}

TEST_CASE("a phone offers exactly what its worker may do") {
  Story story;
  story.blown_for(kWaterworks, {kPolice});
  const RecordId assignment = story.whistle.assignments[0].id;
  const Viewer officer{a_id(64), kWaterworks, {Role::kDepartment}, Level::kCounty};
  CHECK(actions_allowed(story.whistle, officer) ==
        std::vector<AllowedAction>{
            {Action::kObject, assignment}, {Action::kCheckIn, assignment}, {Action::kComment, {}}});
  const Viewer volunteer{a_id(65), {}, {Role::kVolunteer}, Level::kVillage};
  CHECK(actions_allowed(story.whistle, volunteer) ==
        std::vector<AllowedAction>{{Action::kComment, {}}});
  story.worked_by(kPolice);
  story.then(story.department(kWaterworks, Action::kCheckIn));
  story.then(story.department(kWaterworks, Action::kStart));
  const auto allowed = actions_allowed(story.whistle, officer);
  CHECK(std::ranges::count(allowed, AllowedAction{Action::kReportBack, assignment}) == 1);
}

TEST_CASE("an assignment that is not named, or not this whistle's, is refused") {
  Story story;
  story.blown_for(kWaterworks);
  ProposedAction check_in = story.department(kWaterworks, Action::kCheckIn);
  check_in.assignment = {};
  CHECK(story.refusal(check_in) == WorkflowCode::kNoSuchAssignment);
  check_in.type = static_cast<Action>(77);
  CHECK(story.refusal(check_in) == WorkflowCode::kUnknownAction);
}

}  // namespace gridwhistle
