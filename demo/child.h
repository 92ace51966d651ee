#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gridwhistle/status.h"

namespace gridwhistle::demo {

/// Whether somebody asked the demo to stop (ctrl-C, SIGTERM). All waiting here looks at it.
bool stop_requested();
/// Lets SIGINT and SIGTERM set that flag, and ignores SIGPIPE.
void catch_signals();

struct ChildOptions {
  std::vector<std::string> command;  ///< the program's path first
  std::string error_log;             ///< standard error is appended there
};

/// A process of ours, ended by its id at the latest when this goes. One thread, the one that
/// outlives all children: a child dies with it, also when this program is killed.
class Child {
 public:
  /// Errors: kIo.
  static Result<std::unique_ptr<Child>> start(const ChildOptions& options);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  /// Writes a line to its standard input. kIo: it reads no more.
  Result<void> say(const std::string& line);
  /// Its next line of standard output. kTimeout; kClosed: it has ended its output.
  Result<std::string> hear(std::chrono::milliseconds timeout);
  /// Its standard input ends here.
  void end_input();
  /// SIGKILL, and waits for its end.
  void kill();
  /// SIGTERM, waits, SIGKILL at the end of the time. The exit code; -1 when killed by a signal.
  int stop(std::chrono::milliseconds timeout);
  /// Waits for its own end. kTimeout.
  Result<int> wait(std::chrono::milliseconds timeout);

 private:
  Child(pid_t pid, int in, int out) : pid_(pid), in_(in), out_(out) {}
  std::optional<int> reap(bool block);

  pid_t pid_;
  int in_;
  int out_;
  std::string heard_;
  std::optional<int> exit_code_;
};

/// What a program printed and how it ended.
struct Finished {
  int exit_code = 0;
  std::string output;
};

/// Runs a program to its end. kTimeout: it was killed.
Result<Finished> run_to_end(const ChildOptions& options, std::chrono::milliseconds timeout);

}  // namespace gridwhistle::demo
