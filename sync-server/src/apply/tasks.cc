#include "apply/tasks.h"

#include <algorithm>

#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

namespace field = fields::visit;

// Other edits of an old visit do not close a task that the centre has opened again.
bool says_of_its_end(const Operation& operation) {
  return std::ranges::any_of(fields_of(operation.set), [](const FieldView& set) {
    return set.number == field::kEndedMs || set.number == field::kOutcome ||
           set.number == field::kTask;
  });
}

bool has_answered(const v1::Visit& visit) {
  return visit.has_ended_ms() && visit.outcome() != v1::VISIT_OUTCOME_NOBODY_HOME &&
         visit.outcome() != v1::VISIT_OUTCOME_FOLLOW_UP;
}

}  // namespace

Result<void> close_answered_task(Workspace& workspace, const Operation& operation,
                                 RecordId visitor) {
  if (operation.kind != kinds::kVisit || !says_of_its_end(operation)) return {};
  auto page = workspace.open({kinds::kVisit, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  const std::string& body = (*page)->record.state.body;
  const auto id = RecordId::from_bytes(text_of(body, field::kTask).value_or(""));
  v1::Visit visit;
  if (!id || (*page)->record.state.erased || !visit.ParseFromString(body)) return {};
  if (!has_answered(visit)) return {};

  const RecordKey key{kinds::kTask, *id};
  auto asked = workspace.open(key);
  if (!asked) return std::unexpected(std::move(asked.error()));
  const RecordState& state = (*asked)->record.state;
  v1::Task task;
  if (!state.exists || state.erased || !task.ParseFromString(state.body)) return {};
  if (task.has_state() && task.state() != v1::TASK_STATE_OPEN) return {};
  if (task.has_visit_kind() && task.visit_kind() != visit.kind()) return {};
  if (task.has_assignee()) {
    if (task.assignee() != visitor.bytes()) return {};
  } else {
    auto there = workspace.leaves_of(key);
    if (!there) return std::unexpected(std::move(there.error()));
    auto here = workspace.leaves_of({kinds::kVisit, operation.id});
    if (!here) return std::unexpected(std::move(here.error()));
    if (*there != *here) return {};
  }
  v1::Task done;
  done.set_state(v1::TASK_STATE_DONE);
  return workspace.write_message(key, done, {}, workspace.next_seq());
}

}  // namespace gridwhistle
