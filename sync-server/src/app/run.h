#pragma once

#include <cstdint>
#include <string>

#include "app/command.h"
#include "app/config.h"
#include "app/output.h"
#include "county/county.h"

namespace gridwhistle::app {

/// What commands know beside the county.
struct Surroundings {
  const ServerConfig& config;
  std::string key_sha256;         ///< the server's, 32 bytes
  std::string working_directory;  ///< relative paths that a command writes to begin here
  std::string by;                 ///< who asks, for the audit
  std::int64_t now_ms = 0;
};

/// Runs one command. The county's thread. Writes only to `output` and, where the command says so,
/// to files.
ExitCode run(County& county, const CountyCommand& command, const Files& files,
             const Surroundings& surroundings, const Output& output);

}  // namespace gridwhistle::app
