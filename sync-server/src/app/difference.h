#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"

// A backup that holds only what differs from an earlier, whole one. It is an SQLite file: `head`
// names the whole one and the SHA-256 of both; `page` has each stretch of `page_bytes` bytes that
// differs, compressed with zstd against the stretch of the whole one at the same place.
namespace gridwhistle::app {

struct DifferenceHead {
  std::string base;         ///< the whole backup's file name, in the same folder
  std::string base_sha256;  ///< in hexadecimal, as below
  std::string sha256;       ///< of the county's file that both give together
  std::uint64_t bytes = 0;  ///< its size
};

/// Whether a file is one of these; false where it cannot be read.
bool is_difference(const std::string& path);
/// Whether its first bytes can be read, and are those of a database.
bool has_header(const std::string& path);

/// Errors: kNotADatabase (it is none of these), kCorrupt, kInternal (it lacks its tables), those of
/// files.
Result<DifferenceHead> read_difference(const std::string& path);

/// Writes into a new file what `whole` has otherwise than `base`, both files on the disk. Its bytes
/// are on the disk when it returns. Errors: those of files.
Result<void> write_difference(const std::string& base, const std::string& whole,
                              const std::string& path);

/// Hands out, from front to end, the bytes of the county's file that a difference and the whole
/// backup beside it give together. Reads both to their ends and compares their SHA-256.
///
/// Errors: kNotFound (the whole one is not there), kCorrupt (which of the two is not as it was
/// written, and what to do), those of `take` and of files.
Result<void> rebuild(const std::string& path,
                     const std::function<Result<void>(std::string_view)>& take);

}  // namespace gridwhistle::app
