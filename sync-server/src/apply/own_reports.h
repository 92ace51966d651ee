#pragma once

#include "access/grants.h"
#include "apply/workspace.h"
#include "model/operation.h"

// Volunteers report and see nothing of what lies in their grids. Of their own reports they see what
// became of them: the whistle, and what they said of it themselves, lie in their own scope too.
namespace gridwhistle {

/// Puts what an operation has just made as change `seq` into its author's own scope: a whistle that
/// they may not see where it lies, and what they say of such a one; nothing about a person.
Result<void> keep_in_sight(Workspace& workspace, const Operation& operation, RecordId author,
                           const ScopeSet& standing, Seq seq);

/// Whether what an operation is about to make is said of an own report.
Result<bool> is_said_of_own_report(Workspace& workspace, const Operation& operation,
                                   RecordId author);

}  // namespace gridwhistle
