#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gridwhistle::bench {

/// A child process with pipes at its standard input and output. It is asked to end, by closing its
/// input and SIGTERM, when the object goes.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// The next line of its output, without the end of line; empty when it has ended.
  std::string line();

  double cpu_s() const;                  ///< user and system time so far
  std::uint64_t rss_bytes() const;       ///< memory it has resident now
  std::uint64_t peak_rss_bytes() const;  ///< the most memory it had resident

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

/// Runs a command to its end and gives its standard output; aborts with its output when it fails.
std::string run(const std::vector<std::string>& command);

/// Processor time of this process so far, in seconds.
double own_cpu_s();

/// Resident memory of this process now, in bytes.
std::uint64_t own_rss_bytes();

}  // namespace gridwhistle::bench
