#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>

#include "app/backup.h"
#include "app/init.h"
#include "app/key_backup.h"
#include "app/listing.h"
#include "app/open_county.h"
#include "sqlite/file_lock.h"
#include "storage/open.h"

namespace gridwhistle::app {
namespace {

namespace fs = std::filesystem;

/// A copy of the backup beside the county's file, removed again unless it was put in place.
class Candidate {
 public:
  explicit Candidate(const ServerConfig& config)
      : path_(config.data_folder + "/county.db.restoring") {
    remove();
  }
  ~Candidate() { remove(); }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  const std::string& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm", "-lock"}) {
      fs::remove(path_ + suffix, ignored);
    }
  }
  std::string path_;
};

/// Opens the copy as a county and checks everything in it. The next start of the server is what
/// phones notice.
Result<Seq> checked(const ServerConfig& config, const std::string& path) {
  auto open = open_county(config, path);
  if (!open) return std::unexpected(open.error());
  const auto report = open->county->verify();
  if (!report) return std::unexpected(report.error());
  if (!report->faults.empty()) {
    return fail(ErrorCode::kCorrupt, "the backup is damaged: " + report->faults.front());
  }
  const auto status = open->county->status();
  if (!status) return std::unexpected(status.error());
  return status->last_seq;
}

/// What phones were told is in a backup, by the file that is to be replaced; 0 when there is none,
/// or it cannot be read.
Seq told_safe(const ServerConfig& config) {
  const std::string mark = peek_fact(config.database_path(), "backed_up").value_or("");
  std::uint64_t seq = 0;
  std::from_chars(mark.data(), mark.data() + mark.size(), seq);
  return Seq(seq);
}

Result<void> move_aside(const ServerConfig& config, bool replace, std::int64_t now_ms) {
  const std::string path = config.database_path();
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  if (!replace) {
    return fail(ErrorCode::kAlreadyExists, path + " is there; --replace keeps it under a new name");
  }
  const std::string aside = path + ".before-restore-" + std::to_string(now_ms / 1000);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (!fs::exists(path + suffix, error)) continue;
    fs::rename(path + suffix, aside + suffix, error);
    if (error) return fail(ErrorCode::kIo, path + suffix + ": " + error.message());
  }
  return {};
}

Result<void> flush(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = descriptor >= 0 && fsync(descriptor) == 0;
  if (descriptor >= 0) close(descriptor);
  if (!flushed) return fail(ErrorCode::kIo, path + " could not be flushed to the disk");
  return {};
}

/// On a new machine the key comes with the backup; one that is there already stays.
Result<void> bring_key(const ServerConfig& config, const std::string& backup) {
  std::error_code ignored;
  if (fs::exists(config.key_path(), ignored) || !fs::exists(backup, ignored)) return {};
  if (config.passphrase_file.empty()) {
    return fail(ErrorCode::kForbidden,
                backup + " needs backup.passphrase_file in the configuration");
  }
  const auto passphrase = read_passphrase(config.passphrase_file);
  if (!passphrase) return std::unexpected(passphrase.error());
  return restore_key(backup, *passphrase, config.key_path());
}

struct Restored {
  Seq upto;
  Seq told_safe;
};

Result<Restored> restore(const ServerConfig& config, const RestoreCommand& command,
                         std::int64_t now_ms) {
  const auto lock = sqlite::FileLock::take(config.database_path() + "-lock");
  if (!lock) {
    return fail(lock.error().code, config.data_folder + ": " + lock.error().message +
                                       "; stop the server before restoring");
  }
  if (auto kept = bring_key(config, command.backup + kKeySuffix); !kept) {
    return std::unexpected(kept.error());
  }
  const Candidate candidate(config);
  std::error_code error;
  fs::copy_file(command.backup, candidate.path(), error);
  if (error) return fail(ErrorCode::kNotFound, command.backup + ": " + error.message());
  fs::permissions(candidate.path(), fs::perms::owner_read | fs::perms::owner_write, error);
  const auto upto = checked(config, candidate.path());
  if (!upto) return std::unexpected(upto.error());
  if (auto flushed = flush(candidate.path()); !flushed) return std::unexpected(flushed.error());
  const Seq safe = told_safe(config);
  if (auto moved = move_aside(config, command.replace, now_ms); !moved) {
    return std::unexpected(moved.error());
  }
  fs::rename(candidate.path(), config.database_path(), error);
  if (error) return fail(ErrorCode::kIo, config.database_path() + ": " + error.message());
  if (auto flushed = flush(config.data_folder); !flushed) return std::unexpected(flushed.error());
  return Restored{*upto, safe};
}

}  // namespace

ExitCode run_restore(const ServerConfig& config, const RestoreCommand& command,
                     const Output& output, std::int64_t now_ms) {
  const auto restored = restore(config, command, now_ms);
  if (!restored) return output.fail(restored.error());
  Sheet sheet;
  sheet.add({"restored", "Restored", "已恢复"}, text_value(config.database_path()));
  sheet.add({"upto", "Up to", "日志号"}, number_value(restored->upto.value));
  sheet.add({"told_safe", "Phones told safe up to", "已告知手机的安全日志号"},
            number_value(restored->told_safe.value));
  sheet.print(output);
  output.line("Phones notice by themselves and send again what came after it.",
              "手机会自动察觉，并重新发送此后的内容。");
  if (restored->upto < restored->told_safe) {
    output.line(
        "Warning: this backup is older than the last one. Phones were told that changes up to " +
            std::to_string(restored->told_safe.value) +
            " are safe and may have forgotten them; if there is a newer backup, restore that one "
            "before the server runs again.",
        "警告：此备份并非最新。手机已被告知 " + std::to_string(restored->told_safe.value) +
            " 号以前的更改安全，可能已不再保留；如有更新的备份，请在启动服务器之前改用该备份恢复"
            "。");
  }
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app
