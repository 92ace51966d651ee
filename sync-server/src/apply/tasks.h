#pragma once

#include "apply/workspace.h"
#include "model/operation.h"

namespace gridwhistle {

/// Closes the task that a visit answers, once the visit has ended. `operation` has just been merged
/// into the visit, by this worker. It answers an open task of its kind that is the visitor's own,
/// or nobody's in particular in the very place visited; not where nobody was met or somebody has to
/// come again.
Result<void> close_answered_task(Workspace& workspace, const Operation& operation,
                                 RecordId visitor);

}  // namespace gridwhistle
