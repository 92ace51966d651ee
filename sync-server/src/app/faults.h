#pragma once

#include <string>

#include "app/output.h"
#include "import/problem.h"

namespace gridwhistle::app {

/// Something wrong in a file that somebody wrote, as a line: "areas.csv:3: …" for people, an error's
/// object with `file` and, where one is known, `line` for programs.
std::string fault_line(const import::Problem& fault, const Output& output);

}  // namespace gridwhistle::app
