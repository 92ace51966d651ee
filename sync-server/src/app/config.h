#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "county/quotas.h"
#include "county/retention.h"
#include "import/problem.h"

namespace gridwhistle::app {

/// What the operator decides about a server. The commented default that `init` writes says what
/// each means; the values here are those of a key left out.
struct ServerConfig {
  std::string path;                  ///< the file it was read from
  std::string county;                ///< "440811"
  std::string data_folder = "data";  ///< resolved against the configuration's folder

  std::string listen = "0.0.0.0:7443";
  std::string public_address;  ///< what phones are told; empty: the listening address
  std::size_t streams_max = 20'000;
  std::string metrics_listen;  ///< empty: none; a loopback address

  std::string backup_folder = "backup";  ///< resolved like data_folder
  std::int64_t backup_every_hours = 24;
  std::size_t backup_keep = 20;
  std::size_t backup_restorable = 20;  ///< phones keep what so many of the last may lack
  bool replicated = false;             ///< the storage: phones keep nothing for backups
  std::int64_t backup_days = 30;  ///< 0: however old
  std::string passphrase_file;    ///< resolved like data_folder; empty: keys are not backed up

  std::int64_t silent_after_hours = 72;
  QuotaLimits quotas;

  RetentionPeriods retention;

  std::string log_format = "text";  ///< text or json
  std::string log_level = "info";   ///< debug, info, warn, error

  std::string database_path() const { return data_folder + "/county.db"; }
  /// The bytes of attachments.
  std::string media_path() const { return data_folder + "/media"; }
  std::string key_path() const { return data_folder + "/server-key.pem"; }
  std::string socket_path() const { return data_folder + "/operator.sock"; }

  bool operator==(const ServerConfig&) const = default;
};

/// The text of a configuration with every key and what it is for.
std::string default_config(std::string_view county, std::string_view public_address);

/// Reads a configuration. `path` stands in the complaints, "gridwhistle.toml:7: …", and relative
/// folders begin at its folder. Every unknown key and wrong value is one complaint.
std::expected<ServerConfig, std::vector<import::Problem>> parse_config(const std::string& path,
                                                                       std::string_view text);

}  // namespace gridwhistle::app
