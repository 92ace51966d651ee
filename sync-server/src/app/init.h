#pragma once

#include <string>

#include "app/command.h"
#include "app/config.h"
#include "app/output.h"

namespace gridwhistle::app {

/// Makes a county's folder: gridwhistle.toml, the empty file, the server's key. Never writes over
/// what is there.
ExitCode run_init(const InitCommand& command, const Output& output);

/// Puts a backup in the county's place: copies it, checks it whole, and only then renames it. The
/// file that was there stays beside it. Refused while a server has the file.
ExitCode run_restore(const ServerConfig& config, const RestoreCommand& command,
                     const Output& output, std::int64_t now_ms);

}  // namespace gridwhistle::app
