#pragma once

#include <memory>
#include <string>
#include <utility>  // Boost 1.74's Asio uses it without saying so
#include <vector>

#include "bench/process.h"

namespace gridwhistle::bench {

/// A real county server in a process of its own, with an area for every grid given, a worker W1 who
/// holds all of them, and a worker G1, G2… for each.
class BenchCounty {
 public:
  /// `program` is gridwhistle-server; `folder` is empty or does not exist.
  BenchCounty(std::string program, const std::string& folder,
              const std::vector<std::string>& grids);

  /// A fresh enrolment code for one more device of a worker.
  std::string enrolment_code(const std::string& worker = "W1");

  int port() const { return port_; }
  std::string key_pem() const;
  const Process& server() const { return *server_; }

 private:
  std::string program_;
  std::string folder_;
  int port_ = 0;
  std::unique_ptr<Process> server_;
};

/// A port of this machine that was free a moment ago.
int free_port();

}  // namespace gridwhistle::bench
