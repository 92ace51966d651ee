#include "child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

namespace gridwhistle::demo {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::atomic<bool> stopping = false;

struct Pipe {
  int read = -1;
  int write = -1;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
  }
  return Pipe{ends[0], ends[1]};
}

// Between fork and exec only what is safe there: this program has threads.
[[noreturn]] void become(char* const* arguments, int in, int out, int err) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  // A ctrl-C goes to the whole group; it is the director who ends children, in its order.
  ::setpgid(0, 0);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

bool stop_requested() { return stopping.load(); }

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { stopping.store(true); };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

Result<std::unique_ptr<Child>> Child::start(const ChildOptions& options) {
  const auto in = make_pipe();
  if (!in) return std::unexpected(in.error());
  const auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  const int err =
      ::open(options.error_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (err < 0) return fail(ErrorCode::kIo, options.error_log + ": " + std::strerror(errno));
  std::vector<char*> arguments;
  for (const std::string& word : options.command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), in->read, out->write, err);
  ::close(err);
  ::close(in->read);
  ::close(out->write);
  std::unique_ptr<Child> child(new Child(pid, in->write, out->read));
  if (pid < 0) return fail(ErrorCode::kIo, std::string("fork: ") + std::strerror(errno));
  return child;
}

Child::~Child() {
  kill();
  if (in_ >= 0) ::close(in_);
  ::close(out_);
}

Result<void> Child::say(const std::string& line) {
  const std::string bytes = line + "\n";
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(in_, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::kIo, "a process of the demo reads no more");
    written += static_cast<std::size_t>(n);
  }
  return {};
}

Result<std::string> Child::hear(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    if (const std::size_t end = heard_.find('\n'); end != heard_.npos) {
      std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    if (stop_requested()) return fail(ErrorCode::kClosed, "stopped");
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail(ErrorCode::kTimeout, "a process of the demo is silent");
    pollfd ready = {out_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 200))) <= 0)
      continue;
    std::array<char, 4096> bytes;
    const ssize_t n = ::read(out_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(ErrorCode::kClosed, "a process of the demo ended too early");
    heard_.append(bytes.data(), static_cast<std::size_t>(n));
  }
}

std::optional<int> Child::reap(bool block) {
  if (exit_code_ || pid_ <= 0) return exit_code_;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return std::nullopt;
  exit_code_ = got == pid_ && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return exit_code_;
}

void Child::end_input() {
  ::close(in_);
  in_ = -1;
}

void Child::kill() {
  if (exit_code_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  reap(true);
}

int Child::stop(milliseconds timeout) {
  if (!exit_code_ && pid_ > 0) ::kill(pid_, SIGTERM);
  const auto ended = wait(timeout);
  if (!ended) kill();
  return exit_code_.value_or(-1);
}

Result<int> Child::wait(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!reap(false)) {
    if (Clock::now() > deadline) return fail(ErrorCode::kTimeout, "a process did not end in time");
    std::this_thread::sleep_for(milliseconds(5));
  }
  return *exit_code_;
}

Result<Finished> run_to_end(const ChildOptions& options, milliseconds timeout) {
  auto child = Child::start(options);
  if (!child) return std::unexpected(child.error());
  const auto deadline = Clock::now() + timeout;
  Finished finished;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    const auto line = (*child)->hear(left);
    if (line) {
      finished.output += *line + "\n";
      continue;
    }
    if (line.error().code != ErrorCode::kClosed || stop_requested())
      return std::unexpected(line.error());
    break;
  }
  const auto code = (*child)->wait(milliseconds(10'000));
  if (!code) return std::unexpected(code.error());
  finished.exit_code = *code;
  return finished;
}

}  // namespace gridwhistle::demo
