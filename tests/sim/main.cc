#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "plants.h"
#include "replay.h"
#include "world.h"

// gw-sim: a county's hours from a seed, as often as wanted.
namespace {

using gridwhistle::sim::Replay;
using gridwhistle::sim::run;
using gridwhistle::sim::RunResult;

struct Options {
  std::uint64_t start = 1;
  std::uint64_t seeds = 100;
  std::uint64_t seed = 0;
  gridwhistle::sim::RunOptions run;
  gridwhistle::sim::Faults without;
  std::string keep;
  bool twice = false;
  bool shrinks = false;
  bool lists_plants = false;
};

gridwhistle::sim::RunOptions options_of(std::uint64_t seed, const Options& options) {
  using gridwhistle::sim::Faults;
  gridwhistle::sim::RunOptions run_options = options.run;
  for (std::size_t i = 0; i < gridwhistle::sim::kFaultCount; ++i) {
    const auto fault = static_cast<gridwhistle::sim::Fault>(i);
    if (!options.without.has(fault)) continue;
    if (!run_options.faults) run_options.faults = Faults::of_seed(seed);
    run_options.faults->set(fault, 0);
  }
  return run_options;
}

// Its files, if they are to be kept, in a folder of the seed's name.
RunResult play_once(std::uint64_t seed, const Options& options) {
  gridwhistle::sim::RunOptions run_options = options_of(seed, options);
  if (!options.keep.empty()) run_options.keep = options.keep + "/" + std::to_string(seed);
  return run(seed, run_options);
}

// Without what it prints and leaves.
gridwhistle::sim::RunOptions once_more(gridwhistle::sim::RunOptions run_options) {
  run_options.trace = false;
  run_options.keep.clear();
  return run_options;
}

bool play(std::uint64_t seed, const Options& options, RunResult& total) {
  const RunResult result = play_once(seed, options);
  std::string broken = result.violation;
  const Replay again{seed, once_more(options_of(seed, options))};
  if (broken.empty() && options.twice && run(seed, again.options).hash != result.hash) {
    broken = "two runs differ";
  }
  total.promises += result.promises;
  total.frames += result.frames;
  total.calls += result.calls;
  total.kills += result.kills;
  total.marks.add(result.marks);
  if (broken.empty()) return true;
  std::printf("seed %llu: %s\n  replay: gw-sim %s --trace\n", static_cast<unsigned long long>(seed),
              broken.c_str(), again.text().c_str());
  if (options.shrinks && !result.violation.empty()) {
    std::printf("  shrunk: %s\n", gridwhistle::sim::shrink(again).text().c_str());
  }
  return false;
}

void print(std::uint64_t played, std::uint64_t failed, double seconds, const RunResult& total) {
  const auto whole = [](auto number) { return static_cast<unsigned long long>(number); };
  std::printf(
      "%llu seeds, %llu failed, %.0f seeds an hour; %llu promises, %llu calls, %llu frames, "
      "%llu kills\n",
      whole(played), whole(failed), static_cast<double>(played) * 3600 / seconds,
      whole(total.promises), whole(total.calls), whole(total.frames), whole(total.kills));
}

void print_marks(const gridwhistle::sim::Marks& marks) {
  for (const std::string& mark : gridwhistle::sim::Marks::all()) {
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(marks.count(mark)), mark.c_str());
  }
}

int play_all(const Options& options) {
  constexpr std::uint64_t kSeedsALine = 1000;  // of a long run, some minutes each
  const auto began = std::chrono::steady_clock::now();
  RunResult total;
  std::uint64_t failed = 0;
  const std::uint64_t first = options.seed != 0 ? options.seed : options.start;
  const std::uint64_t count = options.seed != 0 ? 1 : options.seeds;
  for (std::uint64_t played = 1; played <= count; ++played) {
    if (!play(first + played - 1, options, total)) ++failed;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
    if (played % kSeedsALine == 0 || played == count) print(played, failed, passed.count(), total);
    std::fflush(stdout);
  }
  print_marks(total.marks);
  return failed == 0 ? 0 : 1;
}

std::vector<std::string> plant_names() {
  std::vector<std::string> names;
  for (const gridwhistle::sim::Plant& plant : gridwhistle::sim::plants()) {
    names.emplace_back(plant.name);
  }
  return names;
}

int list_plants() {
  for (const gridwhistle::sim::Plant& plant : gridwhistle::sim::plants()) {
    std::printf("%-18.*s %.*s\n", static_cast<int>(plant.name.size()), plant.name.data(),
                static_cast<int>(plant.what.size()), plant.what.data());
  }
  return 0;
}

// Until a seed finds it, by the law that it breaks: 0 then, 1 if none does.
int find_plant(const Options& options) {
  const gridwhistle::sim::Plant& plant = gridwhistle::sim::plant_named(options.run.plant);
  const std::uint64_t first = options.seed != 0 ? options.seed : options.start;
  const std::uint64_t count = options.seed != 0 ? 1 : options.seeds;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const RunResult result = play_once(seed, options);
    if (!result.violation.contains(plant.law)) continue;
    std::printf("%s: found after %llu seeds, by %llu: %s\n", options.run.plant.c_str(),
                static_cast<unsigned long long>(seed - first + 1),
                static_cast<unsigned long long>(seed), result.violation.c_str());
    return 0;
  }
  std::printf("%s: NOT found by %llu seeds\n", options.run.plant.c_str(),
              static_cast<unsigned long long>(count));
  return 1;
}

gridwhistle::sim::Faults faults_in(const std::string& option, const std::string& text) {
  try {
    return gridwhistle::sim::Faults::parse(text);
  } catch (const std::invalid_argument& wrong) {
    throw CLI::ValidationError(option, wrong.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Plays phones and their county server in virtual time, and checks every law.");
  app.add_option("--seeds", options.seeds, "how many seeds");
  app.add_option("--start", options.start, "the first seed");
  app.add_option("--seed", options.seed, "this seed alone");
  app.add_flag("--trace", options.run.trace, "print what happens");
  app.add_option_function<std::string>(
      "--faults",
      [&](const std::string& text) { options.run.faults = faults_in("--faults", text); },
      "these alone, as in breaks=2,moves=1; none; without it what each seed chooses");
  app.add_option_function<std::string>(
      "--without", [&](const std::string& text) { options.without = faults_in("--without", text); },
      "of what each seed chooses all but these, as in clones,put-backs");
  app.add_option("--idle", options.run.idle, "a phone with which nobody does anything");
  app.add_option("--operations", options.run.operations, "persons do no more than so many things");
  app.add_flag(
      "--shrink", options.shrinks,
      "of a seed that fails find less that breaks the same law, for tests/sim/regressions");
  app.add_option("--plant", options.run.plant, "until a seed has found this bug on purpose")
      ->check(CLI::IsMember(plant_names()));
  app.add_flag("--list-plants", options.lists_plants, "the bugs there are to plant");
  app.add_option("--keep", options.keep, "keep each seed's files and history in a folder in here");
  app.add_flag("--twice", options.twice, "play each seed twice and compare");
  CLI11_PARSE(app, argc, argv);
  if (options.lists_plants) return list_plants();
  return options.run.plant.empty() ? play_all(options) : find_plant(options);
}
