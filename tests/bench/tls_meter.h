#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>  // Boost 1.74's Asio uses it without saying so

namespace gridwhistle::bench {

/// Counts what a phone and its server say to each other inside TLS. It ends the phone's TLS with
/// the server's own key, which a benchmark has, and opens its own to the server. Loopback only; a
/// thread of its own.
class TlsMeter {
 public:
  struct Counts {
    std::uint64_t up = 0;    ///< HTTP/2 bytes from the phone
    std::uint64_t down = 0;  ///< HTTP/2 bytes to the phone
  };

  /// Stands before `server_port`, whose private key is in `key_pem`.
  TlsMeter(int server_port, const std::string& key_pem, const std::string& certificate_pem);
  ~TlsMeter();
  TlsMeter(const TlsMeter&) = delete;
  TlsMeter& operator=(const TlsMeter&) = delete;

  int port() const;
  /// Everything since it was made.
  Counts counts() const;

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace gridwhistle::bench
