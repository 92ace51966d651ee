#include "app/output.h"

#include <nlohmann/json.hpp>

#include "gridwhistle/messages.h"
#include "terminal/printable.h"
#include "terminal/times.h"
#include "terminal/told.h"
#include "terminal/usage.h"

namespace gridwhistle::app {
namespace {

/// The message, with the county's file in the place of the storage that complains.
std::string message_about(const std::string& database, const Error& error) {
  constexpr std::string_view kStorage = "database: ";
  if (database.empty() || !error.message.starts_with(kStorage)) return error.message;
  return database + ": " + error.message.substr(kStorage.size());
}

bool is_damage(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kNotADatabase;
}

}  // namespace

void Output::line(std::string_view english, std::string_view chinese) const {
  if (!json) out(terminal::printable(say(english, chinese)) + "\n");
}

ExitCode Output::fail(const Error& error) const {
  const std::string told_of = message_about(database, error);
  const auto told = terminal::told_in(told_of, reads_chinese());
  const ExitCode code =
      terminal::is_typed_wrong(error) ? ExitCode::kUsage : exit_code_of(error.code);
  const Wording meaning = message_of(error.code);
  const std::string means(say(meaning.en, meaning.zh));
  std::string message = told.value_or(means);
  if (json) {
    nlohmann::ordered_json object = {{"error", name_of(error.code)}, {"message", message}};
    if (!told) object["detail"] = told_of;
    err(object.dump() + "\n");
    return code;
  }
  if (code == ExitCode::kBroken && !message.contains(means))
    message = means + std::string(say(": ", "：")) + message;
  const bool about_county =
      !database.empty() && half_of(told_of, false).starts_with(database + ":");
  if (is_damage(error.code) && about_county) {
    message += say("; `restore` the newest backup", "；请用 restore 恢复最近的备份");
  }
  err("gridwhistle-server: " + terminal::printable(message) + " (" +
      std::string(name_of(error.code)) + ")\n");
  if (!told) err("    " + terminal::printable(told_of) + "\n");
  return code;
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

ExitCode exit_code_of_opening(ErrorCode code) {
  if (code == ErrorCode::kNotFound) return ExitCode::kNoServer;
  return code == ErrorCode::kConflict ? ExitCode::kConfig : exit_code_of(code);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string time_text(std::int64_t ms) { return ms == 0 ? "-" : terminal::time_text(ms); }

}  // namespace gridwhistle::app
