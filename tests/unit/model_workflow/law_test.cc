#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "scene.h"

namespace gridwhistle {
namespace {

using Action = WhistleActionType;

// Decides like a dice: a walk is a function of the numbers drawn, so a failing one can be shrunk.
class Dice {
 public:
  explicit Dice(std::vector<std::uint32_t> numbers) : numbers_(std::move(numbers)) {}
  bool empty() const { return next_ >= numbers_.size(); }
  std::uint32_t roll(std::uint32_t sides) { return empty() ? 0 : numbers_[next_++] % sides; }
  bool one_in(std::uint32_t sides) { return roll(sides) == sides - 1; }

 private:
  std::vector<std::uint32_t> numbers_;
  std::size_t next_ = 0;
};

struct Person {
  RecordId id;
  RecordId organisation;
  Level level;
  RoleSet roles;
};

const std::array<Person, 11>& people() {
  static const std::array<Person, 11> kPeople = {{
      {kReporter, kVillageCentre, Level::kVillage, {Role::kGridWorker}},
      {a_id(60), kVillageCentre, Level::kVillage, {Role::kVillageAcceptor}},
      {a_id(61), kTownCentre, Level::kTown, {Role::kTownAcceptor, Role::kDispatcher}},
      {a_id(62), kCountyCentre, Level::kCounty, {Role::kDispatcher, Role::kSupervisor}},
      {a_id(63), kTownCentre, Level::kTown, {Role::kReturnVisitor}},
      {a_id(64), kWaterworks, Level::kCounty, {Role::kDepartment}},
      {a_id(65), kPolice, Level::kCounty, {Role::kDepartment, Role::kReturnVisitor}},
      {a_id(66), kForestry, Level::kCounty, {Role::kDepartment, Role::kTownAcceptor}},
      {a_id(67), kWaterworks, Level::kCounty, {Role::kDepartment, Role::kSupervisor}},
      {a_id(68), {}, Level::kVillage, {Role::kVolunteer}},
      {{}, {}, Level::kUnspecified, {kServerRole}},
  }};
  return kPeople;
}

class RandomWalk {
 public:
  explicit RandomWalk(std::vector<std::uint32_t> numbers) : dice_(std::move(numbers)) {
    Report report;
    report.id = kWhistle;
    report.source = dice_.one_in(3) ? Source::kHotline : Source::kWorker;
    report.whistle_class = static_cast<WhistleClass>(1 + dice_.roll(3));
    report.reporter = kReporter;
    report.reporter_roles = {Role::kGridWorker};
    report.first_receiver = kVillageCentre;
    report.handled_on_spot = dice_.one_in(4);
    whistle = open_whistle(report);
  }

  bool over() const { return dice_.empty(); }

  // Mostly something that may be done, sometimes anything at all, sometimes late.
  ProposedAction next() {
    ProposedAction action;
    if (dice_.one_in(6) || !choose_allowed(action)) choose_anything(action);
    fill(action);
    return action;
  }

  WhistleCase whistle;

 private:
  static void speak_as(const Person& person, ProposedAction& action) {
    action.actor = person.id;
    action.organisation = person.organisation;
    action.actor_level = person.level;
    action.roles = person.roles;
  }

  void choose_anything(ProposedAction& action) {
    speak_as(people()[dice_.roll(static_cast<std::uint32_t>(people().size()))], action);
    action.type = static_cast<Action>(dice_.roll(kWhistleActionTypeCount + 2));
    if (whistle.assignments.empty()) return;
    const auto any = dice_.roll(static_cast<std::uint32_t>(whistle.assignments.size()));
    action.assignment = whistle.assignments[any].id;
  }

  // What leads on along the road; remarks and the like come often enough by chance.
  bool choose_allowed(ProposedAction& action) {
    const Set<Action> aside = {Action::kComment, Action::kSupervise, Action::kLiftSupervision,
                               Action::kPullUp,  Action::kPushDown,  Action::kVoid};
    std::vector<std::pair<const Person*, AllowedAction>> choices;
    for (const Person& person : people()) {
      for (const AllowedAction& allowed :
           actions_allowed(whistle, {person.id, person.organisation, person.roles, person.level})) {
        if (!aside.has(allowed.type)) choices.emplace_back(&person, allowed);
      }
    }
    if (choices.empty()) return false;
    const auto& [person, chosen] = choices[dice_.roll(static_cast<std::uint32_t>(choices.size()))];
    speak_as(*person, action);
    action.type = chosen.type;
    action.assignment = chosen.assignment;
    return true;
  }

  void fill(ProposedAction& action) {
    action.id = a_id(next_id_++);
    if (!whistle.past.empty() && dice_.one_in(25)) action.id = whistle.past.back().id;
    action.after = after_for(whistle, action.type, action.assignment);
    if (dice_.one_in(8)) action.after = {};
    if (!whistle.past.empty() && dice_.one_in(8)) {
      action.after = whistle.past[dice_.roll(static_cast<std::uint32_t>(whistle.past.size()))].id;
    }
    action.round = dice_.one_in(12) ? dice_.roll(4) : whistle.round;
    now_ms_ += static_cast<std::int64_t>(dice_.roll(12)) * kDay;
    action.at_ms = now_ms_;
    action.refusal_reason = static_cast<RefusalReason>(dice_.roll(3));
    action.says_why = !dice_.one_in(4);
    action.other_whistle = a_id(99);
    action.other_whistle_open = true;
    action.level = static_cast<Level>(dice_.roll(5));
    action.receiver = kTownCentre;
    action.on_receivers_list = !dice_.one_in(3);
    action.until_ms = now_ms_ + static_cast<std::int64_t>(dice_.roll(4)) * kDay;
    action.evidence_before = dice_.roll(2);
    action.evidence_after = dice_.roll(2);
    action.return_visit_result = static_cast<ReturnVisitResult>(dice_.roll(5));
    action.closing_evidence = static_cast<ClosingEvidence>(dice_.roll(4));
    call(action);
  }

  void call(ProposedAction& action) {
    const std::array<RecordId, 3> departments = {kWaterworks, kPolice, kForestry};
    const std::uint32_t lead = dice_.roll(3);
    for (std::uint32_t i = 0; i < departments.size(); ++i) {
      if (i != lead && dice_.one_in(2)) continue;
      const AssignmentPart part = i == lead ? AssignmentPart::kLead : AssignmentPart::kCo;
      action.targets.push_back({a_id(next_id_++), departments[i], part});
    }
  }

  Dice dice_;
  std::uint64_t next_id_ = 10'000;
  std::int64_t now_ms_ = kNow;
};

// Walks at random and shows each step: the case before, the action, what was decided.
template <typename See>
void on_random_walks(const std::string& law, See see) {
  CHECK(rc::check(law, [&] {
    const auto numbers = *rc::gen::scale(
        20.0, rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0U, 1'000'000U)));
    RandomWalk walk(numbers);
    while (!walk.over()) {
      const ProposedAction action = walk.next();
      const Decision decision = decide(walk.whistle, action);
      see(walk.whistle, action, decision);
      walk.whistle = decision.next;
    }
  }));
}

bool is_with_departments(WhistleState state) {
  return state >= WhistleState::kAssigned && state <= WhistleState::kSuspended;
}

}  // namespace

TEST_CASE("law 1: replaying an action changes nothing and gets the same answer") {
  on_random_walks("replay",
                  [](const WhistleCase&, const ProposedAction& action, const Decision& decision) {
                    const Decision again = decide(decision.next, action);
                    RC_ASSERT(again.replay);
                    RC_ASSERT(again.next == decision.next);
                    RC_ASSERT(again.verdict == decision.verdict);
                    RC_ASSERT(again.code == decision.code);
                  });
}

TEST_CASE("law 2: exactly one organisation owns a whistle, and changes only by taking it on") {
  const Set<Action> taking = {Action::kAccept,   Action::kBlow,   Action::kJointMeeting,
                              Action::kCheck,    Action::kReject, Action::kPullUp,
                              Action::kPushDown, Action::kCheckIn};
  on_random_walks("one owner", [&](const WhistleCase& before, const ProposedAction& action,
                                   const Decision& decision) {
    RC_ASSERT(!decision.next.owner_org.is_nil());
    if (decision.next.owner_org == before.owner_org) return;
    RC_ASSERT(taking.has(action.type));
    RC_ASSERT(decision.verdict == Verdict::kAccepted);
  });
}

TEST_CASE("law 3: who handled a whistle neither checks nor visits for it") {
  const Set<Action> judging = {Action::kCheck, Action::kReject, Action::kReturnVisit};
  on_random_walks("never the handler", [&](const WhistleCase& before, const ProposedAction& action,
                                           const Decision& decision) {
    const bool reviews_work =
        action.type == Action::kReview && before.state == WhistleState::kChecking;
    if (decision.verdict != Verdict::kAccepted || decision.replay) return;
    if (!judging.has(action.type) && !reviews_work) return;
    for (const PastAction& past : before.past) {
      const bool worked = past.type == Action::kStart || past.type == Action::kReportBack ||
                          past.type == Action::kHandleOnSpot;
      RC_ASSERT(!(worked && past.verdict == Verdict::kAccepted && past.actor == action.actor));
    }
    for (const AssignmentCase& assignment : before.assignments) {
      RC_ASSERT(!(assignment.state == AssignmentState::kReportedBack &&
                  assignment.organisation == action.organisation));
    }
  });
}

TEST_CASE("law 5: a rejected or superseded action changes nothing but the timeline") {
  on_random_walks("kept, not applied",
                  [](const WhistleCase& before, const ProposedAction&, const Decision& decision) {
                    if (decision.verdict == Verdict::kAccepted || decision.replay) return;
                    WhistleCase after = decision.next;
                    RC_ASSERT(after.past.size() == before.past.size() + 1);
                    RC_ASSERT(decision.touched.empty());
                    after.past = before.past;
                    RC_ASSERT(after == before);
                    if (decision.verdict == Verdict::kSuperseded)
                      RC_ASSERT(decision.code == WorkflowCode::kNone);
                    if (decision.verdict == Verdict::kRejected)
                      RC_ASSERT(decision.code != WorkflowCode::kNone);
                  });
}

TEST_CASE("law 6: the round only grows, by one, and only by reopening") {
  on_random_walks("rounds", [](const WhistleCase& before, const ProposedAction& action,
                               const Decision& decision) {
    const bool reopened = action.type == Action::kReopen && !decision.replay &&
                          decision.verdict == Verdict::kAccepted;
    RC_ASSERT(decision.next.round == before.round + (reopened ? 1U : 0U));
  });
}

TEST_CASE("law 7: terminal states are left by the named actions alone") {
  on_random_walks("terminal", [](const WhistleCase& before, const ProposedAction& action,
                                 const Decision& decision) {
    if (decision.next.state == before.state) return;
    if (before.state == WhistleState::kVoid) RC_FAIL("VOID was left");
    if (before.state == WhistleState::kClosed) {
      RC_ASSERT(action.type == Action::kReopen || action.type == Action::kVoid);
    }
    if (before.state == WhistleState::kRefused) {
      RC_ASSERT(action.type == Action::kReview || action.type == Action::kVoid);
    }
    if (before.state == WhistleState::kMerged) {
      RC_ASSERT(action.type == Action::kUnmerge || action.type == Action::kVoid);
    }
  });
}

TEST_CASE("law 8: with departments called there is one acting lead, and its state is shown") {
  on_random_walks("one lead", [](const WhistleCase&, const ProposedAction&,
                                 const Decision& decision) {
    const WhistleCase& whistle = decision.next;
    RC_ASSERT(state_of(whistle.state, whistle.assignments, whistle.round) == whistle.state);
    if (!is_with_departments(whistle.state)) return;
    const auto leads = std::ranges::count_if(whistle.assignments, [&](const AssignmentCase& part) {
      return part.round == whistle.round && part.part == AssignmentPart::kLead &&
             part.state != AssignmentState::kObjected && part.state != AssignmentState::kWithdrawn;
    });
    RC_ASSERT(leads == 1);
  });
}

TEST_CASE("law 9: nobody is left at work on a whistle that is over or being looked at") {
  const Set<WhistleState> over = {WhistleState::kVoid,          WhistleState::kClosed,
                                  WhistleState::kHandledOnSpot, WhistleState::kChecking,
                                  WhistleState::kReturnVisit,   WhistleState::kReportedBack};
  on_random_walks("nobody left",
                  [&](const WhistleCase&, const ProposedAction&, const Decision& decision) {
                    for (const AssignmentCase& part : decision.next.assignments) {
                      const bool ended = part.state == AssignmentState::kObjected ||
                                         part.state == AssignmentState::kReportedBack ||
                                         part.state == AssignmentState::kWithdrawn;
                      if (over.has(decision.next.state)) RC_ASSERT(ended);
                      if (part.round < decision.next.round) RC_ASSERT(ended);
                    }
                  });
}

TEST_CASE("random walks come into every state, so the laws are about all of them") {
  std::uint64_t seen = 0;
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    std::vector<std::uint32_t> numbers;
    std::uint64_t state = seed;
    for (int i = 0; i < 1500; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      numbers.push_back(static_cast<std::uint32_t>(state >> 33));
    }
    RandomWalk walk(numbers);
    while (!walk.over()) {
      walk.whistle = decide(walk.whistle, walk.next()).next;
      seen |= std::uint64_t{1} << static_cast<unsigned>(walk.whistle.state);
    }
  }
  for (int state = 1; state <= kWhistleStateCount; ++state) {
    INFO(name_of(static_cast<WhistleState>(state)));
    CHECK((seen >> state & 1U) == 1U);
  }
}

namespace {

// What each of three departments writes offline, one after another, each having seen the assignment
// alone. Some of it makes no sense and will be refused: the order must not matter for that either.
std::array<std::vector<ProposedAction>, 3> offline_work(Dice& dice) {
  const std::array<RecordId, 3> parts = {kLeadPart, kCoPart, kOtherCoPart};
  const std::array<RecordId, 3> organisations = {kWaterworks, kPolice, kForestry};
  const std::array<Action, 7> choices = {
      Action::kCheckIn, Action::kStart,  Action::kReportBack,       Action::kRequestExtension,
      Action::kObject,  Action::kResume, Action::kRequestSuspension};
  std::array<std::vector<ProposedAction>, 3> work;
  for (std::size_t department = 0; department < 3; ++department) {
    RecordId after;
    const std::uint32_t length = dice.roll(7);
    for (std::uint32_t i = 0; i < length; ++i) {
      ProposedAction action;
      action.id = a_id(2000 + 100 * department + i);
      action.type = dice.one_in(3) ? choices[dice.roll(7)] : choices[std::min<std::size_t>(i, 2)];
      action.actor = a_id(64 + department);
      action.organisation = organisations[department];
      action.roles = {Role::kDepartment};
      action.actor_level = Level::kCounty;
      action.assignment = parts[department];
      action.after = after;
      action.at_ms = kNow;
      action.until_ms = kNow + kDay;
      action.says_why = !dice.one_in(4);
      after = action.id;
      work[department].push_back(action);
    }
  }
  return work;
}

WhistleCase interleaved(WhistleCase whistle, const std::array<std::vector<ProposedAction>, 3>& work,
                        Dice& dice) {
  // The lead reports back after every co-department: that much order is the law's own.
  const auto& lead = work[0];
  const auto waits = std::ranges::find(lead, Action::kReportBack, &ProposedAction::type);
  const std::array<std::size_t, 3> ends = {static_cast<std::size_t>(waits - lead.begin()),
                                           work[1].size(), work[2].size()};
  std::array<std::size_t, 3> next = {0, 0, 0};
  while (next[0] < ends[0] || next[1] < ends[1] || next[2] < ends[2]) {
    std::size_t department = dice.roll(3);
    while (next[department] >= ends[department]) department = (department + 1) % 3;
    whistle = decide(whistle, work[department][next[department]++]).next;
  }
  for (; next[0] < lead.size(); ++next[0]) whistle = decide(whistle, lead[next[0]]).next;
  return whistle;
}

}  // namespace

TEST_CASE("law 4: the order of different departments' actions does not matter") {
  WhistleCase called = whistle_in(WhistleState::kWhistled);
  called.assignments.clear();
  ProposedAction assign = action_on(called, Action::kAssign, {Role::kDispatcher});
  assign.targets = {{kLeadPart, kWaterworks, AssignmentPart::kLead},
                    {kCoPart, kPolice, AssignmentPart::kCo},
                    {kOtherCoPart, kForestry, AssignmentPart::kCo}};
  must(called, assign);
  CHECK(rc::check("departments", [&](const std::vector<std::uint32_t>& what,
                                     const std::vector<std::uint32_t>& one_order,
                                     const std::vector<std::uint32_t>& other_order) {
    Dice dice(what);
    const auto work = offline_work(dice);
    Dice first(one_order);
    Dice second(other_order);
    WhistleCase one = interleaved(called, work, first);
    WhistleCase other = interleaved(called, work, second);
    RC_ASSERT(one.past.size() == other.past.size());
    one.past.clear();
    other.past.clear();
    RC_ASSERT(one == other);
  }));
}

}  // namespace gridwhistle
