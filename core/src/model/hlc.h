#pragma once

#include <algorithm>
#include <cstdint>

#include "gridwhistle/ids.h"

namespace gridwhistle {

constexpr std::int64_t physical_ms(Hlc hlc) { return static_cast<std::int64_t>(hlc.value >> 16); }

constexpr Hlc hlc_at(std::int64_t ms) {
  return Hlc(static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0)) << 16);
}

/// The clock of a new write: above everything its writer has seen (`seen`), and no lower than the
/// server's time as far as the device can reckon it (`server_ms`, 0 before the first contact).
constexpr Hlc next_hlc(Hlc seen, std::int64_t server_ms) {
  return std::max(Hlc(seen.value + 1), hlc_at(server_ms));
}

/// What the server makes of a device's clock value: at most its own receipt. A value is clamped to
/// the last tick of `receipt_ms`, so that a phone in 2099 wins nothing by it.
constexpr Hlc clamp_hlc(Hlc hlc, std::int64_t receipt_ms) {
  return std::min(hlc, Hlc(hlc_at(receipt_ms).value | 0xFFFF));
}

}  // namespace gridwhistle
