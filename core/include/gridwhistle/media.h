#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gridwhistle/status.h"

namespace gridwhistle {

/// How the bytes of an attachment are kept.
struct KeepOptions {
  std::string media_type;  ///< "image/jpeg"; of known types the bytes must begin as theirs do
  /// It proves something: what a picture says of where and when it was taken stays in it. Otherwise
  /// that is taken out of a JPEG; other types are kept as they are.
  bool evidence = false;
};

/// A file that the server, or this phone, refused; others go on.
struct MediaRefusal {
  std::string sha256;  ///< 32 bytes, as the attachment names it
  std::uint64_t size = 0;
  Error why;
};

/// How the bytes of attachments stand.
struct MediaStatus {
  std::uint64_t unsent = 0;  ///< files that only this phone has
  std::uint64_t unsent_bytes = 0;
  std::vector<MediaRefusal> refused;  ///< of these
  std::optional<Error> last_error;    ///< of the last call that carried some; none: it went well
};

/// What `Client::send_media` has done.
struct MediaReport {
  std::uint64_t files_sent = 0;
  std::uint64_t files_refused = 0;
  std::uint64_t bytes_up = 0;  ///< of files
};

}  // namespace gridwhistle
