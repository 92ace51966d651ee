#include <utility>
// Boost 1.74 forgets to include <utility> itself.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "gridwhistle/default_ports.h"

namespace gridwhistle {
namespace {

namespace asio = boost::asio;

class AsioExecutor final : public RunLoop {
 public:
  // Timers go before the context that serves them, tasks after both: a task's own destructor may
  // still call `cancel`.
  ~AsioExecutor() override { std::exchange(timers_, {}); }

  void post(std::function<void()> task) override { asio::post(context_, std::move(task)); }

  std::uint64_t post_after(std::chrono::milliseconds delay, std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = ++last_timer_;
    auto& timer = timers_.try_emplace(number, context_, delay).first->second;
    timer.async_wait([this, number, task = std::move(task)](const boost::system::error_code&) {
      if (take(number)) task();
    });
    return number;
  }

  void cancel(std::uint64_t timer) override { take(timer); }

  // Restarting comes after the run, not before, so that a `stop` that was faster than `run` counts.
  void run() override {
    context_.run();
    context_.restart();
  }

  bool run_for(std::chrono::milliseconds time) override {
    context_.run_for(time);
    const bool stopped = context_.stopped();
    context_.restart();
    return stopped;
  }

  void stop() override { context_.stop(); }

 private:
  // Whoever takes a timer out of the table decides whether its task runs, so a task that is
  // already queued can still be cancelled.
  bool take(std::uint64_t timer) {
    const std::lock_guard lock(mutex_);
    return timers_.erase(timer) > 0;
  }

  std::mutex mutex_;
  std::map<std::uint64_t, asio::steady_timer> timers_;
  std::uint64_t last_timer_ = 0;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
};

class ThreadExecutor final : public Executor {
 public:
  ~ThreadExecutor() override {
    loop_.stop();
    thread_.join();
  }

  void post(std::function<void()> task) override { loop_.post(std::move(task)); }
  std::uint64_t post_after(std::chrono::milliseconds delay, std::function<void()> task) override {
    return loop_.post_after(delay, std::move(task));
  }
  void cancel(std::uint64_t timer) override { loop_.cancel(timer); }

 private:
  AsioExecutor loop_;
  std::thread thread_{[this] { loop_.run(); }};
};

}  // namespace

std::unique_ptr<RunLoop> run_loop() { return std::make_unique<AsioExecutor>(); }
std::unique_ptr<Executor> thread_executor() { return std::make_unique<ThreadExecutor>(); }

}  // namespace gridwhistle
