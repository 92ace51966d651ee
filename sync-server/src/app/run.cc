#include "app/run.h"

#include "app/commands.h"

namespace gridwhistle::app {

ExitCode run(County& county, const CountyCommand& command, const Files& files,
             const Surroundings& surroundings, const Output& output) {
  Context context{county, files, surroundings, output};
  return std::visit([&](const auto& typed) { return run_command(context, typed); }, command);
}

}  // namespace gridwhistle::app
