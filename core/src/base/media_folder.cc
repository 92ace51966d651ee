#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/file_digest.h"
#include "base/line.h"
#include "base/media_files.h"
#include "base/sha256.h"

namespace gridwhistle {
namespace {

/// Synced, and noted as there, at the latest after so many bytes: what a power cut costs.
constexpr std::uint64_t kSyncedEvery = std::uint64_t{1} << 20;
constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kHexBytes = 64;
constexpr std::string_view kLength = ".length";

std::unexpected<Error> failed(const std::string& path, int error) {
  const std::string why = std::strerror(error);
  const auto code = [error] {
    switch (error) {
      case ENOSPC:
      case EDQUOT:
        return ErrorCode::kDiskFull;
      case EROFS:
      case EACCES:
      case EPERM:
        return ErrorCode::kReadOnly;
      case ENOENT:
        return ErrorCode::kNotFound;
      default:
        return ErrorCode::kIo;
    }
  };
  return fail(code(), about(path, both("附件读写失败：" + why, "attachment's file: " + why)),
              "errno " + std::to_string(error));
}

class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const std::string& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder.is_open() || ::fsync(folder.get()) != 0) return failed(path, errno);
  return {};
}

std::string above(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// The folder is there, and a power cut would leave it there.
Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    const std::string parent = path.find('/') == std::string::npos ? "." : above(path);
    return sync_folder(parent.empty() ? "/" : parent);
  }
  if (errno != EEXIST) return failed(path, errno);
  return {};
}

/// 0: all written; else errno.
int write_at(int file, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Fewer than asked for at the file's end.
Result<std::string> read_at(const std::string& path, int file, std::uint64_t offset,
                            std::size_t bytes_max) {
  std::string bytes(bytes_max, '\0');
  std::size_t have = 0;
  while (have < bytes_max) {
    const ssize_t got =
        ::pread(file, bytes.data() + have, bytes_max - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

/// Adds a file's bytes up to `end`.
Result<void> digest_file(const std::string& path, int file, std::uint64_t end, Sha256& digest) {
  for (std::uint64_t at = 0; at < end;) {
    auto bytes = read_at(path, file, at, std::min<std::uint64_t>(kReadBytes, end - at));
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    if (bytes->empty()) return failed(path, EIO);
    digest.add(*bytes);
    at += bytes->size();
  }
  return {};
}

/// A part on disk, and beside it how much of it was synced. A file system may keep a file's length
/// and lose its end, so after a start only what was noted counts.
class FolderPart final : public MediaPart {
 public:
  FolderPart(std::string path, std::string whole, MediaFile file)
      : path_(std::move(path)), whole_(std::move(whole)), file_(std::move(file)) {}
  ~FolderPart() override { static_cast<void>(note_synced()); }

  Result<void> open() {
    bytes_ = Descriptor(path_, O_RDWR | O_CREAT);
    if (!bytes_.is_open()) return failed(path_, errno);
    length_ = Descriptor(path_ + std::string(kLength), O_RDWR | O_CREAT);
    if (!length_.is_open()) return failed(path_, errno);
    auto noted = read_at(path_, length_.get(), 0, sizeof synced_);
    if (!noted) return std::unexpected(std::move(noted.error()));
    if (noted->size() == sizeof synced_) std::memcpy(&synced_, noted->data(), sizeof synced_);
    struct stat found{};
    if (::fstat(bytes_.get(), &found) != 0) return failed(path_, errno);
    synced_ = std::min({synced_, static_cast<std::uint64_t>(found.st_size), file_.size});
    if (::ftruncate(bytes_.get(), static_cast<off_t>(synced_)) != 0) return failed(path_, errno);
    size_ = synced_;
    return digest_file(path_, bytes_.get(), size_, digest_);
  }

  std::uint64_t size() const override { return size_; }

  Result<void> append(std::string_view bytes) override {
    if (bytes.size() > file_.size - size_) {
      return fail(ErrorCode::kInvalid, "more bytes than the file has");
    }
    if (const int error = write_at(bytes_.get(), size_, bytes)) return failed(path_, error);
    digest_.add(bytes);
    size_ += bytes.size();
    if (size_ - synced_ >= kSyncedEvery) return note_synced();
    return {};
  }

  Result<void> finish() override {
    if (size_ != file_.size) return fail(ErrorCode::kInvalid, "the file is not whole");
    if (digest_.end() != file_.sha256) {
      drop();
      return fail(ErrorCode::kDamaged, "the bytes are not those that the SHA-256 names");
    }
    if (::fsync(bytes_.get()) != 0) return failed(path_, errno);
    if (auto made = make_folder(above(whole_)); !made) return made;
    if (::rename(path_.c_str(), whole_.c_str()) != 0) return failed(whole_, errno);
    ::unlink((path_ + std::string(kLength)).c_str());
    gone_ = true;
    return sync_folder(above(whole_));
  }

 private:
  Result<void> note_synced() {
    if (gone_ || size_ == synced_ || !length_.is_open()) return {};
    if (::fdatasync(bytes_.get()) != 0) return failed(path_, errno);
    const std::uint64_t size = size_;
    const int error =
        write_at(length_.get(), 0, {reinterpret_cast<const char*>(&size), sizeof size});
    if (error != 0 || ::fdatasync(length_.get()) != 0) return failed(path_, error ? error : errno);
    synced_ = size;
    return {};
  }

  void drop() {
    gone_ = true;
    ::unlink(path_.c_str());
    ::unlink((path_ + std::string(kLength)).c_str());
  }

  const std::string path_;
  const std::string whole_;
  const MediaFile file_;
  Descriptor bytes_;
  Descriptor length_;
  std::uint64_t size_ = 0;
  std::uint64_t synced_ = 0;
  Sha256 digest_;
  bool gone_ = false;
};

class MediaFolder final : public MediaFiles {
 public:
  explicit MediaFolder(std::string folder) : folder_(std::move(folder)) {}

  Result<void> make() {
    if (auto made = make_folder(folder_); !made) return made;
    return make_folder(parts_folder());
  }

  Result<std::optional<std::uint64_t>> size_of(std::string_view sha256) override {
    struct stat found{};
    const std::string path = path_of(sha256);
    if (::stat(path.c_str(), &found) == 0) return static_cast<std::uint64_t>(found.st_size);
    if (errno != ENOENT) return failed(path, errno);
    return std::nullopt;
  }

  Result<std::unique_ptr<MediaPart>> part(std::string_view owner, const MediaFile& file) override {
    auto part =
        std::make_unique<FolderPart>(part_path(owner, file.sha256), path_of(file.sha256), file);
    if (auto opened = part->open(); !opened) return std::unexpected(std::move(opened.error()));
    return part;
  }

  Result<std::uint64_t> unfinished(std::string_view owner, std::string_view but_for) override {
    std::uint64_t bytes = 0;
    const std::string prefix = std::string(owner) + "_";
    const std::string except = part_name(owner, but_for);
    const auto each = [&](const std::filesystem::directory_entry& entry) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(prefix) || name.starts_with(except) || name.ends_with(kLength)) return;
      std::error_code ignored;
      const auto size = entry.file_size(ignored);
      if (!ignored) bytes += size;
    };
    if (auto listed = for_each_in(parts_folder(), each); !listed) {
      return std::unexpected(std::move(listed.error()));
    }
    return bytes;
  }

  Result<std::vector<std::string>> parts_of(std::string_view owner) override {
    std::vector<std::string> hashes;
    const std::string prefix = std::string(owner) + "_";
    const auto each = [&](const std::filesystem::directory_entry& entry) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(prefix)) return;
      auto hash = hash_of(std::string_view(name).substr(prefix.size()));
      if (hash) hashes.push_back(std::move(*hash));
    };
    if (auto listed = for_each_in(parts_folder(), each); !listed) {
      return std::unexpected(std::move(listed.error()));
    }
    return hashes;
  }

  Result<void> drop_part(std::string_view owner, std::string_view sha256) override {
    const std::string path = part_path(owner, sha256);
    ::unlink((path + std::string(kLength)).c_str());
    return unlink_durably(path);
  }

  Result<std::string> read(std::string_view sha256, std::uint64_t offset,
                           std::size_t bytes_max) override {
    const std::string path = path_of(sha256);
    const Descriptor file(path, O_RDONLY);
    if (!file.is_open()) return failed(path, errno);
    return read_at(path, file.get(), offset, bytes_max);
  }

  Result<std::string> digest_behind(std::string_view nonce, std::string_view sha256) override {
    const std::string path = path_of(sha256);
    const Descriptor file(path, O_RDONLY);
    struct stat found{};
    if (!file.is_open() || ::fstat(file.get(), &found) != 0) return failed(path, errno);
    Sha256 digest;
    digest.add(nonce);
    const auto read =
        digest_file(path, file.get(), static_cast<std::uint64_t>(found.st_size), digest);
    if (!read) return std::unexpected(read.error());
    return digest.end();
  }

  Result<void> remove(std::string_view sha256) override {
    const std::string hex = to_hex(sha256);
    std::vector<std::string> begun;
    const auto each = [&](const std::filesystem::directory_entry& entry) {
      if (entry.path().filename().string().find(hex) != std::string::npos) {
        begun.push_back(entry.path());
      }
    };
    if (auto listed = for_each_in(parts_folder(), each); !listed) return listed;
    for (const std::string& part : begun) {
      if (auto gone = unlink_durably(part); !gone) return gone;
    }
    return unlink_durably(path_of(sha256));
  }

  Result<std::vector<std::string>> all() override {
    std::vector<std::string> hashes;
    const auto each_file = [&](const std::filesystem::directory_entry& entry) {
      auto hash = hash_of(entry.path().filename().string());
      if (hash) hashes.push_back(std::move(*hash));
    };
    std::vector<std::string> folders;
    const auto each_folder = [&](const std::filesystem::directory_entry& entry) {
      if (entry.path().filename().string().size() == 2) folders.push_back(entry.path());
    };
    if (auto listed = for_each_in(folder_, each_folder); !listed) {
      return std::unexpected(std::move(listed.error()));
    }
    for (const std::string& one : folders) {
      if (auto listed = for_each_in(one, each_file); !listed) {
        return std::unexpected(std::move(listed.error()));
      }
    }
    return hashes;
  }

  Result<std::size_t> drop_parts_before(std::int64_t ms) override {
    std::size_t dropped = 0;
    const auto each = [&](const std::filesystem::directory_entry& entry) {
      struct stat found{};
      if (::stat(entry.path().c_str(), &found) != 0) return;
      const std::int64_t changed_ms =
          std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1'000'000;
      if (changed_ms >= ms || ::unlink(entry.path().c_str()) != 0) return;
      dropped += entry.path().string().ends_with(kLength) ? 0 : 1;
    };
    if (auto listed = for_each_in(parts_folder(), each); !listed) {
      return std::unexpected(std::move(listed.error()));
    }
    return dropped;
  }

  std::string path_of(std::string_view sha256) const override {
    const std::string hex = to_hex(sha256);
    return folder_ + "/" + hex.substr(0, 2) + "/" + hex;
  }

 private:
  std::string parts_folder() const { return folder_ + "/parts"; }
  static std::string part_name(std::string_view owner, std::string_view sha256) {
    return std::string(owner) + "_" + to_hex(sha256);
  }
  std::string part_path(std::string_view owner, std::string_view sha256) const {
    return parts_folder() + "/" + part_name(owner, sha256);
  }

  static std::optional<std::string> hash_of(std::string_view name) {
    return name.size() == kHexBytes ? from_hex(name) : std::nullopt;
  }

  template <typename Each>
  static Result<void> for_each_in(const std::string& folder, Each each) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      each(*entry);
    }
    if (error) return failed(folder, error.value());
    return {};
  }

  static Result<void> unlink_durably(const std::string& path) {
    if (::unlink(path.c_str()) == 0) return sync_folder(above(path));
    if (errno == ENOENT) return {};
    return failed(path, errno);
  }

  const std::string folder_;
};

}  // namespace

Result<std::unique_ptr<MediaFiles>> open_media_folder(const std::string& folder) {
  auto files = std::make_unique<MediaFolder>(folder);
  if (auto made = files->make(); !made) return std::unexpected(std::move(made.error()));
  return files;
}

}  // namespace gridwhistle
