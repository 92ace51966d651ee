#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "gridwhistle/ports.h"

namespace gridwhistle {

/// The one strand that owns a client's state: a lock, and an executor whose tasks hold it. What a
/// host's thread asks runs there and then under the lock; what the network brings runs as a task.
/// So nothing waits for a busy executor, and a host may call from the executor's own thread.
///
/// After `end` no task runs any more. Kept by shared pointers: tasks may outlive the client.
class Strand final : public Executor, public std::enable_shared_from_this<Strand> {
 public:
  /// `host` outlives the strand. `broken` runs when a task threw, with the lock held.
  Strand(Executor& host, std::function<void(const std::exception&)> broken)
      : host_(host), broken_(std::move(broken)) {}

  void post(std::function<void()> task) override;
  std::uint64_t post_after(std::chrono::milliseconds delay, std::function<void()> task) override;
  void cancel(std::uint64_t timer) override { host_.cancel(timer); }

  /// Held by whoever touches the state.
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  /// With the lock held: tasks that have not begun are dropped.
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

  /// Lets go of something on the executor's thread, not before the current task is over.
  void release(std::shared_ptr<void> thing);

 private:
  std::function<void()> guarded(std::function<void()> task);

  Executor& host_;
  const std::function<void(const std::exception&)> broken_;
  std::mutex mutex_;
  bool ended_ = false;
};

}  // namespace gridwhistle
