#include <catch2/catch.hpp>

#include "document.h"
#include "model/workflow_guards.h"
#include "scene.h"

namespace gridwhistle {
namespace {

std::string words_of(const Transition& row) {
  std::string text = row.subject == Subject::kWhistle ? "whistle " : "assignment ";
  text += std::to_string(row.from) + " " + std::string(name_of(row.action)) + " by " +
          std::to_string(row.who.bits()) + " to " + std::to_string(row.to) + " if";
  for (int i = 0; i < kGuardCount; ++i) {
    const auto guard = static_cast<Guard>(i);
    if (row.guards.has(guard)) text += " " + std::string(name_of(guard));
  }
  return text + " within " + std::string(name_of(row.limit));
}

Scene scene_for(Subject subject, std::uint8_t state, WhistleActionType type, Role role) {
  Scene scene;
  scene.whistle = subject == Subject::kWhistle
                      ? whistle_in(static_cast<WhistleState>(state))
                      : whistle_with_lead_in(static_cast<AssignmentState>(state));
  scene.action = action_on(scene.whistle, type, {role});
  return scene;
}

Scene scene_for_row(const Transition& row, std::uint8_t state, Role role) {
  Scene scene = scene_for(row.subject, state, row.action, role);
  for (int i = 0; i < kGuardCount; ++i) {
    if (row.guards.has(static_cast<Guard>(i))) satisfy(static_cast<Guard>(i), scene);
  }
  return scene;
}

std::uint8_t subject_state(const Transition& row, const WhistleCase& whistle) {
  return row.subject == Subject::kWhistle
             ? static_cast<std::uint8_t>(whistle.state)
             : static_cast<std::uint8_t>(find_assignment(whistle, kLeadPart)->state);
}

int states_of(Subject subject) {
  return subject == Subject::kWhistle ? kWhistleStateCount : kAssignmentStateCount;
}

// An action that fits two rows nearly gets the reason of the first.
bool is_reason(WorkflowCode code, Guard broken, const Transition& row) {
  if (code == code_of(broken)) return true;
  return row.action == WhistleActionType::kJointMeeting && code == WorkflowCode::kLeadMissing;
}

// Calls `visit(state, action, role, rows)` for every combination there is, with the rows of the
// page that allow it.
template <typename Visit>
void for_every_combination(const WorkflowPage& page, Visit visit) {
  for (int type = 1; type <= kWhistleActionTypeCount; ++type) {
    const auto action = static_cast<WhistleActionType>(type);
    const Subject subject = needs_assignment(action) ? Subject::kAssignment : Subject::kWhistle;
    for (int state = 1; state <= states_of(subject); ++state) {
      for (int role = 0; role <= kRoleCount; ++role) {
        std::vector<Transition> rows;
        for (const Transition& row : page.rows) {
          if (row.action == action && row.leaves(static_cast<std::uint8_t>(state)) &&
              row.who.has(static_cast<Role>(role))) {
            rows.push_back(row);
          }
        }
        visit(subject, static_cast<std::uint8_t>(state), action, static_cast<Role>(role), rows);
      }
    }
  }
}

}  // namespace

TEST_CASE("the table in docs/workflow.md is the table in the code, row by row") {
  const WorkflowPage page = read_workflow_page();
  REQUIRE(page.rows.size() == road().size());
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    INFO("row " << i + 1);
    CHECK(words_of(page.rows[i]) == words_of(road()[i]));
  }
}

TEST_CASE("docs/workflow.md lists every guard in the order of the code, with its code") {
  const WorkflowPage page = read_workflow_page();
  REQUIRE(page.guards.size() == kGuardCount);
  for (int i = 0; i < kGuardCount; ++i) {
    const auto guard = static_cast<Guard>(i);
    CHECK(page.guards[static_cast<std::size_t>(i)].name == name_of(guard));
    CHECK(page.guards[static_cast<std::size_t>(i)].code == static_cast<int>(code_of(guard)));
  }
}

TEST_CASE(
    "every state, action and role: what the page allows is accepted and leads where it says") {
  int walked = 0;
  for_every_combination(
      read_workflow_page(), [&](Subject subject, std::uint8_t state, WhistleActionType, Role role,
                                const std::vector<Transition>& rows) {
        for (const Transition& row : rows) {
          const Scene scene = scene_for_row(row, state, role);
          const Decision decision = decide(scene.whistle, scene.action);
          INFO(words_of(row) << ", from " << int{state} << " by " << name_of(role) << ": "
                             << name_of(decision.code));
          REQUIRE(decision.verdict == Verdict::kAccepted);
          CHECK(subject_state(row, decision.next) == (row.to == 0 ? state : row.to));
          CHECK(decision.row->limit == row.limit);
          CHECK(decision.next.past.size() == scene.whistle.past.size() + 1);
          CHECK(subject == row.subject);
          ++walked;
        }
      });
  CHECK(walked > 300);
}

TEST_CASE("every state, action and role: what the page does not allow is refused, saying why") {
  int refused = 0;
  for_every_combination(
      read_workflow_page(), [&](Subject subject, std::uint8_t state, WhistleActionType type,
                                Role role, const std::vector<Transition>& rows) {
        if (!rows.empty()) return;
        Scene scene = scene_for(subject, state, type, role);
        for (const Guard guard : {Guard::kReasonGiven, Guard::kOtherWhistleOpen, Guard::kEvidence,
                                  Guard::kOneLead, Guard::kDateGiven, Guard::kReached}) {
          satisfy(guard, scene);
        }
        const Decision decision = decide(scene.whistle, scene.action);
        INFO(name_of(type) << " from " << int{state} << " by " << name_of(role));
        REQUIRE(decision.verdict != Verdict::kAccepted);
        if (decision.verdict == Verdict::kRejected) {
          CHECK((decision.code == WorkflowCode::kWrongState ||
                 decision.code == WorkflowCode::kRoleNotAllowed));
        } else {
          CHECK(static_cast<AssignmentState>(state) == AssignmentState::kWithdrawn);
        }
        WhistleCase unchanged = decision.next;
        unchanged.past = scene.whistle.past;
        CHECK(unchanged == scene.whistle);
        ++refused;
      });
  CHECK(refused > 3000);
}

TEST_CASE("every guard of every row hinders it, with the guard's own code") {
  for (const Transition& row : read_workflow_page().rows) {
    for (int i = 0; i < kGuardCount; ++i) {
      const auto guard = static_cast<Guard>(i);
      if (!row.guards.has(guard)) continue;
      for (int state = 1; state <= states_of(row.subject); ++state) {
        if (!row.leaves(static_cast<std::uint8_t>(state))) continue;
        // Only what is closed can have been closed too long ago.
        if (guard == Guard::kWithin30Days &&
            static_cast<WhistleState>(state) != WhistleState::kClosed) {
          continue;
        }
        for (int role = 0; role <= kRoleCount; ++role) {
          if (!row.who.has(static_cast<Role>(role))) continue;
          // The server stands above every level but cannot pass the highest.
          const bool server = role == 0;
          if (server && (guard == Guard::kAtLevel || guard == Guard::kLevelAbove ||
                         guard == Guard::kLevelRaised)) {
            continue;
          }
          Scene scene =
              scene_for_row(row, static_cast<std::uint8_t>(state), static_cast<Role>(role));
          violate(guard, scene);
          const Decision decision = decide(scene.whistle, scene.action);
          INFO(words_of(row) << " without " << name_of(guard) << ", from " << state);
          if (decision.verdict == Verdict::kAccepted) {
            CHECK(decision.row->guards != row.guards);
          } else {
            CHECK(decision.verdict == Verdict::kRejected);
            CHECK(is_reason(decision.code, guard, row));
          }
        }
      }
    }
  }
}

}  // namespace gridwhistle
