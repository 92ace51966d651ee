#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string_view>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/phone.h"

namespace gridwhistle::cli {
namespace {

constexpr const char* kAbout =
    R"(网格哨: the phone in a terminal. 终端里的网格员手机。
Everything is recorded on this machine first, durably, and sent when there is a network.
所有记录先可靠地保存在本机，有网络时再发送。

A first day:
  gw enrol CODE                          register with the county's server
  gw visit start --grid 440811001001001  begin a patrol
  gw whistle --title 井盖松动 --category 0301
  gw visit end --notes 一切正常
  gw sync                                send and receive
  gw status                              what is unsent, sent, refused and why)";

constexpr const char* kFooter =
    R"(Exit codes: 0 done; 1 refused, the message says why; 2 wrong command line; 3 no such record;
4 the server cannot be reached, what was recorded is safe; 5 not enrolled; 6 the phone's file is
locked, damaged, full or read-only.)";

bool speaks_chinese() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::string_view(value).starts_with("zh");
  }
  return false;
}

int run(int argc, char** argv) {
  Settings settings;
  settings.home = default_home();
  std::string language = speaks_chinese() ? "zh" : "en";

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
    return app.exit(wrong) == 0 ? 0 : static_cast<int>(Exit::kUsage);
  }

  settings.chinese = language == "zh";
  const Output output(settings);
  auto phone = Phone::open(settings);
  if (!phone) return static_cast<int>(output.failed(phone.error()));
  return static_cast<int>(chosen.action(**phone, output));
}

}  // namespace
}  // namespace gridwhistle::cli

int main(int argc, char** argv) { return gridwhistle::cli::run(argc, argv); }
