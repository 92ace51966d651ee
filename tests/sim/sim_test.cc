#include <catch2/catch.hpp>

#include "plants.h"
#include "world.h"

namespace gridwhistle::sim {

TEST_CASE(
    "thirty seeds: nothing acknowledged is lost, replicas converge, no row leaves its scope") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const RunResult result = run(seed);
    INFO("replay with gw-sim --seed " << seed << " --trace");
    CHECK(result.violation == "");
  }
}

TEST_CASE("seeds that once found a fault: no law is broken any more") {
  for (const std::uint64_t seed : {1024, 1128, 1170}) {
    const RunResult result = run(seed);
    INFO("replay with gw-sim --seed " << seed << " --trace");
    CHECK(result.violation == "");
  }
}

TEST_CASE("a server that comes back from its newest backup: no law is broken") {
  for (const std::uint64_t seed :
       {1, 5, 23, 36, 38, 60, 91, 101, 111, 2084, 2173, 300025, 320990, 600333, 620594}) {
    const RunResult result = run(seed, {.restores = true});
    INFO("replay with gw-sim --restores --seed " << seed << " --trace");
    CHECK(result.violation == "");
  }
}

TEST_CASE("every bug that is planted is found, by the law that it breaks") {
  for (const Plant& plant : plants()) {
    std::uint64_t seed = 1;
    const auto finds = [&] {
      return run(seed, {.plant = std::string(plant.name)}).violation.contains(plant.law);
    };
    while (seed <= 200 && !finds()) ++seed;
    INFO("replay with gw-sim --plant " << plant.name);
    CHECK(seed <= 200);
  }
}

TEST_CASE("a seed plays the same run every time") { CHECK(run(7).hash == run(7).hash); }

}  // namespace gridwhistle::sim
