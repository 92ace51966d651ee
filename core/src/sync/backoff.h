#pragma once

#include <cstdint>

#include "gridwhistle/ports.h"

namespace gridwhistle {

/// The pauses between failed calls: decorrelated jitter, so that the phones of a county that lost
/// their server together do not come back together.
class Backoff {
 public:
  static constexpr std::uint64_t kBaseMs = 1'000;
  static constexpr std::uint64_t kCapMs = 300'000;

  /// The next pause: between the base and three times the last one, never above the cap.
  std::uint64_t next_ms(Random& random);
  /// After a call that went well.
  void reset() { last_ms_ = 0; }

 private:
  std::uint64_t last_ms_ = 0;
};

}  // namespace gridwhistle
