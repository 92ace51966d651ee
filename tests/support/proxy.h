#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace gridwhistle::test {

/// A bad network between two programs on this machine: a TCP proxy on 127.0.0.1 with a thread of
/// its own. Every setting may change at any time, from any thread, and holds for open connections
/// too, but latency and bandwidth, which hold for bytes that come later.
class Proxy {
 public:
  /// Up is from who connected to the server, down the other way.
  enum class Way : std::uint8_t { kUp = 0, kDown = 1 };

  struct Counts {
    std::uint64_t connections = 0;  ///< accepted
    std::uint64_t up_bytes = 0;     ///< that reached the server's socket
    std::uint64_t down_bytes = 0;   ///< that reached the client's socket
  };

  /// Listens at a free port and forwards to `server_port`. Throws std::runtime_error when it can't.
  explicit Proxy(int server_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  int port() const;
  /// Where new connections go from now on: for a server that came back elsewhere.
  void forward_to(int server_port);

  /// Added on each way, so a round trip takes twice this.
  void set_latency(std::chrono::milliseconds each_way);
  /// A limit for each way and connection; 0 for none.
  void set_bandwidth(std::uint64_t bytes_per_second);

  /// Bytes stop on both ways, connections stay open.
  void pause();
  void resume();
  /// Resets every open connection.
  void drop_connections();
  /// While refusing, a new connection is reset at once.
  void refuse(bool refusing);
  /// Resets a connection once so many more bytes, over all connections, have passed that way; none
  /// of the later ones passes. Happens once.
  void cut_after(Way way, std::uint64_t bytes);

  Counts counts() const;
  int open_connections() const;

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace gridwhistle::test
