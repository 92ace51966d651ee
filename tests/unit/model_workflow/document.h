#pragma once

#include <string>
#include <vector>

#include "model/workflow_table.h"

namespace gridwhistle {

/// A guard's line in docs/workflow.md.
struct DocumentedGuard {
  std::string name;
  int code = 0;
};

/// The tables of docs/workflow.md. Throws std::runtime_error, naming the word, on one it can't
/// read.
struct WorkflowPage {
  std::vector<Transition> rows;
  std::vector<DocumentedGuard> guards;
};
WorkflowPage read_workflow_page();

}  // namespace gridwhistle
