#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gridwhistle::test {
class Proxy;
}

namespace gridwhistle::demo {

/// The network between the phones and the server: a line a phone, each as bad as it is told to be.
/// One thread; each line has a thread of its own.
class BadNetwork {
 public:
  BadNetwork(int server_port, std::uint64_t seed);
  ~BadNetwork();
  BadNetwork(const BadNetwork&) = delete;
  BadNetwork& operator=(const BadNetwork&) = delete;

  /// The phone's own port; its line is made at the first call.
  int port_of(const std::string& phone);
  /// The server came back elsewhere.
  void server_moved(int server_port);

  /// Delays of 5 to 60 ms each way, another for each phone.
  void fair_weather();
  /// Besides, one line in three breaks after some kilobytes, once.
  void foul_weather();
  /// Nobody reaches the server; open connections break.
  void no_network(const std::vector<std::string>& phones);
  void network_again(const std::vector<std::string>& phones);
  /// A trickle, so that a call is still under way when something happens to it.
  void throttle(const std::vector<std::string>& phones, std::uint64_t bytes_per_second);

  struct Totals {
    std::uint64_t connections = 0;
    std::uint64_t bytes = 0;  ///< both ways
  };
  Totals totals() const;
  /// Bytes that these phones' lines carried towards the server.
  std::uint64_t sent_by(const std::vector<std::string>& phones) const;
  std::size_t lines() const { return lines_.size(); }

 private:
  int server_port_;
  std::mt19937_64 dice_;
  std::map<std::string, std::unique_ptr<test::Proxy>> lines_;
};

}  // namespace gridwhistle::demo
