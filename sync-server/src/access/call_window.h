#pragma once

#include <cstdint>

namespace gridwhistle {

/// Which call counters of a device were used: the highest, and of the 64 up to it a bit each. Calls
/// that overtake one another pass; none passes twice.
struct CallWindow {
  static constexpr std::uint64_t kWidth = 64;

  std::uint64_t highest = 0;
  std::uint64_t used = 0;  ///< bit i: `highest` - i

  /// Takes a counter; false when it was used, is too old, or 0.
  bool take(std::uint64_t counter);
};

}  // namespace gridwhistle
