#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "process.h"
#include "support/proxy.h"
#include "support/temp_folder.h"

namespace gridwhistle::e2e {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

/// Mazhang district on a server of its own: a folder made by `init` and `import`, the program
/// `gridwhistle-server` when it serves, and a bad network before it.
class County {
 public:
  /// Not serving yet.
  County();

  const std::string& folder() const { return folder_; }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  test::Proxy& network() { return network_; }

  /// Changes its configuration, before it serves.
  void set(const std::string& what, const std::string& by);
  /// Starts the server and waits until it serves; phones reach it through `network`.
  void serve();
  /// Where it listens itself, for whoever comes past `network`.
  int port() const { return port_; }
  /// Ends it in good order and gives how it ended.
  Ended stop();
  /// SIGKILL.
  void kill();
  /// Calls of phones that are open.
  std::size_t calls();
  /// What the server has written to its log since it started.
  std::string log() const { return server_->err(); }
  bool serving() { return server_ && server_->running(); }
  /// Memory that the server has in use, and files and connections that it has open.
  std::uint64_t memory_bytes() const;
  std::size_t descriptors() const;

  /// An operator's command.
  Ended operate(const Words& words);
  /// The same, which must succeed; its lines of JSON.
  std::vector<Json> asked(Words words);

  /// A one-time code for a worker's phone.
  std::string code_for(const std::string& worker);

  /// Every record of a kind on the server, as `export` has it, in full.
  std::vector<Json> records(const std::string& kind);

 private:
  test::TempFolder temp_;
  std::string folder_;
  test::Proxy network_;
  std::optional<Process> server_;
  int port_ = 0;
};

/// `gw` with a folder of its own.
class Phone {
 public:
  Phone(County& county, const std::string& name);

  const std::string& home() const { return home_; }
  Ended gw(const Words& words) const;
  /// Must succeed; its JSON document.
  Json asked(Words words) const;
  Process start(const Words& words) const;
  /// `gw sync --live`, connected; SIGINT ends it.
  Process live() const;
  /// Waits until the phone's file, which another program has open, holds this record.
  bool comes_to_hold(const std::string& record) const;

  /// Registers it for a worker; must succeed.
  void enrol(const std::string& worker);
  /// Syncs until everything is sent and received; must succeed.
  Json sync() const { return asked({"sync"}); }
  /// Records a whistle in the grid; gives its id.
  std::string whistle(const std::string& title, const std::string& category = "01001") const;

 private:
  Words command(const Words& words) const;
  County& county_;
  std::string home_;
};

inline const std::string kGrid = "440811100001001";  // of WG001

/// The files below a folder that hold one of these words, whatever kind of file it is.
std::vector<std::string> files_with(const std::string& folder, const Words& words);

/// For what is to happen at some moment, whichever.
inline void pause_ms(std::uint64_t ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

/// Waits until something is so; half a minute at most.
template <typename Condition>
bool comes_to_be(Condition condition) {
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > latest) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// How often something happens, where scripts/proof asks for more than a test has time for.
int repeated(int usual);

/// The seed of this run's chances, told once: GRIDWHISTLE_SEED replays it.
std::uint64_t seed();

}  // namespace gridwhistle::e2e
