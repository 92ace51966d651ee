#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/config.h"
#include "base/line.h"
#include "county/county.h"

namespace gridwhistle::app {

/// What the name of the encrypted key beside a backup ends in.
inline constexpr char kKeySuffix[] = ".key";
/// And of the line with its SHA-256, as `sha256sum -c` reads it.
inline constexpr char kDigestSuffix[] = ".sha256";

struct Backup {
  std::string path;
  Seq upto;
  std::string damaged;  ///< an earlier one that is not as it was written any more; mostly empty
};

/// Backs the county up into `path`, whole, or, when that is empty, into a new file of the
/// configured folder, of which the newest `keep` stay: whole about once a week, and in between what
/// differs from the last whole one (difference.h), which stays as long as any of these. With a
/// passphrase configured the server's key goes before it under the same name and ".key"; its
/// SHA-256 goes before it in any case, and the journal of what was forgotten beside it. The file
/// has another name until it is whole and checked; only then does the county count as backed up.
/// The county's thread.
///
/// Errors: those of County::backup, of the folder, and of the passphrase.
Result<Backup> make_backup(County& county, const ServerConfig& config, const std::string& path,
                           std::string_view by, std::int64_t now_ms);

/// Whether a copy of a backup has the SHA-256 that was noted beside the backup; false when none
/// was. kCorrupt: it has another.
Result<bool> is_as_noted(const std::string& copy, const std::string& backup);

/// Returns when a file, or what names there are in a folder, would survive a power cut.
Result<void> flush(const std::string& path);

/// What the operator should know about backups: none for three days, or a folder on the same disk
/// as the data.
std::optional<Line> backup_warning(const ServerConfig& config, std::int64_t backed_up_ms,
                                   std::int64_t now_ms);

/// Whether the configured folder holds a backup of the county, whatever its file remembers of
/// backups.
bool has_backup(const ServerConfig& config);

/// Whether the last backup is older than three days.
bool backup_is_late(std::int64_t backed_up_ms, std::int64_t now_ms);

}  // namespace gridwhistle::app
