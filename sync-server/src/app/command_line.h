#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/output.h"

namespace CLI {
class App;
}

namespace gridwhistle::app {

/// What to print instead of running a command: a help text (code 0) or what was typed wrong (2),
/// in the reader's language.
struct Usage {
  int exit_code = 0;
  std::string text;
  bool json = false;  ///< a program reads it
};

/// Prints it and gives the exit code.
int tell(const Usage& usage, const Output& output);

/// The commands there are, described in that language. Parsing with it fills `line`, which outlives
/// it.
std::unique_ptr<CLI::App> make_app(CommandLine& line, Language language);

/// Reads the words after the program's name.
std::expected<CommandLine, Usage> parse_command_line(const std::vector<std::string>& arguments,
                                                     Language language);

}  // namespace gridwhistle::app
