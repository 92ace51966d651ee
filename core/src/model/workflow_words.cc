#include "model/workflow_words.h"

#include <array>
#include <cstddef>

namespace gridwhistle {
namespace {

constexpr std::array<std::string_view, kWhistleStateCount + 1> kStates = {
    "",         "REPORTED",   "VERIFYING",       "ACCEPTED",
    "REFUSED",  "MERGED",     "HANDLED_ON_SPOT", "WHISTLED",
    "ASSIGNED", "CHECKED_IN", "HANDLING",        "REPORTED_BACK",
    "EXTENDED", "SUSPENDED",  "CHECKING",        "RETURN_VISIT",
    "CLOSED",   "VOID"};

constexpr std::array<std::string_view, kAssignmentStateCount + 1> kAssignmentStates = {
    "",         "ASSIGNED",  "OBJECTED",      "CHECKED_IN", "HANDLING",
    "EXTENDED", "SUSPENDED", "REPORTED_BACK", "WITHDRAWN"};

constexpr std::array<std::string_view, kWhistleActionTypeCount + 1> kActions = {
    "",
    "ACCEPT",
    "REFUSE",
    "MERGE",
    "HANDLE_ON_SPOT",
    "BLOW",
    "ASSIGN",
    "OBJECT",
    "CHECK_IN",
    "START",
    "REPORT_BACK",
    "REQUEST_EXTENSION",
    "GRANT_EXTENSION",
    "REQUEST_SUSPENSION",
    "GRANT_SUSPENSION",
    "RESUME",
    "CHECK",
    "REJECT",
    "RETURN_VISIT",
    "REVIEW",
    "UNMERGE",
    "JOINT_MEETING",
    "PULL_UP",
    "PUSH_DOWN",
    "SUPERVISE",
    "LIFT_SUPERVISION",
    "REOPEN",
    "VOID",
    "VERIFY",
    "COMMENT"};

constexpr std::array<std::string_view, kRoleCount + 1> kRoles = {
    "SERVER",           "GRID_WORKER",    "CARE_WORKER", "MICRO_CONTACT", "VOLUNTEER",
    "VILLAGE_ACCEPTOR", "TOWN_ACCEPTOR",  "DISPATCHER",  "SUPERVISOR",    "DEPARTMENT",
    "MEDIATOR",         "RETURN_VISITOR", "OPERATOR"};

template <typename Enum, std::size_t N>
std::string_view look_up(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : std::string_view();
}

}  // namespace

std::string_view name_of(WhistleState state) { return look_up(kStates, state); }
std::string_view name_of(AssignmentState state) { return look_up(kAssignmentStates, state); }
std::string_view name_of(WhistleActionType type) { return look_up(kActions, type); }
std::string_view name_of(Role role) { return look_up(kRoles, role); }

}  // namespace gridwhistle
