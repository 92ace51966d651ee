#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "plants.h"
#include "replay.h"
#include "world.h"

namespace gridwhistle::sim {

// A run takes eight times as long under the sanitizers, which look for other faults than the laws
// do: they get fewer seeds.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

TEST_CASE(
    "seed by seed nothing acknowledged is lost, replicas converge, no row leaves its scope, and "
    "each plays the same run every time") {
  for (std::uint64_t seed = 1; seed <= (kSanitized ? 4 : 30); ++seed) {
    const RunResult result = run(seed);
    INFO("replay with gw-sim --seed " << seed << " --trace");
    CHECK(result.violation == "");
    CHECK(run(seed).hash == result.hash);
  }
}

TEST_CASE("seeds of every fault as hard as it comes hit every mark there is") {
  const auto all_but = [](std::initializer_list<Fault> without) {
    Faults faults;
    for (std::size_t i = 0; i < kFaultCount; ++i) {
      faults.set(static_cast<Fault>(i), Faults::kHardest);
    }
    for (const Fault fault : without) faults.set(fault, 0);
    return faults;
  };
  const Faults restored = all_but({Fault::kClones, Fault::kPutBacks});
  // Of copies more is open than of the rest, see docs/testing.md: they meet what they met so far.
  const Faults copied =
      all_but({Fault::kRestores, Fault::kForgets, Fault::kReadsFail, Fault::kSweeps, Fault::kOneWay,
               Fault::kSlowLines, Fault::kHostilePhone, Fault::kHostileServer, Fault::kPictures,
               Fault::kVersions});
  // A server that dies of everything else seldom has two backups.
  const Faults restored_alone = Faults::parse("server-kills=3,restores=3,pictures=3");
  // Amid all of these few pictures get on their way.
  const Faults pictured = Faults::parse(
      "breaks=1,truncation=3,duplication=3,outages=3,kills=3,reboots=3,server-kills=2,disk-fails=1,"
      "disk-full=3,reads-fail=3,pictures=3,damage=3");
  // A phone is seldom updated in a call, which among all of these are short.
  const Faults updated = Faults::parse("versions=3,breaks=2,slow-lines=3,lingering=2");
  Marks marks;
  for (std::uint64_t seed = 1; seed <= (kSanitized ? 4 : 106); ++seed) {
    const Faults& faults = kSanitized                ? copied
                           : seed <= 50              ? restored
                           : seed <= 80              ? copied
                           : seed > 103              ? updated
                           : seed <= 85 || seed > 95 ? restored_alone
                                                     : pictured;
    const RunResult result = run(seed, {.faults = faults});
    INFO("replay with gw-sim --seed " << seed << " --faults " << faults.text() << " --trace");
    CHECK(result.violation == "");
    marks.add(result.marks);
  }
  if (kSanitized) return;
  for (const std::string& mark : Marks::all()) {
    INFO(mark);
    CHECK(marks.count(mark) > 0);
  }
}

#ifndef __SANITIZE_ADDRESS__

TEST_CASE("runs that once found a fault: no law is broken any more") {
  std::size_t runs = 0;
  for (const auto& file : std::filesystem::directory_iterator(GRIDWHISTLE_SIM_REGRESSIONS)) {
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line.starts_with('#')) continue;
      const Replay replay = Replay::parse(line);
      INFO("replay with gw-sim " << replay.text() << " --trace");
      CHECK(run(replay.seed, replay.options).violation == "");
      ++runs;
    }
  }
  CHECK(runs > 15);
}

TEST_CASE("a run that fails shrinks to less that breaks the same law") {
  Replay found{1, {.plant = "sync-off"}};
  const auto law_broken = [&] { return law_of(run(found.seed, found.options).violation); };
  while (found.seed <= 200 && !law_broken().contains("forgot what")) ++found.seed;
  const std::string law = law_broken();
  const Replay least = shrink(found);
  INFO(least.text());
  const RunResult result = run(least.seed, least.options);
  CHECK(law_of(result.violation) == law);
  CHECK(law.contains("forgot what"));
  const auto count = [](const Faults& faults) { return std::ranges::count(faults.text(), '='); };
  REQUIRE(least.options.faults);
  CHECK(count(*least.options.faults) * 2 <= count(Faults::of_seed(least.seed)));
  CHECK_FALSE(least.options.idle.empty());
  CHECK(result.acts < run(found.seed, found.options).acts);
  CHECK(Replay::parse(least.text()).text() == least.text());
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

#endif

TEST_CASE("faults are read as they are written") {
  const Faults faults = Faults::of_seed(7);
  CHECK(Faults::parse(faults.text()).text() == faults.text());
  CHECK(Faults::parse("none").text() == "none");
  CHECK_THROWS_WITH(Faults::parse("breaks,rain"), Catch::Contains("no such fault: rain"));
  CHECK_THROWS_WITH(Faults::parse("breaks=4"), Catch::Contains("0 to 3"));
}

}  // namespace gridwhistle::sim
