#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/line.h"
#include "base/utf8.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/phone.h"
#include "terminal/language.h"
#include "terminal/printable.h"
#include "terminal/usage.h"

namespace gridwhistle::cli {
namespace {

/// What the terminal gave need not be text, and nothing else is ever recorded.
std::optional<Error> no_text_in(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (is_text(argv[i])) continue;
    const std::string_view before = argv[i - 1];
    const std::string which =
        before.starts_with("--") ? std::string(before) : "#" + std::to_string(i);
    return Error{ErrorCode::kInvalid, about(which, both("不是 UTF-8 文字", "not text in UTF-8")),
                 ""};
  }
  return std::nullopt;
}

int run(int argc, char** argv) {
  Settings settings;
  settings.home = default_home();
  settings.chinese = terminal::reads_chinese({argv + 1, argv + argc});
  Chosen chosen;
  const auto app = make_app(settings, chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    // Options are not filled in yet when one of them is wrong.
    const bool json = std::find(argv + 1, argv + argc, std::string_view("--json")) != argv + argc;
    if (wrong.get_exit_code() == 0) return app->exit(wrong);
    const Line line = terminal::usage_line(*app, wrong);
    const std::string& words = settings.chinese ? line.zh : line.en;
    if (json) {
      Output(settings).document({{"error", "usage"}, {"message", words}});
    } else {
      std::cerr << "gw: " << terminal::printable(words) << '\n';
    }
    return static_cast<int>(Exit::kUsage);
  }

  const Output output(settings);
  if (const auto wrong = no_text_in(argc, argv)) return static_cast<int>(output.failed(*wrong));
  auto phone = Phone::open(settings, chosen.reads_only);
  if (!phone) return static_cast<int>(output.failed(phone.error()));
  if (const auto& why = (*phone)->why_read_only()) output.note(*why);
  return static_cast<int>(chosen.action(**phone, output));
}

}  // namespace
}  // namespace gridwhistle::cli

int main(int argc, char** argv) { return gridwhistle::cli::run(argc, argv); }
