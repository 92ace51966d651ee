#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "county/county.h"

namespace gridwhistle::app {

/// The one thread that uses a county. Others post what is to be done to it; after every round of
/// tasks the county deals with what waits.
class CountyThread {
 public:
  using Task = std::function<void(County&)>;

  explicit CountyThread(std::unique_ptr<County> county);
  /// Stops first.
  ~CountyThread();

  /// Any thread; never blocks. Tasks run in order. After `stop` they are dropped.
  void post(Task task);

  /// Runs `work` on the county's thread and gives what it gives. Any other thread; blocks.
  template <typename Work>
  auto call(Work work) -> std::invoke_result_t<Work, County&> {
    std::packaged_task<std::invoke_result_t<Work, County&>(County&)> task(std::move(work));
    auto result = task.get_future();
    auto shared = std::make_shared<decltype(task)>(std::move(task));
    post([shared](County& county) { (*shared)(county); });
    return result.get();
  }

  /// Any thread. From then on `task` is run after each round.
  void after_round(Task task);

  /// Runs what was posted before, deals with what waits in the county, and ends the thread.
  void stop();

 private:
  void run();
  std::vector<Task> next_tasks(std::int64_t wait_ms);

  std::unique_ptr<County> county_;
  Task after_round_;  // the thread's own
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::thread thread_;
};

}  // namespace gridwhistle::app
