#include "sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gridwhistle::sqlite {

namespace {

std::unexpected<Error> error_of_errno(int number) {
  const std::string detail = "errno " + std::to_string(number);
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return fail(ErrorCode::kDiskFull, "no space for the lock file", detail);
    case EIO:
      return fail(ErrorCode::kIo, "the lock file cannot be used", detail);
    default:
      return fail(ErrorCode::kReadOnly, "the lock file cannot be created", detail);
  }
}

}  // namespace

// flock and not fcntl: it belongs to the open file, so a second opening in the same process is
// refused too, and closing some other descriptor of the file does not drop it.
Result<FileLock> FileLock::take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return error_of_errno(errno);
  FileLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return error_of_errno(errno);
  return fail(ErrorCode::kLocked, "another program is using this file; close it first", "flock");
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace gridwhistle::sqlite
