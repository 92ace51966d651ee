#pragma once

#include <string>
#include <vector>

#include "app/output.h"

namespace gridwhistle::app {

/// The program: reads the words after its name, runs the command, gives the exit code. `serve`
/// returns after SIGTERM or SIGINT.
int run_program(const std::vector<std::string>& arguments, const Output& terminal);

}  // namespace gridwhistle::app
