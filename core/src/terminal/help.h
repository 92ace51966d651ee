#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace gridwhistle::terminal {

/// Gives a program `--help`, in its reader's language, and `--version`. Called before anything is
/// added to `app`. Its description, footer, options and commands are then described with
/// `both(chinese, english)`; help shows the reader's half.
void add_help(CLI::App& app, bool chinese);

/// Lines to type, at the end of a command's help.
void add_examples(CLI::App& app, const std::vector<std::string>& lines);

/// "gw 0.1.0"
std::string name_and_version(const std::string& program);

/// The commands and options of `app`, itself with it, that are not described in both languages:
/// "gw visit start --grid". For tests.
std::vector<std::string> described_in_one_language(const CLI::App& app);

}  // namespace gridwhistle::terminal
