#pragma once

#include <cstdint>
#include <functional>

#include "faults.h"
#include "marks.h"
#include "support/failing_allocations.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// Allocations of SQLite's that fail while a side does something.
class MemoryFaults {
 public:
  MemoryFaults(Timeline& timeline, Dice& dice, Marks& marks)
      : timeline_(timeline), dice_(dice), marks_(marks) {}

  /// From now on as hard as this; at first, and with 0, not at all.
  void strike(std::uint64_t hardness) { hardness_ = hardness; }

  static constexpr std::uint64_t kOften = 10;  ///< of a thousand times, and harder more
  static constexpr std::uint64_t kSeldomDone = 100;
  static constexpr std::uint64_t kDoneOnce = 400;

  /// Does it, as somebody in this phase. Perhaps one of its allocations fails.
  void during(const char* phase, std::uint64_t per_mille, const std::function<void()>& does);

  std::uint64_t failures() const { return allocations_.failures(); }

 private:
  Timeline& timeline_;
  Dice& dice_;
  Marks& marks_;
  test::FailingAllocations& allocations_ = test::FailingAllocations::of_process();
  std::uint64_t hardness_ = 0;
};

}  // namespace gridwhistle::sim
