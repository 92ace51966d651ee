#include "app/open_county.h"

#include <filesystem>

#include "gridwhistle/default_ports.h"
#include "rpc/server_identity.h"
#include "schema/tables.h"
#include "storage/open.h"

namespace gridwhistle::app {

namespace {

std::unexpected<Error> about(const std::string& path, Error error) {
  constexpr std::string_view kStorage = "database: ";
  if (error.message.starts_with(kStorage)) error.message.erase(0, kStorage.size());
  error.message = path + ": " + error.message;
  return std::unexpected(std::move(error));
}

Result<OpenCounty> open_file(const ServerConfig& config, const std::string& path, Opening opening) {
  auto storage = open_sqlite_storage(path, built_schema());
  if (!storage) {
    return about(path, storage.error());
  }
  if ((*storage)->county() != config.county) {
    return fail(ErrorCode::kConflict, "the file is that of county " + (*storage)->county() +
                                          ", the configuration says " + config.county);
  }
  // A key made anew would be a stranger to every phone, so only `init` makes one.
  std::error_code ignored;
  if (!std::filesystem::exists(config.key_path(), ignored)) {
    return fail(ErrorCode::kConflict, config.key_path() + " is missing: put the server's key back");
  }
  const auto identity = rpc::load_or_make_identity(config.key_path());
  if (!identity) return std::unexpected(identity.error());
  OpenCounty open{system_clock(), system_random(), identity->key_sha256, nullptr};
  CountyOptions options{.server_key_sha256 = identity->key_sha256};
  options.serves = opening == Opening::kToServe;
  options.silent_after_ms = config.silent_after_hours * 3600 * 1000;
  auto county =
      County::open(std::move(*storage), built_schema(), *open.clock, *open.random, options);
  if (!county) return about(path, county.error());
  open.county = std::move(*county);
  return open;
}

}  // namespace

Result<OpenCounty> open_county(const ServerConfig& config, Opening opening) {
  return open_file(config, config.database_path(), opening);
}

Result<OpenCounty> open_county(const ServerConfig& config, const std::string& path) {
  return open_file(config, path, Opening::kForCommand);
}

}  // namespace gridwhistle::app
