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
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/phone.h"
#include "terminal/language.h"
#include "terminal/printable.h"
#include "terminal/usage.h"

namespace gridwhistle::cli {
namespace {

constexpr const char* kAbout =
    R"(网格哨: the phone in a terminal. 终端里的网格员手机。
Everything is recorded on this machine first, durably, and sent when there is a network.
所有记录先可靠地保存在本机，有网络时再发送。

A first day, in Mazhang with the grid and the codes of its sample:
  gw enrol CODE                          register with the county's server
  gw sync                                receive grids, lists and what others did
  gw visit start --grid 440811100001001  begin a patrol
  gw whistle --title 井盖松动 --category 01001
  gw visit end --notes 一切正常
  gw sync                                send and receive
  gw status                              what is unsent, sent, refused and why)";

constexpr const char* kFooter =
    R"(Exit codes: 0 done; 1 refused, the message says why; 2 wrong command line; 3 no such record;
4 the server cannot be reached, what was recorded is safe; 5 not enrolled; 6 the phone's file is
locked, damaged, full or read-only.)";

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
  std::string language;

  CLI::App app(kAbout, "gw");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--home", settings.home, "folder of the phone's file and key")
      ->capture_default_str();
  app.add_flag("--json", settings.json, "one JSON document instead of a table");
  app.add_option("--lang", language, "zh or en")->check(CLI::IsMember({"zh", "en"}));
  app.add_option("--purpose", settings.purpose,
                 "why personal data is read; shown in full then, and logged");

  Chosen chosen;
  add_record_commands(app, settings, chosen);
  add_whistle_commands(app, settings, chosen);
  add_sync_commands(app, settings, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    // Options are not filled in yet when one of them is wrong.
    const bool json = std::find(argv + 1, argv + argc, std::string_view("--json")) != argv + argc;
    if (wrong.get_exit_code() == 0) return app.exit(wrong);
    const Line line = terminal::usage_line(app, wrong);
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
