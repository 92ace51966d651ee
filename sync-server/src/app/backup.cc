#include "app/backup.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <vector>

#include "app/key_backup.h"

namespace gridwhistle::app {
namespace {

namespace fs = std::filesystem;

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

void drop_oldest(const ServerConfig& config) {
  std::vector<fs::path> backups;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(config.backup_folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(config.county + "-") && name.ends_with(".gwbackup")) {
      backups.push_back(entry.path());
    }
  }
  std::ranges::sort(backups);
  for (std::size_t i = 0; i + config.backup_keep < backups.size(); ++i) {
    fs::remove(backups[i], ignored);
    fs::remove(backups[i].string() + kKeySuffix, ignored);
  }
}

Result<void> keep_key(const ServerConfig& config, const std::string& to) {
  if (config.passphrase_file.empty()) return {};
  const auto passphrase = read_passphrase(config.passphrase_file);
  if (!passphrase) return std::unexpected(passphrase.error());
  return back_up_key(config.key_path(), *passphrase, to);
}

bool on_one_disk(const std::string& a, const std::string& b) {
  struct stat of_a{};
  struct stat of_b{};
  return stat(a.c_str(), &of_a) == 0 && stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev;
}

}  // namespace

Result<Backup> make_backup(County& county, const ServerConfig& config, const std::string& path,
                           std::string_view by, std::int64_t now_ms) {
  std::string target = path;
  if (path.empty()) {
    std::error_code error;
    fs::create_directories(config.backup_folder, error);
    if (error) return fail(ErrorCode::kIo, config.backup_folder + ": " + error.message());
    target = config.backup_folder + "/" + backup_name(config.county, now_ms);
  }
  const auto upto = county.backup(target, by);
  if (!upto) return std::unexpected(upto.error());
  std::error_code ignored;
  fs::remove(target + "-lock", ignored);
  if (auto kept = keep_key(config, target + kKeySuffix); !kept)
    return std::unexpected(kept.error());
  if (path.empty()) drop_oldest(config);
  return Backup{target, *upto};
}

bool backup_is_late(std::int64_t backed_up_ms, std::int64_t now_ms) {
  return now_ms - backed_up_ms > kLateMs;
}

std::optional<Warning> backup_warning(const ServerConfig& config, std::int64_t backed_up_ms,
                                      std::int64_t now_ms) {
  if (backed_up_ms == 0) return Warning{"there is no backup yet", "尚无备份"};
  if (backup_is_late(backed_up_ms, now_ms)) {
    return Warning{"no backup for three days", "已超过三天未备份"};
  }
  if (on_one_disk(config.data_folder, config.backup_folder)) {
    return Warning{"backups lie on the database's own disk; if it breaks, both are gone",
                   "备份与数据库在同一磁盘，磁盘损坏将同时丢失"};
  }
  return std::nullopt;
}

}  // namespace gridwhistle::app
