#include "process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

namespace gridwhistle::e2e {
namespace {

using namespace std::chrono_literals;

/// Everything the child needs, made before the fork: between fork and exec only system calls are
/// sound, the parent has threads.
[[noreturn]] void become(char** words, char** environment, const char* out, const char* err) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = ::open("/dev/null", O_RDONLY);
  const int out_file = ::open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_file = ::open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(null, 0);
  ::dup2(out_file, 1);
  ::dup2(err_file, 2);
  ::execve(words[0], words, environment);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

Process::Process(const std::vector<std::string>& command, const std::string& folder) {
  static std::atomic<int> count = 0;
  const std::string base = folder + "/process-" + std::to_string(++count);
  out_path_ = base + ".out";
  err_path_ = base + ".err";
  std::vector<std::string> words = command;
  std::vector<std::string> settings = {"LANG=C.UTF-8", "TZ=Asia/Shanghai", "HOME=" + folder,
                                       "PATH=/usr/bin:/bin", "USER=e2e"};
  const auto argv = pointers(words);
  const auto environment = pointers(settings);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    become(const_cast<char**>(argv.data()), const_cast<char**>(environment.data()),
           out_path_.c_str(), err_path_.c_str());
  }
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      out_path_(std::move(other.out_path_)),
      err_path_(std::move(other.err_path_)) {}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  reap(true);
}

bool Process::reap(bool block) {
  if (pid_ < 0) return true;
  if (::waitpid(pid_, &status_, block ? 0 : WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

bool Process::running() { return !reap(false); }

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

Ended Process::wait() {
  const auto latest = std::chrono::steady_clock::now() + 60s;
  while (!reap(false)) {
    if (std::chrono::steady_clock::now() > latest) {
      ::kill(pid_, SIGKILL);
      reap(true);
      break;
    }
    std::this_thread::sleep_for(2ms);
  }
  Ended ended{.out = out(), .err = err()};
  if (WIFEXITED(status_)) ended.code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) ended.signal = WTERMSIG(status_);
  return ended;
}

std::string Process::out() const { return read_file(out_path_); }
std::string Process::err() const { return read_file(err_path_); }

Ended run(const std::vector<std::string>& command, const std::string& folder) {
  return Process(command, folder).wait();
}

}  // namespace gridwhistle::e2e
