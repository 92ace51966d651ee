#include "base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/line.h"

namespace gridwhistle {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

const Line kCannotBeRead = {"不能读取", "cannot be read"};
const Line kCannotBeWritten = {"不能写入", "cannot be written"};
const Line kCannotBePutInPlace = {"不能放到位", "cannot be put in place"};

ErrorCode code_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kDiskFull;
    case EROFS:
    case EACCES:
    case EPERM:
      return ErrorCode::kReadOnly;
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    default:
      return ErrorCode::kIo;
  }
}

std::unexpected<Error> io_failed(const std::string& path, const Line& what, int error) {
  const std::string why = std::strerror(error);
  return fail(code_of(error), about(path, both(what.zh + "：" + why, what.en + ": " + why)),
              "errno " + std::to_string(error));
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// Writes the contents, durable, beside `path` (mkstemp makes it 0600) and gives the name.
Result<std::string> write_beside(const std::string& path, std::string_view contents) {
  std::string name = path + ".XXXXXX";
  const Descriptor file(::mkstemp(name.data()));
  if (!file.is_open()) return io_failed(path, kCannotBeWritten, errno);
  int error = write_all(file.get(), contents);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0) return name;
  ::unlink(name.c_str());
  return io_failed(path, kCannotBeWritten, error);
}

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.get()) != 0) {
    return io_failed(path, Line{"所在文件夹不能同步到磁盘", "its folder cannot be synced"}, errno);
  }
  return {};
}

}  // namespace

Result<void> create_private_file(const std::string& path, std::string_view contents) {
  const auto beside = write_beside(path, contents);
  if (!beside) return std::unexpected(beside.error());
  // A link, unlike a rename, fails when the name is taken: two starters cannot overwrite each
  // other.
  const int error = ::link(beside->c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(beside->c_str());
  if (error != 0) return io_failed(path, kCannotBePutInPlace, error);
  return sync_folder(path);
}

Result<void> replace_file(const std::string& made, const std::string& path,
                          const std::string& kept) {
  const Descriptor file(::open(made.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() || ::fsync(file.get()) != 0) {
    return io_failed(made, kCannotBeWritten, errno);
  }
  if (::link(path.c_str(), kept.c_str()) != 0) return io_failed(kept, kCannotBePutInPlace, errno);
  if (::rename(made.c_str(), path.c_str()) != 0) return io_failed(path, kCannotBePutInPlace, errno);
  return sync_folder(path);
}

Result<std::string> read_small_file(const std::string& path, std::size_t size_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == EACCES) {
      return fail(ErrorCode::kForbidden,
                  both(path + " 当前用户无权读取", path + " may not be read by this user"));
    }
    return io_failed(path, kCannotBeRead, errno);
  }
  std::string contents;
  char block[4096];
  while (contents.size() <= size_max) {
    const ssize_t got = ::read(file.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failed(path, kCannotBeRead, errno);
    if (got == 0) return contents;
    contents.append(block, static_cast<std::size_t>(got));
  }
  const std::string most = std::to_string(size_max);
  return fail(ErrorCode::kTooLarge,
              both(path + " 超过 " + most + " 字节", path + " is larger than " + most + " bytes"));
}

}  // namespace gridwhistle
