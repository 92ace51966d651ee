#include "app/media_keeping.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "base/limits.h"
#include "base/line.h"
#include "base/sha256.h"
#include "media/limits.h"

namespace gridwhistle::app {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
// An edit that had not seen an erasure brings the whole record back, with its picture.
constexpr std::int64_t kUnnamedKeptMs = 30 * kDayMs;
constexpr std::size_t kAskedAtOnce = 256;
constexpr char kCopying[] = "copy";

/// Since when files are of no use, as small files in a folder say; a start forgets nothing.
class Since {
 public:
  explicit Since(std::string folder) : folder_(std::move(folder)) {}

  /// The time that was noted first.
  std::int64_t note(const std::string& sha256, std::int64_t now_ms) const {
    std::error_code ignored;
    fs::create_directories(folder_, ignored);
    std::int64_t since = 0;
    std::ifstream(path_of(sha256)) >> since;
    if (since > 0) return since;
    std::ofstream(path_of(sha256)) << now_ms;
    return now_ms;
  }
  void clear(const std::string& sha256) const {
    std::error_code ignored;
    fs::remove(path_of(sha256), ignored);
  }

 private:
  std::string path_of(const std::string& sha256) const { return folder_ + "/" + to_hex(sha256); }
  const std::string folder_;
};

Result<void> copy(MediaFiles& from, MediaFiles& to, const std::string& sha256) {
  const auto size = from.size_of(sha256);
  if (!size) return std::unexpected(size.error());
  if (!*size) return fail(ErrorCode::kNotFound, from.path_of(sha256));
  auto part = to.part(kCopying, {sha256, **size});
  if (!part) return std::unexpected(std::move(part.error()));
  while ((*part)->size() < **size) {
    const auto bytes = from.read(sha256, (*part)->size(), limits::kMediaChunkBytes);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return fail(ErrorCode::kIo, from.path_of(sha256));
    if (auto appended = (*part)->append(*bytes); !appended) return appended;
  }
  return (*part)->finish();
}

void put_aside(const ServerConfig& config, MediaFiles& files, const std::string& sha256) {
  std::error_code ignored;
  fs::rename(files.path_of(sha256), config.media_path() + "/parts/damaged_" + to_hex(sha256),
             ignored);
}

Result<std::set<std::string>> all_in(MediaFiles& files) {
  auto all = files.all();
  if (!all) return std::unexpected(std::move(all.error()));
  return std::set<std::string>(all->begin(), all->end());
}

}  // namespace

std::string media_beside(const std::string& folder) { return folder + "/media"; }

Result<std::vector<std::string>> back_up_media(const ServerConfig& config,
                                               const std::string& folder, std::int64_t now_ms) {
  std::vector<std::string> damaged;
  std::error_code ignored;
  if (!fs::exists(config.media_path(), ignored)) return damaged;
  auto here = open_media_folder(config.media_path());
  if (!here) return std::unexpected(std::move(here.error()));
  const auto own = all_in(**here);
  if (!own) return std::unexpected(own.error());
  if (own->empty() && !fs::exists(media_beside(folder), ignored)) return damaged;
  auto there = open_media_folder(media_beside(folder));
  if (!there) return std::unexpected(std::move(there.error()));
  const auto kept = all_in(**there);
  if (!kept) return std::unexpected(kept.error());
  for (const std::string& sha256 : *own) {
    if (kept->contains(sha256)) continue;
    const auto copied = copy(**here, **there, sha256);
    if (copied) continue;
    if (copied.error().code != ErrorCode::kDamaged) return std::unexpected(copied.error());
    put_aside(config, **here, sha256);
    damaged.push_back(sha256);
  }
  const Since since(media_beside(folder) + "/gone");
  for (const std::string& sha256 : *kept) {
    if (own->contains(sha256)) {
      since.clear(sha256);
      continue;
    }
    const std::int64_t gone_ms = since.note(sha256, now_ms);
    if (config.backup_days == 0 || now_ms - gone_ms <= config.backup_days * kDayMs) continue;
    if (auto removed = (*there)->remove(sha256); !removed) return std::unexpected(removed.error());
    since.clear(sha256);
  }
  return damaged;
}

Result<std::vector<MediaFile>> bring_media(const ServerConfig& config, const std::string& folder,
                                           const std::vector<MediaFile>& wanted) {
  auto here = open_media_folder(config.media_path());
  if (!here) return std::unexpected(std::move(here.error()));
  std::unique_ptr<MediaFiles> there;
  std::error_code ignored;
  if (fs::exists(media_beside(folder), ignored)) {
    if (auto opened = open_media_folder(media_beside(folder))) there = std::move(*opened);
  }
  std::vector<MediaFile> lacking;
  for (const MediaFile& file : wanted) {
    const auto size = (*here)->size_of(file.sha256);
    if (!size) return std::unexpected(size.error());
    if (*size == file.size) continue;
    if (!there) {
      lacking.push_back(file);
      continue;
    }
    const auto copied = copy(*there, **here, file.sha256);
    const bool full = !copied && copied.error().code == ErrorCode::kDiskFull;
    if (full) return std::unexpected(copied.error());
    if (!copied) lacking.push_back(file);
  }
  return lacking;
}

Result<std::size_t> find_lost_media(const ServerConfig& config, County& county) {
  const auto stored = county.stored_media();
  if (!stored) return std::unexpected(stored.error());
  const auto lacking = bring_media(config, config.backup_folder, *stored);
  if (!lacking) return std::unexpected(lacking.error());
  std::vector<std::string> lost;
  for (const MediaFile& file : *lacking) lost.push_back(file.sha256);
  if (auto told = county.media_lost(lost); !told) return std::unexpected(told.error());
  return lost.size();
}

Result<void> purge_media(const ServerConfig& config, County& county) {
  const auto gone = county.media_to_purge();
  if (!gone) return std::unexpected(gone.error());
  if (gone->empty()) return {};
  for (const std::string& folder : {config.media_path(), media_beside(config.backup_folder)}) {
    std::error_code ignored;
    if (!fs::exists(folder, ignored)) continue;
    auto files = open_media_folder(folder);
    if (!files) return std::unexpected(std::move(files.error()));
    for (const std::string& sha256 : *gone) {
      if (auto removed = (*files)->remove(sha256); !removed) return removed;
      Since(folder + "/gone").clear(sha256);
    }
  }
  return county.media_purged();
}

Result<std::size_t> sweep_media(const ServerConfig& config, const Unnamed& unnamed,
                                std::int64_t now_ms) {
  auto files = open_media_folder(config.media_path());
  if (!files) return std::unexpected(std::move(files.error()));
  const auto dropped = (*files)->drop_parts_before(now_ms - limits::kMediaUnfinishedMs);
  if (!dropped) return std::unexpected(dropped.error());
  const auto all = (*files)->all();
  if (!all) return std::unexpected(all.error());
  const Since since(config.media_path() + "/gone");
  std::size_t swept = 0;
  for (std::size_t at = 0; at < all->size(); at += kAskedAtOnce) {
    const auto end =
        all->begin() + static_cast<std::ptrdiff_t>(std::min(at + kAskedAtOnce, all->size()));
    std::vector<std::string> some(all->begin() + static_cast<std::ptrdiff_t>(at), end);
    const auto nobodys = unnamed(some);
    if (!nobodys) return std::unexpected(nobodys.error());
    for (const std::string& sha256 : some) {
      if (std::ranges::find(*nobodys, sha256) == nobodys->end()) {
        since.clear(sha256);
        continue;
      }
      if (now_ms - since.note(sha256, now_ms) <= kUnnamedKeptMs) continue;
      // A record may have come since it was asked for.
      const auto still = unnamed({sha256});
      if (!still) return std::unexpected(still.error());
      since.clear(sha256);
      if (still->empty()) continue;
      if (auto removed = (*files)->remove(sha256); !removed)
        return std::unexpected(removed.error());
      ++swept;
    }
  }
  return swept;
}

}  // namespace gridwhistle::app
