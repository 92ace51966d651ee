#pragma once

#include <optional>

#include "apply/author.h"
#include "apply/workspace.h"
#include "model/operation.h"
#include "model/workflow.h"

// What a record says of itself and the server knows better.
namespace gridwhistle {

/// What is false in what an operation says of its record: made by somebody else than its author, a
/// whistle's number that is malformed, another device's, or taken. Nothing when all of it is true.
Result<std::optional<Error>> false_claim(Workspace& workspace, const Author& author,
                                         const Operation& operation);

/// Whether somebody in these roles may say where a whistle came from.
bool may_report_from(Source source, RoleSet roles);

}  // namespace gridwhistle
