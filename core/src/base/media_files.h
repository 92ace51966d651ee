#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/status.h"

// The bytes of attachments, each file under the SHA-256 of its content. Phone and server keep them
// alike.
namespace gridwhistle {

/// A file by what it is.
struct MediaFile {
  std::string sha256;  ///< 32 bytes
  std::uint64_t size = 0;

  auto operator<=>(const MediaFile&) const = default;
};

/// A file that is coming in. Letting go of it keeps what is there for the next time.
class MediaPart {
 public:
  virtual ~MediaPart() = default;

  /// So much has come.
  virtual std::uint64_t size() const = 0;

  /// The next bytes. After an error, and after a kill or a power cut, less may be there than was
  /// taken; what is there is as it was given. kInvalid: more than the file has.
  virtual Result<void> append(std::string_view bytes) = 0;

  /// Returns when the whole file would survive a power cut, under its name; its bytes are what the
  /// name says. kDamaged: they are not, and nothing of them is kept. kInvalid: it is not whole.
  virtual Result<void> finish() = 0;
};

/// A folder of such files. Any thread; but a part is one thread's, and of one owner there is one
/// part of a file at a time.
///
/// Errors: kDiskFull, kReadOnly, kIo. Messages are for operators, in both languages (line.h).
class MediaFiles {
 public:
  virtual ~MediaFiles() = default;

  /// Of a file that is whole; nothing where it is not there.
  virtual Result<std::optional<std::uint64_t>> size_of(std::string_view sha256) = 0;

  /// Goes on with what this owner has brought of a file, or begins it. An owner's name is letters,
  /// digits and dashes.
  virtual Result<std::unique_ptr<MediaPart>> part(std::string_view owner,
                                                  const MediaFile& file) = 0;
  /// So many bytes an owner has begun and not brought to an end, but for one file.
  virtual Result<std::uint64_t> unfinished(std::string_view owner, std::string_view but_for) = 0;
  /// Which files an owner has begun, by their SHA-256.
  virtual Result<std::vector<std::string>> parts_of(std::string_view owner) = 0;
  /// Without effect when there is none.
  virtual Result<void> drop_part(std::string_view owner, std::string_view sha256) = 0;

  /// At most `bytes_max` bytes of a file that is whole; none behind its end. kNotFound.
  virtual Result<std::string> read(std::string_view sha256, std::uint64_t offset,
                                   std::size_t bytes_max) = 0;
  /// SHA-256 of `nonce` followed by the file. kNotFound.
  virtual Result<std::string> digest_behind(std::string_view nonce, std::string_view sha256) = 0;

  /// Returns when a power cut would not bring the file back. Without effect when it is not there.
  virtual Result<void> remove(std::string_view sha256) = 0;

  /// Every file that is whole.
  virtual Result<std::vector<std::string>> all() = 0;
  /// Drops parts that nobody has added to since then, milliseconds since 1970 by the disk's clock.
  virtual Result<std::size_t> drop_parts_before(std::int64_t ms) = 0;

  /// Where a whole file lies on disk.
  virtual std::string path_of(std::string_view sha256) const = 0;
};

/// Files in a folder of their own, which is made when it is not there. The folder above it must be.
Result<std::unique_ptr<MediaFiles>> open_media_folder(const std::string& folder);

}  // namespace gridwhistle
