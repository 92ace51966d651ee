#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/config.h"
#include "county/county.h"
#include "gridwhistle/ports.h"

namespace gridwhistle::app {

/// A county opened from its file, with what it stands on.
struct OpenCounty {
  std::unique_ptr<Clock> clock;
  std::unique_ptr<Random> random;
  std::string key_sha256;  ///< the server's, 32 bytes
  std::unique_ptr<County> county;
};

enum class Opening : std::uint8_t {
  kForCommand,  ///< one command on a stopped server: no start that phones are told of
  kToServe,
};

/// Opens the configured county, and forgets again what an older copy of it does not know to be
/// forgotten. Errors: kLocked (a server has it), kNotFound (run `init`),
/// kConflict (the file is another county's, or the server's key is missing), and those of
/// County::open.
Result<OpenCounty> open_county(const ServerConfig& config, Opening opening);
/// The same with another file, for a command. Errors call it `name`.
Result<OpenCounty> open_county(const ServerConfig& config, const std::string& path,
                               const std::string& name);

}  // namespace gridwhistle::app
