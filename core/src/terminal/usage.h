#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/line.h"
#include "gridwhistle/status.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace gridwhistle::terminal {

/// What is wrong with a command line that `app` refused, and which `--help` says how to type it. A
/// word that is no command is told with those it may have been meant for.
Line usage_line(const CLI::App& app, const CLI::ParseError& wrong);

/// An error about a word that has another form than it is typed in, or is none of those there are.
/// A program ends with the exit code of a wrong command line, whoever finds it.
std::unexpected<Error> typed_wrong(std::string message);
bool is_typed_wrong(const Error& error);

/// Which of the words behind the program's name is no text: an option's value by its name, else by
/// its place. Asked before anything is done with them; nothing else is ever recorded or sent.
std::optional<Line> no_text_line(const std::vector<std::string>& words);

}  // namespace gridwhistle::terminal
