#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "world.h"

namespace gridwhistle::sim {

/// A run that can be played again.
struct Replay {
  std::uint64_t seed = 0;
  RunOptions options;

  /// gw-sim's own options: "--seed 7 --faults breaks=2 --idle walker1 --operations 12".
  std::string text() const;
  /// From such a text. Throws std::invalid_argument.
  static Replay parse(std::string_view text);
};

/// The violation without what differs from run to run: names, numbers, values.
std::string law_of(std::string_view violation);

/// A smaller run that breaks the same law as this one does: fewer faults, fewer phones that do
/// anything, fewer operations. As it is where it breaks none.
Replay shrink(Replay run);

}  // namespace gridwhistle::sim
