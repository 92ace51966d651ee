#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"

// Errors name the file and are in both languages (line.h).
namespace gridwhistle {

/// Puts a small file in place so that after a power cut it is there whole or not at all, and
/// readable by its owner only. Never replaces what is there. The folder must exist.
///
/// Errors: kAlreadyExists (somebody else was first; read theirs), kDiskFull, kReadOnly, kNotFound
/// (no such folder), kIo.
Result<void> create_private_file(const std::string& path, std::string_view contents);

/// Puts `made` in the place of `path`, which stays as `kept`; at every moment, a power cut's too,
/// the one or the other is there. `made` is no more. Errors: as above.
Result<void> replace_file(const std::string& made, const std::string& path,
                          const std::string& kept);

/// A file's contents. Errors: kNotFound, kTooLarge (over `size_max`), kForbidden, kIo.
Result<std::string> read_small_file(const std::string& path, std::size_t size_max);

}  // namespace gridwhistle
