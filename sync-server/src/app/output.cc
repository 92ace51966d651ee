#include "app/output.h"

#include <ctime>
#include <nlohmann/json.hpp>

namespace gridwhistle::app {

void Output::line(std::string_view english, std::string_view chinese) const {
  if (!json) out(std::string(say(english, chinese)) + "\n");
}

ExitCode Output::fail(const Error& error) const {
  if (json) {
    const nlohmann::ordered_json told = {{"error", name_of(error.code)},
                                         {"message", error.message}};
    err(told.dump() + "\n");
  } else {
    err("gridwhistle-server: " + error.message + " (" + std::string(name_of(error.code)) + ")\n");
  }
  return exit_code_of(error.code);
}

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kLocked:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
      return ExitCode::kNoServer;
    case ErrorCode::kDiskFull:
    case ErrorCode::kReadOnly:
    case ErrorCode::kIo:
    case ErrorCode::kNotADatabase:
    case ErrorCode::kCorrupt:
    case ErrorCode::kNewerFile:
    case ErrorCode::kPoisoned:
    case ErrorCode::kInternal:
      return ExitCode::kBroken;
    default:
      return ExitCode::kRefused;
  }
}

std::string time_text(std::int64_t ms) {
  if (ms == 0) return "-";
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local));
}

}  // namespace gridwhistle::app
