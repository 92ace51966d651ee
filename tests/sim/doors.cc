#include "doors.h"

#include <utility>

namespace gridwhistle::sim {

ClockReading SimClock::now() {
  ClockReading reading;
  reading.wall_ms = static_cast<std::int64_t>(timeline_.now_ms()) + error_ms_;
  reading.boot_ms = timeline_.now_ms() - booted_ms_;
  reading.boot_id = boot_id_;
  return reading;
}

void SimClock::restart(std::uint64_t boot_id) {
  boot_id_ = boot_id;
  booted_ms_ = timeline_.now_ms() - 60'000;
}

void SimExecutor::post(std::function<void()> task) {
  post_after(std::chrono::milliseconds(0), std::move(task));
}

std::uint64_t SimExecutor::post_after(std::chrono::milliseconds delay, std::function<void()> task) {
  const std::uint64_t number = ++last_;
  waiting_->insert(number);
  const std::weak_ptr<std::set<std::uint64_t>> alive = waiting_;
  timeline_.after(static_cast<std::uint64_t>(delay.count()),
                  [alive, number, task = std::move(task)] {
                    const auto waiting = alive.lock();
                    if (waiting && waiting->erase(number) > 0) task();
                  });
  return number;
}

}  // namespace gridwhistle::sim
