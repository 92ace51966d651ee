#include "timeline.h"

#include <cstdio>
#include <utility>

namespace gridwhistle::sim {

void Timeline::at(std::uint64_t when_ms, std::function<void()> what) {
  if (ended_) return;
  events_.push({std::max(when_ms, now_ms_), ++order_, std::move(what)});
}

void Timeline::end() {
  ended_ = true;
  events_ = {};
}

void Timeline::run_until(std::uint64_t when_ms) {
  while (!events_.empty() && events_.top().when_ms <= when_ms) {
    const Event event = events_.top();
    events_.pop();
    now_ms_ = event.when_ms;
    event.what();
  }
  now_ms_ = std::max(now_ms_, when_ms);
}

void Timeline::note(std::string_view what) {
  const auto add = [this](std::uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3; };
  for (int shift = 0; shift < 64; shift += 8) add(static_cast<std::uint8_t>(now_ms_ >> shift));
  for (const char c : what) add(static_cast<std::uint8_t>(c));
  if (listener_) listener_(what);
  if (printing_) {
    std::printf("%12llu  %.*s\n", static_cast<unsigned long long>(now_ms_ - 1'795'000'000'000),
                static_cast<int>(what.size()), what.data());
  }
}

}  // namespace gridwhistle::sim
