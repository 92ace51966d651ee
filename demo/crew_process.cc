#include "crew_process.h"

#include <utility>

namespace gridwhistle::demo {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

CrewProcess::CrewProcess(std::string program, std::string folder, std::vector<Player> players,
                         std::uint64_t seed)
    : program_(std::move(program)),
      folder_(std::move(folder)),
      players_(std::move(players)),
      seed_(seed) {}

std::vector<std::string> CrewProcess::names() const {
  std::vector<std::string> names;
  for (const Player& player : players_) names.push_back(player.worker);
  return names;
}

Result<void> CrewProcess::start(const std::function<int(const std::string&)>& port_of) {
  auto process = Child::start(
      {{program_, "phones", folder_, std::to_string(++seed_)}, folder_ + "/phones.log"});
  if (!process) return std::unexpected(process.error());
  process_ = std::move(*process);
  json phones = json::array();
  for (const Player& player : players_) {
    phones.push_back(
        {{"worker", player.worker}, {"grid", player.grid}, {"port", port_of(player.worker)}});
  }
  const auto opened = ask({{"do", "open"}, {"phones", phones}}, seconds(30));
  if (!opened) return std::unexpected(opened.error());
  return {};
}

Result<void> CrewProcess::tell(const json& command) { return process_->say(command.dump()); }

Result<json> CrewProcess::line(milliseconds timeout) {
  const auto heard = process_->hear(timeout);
  if (!heard) return std::unexpected(heard.error());
  json said = json::parse(*heard, nullptr, false);
  if (!said.is_object()) return fail(ErrorCode::kInternal, "a phone process said: " + *heard);
  return said;
}

Result<json> CrewProcess::answer(seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    auto said = line(left);
    if (!said || !said->contains("ok")) {
      if (!said) return said;
      continue;
    }
    if (said->at("ok") == true) return said;
    return fail(ErrorCode::kInternal, "a phone: " + said->value("error", std::string("?")));
  }
}

Result<void> CrewProcess::progress(seconds timeout) {
  const auto said = line(timeout);
  if (!said) return std::unexpected(said.error());
  if (said->contains("progress")) return {};
  return fail(ErrorCode::kInternal, "a phone process had already ended its work: " + said->dump());
}

Result<json> CrewProcess::ask(const json& command, seconds timeout) {
  if (auto told = tell(command); !told) return std::unexpected(told.error());
  return answer(timeout);
}

Result<void> CrewProcess::end() {
  if (!process_) return {};
  process_->end_input();
  const auto code = process_->wait(seconds(15));
  process_.reset();
  if (!code) return std::unexpected(code.error());
  if (*code != 0)
    return fail(ErrorCode::kInternal, "a phone process ended with " + std::to_string(*code));
  return {};
}

}  // namespace gridwhistle::demo
