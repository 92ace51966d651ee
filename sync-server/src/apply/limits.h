#pragma once

#include <cstddef>

// How much the server keeps for phones, beside the limits both sides share.
namespace gridwhistle::limits {

/// Decisions of one phone that wait for their whistles: far more than anybody takes between a
/// restore and the next calls of the phones that reported.
inline constexpr std::size_t kWaitingPerDevice = 1000;

}  // namespace gridwhistle::limits
