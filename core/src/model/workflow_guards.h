#pragma once

#include <cstdint>

#include "model/workflow.h"

namespace gridwhistle {

/// What a guard looks at. `assignment` is null for the whistle's own rows.
struct GuardView {
  const WhistleCase& whistle;
  const ProposedAction& action;
  const AssignmentCase* assignment = nullptr;
};

/// Whether the guard lets the action pass.
bool passes(Guard guard, const GuardView& view);

/// Why an action that did not pass is rejected.
WorkflowCode code_of(Guard guard);

/// Whether the guard can be answered before the action is written: it asks who acts on what, not
/// what the action says.
bool is_known_beforehand(Guard guard);

}  // namespace gridwhistle
