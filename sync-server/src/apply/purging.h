#pragma once

#include <string>
#include <vector>

#include "storage/storage.h"

// Which attachments' files go with what was forgotten. Their bytes lie elsewhere, so the log notes
// them until whoever keeps the bytes has removed every copy.
namespace gridwhistle {

/// Those of these files that no record names that was not erased.
Result<std::vector<std::string>> unnamed_media(Storage& storage, const Schema& schema,
                                               const std::vector<std::string>& sha256s);

/// Inside a batch: notes those of these files that no record names.
Result<void> note_to_purge(Storage& storage, const Schema& schema,
                           const std::vector<std::string>& sha256s);

/// What is noted and still nobody's.
Result<std::vector<std::string>> media_to_purge(Storage& storage, const Schema& schema);

/// Inside a batch: nothing is noted any more.
Result<void> media_purged(Storage& storage);

}  // namespace gridwhistle
