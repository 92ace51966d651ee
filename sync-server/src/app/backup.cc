#include "app/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "app/difference.h"
#include "app/forget_journal.h"
#include "app/key_backup.h"
#include "app/media_keeping.h"
#include "base/file_digest.h"

namespace gridwhistle::app {
namespace {

namespace fs = std::filesystem;

constexpr char kPartSuffix[] = ".part";
constexpr std::int64_t kLateMs = std::int64_t{3} * 24 * 3600 * 1000;

/// "440811-20261122T052031Z.gwbackup": by name in the order of time.
std::string backup_name(const std::string& county, std::int64_t now_ms) {
  const std::time_t seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  return county + "-" +
         std::string(text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc)) + ".gwbackup";
}

constexpr char kSuffix[] = ".gwbackup";

/// Whether `backup_name` gave a file its name. What somebody put there under another stays theirs:
/// nothing stands on it, and it is never dropped.
bool is_backup_name(const std::string& name, const std::string& county) {
  if (!name.starts_with(county + "-")) return false;
  std::string shape = name.substr(county.size() + 1);
  std::ranges::replace_if(shape, [](char c) { return c >= '0' && c <= '9'; }, '0');
  return shape == std::string("00000000T000000Z") + kSuffix;
}

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
// A whole one that is damaged takes what stands on it along, so that is a week's at most.
constexpr std::size_t kDifferencesMax = 6;
constexpr std::int64_t kBaseMs = 7 * kDayMs;

/// A backup of the county's in the configured folder.
struct Kept {
  fs::path path;
  fs::path base;  ///< the whole one that a difference stands on; empty: it is whole itself
  bool readable = true;
  std::string name() const { return path.filename().string(); }
  /// A difference is as old as what it stands on.
  std::string oldest_name() const { return base.empty() ? name() : base.filename().string(); }
};

/// The oldest first. What stands on a file that is gone is none. One that cannot be read, if only
/// today, stands on the newest whole one before it, as every difference does.
std::vector<Kept> backups_of(const ServerConfig& config) {
  std::vector<fs::path> paths;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(config.backup_folder, ignored)) {
    if (is_backup_name(entry.path().filename().string(), config.county)) {
      paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  std::vector<Kept> backups;
  fs::path whole;
  for (const fs::path& path : paths) {
    Kept kept{path, {}};
    if (!has_header(path)) {
      // Whole or not, nobody can tell, today at least: it stands in no other's place.
      kept.readable = false;
      if (!whole.empty()) kept.base = whole;
    } else if (is_difference(path)) {
      const auto head = read_difference(path);
      kept.readable = head.has_value();
      kept.base = head ? path.parent_path() / head->base : whole;
      if (kept.base.empty() || !fs::exists(kept.base, ignored)) continue;
    } else {
      whole = path;
    }
    backups.push_back(std::move(kept));
  }
  return backups;
}

void remove_backup(const fs::path& path) {
  std::error_code ignored;
  for (const char* suffix : {"", kKeySuffix, kDigestSuffix}) {
    fs::remove(path.string() + suffix, ignored);
  }
}

/// The newest stays, however old, and so does what one that stays stands on. What cannot be read
/// stays as long as its neighbours and in nobody's place. A difference goes before its whole one,
/// so that a kill in between leaves none without.
void drop_oldest(const ServerConfig& config, std::int64_t now_ms) {
  std::vector<Kept> backups = backups_of(config);
  const std::string oldest = config.backup_days == 0
                                 ? ""
                                 : backup_name(config.county, now_ms - config.backup_days * kDayMs);
  std::set<fs::path> needed;
  std::size_t newer = 0;
  for (auto kept = backups.rbegin(); kept != backups.rend(); ++kept) {
    if (newer > 0 && (newer >= config.backup_keep || kept->oldest_name() < oldest)) continue;
    needed.insert(kept->path);
    if (!kept->base.empty()) needed.insert(kept->base);
    newer += kept->readable ? 1 : 0;
  }
  std::ranges::stable_partition(backups, [](const Kept& kept) { return !kept.base.empty(); });
  for (const Kept& kept : backups) {
    if (!needed.contains(kept.path)) remove_backup(kept.path);
  }
}

/// What a backup that was killed has left, of this county, and what one that was dropped so has
/// left beside it; one is made at a time.
void drop_half_made(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> left;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const bool is_part = name.find(std::string(kSuffix) + kPartSuffix) != name.npos;
    const bool is_beside = name.ends_with(std::string(kSuffix) + kKeySuffix) ||
                           name.ends_with(std::string(kSuffix) + kDigestSuffix);
    const fs::path backup = fs::path(entry.path()).replace_extension();
    if (is_part || (is_beside && !fs::exists(backup, ignored))) left.push_back(entry.path());
  }
  for (const fs::path& path : left) fs::remove(path, ignored);
}

/// What the next backup may stand on: the newest whole one, while it is young, carries few and is
/// as it was written. Names in `damaged` what is not: it, or else a difference that is kept.
std::optional<fs::path> base_for(const ServerConfig& config, std::int64_t now_ms,
                                 std::string& damaged) {
  const std::vector<Kept> backups = backups_of(config);
  const auto unreadable = std::ranges::find(backups, false, &Kept::readable);
  if (unreadable != backups.end()) damaged = unreadable->path.string();
  const auto whole =
      std::ranges::find_if(backups.rbegin(), backups.rend(), &fs::path::empty, &Kept::base);
  if (whole == backups.rend()) return std::nullopt;
  const auto carries = std::ranges::count(backups, whole->path, &Kept::base);
  if (static_cast<std::size_t>(carries) >= kDifferencesMax) return std::nullopt;
  // A whole one stays as long as one that stands on it, and what was forgotten stays in it.
  std::int64_t base_ms = kBaseMs;
  if (config.backup_days > 0) base_ms = std::min(base_ms, config.backup_days * kDayMs / 4);
  if (whole->name() < backup_name(config.county, now_ms - base_ms)) return std::nullopt;
  const auto noted = is_as_noted(whole->path, whole->path);
  if (!noted && noted.error().code == ErrorCode::kCorrupt) damaged = whole->path.string();
  if (!noted || !*noted) return std::nullopt;
  return whole->path;
}

/// A backup in the making, under a name that nobody takes for a backup's. Removed with everything
/// beside it, unless it was put in place.
class Draft {
 public:
  explicit Draft(const std::string& target, const std::string& which = {})
      : path_(target + kPartSuffix + which) {
    remove();
  }
  ~Draft() { remove(); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const std::string& path() const { return path_; }

  Result<void> put_in_place(const std::string& target) const {
    if (auto flushed = flush(path_); !flushed) return flushed;
    std::error_code error;
    fs::rename(path_, target, error);
    if (error) return fail(ErrorCode::kIo, error.message());
    const fs::path folder = fs::path(target).parent_path();
    return flush(folder.empty() ? "." : folder.string());
  }

 private:
  void remove() const {
    std::error_code ignored;
    for (const char* suffix : {"", "-journal", "-wal", "-shm", "-lock"}) {
      fs::remove(path_ + suffix, ignored);
    }
  }
  std::string path_;
};

Result<void> keep_key(const ServerConfig& config, const std::string& to) {
  if (config.passphrase_file.empty()) return {};
  const auto passphrase = read_passphrase(config.passphrase_file);
  if (!passphrase) return std::unexpected(passphrase.error());
  return back_up_key(config.key_path(), *passphrase, to);
}

Result<void> note_digest(const std::string& draft, const std::string& target) {
  const auto digest = sha256_of_file(draft);
  if (!digest) return std::unexpected(digest.error());
  const std::string path = target + kDigestSuffix;
  std::ofstream file(path, std::ios::trunc);
  file << *digest << "  " << fs::path(target).filename().string() << "\n";
  file.close();
  if (!file) return fail(ErrorCode::kIo, both(path + " 无法写入", path + " cannot be written"));
  return flush(path);
}

/// Writes and checks what the county's copy has otherwise than `base`. False: it would hardly be
/// smaller than the copy.
Result<bool> write_checked(const fs::path& base, const Draft& whole, const Draft& difference) {
  if (auto written = write_difference(base, whole.path(), difference.path()); !written) {
    return std::unexpected(std::move(written.error()));
  }
  std::error_code ignored;
  if (fs::file_size(difference.path(), ignored) > fs::file_size(base, ignored) / 2) return false;
  // From what was written, not from the copy; that one was opened and checked, and has the same
  // SHA-256.
  const auto rebuilt = rebuild(difference.path(), [](std::string_view) { return Result<void>(); });
  if (!rebuilt) return std::unexpected(rebuilt.error());
  return true;
}

bool on_one_disk(const std::string& a, const std::string& b) {
  struct stat of_a{};
  struct stat of_b{};
  return stat(a.c_str(), &of_a) == 0 && stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev;
}

}  // namespace

Result<void> flush(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = descriptor >= 0 && fsync(descriptor) == 0;
  if (descriptor >= 0) close(descriptor);
  if (!flushed)
    return fail(ErrorCode::kIo,
                both(path + " 未能写到磁盘上", path + " could not be flushed to the disk"));
  return {};
}

Result<Backup> make_backup(County& county, const ServerConfig& config, const std::string& path,
                           std::string_view by, std::int64_t now_ms) {
  std::string target = path;
  if (path.empty()) {
    std::error_code error;
    fs::create_directories(config.backup_folder, error);
    if (error) return fail(ErrorCode::kIo, about(config.backup_folder, error.message()));
    drop_half_made(config.backup_folder, config.county + "-");
    constexpr std::int64_t kSecondMs = 1000;
    // Another of the same second is named after the next: names are in the order of time.
    do {
      target = config.backup_folder + "/" + backup_name(config.county, now_ms);
      now_ms += kSecondMs;
    } while (fs::exists(target, error));
  }
  std::error_code ignored;
  if (fs::exists(target, ignored)) {
    return fail(ErrorCode::kAlreadyExists,
                both(target + " 已经存在", target + " is there already"));
  }
  const fs::path folder = fs::path(target).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    return fail(ErrorCode::kNotFound, both("没有文件夹 " + folder.string() + "，请先建立",
                                           folder.string() + " is no folder: make it first"));
  }
  Backup made{.path = target, .upto = {}, .damaged = {}};
  const Draft whole(target);
  const Draft difference(target, "-difference");
  const auto upto = county.backup(whole.path(), by, [&]() -> Result<void> {
    const Draft* draft = &whole;
    // What somebody carries away is one file.
    const auto base = path.empty() ? base_for(config, now_ms, made.damaged) : std::nullopt;
    if (base) {
      const auto smaller = write_checked(*base, whole, difference);
      if (!smaller) return std::unexpected(smaller.error());
      if (*smaller) draft = &difference;
    }
    if (auto kept = keep_key(config, target + kKeySuffix); !kept) return kept;
    if (auto noted = note_digest(draft->path(), target); !noted) return noted;
    if (auto shared = share_journal(config, folder.empty() ? "." : folder.string()); !shared) {
      return shared;
    }
    // Before phones are told that they may forget what these belong to.
    const auto damaged = back_up_media(config, folder.empty() ? "." : folder.string(), now_ms);
    if (!damaged) return std::unexpected(damaged.error());
    if (auto told = county.media_lost(*damaged); !told) return told;
    return draft->put_in_place(target);
  });
  if (!upto) {
    return fail(upto.error().code, about(target, upto.error().message), upto.error().detail);
  }
  if (path.empty()) drop_oldest(config, now_ms);
  made.upto = *upto;
  return made;
}

Result<bool> is_as_noted(const std::string& copy, const std::string& backup) {
  std::ifstream file(backup + kDigestSuffix);
  std::string noted;
  if (!(file >> noted)) return false;
  const auto digest = sha256_of_file(copy);
  if (!digest) return std::unexpected(digest.error());
  if (*digest == noted) return true;
  const std::string beside = fs::path(backup).filename().string() + kDigestSuffix;
  return fail(ErrorCode::kCorrupt,
              both("与备份时不同（SHA-256 与 " + beside + " 不符）",
                   "it is not as it was written: its SHA-256 is not the one in " + beside));
}

bool has_backup(const ServerConfig& config) { return !backups_of(config).empty(); }

bool backup_is_late(std::int64_t backed_up_ms, std::int64_t now_ms) {
  return now_ms - backed_up_ms > kLateMs;
}

std::optional<Line> backup_warning(const ServerConfig& config, std::int64_t backed_up_ms,
                                   std::int64_t now_ms) {
  if (backed_up_ms == 0) return Line{"尚无备份", "there is no backup yet"};
  if (backup_is_late(backed_up_ms, now_ms)) {
    return Line{"已超过三天未备份", "no backup for three days"};
  }
  if (on_one_disk(config.data_folder, config.backup_folder)) {
    return Line{"备份与数据库在同一磁盘，磁盘损坏将同时丢失",
                "backups lie on the database's own disk; if it breaks, both are gone"};
  }
  return std::nullopt;
}

}  // namespace gridwhistle::app
