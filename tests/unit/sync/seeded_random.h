#pragma once

#include <cstdint>
#include <random>

#include "gridwhistle/ports.h"

namespace gridwhistle {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }
  std::uint64_t below(std::uint64_t end) { return next() % end; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace gridwhistle
