#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/floor.h"
#include "bench/phone.h"
#include "bench/scenarios.h"

namespace gridwhistle::bench {
namespace {

constexpr std::uint64_t kSeed = 42;

void print(const Figure& figure, bool json) {
  if (json) {
    nlohmann::json line = {{"scenario", figure.scenario},
                           {"n", figure.n},
                           {"value", figure.value},
                           {"unit", figure.unit}};
    if (figure.limit) line["limit"] = *figure.limit;
    if (figure.ratio()) line["ratio"] = *figure.ratio();
    std::cout << line.dump() << std::endl;
    return;
  }
  std::printf("%-17s %8zu %12.3f %-14s", figure.scenario.c_str(), figure.n, figure.value,
              figure.unit.c_str());
  if (figure.ratio()) {
    std::printf(" limit %10.3f  ratio %7.3f", *figure.limit, *figure.ratio());
  } else {
    std::printf(" %34s", "");
  }
  if (figure.bar) {
    std::printf("  %s %g: %s", figure.at_least ? ">=" : "<=", *figure.bar,
                figure.holds() ? "holds" : "FALLS SHORT");
  }
  std::printf("\n");
  std::fflush(stdout);
}

struct Wanted {
  bool quick = false;
  bool json = false;
  std::string input;
  std::string server;
  std::vector<std::string> only;
  std::size_t count = 10'000;
  std::size_t growth_count = 100'000;
  std::size_t devices = Setting().devices;
  double seconds = Setting().seconds;
};

using Scenario = Figures (*)(const Setting&, const std::vector<Item>&);
struct Named {
  const char* name;
  Scenario run;
  bool by_name_only = false;  ///< takes minutes, and holds no bar
};
constexpr Named kScenarios[] = {{"capture", capture},   {"exchange", exchange},
                                {"conflict", conflict}, {"crowd", crowd},
                                {"distance", distance}, {"growth", growth},
                                {"many", many, true},   {"county", county, true}};

Result<std::vector<Item>> items_for(const Wanted& wanted, std::size_t count) {
  if (wanted.input.empty()) return make_workload(count, kSeed);
  return read_workload(wanted.input, count);
}

int run(const Wanted& wanted, const std::string& own_program) {
  Setting setting;
  setting.own_program = std::filesystem::canonical(own_program);
  setting.server_program = wanted.server.empty() ? std::filesystem::path(setting.own_program)
                                                       .replace_filename("gridwhistle-server")
                                                       .string()
                                                 : wanted.server;
  setting.folder =
      std::filesystem::temp_directory_path() / ("gw-bench-" + std::to_string(::getpid()));
  setting.quick = wanted.quick;
  setting.devices = wanted.devices;
  setting.seconds = wanted.seconds;
  for (const Named& scenario : kScenarios) {
    const bool named =
        std::find(wanted.only.begin(), wanted.only.end(), scenario.name) != wanted.only.end();
    const bool chosen = named || (wanted.only.empty() && !scenario.by_name_only);
    if (!chosen) continue;
    const bool grows = std::string_view(scenario.name) == "growth";
    const std::size_t count = grows && !wanted.quick ? wanted.growth_count : wanted.count;
    const auto items = items_for(wanted, count);
    if (!items) {
      std::cerr << "gw-bench: " << items.error().message << '\n';
      return 2;
    }
    std::filesystem::create_directories(setting.folder);
    for (const Figure& figure : scenario.run(setting, *items)) print(figure, wanted.json);
    std::filesystem::remove_all(setting.folder);
  }
  return 0;
}

}  // namespace
}  // namespace gridwhistle::bench

int main(int argc, char** argv) {
  using namespace gridwhistle::bench;
  if (argc == 3 && std::string_view(argv[1]) == "floor-server") return serve_floor(argv[2]);
  if (argc == 3 && std::string_view(argv[1]) == "phone-memory") {
    const PhoneMemory memory = measure_memory(argv[2]);
    std::cout << memory.empty_bytes << ' ' << memory.phone_bytes << '\n';
    return 0;
  }
  Wanted wanted;
  CLI::App app("Measures the library and the server against the floor: raw SQLite, raw gRPC.");
  app.add_flag("--quick", wanted.quick, "2,000 records, under a minute");
  app.add_flag("--json", wanted.json, "a line of JSON a figure");
  app.add_option("--input", wanted.input, "records of the workload's form, a line of JSON each");
  app.add_option("--only", wanted.only,
                 "capture, exchange, conflict, crowd, distance, growth, many, county");
  app.add_option("-n,--count", wanted.count, "records")->capture_default_str();
  app.add_option("--growth-count", wanted.growth_count, "records of growth")->capture_default_str();
  app.add_option("--devices", wanted.devices, "phones of many")->capture_default_str();
  app.add_option("--seconds", wanted.seconds, "how long county may take")->capture_default_str();
  app.add_option("--server", wanted.server, "gridwhistle-server; beside this program if not given");
  CLI11_PARSE(app, argc, argv);
  if (wanted.quick) wanted.count = std::min<std::size_t>(wanted.count, 2'000);
  return run(wanted, argv[0]);
}
