#include "app/run.h"

#include "app/commands.h"

namespace gridwhistle::app {

ExitCode run(County& county, const CountyCommand& command, const Files& files,
             const Surroundings& surroundings, const Output& output) {
  Output named = output;
  named.database = surroundings.config.database_path();
  Context context{county, files, surroundings, named};
  return std::visit([&](const auto& typed) { return run_command(context, typed); }, command);
}

}  // namespace gridwhistle::app
