#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config.h"
#include "county/county.h"
#include "gridwhistle/status.h"
#include "storage/rows.h"

// What was forgotten, beside the county's file and beside its backups: a line a record, when, which
// kind and which id, never what it said. An older copy of the county forgets it again before
// anybody sees it.
namespace gridwhistle::app {

/// What the journal of this county in a folder is called.
std::string journal_path(const ServerConfig& config, const std::string& folder);

/// Notes records in the data folder's journal and in that of the backups. Durable when it returns.
///
/// Errors: kDiskFull, kIo, kCorrupt, naming the file.
Result<void> note_forgotten(const ServerConfig& config, const std::vector<RecordKey>& keys,
                            std::int64_t now_ms);

/// Forgets records and notes them in the journals first; without `yes` only says what would go. The
/// county's thread. Errors: those of County::forget and of `note_forgotten`.
Result<ForgetReport> forget_noted(County& county, const ServerConfig& config,
                                  const std::vector<RecordKey>& keys, std::string_view by, bool yes,
                                  std::int64_t now_ms,
                                  County::Wiping wiping = County::Wiping::kAtOnce);

/// Brings the journal in `folder` up to what the data folder's says, and the other way round.
Result<void> share_journal(const ServerConfig& config, const std::string& folder);

/// What the journals in these folders say, each record once; none where there is no journal.
///
/// Errors: kCorrupt, naming file and line.
Result<std::vector<RecordKey>> read_forgotten(const ServerConfig& config,
                                              const std::vector<std::string>& folders);

}  // namespace gridwhistle::app
