#include "app/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace gridwhistle::app {

Log::Log(std::string_view format, std::string_view level) : json_(format == "json") {
  logger_ = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger_->set_pattern(json_ ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                             : "%Y-%m-%d %H:%M:%S %-5l %v");
  logger_->set_level(spdlog::level::from_str(std::string(level)));
  logger_->flush_on(spdlog::level::debug);
}

std::string Log::text(std::string_view event, Facts facts) const {
  nlohmann::ordered_json object = {{"event", event}};
  std::string line(event);
  for (const auto& [name, value] : facts) {
    std::visit([&](const auto& typed) { object[name] = typed; }, value);
    line += " " + std::string(name) + "=" + object[name].dump();
  }
  if (!json_) return line;
  const std::string dumped = object.dump();
  return dumped.substr(1, dumped.size() - 2);
}

void Log::info(std::string_view event, Facts facts) const {
  logger_->info("{}", text(event, facts));
}
void Log::warn(std::string_view event, Facts facts) const {
  logger_->warn("{}", text(event, facts));
}
void Log::error(std::string_view event, Facts facts) const {
  logger_->error("{}", text(event, facts));
}

}  // namespace gridwhistle::app
