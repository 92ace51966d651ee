#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gridwhistle/ports.h"

namespace gridwhistle::sim {

/// The randomness of one run. Everything that happens by chance asks here, in the order it happens,
/// so that a seed plays the same run for ever.
class Dice final : public Random {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }
  /// From 0, below `end`.
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(std::uint64_t in_a_thousand) { return below(1000) < in_a_thousand; }

 private:
  std::mt19937_64 engine_;
};

/// Virtual time and everything that is going to happen. Events of one moment happen in the order
/// they were planned.
class Timeline {
 public:
  /// Milliseconds since 1970 as nobody in the run knows them.
  std::uint64_t now_ms() const { return now_ms_; }
  void at(std::uint64_t when_ms, std::function<void()> what);
  void after(std::uint64_t delay_ms, std::function<void()> what) {
    at(now_ms_ + delay_ms, std::move(what));
  }
  /// Lets everything up to then happen.
  void run_until(std::uint64_t when_ms);
  std::uint64_t events() const { return order_; }
  /// Nothing happens any more: what was planned is dropped, and nothing new is. What it would have
  /// happened to must still be there.
  void end();

  /// Notes that something happened; what is noted makes the hash by which two runs are compared.
  void note(std::string_view what);
  std::uint64_t hash() const { return hash_; }
  void print_notes() { printing_ = true; }
  /// Each note is told here as well.
  void tell_notes(std::function<void(std::string_view)> listener) {
    listener_ = std::move(listener);
  }

 private:
  struct Event {
    std::uint64_t when_ms = 0;
    std::uint64_t order = 0;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return when_ms != other.when_ms ? when_ms > other.when_ms : order > other.order;
    }
  };

  std::uint64_t now_ms_ = 1'795'000'000'000;  // autumn of 2026
  std::uint64_t order_ = 0;
  std::uint64_t hash_ = 0xCBF29CE484222325;
  bool printing_ = false;
  std::function<void(std::string_view)> listener_;
  bool ended_ = false;
  std::priority_queue<Event> events_;
};

}  // namespace gridwhistle::sim
