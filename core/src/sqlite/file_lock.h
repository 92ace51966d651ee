#pragma once

#include <string>

#include "gridwhistle/status.h"

namespace gridwhistle::sqlite {

/// Says to all processes of the machine that somebody has a thing. Ends with the object, and with
/// the process however that dies.
class FileLock {
 public:
  /// Holds nothing.
  FileLock() = default;

  /// Takes the lock that the file `path` stands for; creates the file, which stays behind.
  /// kLocked: somebody has it, in this process or another. kReadOnly, kDiskFull, kIo.
  static Result<FileLock> take(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace gridwhistle::sqlite
