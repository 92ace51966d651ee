#include "sync/backoff.h"

#include <algorithm>

namespace gridwhistle {

std::uint64_t Backoff::next_ms(Random& random) {
  const std::uint64_t top = std::max(last_ms_ * 3, kBaseMs * 3);
  last_ms_ = std::min(kCapMs, kBaseMs + random.next() % (top - kBaseMs + 1));
  return last_ms_;
}

}  // namespace gridwhistle
