#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "child.h"
#include "crew.h"
#include "director.h"

namespace {

constexpr const char* kUsage =
    "gridwhistle-demo: a county's day, end to end; scripts/demo builds and runs it\n"
    "  gridwhistle-demo run COUNTY_FOLDER RUN_FOLDER [SEED]   plays the day; RUN_FOLDER is "
    "emptied\n"
    "  gridwhistle-demo phones FOLDER SEED                    a process full of phones, for "
    "`run`\n";

}  // namespace

int main(int argc, char** argv) {
  using namespace gridwhistle::demo;
  catch_signals();
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "phones" && argc == 4) return run_crew(argv[2], std::stoull(argv[3]));
  if (what != "run" || argc < 4) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  DirectorOptions options;
  options.program = program.string();
  options.server = (program.parent_path() / "gridwhistle-server").string();
  options.county = argv[2];
  options.run_folder = std::filesystem::absolute(argv[3]).string();
  if (argc > 4) options.seed = std::stoull(argv[4]);
  return Director(std::move(options)).run();
}
