#pragma once

#include <cstdint>
#include <string>

namespace gridwhistle::terminal {

/// A county's times are China's, wherever the machine stands; China has one zone and no summer
/// time.
inline constexpr std::int64_t kChinaAhead_s = 8 * 3600;

/// "2026-11-22 08:30", China's time.
std::string time_text(std::int64_t ms);

}  // namespace gridwhistle::terminal
