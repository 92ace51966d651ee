#include "app/county_thread.h"

#include <chrono>
#include <utility>

namespace gridwhistle::app {

CountyThread::CountyThread(std::unique_ptr<County> county)
    : county_(std::move(county)), thread_([this] { run(); }) {}

CountyThread::~CountyThread() { stop(); }

void CountyThread::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
}

void CountyThread::after_round(Task task) {
  post([this, task = std::move(task)](County&) { after_round_ = task; });
}

void CountyThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::vector<CountyThread::Task> CountyThread::next_tasks(std::int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(wait_ms),
                    [this] { return stopping_ || !tasks_.empty(); });
  return std::exchange(tasks_, {});
}

void CountyThread::run() {
  PumpResult pumped{.more = true};
  bool stopping = false;
  while (!stopping || pumped.more) {
    for (const Task& task : next_tasks(pumped.more ? 0 : pumped.wake_after_ms)) task(*county_);
    pumped = county_->pump();
    if (after_round_) after_round_(*county_);
    const std::lock_guard lock(mutex_);
    stopping = stopping_ && tasks_.empty();
  }
}

}  // namespace gridwhistle::app
