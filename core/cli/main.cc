#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/line.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/phone.h"
#include "terminal/language.h"
#include "terminal/printable.h"
#include "terminal/usage.h"

namespace gridwhistle::cli {
namespace {

Exit told_usage(const Settings& settings, const Line& line, bool json) {
  const std::string& words = settings.chinese ? line.zh : line.en;
  if (json) {
    Output(settings).document({{"error", "usage"}, {"message", words}});
  } else {
    std::cerr << "gw: " << terminal::printable(words) << '\n';
  }
  return Exit::kUsage;
}

/// Another gw that has the file is mostly done in a moment; one that stays connected is not.
Result<std::unique_ptr<Phone>> open_patiently(const Settings& settings, bool reads_only) {
  constexpr auto kPause = std::chrono::milliseconds(100);
  constexpr int kTries = 50;
  auto phone = Phone::open(settings, reads_only);
  for (int i = 0; i < kTries && !phone && phone.error().code == ErrorCode::kLocked; ++i) {
    std::this_thread::sleep_for(kPause);
    phone = Phone::open(settings, reads_only);
  }
  return phone;
}

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  // Asked of the words, because options are not filled in yet when one of them is wrong.
  const bool json = std::ranges::find(words, "--json") != words.end();
  Settings settings;
  settings.home = default_home();
  settings.chinese = terminal::reads_chinese(words);
  if (const auto wrong = terminal::no_text_line(words)) {
    return static_cast<int>(told_usage(settings, *wrong, json));
  }
  Chosen chosen;
  const auto app = make_app(settings, chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    if (wrong.get_exit_code() == 0) return app->exit(wrong);
    return static_cast<int>(told_usage(settings, terminal::usage_line(*app, wrong), json));
  }

  const Output output(settings);
  if (chosen.without_phone) return static_cast<int>(chosen.without_phone(output));
  auto phone = open_patiently(settings, chosen.reads_only);
  if (!phone) return static_cast<int>(output.failed(phone.error()));
  if (const auto& why = (*phone)->why_read_only()) output.note(*why);
  return static_cast<int>(chosen.action(**phone, output));
}

}  // namespace
}  // namespace gridwhistle::cli

int main(int argc, char** argv) { return gridwhistle::cli::run(argc, argv); }
