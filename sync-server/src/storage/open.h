#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/status.h"
#include "model/schema.h"
#include "storage/storage.h"

namespace gridwhistle {

/// Makes the file of a new county. `vfs` as below. Errors: kAlreadyExists, kInvalid (not six
/// digits), those of files.
Result<void> create_sqlite_storage(const std::string& path, const std::string& county,
                                   const Schema& schema, const std::string& vfs = {});

/// Opens a county's file for this process alone; adds what the schema has and the file lacks.
/// `vfs` names a registered SQLite VFS, for tests of disks that fail. `schema` outlives the
/// storage.
///
/// Errors: kNotFound, kLocked (another process has it), kNewerFile, kNotADatabase, kCorrupt, and
/// those of files.
Result<std::unique_ptr<Storage>> open_sqlite_storage(const std::string& path, const Schema& schema,
                                                     const std::string& vfs = {});

/// A fact of a county's file as it lies on the disk (see Storage::fact), without opening the file
/// for this process: takes no lock and writes nothing. Empty when there is none.
Result<std::string> peek_fact(const std::string& path, std::string_view name);

/// The starts of the server that a county's file knows, read in the same way: their ids.
Result<std::set<std::uint64_t>> peek_epochs(const std::string& path);

/// The devices of a county's file, read in the same way: who they are, whose, and their state.
Result<std::vector<DeviceRow>> peek_devices(const std::string& path);

}  // namespace gridwhistle
