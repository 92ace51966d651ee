#include "sync/backoff.h"

#include <catch2/catch.hpp>
#include <set>

#include "seeded_random.h"

namespace gridwhistle {

TEST_CASE("pauses grow, are never shorter than the base and never longer than five minutes") {
  SeededRandom random(7);
  Backoff backoff;
  std::uint64_t last = 0;
  std::uint64_t highest = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t pause = backoff.next_ms(random);
    CHECK(pause >= Backoff::kBaseMs);
    CHECK(pause <= std::min(Backoff::kCapMs, std::max(Backoff::kBaseMs * 3, last * 3)));
    last = pause;
    highest = std::max(highest, pause);
  }
  CHECK(highest == Backoff::kCapMs);
}

TEST_CASE("phones that failed together do not come back together") {
  std::set<std::uint64_t> pauses;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    pauses.insert(Backoff().next_ms(random));
  }
  CHECK(pauses.size() > 90);
}

TEST_CASE("after a success the pauses begin small again") {
  SeededRandom random(7);
  Backoff backoff;
  for (int i = 0; i < 50; ++i) backoff.next_ms(random);
  backoff.reset();
  CHECK(backoff.next_ms(random) <= Backoff::kBaseMs * 3);
}

}  // namespace gridwhistle
