#include <catch2/catch.hpp>
#include <set>

#include "gridwhistle/messages.h"
#include "gridwhistle/v1/workflow.pb.h"
#include "model/workflow.h"

namespace gridwhistle {
namespace {

template <typename Enum>
void same_numbers(int count, const std::string& prefix, const std::string& (*proto_name)(int),
                  bool (*is_valid)(int)) {
  for (int i = 1; i <= count; ++i) {
    CHECK(proto_name(i) == prefix + std::string(name_of(static_cast<Enum>(i))));
  }
  CHECK_FALSE(is_valid(count + 1));
}

}  // namespace

TEST_CASE("states, actions and roles have the numbers and names of the wire") {
  const auto state = [](int i) -> const std::string& {
    return v1::WhistleState_Name(static_cast<v1::WhistleState>(i));
  };
  const auto assignment = [](int i) -> const std::string& {
    return v1::AssignmentState_Name(static_cast<v1::AssignmentState>(i));
  };
  const auto action = [](int i) -> const std::string& {
    return v1::WhistleActionType_Name(static_cast<v1::WhistleActionType>(i));
  };
  const auto role = [](int i) -> const std::string& {
    return v1::Role_Name(static_cast<v1::Role>(i));
  };
  same_numbers<WhistleState>(kWhistleStateCount, "WHISTLE_STATE_", state, v1::WhistleState_IsValid);
  same_numbers<AssignmentState>(kAssignmentStateCount, "ASSIGNMENT_STATE_", assignment,
                                v1::AssignmentState_IsValid);
  same_numbers<WhistleActionType>(kWhistleActionTypeCount, "WHISTLE_ACTION_TYPE_", action,
                                  v1::WhistleActionType_IsValid);
  same_numbers<Role>(kRoleCount, "ROLE_", role, v1::Role_IsValid);
}

TEST_CASE("the smaller words have the numbers of the wire") {
  CHECK(static_cast<int>(WhistleClass::kRoutine) == v1::WHISTLE_CLASS_ROUTINE);
  CHECK(static_cast<int>(WhistleClass::kKey) == v1::WHISTLE_CLASS_KEY);
  CHECK(static_cast<int>(WhistleClass::kDifficult) == v1::WhistleClass_MAX);
  CHECK(static_cast<int>(Level::kVillage) == v1::LEVEL_VILLAGE);
  CHECK(static_cast<int>(Level::kTown) == v1::LEVEL_TOWN);
  CHECK(static_cast<int>(Level::kCounty) == v1::LEVEL_COUNTY);
  CHECK(static_cast<int>(Level::kCity) == v1::Level_MAX);
  CHECK(static_cast<int>(AssignmentPart::kLead) == v1::ASSIGNMENT_PART_LEAD);
  CHECK(static_cast<int>(AssignmentPart::kCo) == v1::AssignmentPart_MAX);
  CHECK(static_cast<int>(Source::kWorker) == v1::SOURCE_WORKER);
  CHECK(static_cast<int>(Source::kResident) == v1::SOURCE_RESIDENT);
  CHECK(static_cast<int>(Source::kHotline) == v1::SOURCE_HOTLINE);
  CHECK(static_cast<int>(Source::kPlatform) == v1::SOURCE_PLATFORM);
  CHECK(static_cast<int>(Source::kVolunteer) == v1::Source_MAX);
  CHECK(static_cast<int>(RefusalReason::kNotPublic) == v1::REFUSAL_REASON_NOT_PUBLIC);
  CHECK(static_cast<int>(RefusalReason::kLegalProcedure) == v1::REFUSAL_REASON_LEGAL_PROCEDURE);
  CHECK(static_cast<int>(RefusalReason::kNotVerified) == v1::REFUSAL_REASON_NOT_VERIFIED);
  CHECK(static_cast<int>(RefusalReason::kOutsideArea) == v1::REFUSAL_REASON_OUTSIDE_AREA);
  CHECK(static_cast<int>(RefusalReason::kInsufficient) == v1::REFUSAL_REASON_INSUFFICIENT);
  CHECK(static_cast<int>(RefusalReason::kAlreadySettled) == v1::RefusalReason_MAX);
  CHECK(static_cast<int>(ReturnVisitResult::kSatisfied) == v1::RETURN_VISIT_RESULT_SATISFIED);
  CHECK(static_cast<int>(ReturnVisitResult::kDissatisfied) == v1::RETURN_VISIT_RESULT_DISSATISFIED);
  CHECK(static_cast<int>(ReturnVisitResult::kUnresolved) == v1::RETURN_VISIT_RESULT_UNRESOLVED);
  CHECK(static_cast<int>(ReturnVisitResult::kNotReached) == v1::ReturnVisitResult_MAX);
  CHECK(static_cast<int>(ClosingReason::kReturnVisit) == v1::CLOSING_REASON_RETURN_VISIT);
  CHECK(static_cast<int>(ClosingReason::kNotReached) == v1::ClosingReason_MAX);
}

TEST_CASE("every workflow code has a name of its own and a line in Chinese and in English") {
  std::set<std::string_view> names;
  for (int code = 1001; code <= 1032; ++code) {
    const auto workflow_code = static_cast<WorkflowCode>(code);
    CHECK(names.insert(name_of(workflow_code)).second);
    CHECK(name_of(workflow_code) != "unknown");
    CHECK_FALSE(message_of(workflow_code).zh.empty());
    CHECK_FALSE(message_of(workflow_code).en.empty());
  }
  CHECK(name_of(static_cast<WorkflowCode>(1033)) == "unknown");
  CHECK_FALSE(message_of(static_cast<WorkflowCode>(1033)).zh.empty());
}

TEST_CASE("a number that this build does not know has no name") {
  CHECK(name_of(static_cast<WhistleState>(200)).empty());
  CHECK(name_of(static_cast<AssignmentState>(200)).empty());
  CHECK(name_of(static_cast<WhistleActionType>(200)).empty());
  CHECK(name_of(static_cast<Role>(200)).empty());
}

TEST_CASE("an outcome's code has its words, whether the road gave it or the door before the road") {
  for (const ErrorCode code : {ErrorCode::kForbidden, ErrorCode::kTooLarge, ErrorCode::kGone}) {
    CHECK(message_of_outcome(static_cast<std::uint32_t>(code)).en == message_of(code).en);
    CHECK(message_of_outcome(static_cast<std::uint32_t>(code)).zh == message_of(code).zh);
  }
  const auto state = static_cast<std::uint32_t>(WorkflowCode::kWrongState);
  CHECK(message_of_outcome(state).en == message_of(WorkflowCode::kWrongState).en);
}

}  // namespace gridwhistle
