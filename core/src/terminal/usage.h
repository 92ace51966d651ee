#pragma once

#include "base/line.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace gridwhistle::terminal {

/// What is wrong with a command line that `app` refused, and which `--help` says how to type it. A
/// word that is no command is told with those it may have been meant for.
Line usage_line(const CLI::App& app, const CLI::ParseError& wrong);

}  // namespace gridwhistle::terminal
