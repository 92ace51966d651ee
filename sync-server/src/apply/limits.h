#pragma once

#include <cstddef>

// How much the server keeps for phones, beside the limits both sides share.
namespace gridwhistle::limits {

/// Transactions of one phone that wait for records of others: far more than anybody writes between
/// a restore and the next calls of the phones that made those.
inline constexpr std::size_t kWaitingPerDevice = 1000;

/// Lines of a redrawn grid's feed that are looked at in one commit: reports of phones wait as long,
/// some tens of milliseconds.
inline constexpr std::size_t kRedrawnAtOnce = 200;

}  // namespace gridwhistle::limits
