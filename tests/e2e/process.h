#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace gridwhistle::e2e {

/// What became of a program.
struct Ended {
  int code = -1;    ///< its exit code; -1 when a signal ended it
  int signal = 0;   ///< that signal
  std::string out;  ///< its standard output
  std::string err;  ///< its standard error
};

/// A program of its own. Killed when the object goes and it still runs, or when the test dies.
class Process {
 public:
  /// Starts `command`; its output goes to files in `folder`. The language of its words is English
  /// unless the command asks for another.
  Process(const std::vector<std::string>& command, const std::string& folder);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  bool running();
  pid_t pid() const { return pid_; }
  void signal(int number);
  /// Waits for its end; kills it when it takes longer than a minute.
  Ended wait();
  /// What it has written so far.
  std::string out() const;
  std::string err() const;

 private:
  bool reap(bool block);

  pid_t pid_ = -1;
  int status_ = 0;
  std::string out_path_;
  std::string err_path_;
};

/// Starts a program and waits for its end.
Ended run(const std::vector<std::string>& command, const std::string& folder);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

}  // namespace gridwhistle::e2e
