#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cast.h"
#include "child.h"

namespace gridwhistle::demo {

/// The director's side of a process full of phones (see crew.h). One thread.
class CrewProcess {
 public:
  CrewProcess(std::string program, std::string folder, std::vector<Player> players,
              std::uint64_t seed);

  /// Starts the process and opens its phones, new ones or those that are there. `port_of` gives
  /// each phone's way to the server.
  Result<void> start(const std::function<int(const std::string&)>& port_of);
  /// Sends a command.
  Result<void> tell(const nlohmann::json& command);
  /// Its answer; lines of progress are passed over. kInternal: it says no, and why.
  Result<nlohmann::json> answer(std::chrono::seconds timeout);
  /// Waits for one line of progress.
  Result<void> progress(std::chrono::seconds timeout);
  /// Both.
  Result<nlohmann::json> ask(const nlohmann::json& command, std::chrono::seconds timeout);
  /// SIGKILL.
  void kill() { process_.reset(); }
  /// Lets it end.
  Result<void> end();

  const std::vector<Player>& players() const { return players_; }
  std::vector<std::string> names() const;
  std::string folder_of(const Player& player) const { return folder_ + "/" + player.worker; }

 private:
  Result<nlohmann::json> line(std::chrono::milliseconds timeout);

  std::string program_;
  std::string folder_;
  std::vector<Player> players_;
  std::uint64_t seed_;
  std::unique_ptr<Child> process_;
};

}  // namespace gridwhistle::demo
