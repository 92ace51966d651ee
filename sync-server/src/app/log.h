#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog {
class logger;
}

namespace gridwhistle::app {

/// The server's log on standard error: an event and facts about it, a line each, for people
/// ("backup_made upto=17") or as a JSON object. Takes names of events, codes and numbers; never
/// what a person wrote, never who.
class Log {
 public:
  using Fact = std::pair<std::string_view, std::variant<std::int64_t, std::string>>;
  using Facts = std::initializer_list<Fact>;

  /// `format` and `level` as in the configuration.
  Log(std::string_view format, std::string_view level);

  // Any thread.
  void info(std::string_view event, Facts facts = {}) const;
  void warn(std::string_view event, Facts facts = {}) const;
  void error(std::string_view event, Facts facts = {}) const;

 private:
  std::string text(std::string_view event, Facts facts) const;

  bool json_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace gridwhistle::app
