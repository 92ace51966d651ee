#pragma once

#include <random>
#include <string>
#include <vector>

#include "model/operation.h"

namespace gridwhistle {

/// Small random changes of a Thing: few fields, few values, so that they meet often.
class RandomWrites {
 public:
  explicit RandomWrites(std::uint64_t seed) : random_(seed) {}

  /// From 0 to `below` - 1.
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

  /// Fills set, clear and remove. Never what a device may not write.
  void fill(Operation& operation);

  /// The body of a new Thing.
  std::string body();

 private:
  std::mt19937_64 random_;
};

}  // namespace gridwhistle
