#include <catch2/catch.hpp>

#include "plants.h"
#include "world.h"

namespace gridwhistle::sim {

TEST_CASE(
    "thirty seeds: nothing acknowledged is lost, replicas converge, no row leaves its scope, and "
    "each plays the same run every time") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const RunResult result = run(seed);
    INFO("replay with gw-sim --seed " << seed << " --trace");
    CHECK(result.violation == "");
    CHECK(run(seed).hash == result.hash);
  }
}

TEST_CASE("forty seeds of every fault as hard as it comes hit every mark there is") {
  Faults faults;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    faults.set(static_cast<Fault>(i), Faults::kHardest);
  }
  Marks marks;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const RunResult result = run(seed, {.faults = faults});
    INFO("replay with gw-sim --seed " << seed << " --faults " << faults.text() << " --trace");
    CHECK(result.violation == "");
    marks.add(result.marks);
  }
  for (const std::string& mark : Marks::all()) {
    INFO(mark);
    CHECK(marks.count(mark) > 0);
  }
}

// As the seeds below were played when they found what they found.
const std::string kThen =
    "breaks,silence,truncation,duplication,lingering,outages,clocks,moves,kills,reboots,"
    "server-kills";

TEST_CASE("seeds that once found a fault: no law is broken any more") {
  for (const std::uint64_t seed : {1024, 1128, 1170}) {
    const RunResult result = run(seed, {.faults = Faults::parse(kThen)});
    INFO("replay with gw-sim --faults " << kThen << " --seed " << seed << " --trace");
    CHECK(result.violation == "");
  }
}

TEST_CASE("a server that comes back from its newest backup: no law is broken") {
  for (const std::uint64_t seed :
       {1, 5, 23, 36, 38, 60, 91, 101, 111, 2084, 2173, 300025, 320990, 600333, 620594}) {
    const RunResult result = run(seed, {.faults = Faults::parse(kThen + ",restores")});
    INFO("replay with gw-sim --faults " << kThen << ",restores --seed " << seed << " --trace");
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

TEST_CASE("faults are read as they are written") {
  const Faults faults = Faults::of_seed(7);
  CHECK(Faults::parse(faults.text()).text() == faults.text());
  CHECK(Faults::parse("none").text() == "none");
  CHECK_THROWS_WITH(Faults::parse("breaks,rain"), Catch::Contains("no such fault: rain"));
  CHECK_THROWS_WITH(Faults::parse("breaks=4"), Catch::Contains("0 to 3"));
}

}  // namespace gridwhistle::sim
