#pragma once

#include <cstdint>
#include <memory>

#include "gridwhistle/client.h"
#include "schema/tables.h"
#include "sync/session.h"

namespace gridwhistle {

/// What a build of this library speaks. A test says what an older or a newer one would.
struct Build {
  const Schema* schema = &built_schema();  ///< outlives the client
  std::uint32_t protocol = SyncSession::kProtocol;
};

/// As `Client::open`, of that build.
Result<std::unique_ptr<Client>> open_as(const Build& build, ClientOptions options);

}  // namespace gridwhistle
