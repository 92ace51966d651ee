#include "bench/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace gridwhistle::bench {

namespace {

std::uint64_t status_kilobytes(const std::string& process, const std::string& field) {
  std::ifstream file("/proc/" + process + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(field + ":")) {
      return std::strtoull(line.c_str() + field.size() + 1, nullptr, 10);
    }
  }
  return 0;
}

[[noreturn]] void exec(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

double seconds_on(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

Process::Process(const std::vector<std::string>& command) {
  int to_child[2];
  int from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0) std::abort();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(to_child[0], STDIN_FILENO);
    ::dup2(from_child[1], STDOUT_FILENO);
    exec(command);
  }
  ::close(to_child[0]);
  ::close(from_child[1]);
  input_ = to_child[1];
  output_ = from_child[0];
}

Process::~Process() {
  ::close(input_);
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ::close(output_);
}

std::string Process::line() {
  std::string text;
  char c = 0;
  while (::read(output_, &c, 1) == 1 && c != '\n') text += c;
  return text;
}

// proc(5): fields 14 and 15 of stat, in clock ticks; the second field may hold blanks.
double Process::cpu_s() const {
  clockid_t clock{};
  if (::clock_getcpuclockid(pid_, &clock) != 0) std::abort();
  return seconds_on(clock);
}

std::uint64_t Process::rss_bytes() const {
  return status_kilobytes(std::to_string(pid_), "VmRSS") * 1024;
}

std::uint64_t Process::peak_rss_bytes() const {
  return status_kilobytes(std::to_string(pid_), "VmHWM") * 1024;
}

double own_cpu_s() { return seconds_on(CLOCK_PROCESS_CPUTIME_ID); }

std::uint64_t own_rss_bytes() { return status_kilobytes("self", "VmRSS") * 1024; }

std::string run(const std::vector<std::string>& command) {
  int output[2];
  if (::pipe2(output, O_CLOEXEC) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(output[1], STDOUT_FILENO);
    exec(command);
  }
  ::close(output[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t size = 0; (size = ::read(output[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(output[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::cerr << "gw-bench: " << command[0] << " " << command[1] << " failed:\n" << text;
    std::abort();
  }
  return text;
}

}  // namespace gridwhistle::bench
