#include "model/workflow_codes.h"

#include <array>

#include "gridwhistle/messages.h"

namespace gridwhistle {
namespace {

struct Line {
  WorkflowCode code;
  std::string_view name;
  WorkflowMessage message;
};

constexpr std::array kLines = std::to_array<Line>({
    {WorkflowCode::kNone, "none", {"无", "Nothing to say."}},
    {WorkflowCode::kUnknownAction,
     "unknown_action",
     {"本版本不认识这一操作", "This version does not know the action."}},
    {WorkflowCode::kNoSuchAssignment,
     "no_such_assignment",
     {"该哨声没有这项交办", "The whistle has no such assignment."}},
    {WorkflowCode::kWrongState,
     "wrong_state",
     {"当前状态下不能进行这一操作", "The action is not possible in the present state."}},
    {WorkflowCode::kRoleNotAllowed,
     "role_not_allowed",
     {"您的岗位不能进行这一操作", "Your role does not allow the action here."}},
    {WorkflowCode::kRoundAhead,
     "round_ahead",
     {"所指办理轮次尚未开始", "The round named has not begun."}},
    {WorkflowCode::kNotYourReport,
     "not_your_report",
     {"只有上报人本人可以操作", "Only the person who reported it may do this."}},
    {WorkflowCode::kAlreadyAccepted,
     "already_accepted",
     {"已经受理，请联系督办员", "It was accepted already; ask a supervisor."}},
    {WorkflowCode::kWrongSource,
     "wrong_source",
     {"该来源的哨声不适用", "The rule is for whistles from another source."}},
    {WorkflowCode::kNotRoutine,
     "not_routine",
     {"只有常规哨可以就地办结", "Only a routine whistle is settled on the spot."}},
    {WorkflowCode::kReasonMissing,
     "reason_missing",
     {"不予受理必须选择理由，派单异议必须写明说明或理由编号",
      "A refusal needs a reason; an objection a note, or the number of a reason."}},
    {WorkflowCode::kMergeTarget,
     "merge_target",
     {"请指定另一件未结的哨声", "Name another whistle that is still open."}},
    {WorkflowCode::kEvidenceMissing,
     "evidence_missing",
     {"需要处置前和处置后的佐证", "Evidence from before and after is needed."}},
    {WorkflowCode::kMeetingDue,
     "meeting_due",
     {"已两次异议，须经会商决定", "Objected to twice: a joint meeting has to decide."}},
    {WorkflowCode::kNoMeetingDue,
     "no_meeting_due",
     {"两次异议之后才需要会商", "A joint meeting decides only after a second objection."}},
    {WorkflowCode::kLevelTooLow,
     "level_too_low",
     {"须由上一级决定", "A higher level has to decide this."}},
    {WorkflowCode::kLeadMissing,
     "lead_missing",
     {"必须且只能有一个主办，且单位不得重复", "Name exactly one lead, and no organisation twice."}},
    {WorkflowCode::kLevelNotRaised,
     "level_not_raised",
     {"请指定更高且不超过本级的层级", "Name a level above the present one, up to your own."}},
    {WorkflowCode::kLevelNotLowered,
     "level_not_lowered",
     {"请指定更低的层级和承接单位", "Name a lower level and the organisation that receives it."}},
    {WorkflowCode::kOutsideList,
     "outside_list",
     {"不在承接单位的责任清单内，不能下沉", "Not on the receiver's responsibility list."}},
    {WorkflowCode::kNotYourAssignment,
     "not_your_assignment",
     {"这是其他单位的交办", "The assignment is another organisation's."}},
    {WorkflowCode::kObjectedTwice,
     "objected_twice",
     {"会商已经决定，不能再提异议", "The joint meeting has decided; no further objection."}},
    {WorkflowCode::kCoDepartmentsOpen,
     "co_departments_open",
     {"协办单位尚未全部反馈", "Not every co-department has reported back."}},
    {WorkflowCode::kExtendedAlready,
     "extended_already",
     {"只能延期一次", "It was extended once already."}},
    {WorkflowCode::kNothingAsked,
     "nothing_asked",
     {"承办单位没有提出申请", "The department has not asked for it."}},
    {WorkflowCode::kDateMissing,
     "date_missing",
     {"挂账必须写明恢复日期", "A suspension needs a day to come back."}},
    {WorkflowCode::kDateNotReached,
     "date_not_reached",
     {"恢复日期未到", "The day to come back has not come."}},
    {WorkflowCode::kHandlerMayNot,
     "handler_may_not",
     {"办理人不得核查或回访自己的工作", "Who handled it may not check or visit."}},
    {WorkflowCode::kResultMissing,
     "result_missing",
     {"请填写回访结果", "Say what the return visit found."}},
    {WorkflowCode::kTooLate,
     "too_late",
     {"结案超过30天，不能重新办理", "Closed more than 30 days ago; report it anew."}},
    {WorkflowCode::kAlreadySupervised,
     "already_supervised",
     {"已在督办中", "It is under supervision already."}},
    {WorkflowCode::kNotSupervised,
     "not_supervised",
     {"未在督办中", "It is not under supervision."}},
    {WorkflowCode::kClosingEvidenceMissing,
     "closing_evidence_missing",
     {"此类事项结案需要处置后的照片：请随回访附上，或同步后再试",
      "Closing this category needs a picture of how it was left: add one to the return visit, or "
      "sync and try again."}},
});

const Line* find(WorkflowCode code) {
  for (const Line& line : kLines) {
    if (line.code == code) return &line;
  }
  return nullptr;
}

}  // namespace

WorkflowMessage message_of(WorkflowCode code) {
  const Line* line = find(code);
  return line ? line->message : WorkflowMessage{"服务器未接受这一操作", "The server refused it."};
}

WorkflowMessage message_of_outcome(std::uint32_t code) {
  if (code >= static_cast<std::uint32_t>(WorkflowCode::kUnknownAction)) {
    return message_of(static_cast<WorkflowCode>(code));
  }
  const Wording words = message_of(static_cast<ErrorCode>(code));
  return {words.zh, words.en};
}

std::string_view name_of(WorkflowCode code) {
  const Line* line = find(code);
  return line ? line->name : "unknown";
}

}  // namespace gridwhistle
