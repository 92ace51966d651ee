#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace gridwhistle::rpc {

/// How many calls one connection may begin: so many at once, and from then on so many a second. A
/// phone begins one and holds it, or a few in a row; whoever begins thousands and drops them wants
/// the server to work for nothing. Any thread.
class CallBudget {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr double kAtOnce = 300;
  static constexpr double kASecond = 50;
  /// Connections that are remembered: those that have begun anything lately.
  static constexpr std::size_t kConnectionsMax = 65'536;

  /// So many that were turned away, and the connection is to be ended: what gRPC keeps of each
  /// until its answer is read, or the network has it, costs some 18 KB, and it sets no limit.
  static constexpr int kTurnedAwayMax = 300;

  enum class Answer : std::uint8_t { kBegins, kTurnedAway, kToBeEnded };

  /// What becomes of one more call of the connection now. `peer` names it, "ipv4:127.0.0.1:4711".
  Answer take(const std::string& peer, Time now);

 private:
  struct Account {
    double left = kAtOnce;
    int turned_away = 0;  ///< since it last had all of it
    Time at;
  };
  void forget_full(Time now);

  std::mutex mutex_;
  std::map<std::string, Account, std::less<>> accounts_;
};

}  // namespace gridwhistle::rpc
