#pragma once

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gridwhistle/default_ports.h"

namespace gridwhistle::test {

using namespace std::chrono_literals;

/// What one call told its owner.
class CallLog {
 public:
  void frame(std::string bytes) {
    const std::lock_guard lock(mutex_);
    if (!ends_.empty()) ++frames_after_end_;
    frames_.push_back(std::move(bytes));
    changed_.notify_all();
  }
  void end(Result<void> how) {
    const std::lock_guard lock(mutex_);
    ends_.push_back(std::move(how));
    changed_.notify_all();
  }
  bool wait_for_frames(std::size_t count, std::chrono::milliseconds time = 10s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return frames_.size() >= count; });
  }
  bool wait_for_end(std::chrono::milliseconds time = 10s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return !ends_.empty(); });
  }
  std::vector<std::string> frames() {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  /// Events so far, of either sort.
  std::size_t events() {
    const std::lock_guard lock(mutex_);
    return frames_.size() + ends_.size();
  }
  std::size_t ends() {
    const std::lock_guard lock(mutex_);
    return ends_.size();
  }
  std::size_t frames_after_end() {
    const std::lock_guard lock(mutex_);
    return frames_after_end_;
  }
  /// The error it ended with; nothing when it ended well or not at all.
  std::optional<ErrorCode> error() {
    const std::lock_guard lock(mutex_);
    if (ends_.empty() || ends_.front()) return {};
    return ends_.front().error().code;
  }
  bool ended_well() {
    const std::lock_guard lock(mutex_);
    return !ends_.empty() && ends_.front().has_value();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> frames_;
  std::vector<Result<void>> ends_;
  std::size_t frames_after_end_ = 0;
};

/// A transport with a thread to run on, as a client has.
class Phone {
 public:
  struct Talk {
    std::unique_ptr<Call> call;
    std::shared_ptr<CallLog> log;
  };

  Phone(int port, const std::string& key_sha256, TransportOptions options = {})
      : executor_(thread_executor()) {
    auto transport =
        grpc_transport({"127.0.0.1:" + std::to_string(port), key_sha256}, *executor_, options);
    transport_ = std::move(transport.value());
  }
  ~Phone() {
    on_executor([&] { transport_.reset(); });
  }

  /// Runs a task on the executor's thread and waits for it.
  template <typename Task>
  void on_executor(Task task) {
    std::promise<void> done;
    executor_->post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  Talk call() { return begin(&Transport::sync); }
  /// One that carries attachments' bytes.
  Talk media_call() { return begin(&Transport::media); }

  void hang_up(Talk& talk) {
    on_executor([&] { talk.call.reset(); });
  }

  Result<std::string> enrol(const std::string& request) {
    std::promise<Result<std::string>> answer;
    on_executor([&] {
      transport_->enrol(request, [&](Result<std::string> reply) { answer.set_value(reply); });
    });
    return answer.get_future().get();
  }

 private:
  Talk begin(std::unique_ptr<Call> (Transport::*service)(CallEvents)) {
    Talk talk{nullptr, std::make_shared<CallLog>()};
    const auto log = talk.log;
    on_executor([&] {
      talk.call = (transport_.get()->*service)(
          {.on_frame = [log](std::string f) { log->frame(std::move(f)); },
           .on_end = [log](Result<void> how) { log->end(how); }});
    });
    return talk;
  }

  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Transport> transport_;
};

}  // namespace gridwhistle::test
