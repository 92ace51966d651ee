#pragma once

#include <expected>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/output.h"
#include "base/line.h"

namespace gridwhistle::app {

/// What to print instead of running a command: a help text (code 0) or what was typed wrong (2).
struct Usage {
  int exit_code = 0;
  Line text;  ///< ends in a line end
};

/// Prints it in the reader's language and gives the exit code.
int tell(const Usage& usage, const Output& output);

/// Reads the words after the program's name.
std::expected<CommandLine, Usage> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace gridwhistle::app
