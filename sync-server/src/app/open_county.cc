#include "app/open_county.h"

#include <filesystem>

#include "app/difference.h"
#include "app/forget_journal.h"
#include "app/media_keeping.h"
#include "base/line.h"
#include "base/p256.h"
#include "gridwhistle/default_ports.h"
#include "gridwhistle/messages.h"
#include "rpc/server_identity.h"
#include "schema/tables.h"
#include "storage/open.h"

namespace gridwhistle::app {

namespace {

// What is said in English alone is SQLite's, or in Chinese no more than the code's meaning.
std::unexpected<Error> about_file(const std::string& name, Error error) {
  constexpr std::string_view kStorage = "database: ";
  if (error.message.starts_with(kStorage)) {
    error.message = name + ": " + error.message.substr(kStorage.size());
  } else if (in_both(error.message)) {
    error.message = about(name, error.message);
  } else {
    error.message = about(name, both(std::string(message_of(error.code).zh), error.message));
  }
  return std::unexpected(std::move(error));
}

// Before anybody sees an older copy: what was forgotten since it was made, as the journals beside
// it, beside the county's file and beside the backups have it.
Result<void> forget_again(const ServerConfig& config, const std::string& name, County& county) {
  std::string beside = std::filesystem::path(name).parent_path().string();
  if (beside.empty()) beside = ".";
  const auto keys = read_forgotten(config, {beside, config.data_folder, config.backup_folder});
  if (!keys) return std::unexpected(keys.error());
  auto gone = county.forget_again(*keys);
  if (!gone) return about_file(name, std::move(gone.error()));
  // Also what a killed process had forgotten and not purged.
  return purge_media(config, county);
}

Result<OpenCounty> open_file(const ServerConfig& config, const std::string& path,
                             const std::string& name, Opening opening) {
  auto storage = open_sqlite_storage(path, built_schema());
  if (!storage && is_difference(path)) {
    return fail(ErrorCode::kNotADatabase,
                both(name + " 是只含差异的备份，请用 restore 恢复",
                     name + " is a backup that holds only what differs: `restore` it"));
  }
  if (!storage) return about_file(name, storage.error());
  if ((*storage)->county() != config.county) {
    const std::string& county = (*storage)->county();
    return fail(ErrorCode::kConflict,
                about(name, both("这是县区 " + county + " 的文件，配置中写的是 " + config.county,
                                 "the file is that of county " + county +
                                     ", the configuration says " + config.county)));
  }
  // A key made anew would be a stranger to every phone, so only `init` makes one.
  std::error_code ignored;
  if (!std::filesystem::exists(config.key_path(), ignored)) {
    return fail(ErrorCode::kConflict,
                both(config.key_path() + " 缺失，请放回服务器的密钥",
                     config.key_path() + " is missing: put the server's key back"));
  }
  const auto identity = rpc::load_or_make_identity(config.key_path());
  if (!identity) return std::unexpected(identity.error());
  OpenCounty open{system_clock(), system_random(), identity->key_sha256, nullptr};
  const auto public_key = public_key_of_certificate(identity->certificate_pem);
  if (!public_key) return std::unexpected(public_key.error());
  CountyOptions options{.server_key_sha256 = identity->key_sha256,
                        .server_public_key = *public_key};
  options.serves = opening == Opening::kToServe;
  options.restorable_backups = config.backup_restorable;
  options.replicated = config.replicated;
  options.quotas = config.quotas;
  options.silent_after_ms = config.silent_after_hours * 3600 * 1000;
  auto county =
      County::open(std::move(*storage), built_schema(), *open.clock, *open.random, options);
  if (!county) return about_file(name, county.error());
  open.county = std::move(*county);
  if (auto gone = forget_again(config, name, *open.county); !gone) {
    return std::unexpected(std::move(gone.error()));
  }
  return open;
}

}  // namespace

Result<OpenCounty> open_county(const ServerConfig& config, Opening opening) {
  return open_file(config, config.database_path(), config.database_path(), opening);
}

Result<OpenCounty> open_county(const ServerConfig& config, const std::string& path,
                               const std::string& name) {
  return open_file(config, path, name, Opening::kForCommand);
}

}  // namespace gridwhistle::app
