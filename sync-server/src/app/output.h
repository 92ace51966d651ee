#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/line.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"

namespace gridwhistle::app {

/// What a command ended with; docs/operations.md tells the numbers.
enum class ExitCode : int {
  kDone = 0,
  kRefused = 1,   ///< the county said no: not found, not allowed, wrong state
  kUsage = 2,     ///< the command was typed wrong
  kFaults = 3,    ///< what was looked at has faults: files to import, a database to verify
  kConfig = 4,    ///< the configuration is missing or wrong
  kNoServer = 5,  ///< neither the file nor the running server can be had
  kBroken = 6,    ///< disk, file or software failed
};

enum class Language { kEnglish, kChinese };

/// Where a command writes, and how its reader likes it.
struct Output {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  Language language = Language::kEnglish;
  bool json = false;
  /// The county's file: what its storage complains of is about it. Empty before one is named.
  std::string database;

  bool reads_chinese() const { return language == Language::kChinese; }
  /// The one of the two that the reader reads.
  std::string_view say(std::string_view english, std::string_view chinese) const {
    return reads_chinese() ? chinese : english;
  }
  const std::string& say(const Line& line) const { return reads_chinese() ? line.zh : line.en; }
  /// A line to `out`, for people; nothing when a program reads. What would break the line or steer
  /// the terminal is shown as an escape.
  void line(std::string_view english, std::string_view chinese) const;
  void line(const Line& text) const { line(text.en, text.zh); }
  /// Tells what went wrong and gives the exit code for it. People read what the code means first
  /// where the message may not tell them: of disk and file, and in Chinese where it is English
  /// alone.
  ExitCode fail(const Error& error) const;
};

/// The exit code for an error of a command.
ExitCode exit_code_of(ErrorCode code);

/// The exit code where the county itself could not be opened: its file is not there, or what the
/// configuration names does not belong together.
ExitCode exit_code_of_opening(ErrorCode code);

/// "1 record", "2 records".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

/// "2026-11-22 13:20", China's time; "-" for 0.
std::string time_text(std::int64_t ms);

}  // namespace gridwhistle::app
