#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/media_files.h"
#include "county/county.h"
#include "gridwhistle/status.h"

// The bytes of attachments beside the county's file and beside its backups: what goes along, what
// is brought back, and what goes. Errors name the file.
namespace gridwhistle::app {

/// Where they lie beside backups in `folder`.
std::string media_beside(const std::string& folder);

/// Copies every file that `folder` lacks, each compared with its SHA-256; what the county has no
/// more goes there after as long as a backup is kept. Gives those that are not what they were: they
/// are put aside for two weeks, as `parts/damaged_…`. Errors: kDiskFull, kIo.
Result<std::vector<std::string>> back_up_media(const ServerConfig& config,
                                               const std::string& folder, std::int64_t now_ms);

/// Brings files that the county lacks from beside a backup in `folder`, as far as they are there
/// and sound. Gives those that it still lacks.
Result<std::vector<MediaFile>> bring_media(const ServerConfig& config, const std::string& folder,
                                           const std::vector<MediaFile>& wanted);

/// Has every record whose bytes are neither here nor beside the configured backups say so. How many
/// files lack. Before anybody calls.
Result<std::size_t> find_lost_media(const ServerConfig& config, County& county);

/// Removes what belongs to forgotten records, beside the backups too.
Result<void> purge_media(const ServerConfig& config, County& county);

/// Which of these files no record names, as the county says.
using Unnamed = std::function<Result<std::vector<std::string>>(std::vector<std::string>)>;
/// Removes files that no record has named for 30 days, and beginnings that nobody went on with. How
/// many files went. Any thread but the county's.
Result<std::size_t> sweep_media(const ServerConfig& config, const Unnamed& unnamed,
                                std::int64_t now_ms);

}  // namespace gridwhistle::app
