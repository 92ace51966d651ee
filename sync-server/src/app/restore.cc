#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "app/backup.h"
#include "app/difference.h"
#include "app/directory.h"
#include "app/forget_journal.h"
#include "app/init.h"
#include "app/key_backup.h"
#include "app/listing.h"
#include "app/media_keeping.h"
#include "app/open_county.h"
#include "base/sha256.h"
#include "gridwhistle/messages.h"
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

/// A phone that the replaced file knows better than the backup, as people name it.
struct Phone {
  std::string short_code;
  std::string worker;
};

struct Checked {
  Seq upto;
  bool same_key = true;          ///< phones know this machine's key
  std::vector<Phone> unknown;    ///< enrolled since the backup
  std::vector<Phone> unrevoked;  ///< revoked since the backup
  std::vector<MediaFile> media;  ///< that its records say have arrived
};

void compare(const County& county, const std::vector<DeviceInfo>& known,
             const std::vector<DeviceRow>& replaced, Checked& found) {
  Directory directory(county);
  for (const DeviceRow& device : replaced) {
    const auto same = std::ranges::find(known, device.device, &DeviceInfo::device);
    const bool active = device.state == DeviceState::kActive;
    const Phone phone{device.short_code, directory.worker_code(device.worker)};
    if (same == known.end() && active) found.unknown.push_back(phone);
    if (same != known.end() && !active && same->state == DeviceState::kActive) {
      found.unrevoked.push_back(phone);
    }
  }
}

/// A place in the log that a county's file notes; 0 when there is none, or it cannot be read.
Seq seq_noted(const std::string& path, std::string_view fact) {
  const std::string mark = peek_fact(path, fact).value_or("");
  std::uint64_t seq = 0;
  std::from_chars(mark.data(), mark.data() + mark.size(), seq);
  return Seq(seq);
}

/// Whether the backup is of a log that the file it replaces has left: that one was restored to an
/// earlier place, and phones have spoken with it since. Not known of files that cannot be read.
bool is_of_left_log(const std::string& replaced, const std::string& backup) {
  const auto now = peek_epochs(replaced);
  const auto then = peek_epochs(backup);
  return now && then && !std::ranges::includes(*now, *then) && !std::ranges::includes(*then, *now);
}

/// Up to where phones were told that they may forget, as the file that is replaced has it.
Seq told_safe(const ServerConfig& config) {
  const std::string path = config.database_path();
  if (config.replicated) return seq_noted(path, "last_seq");
  const auto places = [&](std::string_view fact) {
    return places_in(peek_fact(path, fact).value_or("")).value_or(std::deque<Seq>());
  };
  const std::deque<Seq> backups = places(kBackupsFact);
  if (backups.empty()) return seq_noted(path, "backed_up");
  return reach_of_every_backup(backups, places(kBackupsBegunFact), config.backup_restorable);
}

/// Opens the copy as a county and checks everything in it, and against `replaced`, the devices of
/// the file whose place it takes. The next start of the server is what phones notice.
Result<Checked> checked(const ServerConfig& config, const std::string& path,
                        const std::string& backup, const std::vector<DeviceRow>& replaced) {
  // Forgetting again writes to the copy, and makes it no newer.
  const Seq upto = seq_noted(path, "last_seq");
  auto open = open_county(config, path, backup);
  if (!open) return std::unexpected(open.error());
  const auto report = open->county->verify();
  if (!report) return std::unexpected(report.error());
  if (!report->faults.empty()) {
    const Line& first = report->faults.front();
    return fail(ErrorCode::kCorrupt, both("备份已损坏：" + first.zh, "it is damaged: " + first.en));
  }
  const auto known = open->county->devices();
  if (!known) return std::unexpected(known.error());
  Checked found{.upto = upto, .unknown = {}, .unrevoked = {}, .media = {}};
  const std::string known_key = peek_fact(path, "server_key").value_or("");
  auto media = open->county->stored_media();
  if (!media) return std::unexpected(std::move(media.error()));
  found.media = std::move(*media);
  found.same_key = known_key.empty() || known_key == to_hex(open->key_sha256);
  compare(*open->county, *known, replaced, found);
  return found;
}

constexpr std::array<const char*, 3> kFileAndItsLog = {"", "-wal", "-shm"};

/// A name that neither a file nor what SQLite keeps beside one has: seconds, and a number for the
/// next restore in the same one.
std::string free_name_aside(const std::string& path, std::int64_t now_ms) {
  const std::string first = path + ".before-restore-" + std::to_string(now_ms / 1000);
  std::string name = first;
  const auto is_taken = [&](const char* suffix) {
    std::error_code ignored;
    return fs::exists(name + suffix, ignored);
  };
  for (int next = 2; std::ranges::any_of(kFileAndItsLog, is_taken); ++next) {
    name = first + "-" + std::to_string(next);
  }
  return name;
}

/// The name under which the file that was there stays; empty when there was none. A log that has
/// lost its file goes aside too, or it would be taken for the restored one's.
Result<std::string> move_aside(const ServerConfig& config, bool replace, std::int64_t now_ms) {
  const std::string path = config.database_path();
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  if (is_there && !replace) {
    return fail(ErrorCode::kAlreadyExists,
                both(path + " 已经存在；加 --replace 可改名保留",
                     path + " is there; --replace keeps it under a new name"));
  }
  const std::string aside = free_name_aside(path, now_ms);
  for (const char* suffix : kFileAndItsLog) {
    if (!fs::exists(path + suffix, error)) continue;
    fs::rename(path + suffix, aside + suffix, error);
    if (error) return fail(ErrorCode::kIo, about(path + suffix, error.message()));
  }
  return is_there ? aside : std::string();
}

/// On a new machine the key comes with the backup; one that is there already stays.
Result<void> bring_key(const ServerConfig& config, const std::string& backup) {
  std::error_code ignored;
  if (fs::exists(config.key_path(), ignored) || !fs::exists(backup, ignored)) return {};
  if (config.passphrase_file.empty()) {
    return fail(ErrorCode::kForbidden,
                both(backup + " 需要在配置中写明 backup.passphrase_file",
                     backup + " needs backup.passphrase_file in the configuration"));
  }
  const auto passphrase = read_passphrase(config.passphrase_file);
  if (!passphrase) return std::unexpected(passphrase.error());
  return restore_key(backup, *passphrase, config.key_path());
}

/// What is wrong with the copy is wrong with the backup, and that is the file that people know.
std::unexpected<Error> about_backup(const std::string& backup, Error error) {
  if (error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kNotADatabase) {
    const bool named = error.message.starts_with(backup);
    error.message = followed_by(named ? error.message : about(backup, error.message),
                                {"；请改用另一个备份恢复", "; restore another backup"});
  }
  return std::unexpected(std::move(error));
}

std::unexpected<Error> no_room(const ServerConfig& config, const std::string& backup) {
  return fail(ErrorCode::kDiskFull, both(config.data_folder + " 空间不足，放不下 " + backup,
                                         config.data_folder + " has no room for " + backup));
}

/// The county's file as a whole backup and one that holds only what differs from it give it.
Result<void> put_together(const ServerConfig& config, const std::string& backup,
                          const std::string& to) {
  std::ofstream file(to, std::ios::binary);
  bool full = false;
  const auto rebuilt = rebuild(backup, [&](std::string_view part) -> Result<void> {
    file.write(part.data(), static_cast<std::streamsize>(part.size()));
    full = !file;
    return full ? Result<void>(no_room(config, backup)) : Result<void>();
  });
  file.close();
  if (rebuilt && !file) return no_room(config, backup);
  return rebuilt;
}

/// Brings the county's file out of a backup, for its owner alone. Whether it has the SHA-256 that
/// was noted beside the backup; false when none was. kCorrupt: it has another.
Result<bool> copy_backup(const ServerConfig& config, const std::string& backup,
                         const std::string& to) {
  std::error_code error;
  if (is_difference(backup)) {
    auto noted = is_as_noted(backup, backup);
    if (!noted) return noted;
    if (auto done = put_together(config, backup, to); !done) return std::unexpected(done.error());
    fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
    return noted;
  }
  fs::copy_file(backup, to, error);
  if (error == std::errc::no_space_on_device) return no_room(config, backup);
  if (error) {
    return fail(ErrorCode::kNotFound,
                about(backup, both("不能读取：" + error.message(), error.message())));
  }
  fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  return is_as_noted(to, backup);
}

struct Restored {
  Checked backup;
  std::size_t media_lacking = 0;  ///< files that are neither here nor beside the backup
  Seq told_safe;
  bool of_left_log = false;   ///< a restore before this one has left the backup's log
  std::string kept;           ///< where the replaced file is now; empty when there was none
  bool knew_devices = false;  ///< the replaced file could be asked
  bool as_noted = false;      ///< the backup has the SHA-256 noted beside it
};

Result<Restored> restore(const ServerConfig& config, const RestoreCommand& command,
                         std::int64_t now_ms) {
  const auto lock = sqlite::FileLock::take(config.database_path() + "-lock");
  if (!lock) {
    return fail(lock.error().code,
                about(config.data_folder,
                      both(std::string(message_of(lock.error().code).zh) + "；请先停止服务器再恢复",
                           lock.error().message + "; stop the server before restoring")));
  }
  if (auto brought = bring_key(config, command.backup + kKeySuffix); !brought) {
    return std::unexpected(brought.error());
  }
  const Candidate candidate(config);
  const auto noted = copy_backup(config, command.backup, candidate.path());
  if (!noted) return about_backup(command.backup, noted.error());
  std::error_code error;
  const std::string beside = fs::path(command.backup).parent_path().string();
  if (auto shared = share_journal(config, beside.empty() ? "." : beside); !shared) {
    return std::unexpected(shared.error());
  }
  const auto replaced = peek_devices(config.database_path());
  auto backup = checked(config, candidate.path(), command.backup,
                        replaced.value_or(std::vector<DeviceRow>()));
  if (!backup) return about_backup(command.backup, std::move(backup.error()));
  // It goes on alone. A log that was not brought into it when it was closed says that the disk
  // failed.
  if (fs::exists(candidate.path() + "-wal", error)) {
    return fail(ErrorCode::kIo, about(candidate.path(), both("未能完整写入磁盘，请检查磁盘后重试",
                                                             "it could not be written to the disk; "
                                                             "see to the disk and try again")));
  }
  if (auto flushed = flush(candidate.path()); !flushed) return std::unexpected(flushed.error());
  // What is not beside this backup either the phones are asked for, once the server starts.
  const auto lacking = bring_media(config, beside.empty() ? "." : beside, backup->media);
  if (!lacking) return std::unexpected(lacking.error());
  const Seq safe = told_safe(config);
  const bool left = is_of_left_log(config.database_path(), candidate.path());
  auto kept = move_aside(config, command.replace, now_ms);
  if (!kept) return std::unexpected(kept.error());
  fs::rename(candidate.path(), config.database_path(), error);
  if (error) return fail(ErrorCode::kIo, about(config.database_path(), error.message()));
  if (auto flushed = flush(config.data_folder); !flushed) return std::unexpected(flushed.error());
  return Restored{.backup = std::move(*backup),
                  .media_lacking = lacking->size(),
                  .told_safe = safe,
                  .of_left_log = left,
                  .kept = std::move(*kept),
                  .knew_devices = replaced.has_value(),
                  .as_noted = *noted};
}

std::string named(const std::vector<Phone>& phones) {
  std::string names;
  for (const Phone& phone : phones) {
    names += (names.empty() ? "" : ", ") + phone.short_code + " (" + phone.worker + ")";
  }
  return names;
}

nlohmann::ordered_json json_of(const std::vector<Phone>& phones) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Phone& phone : phones) {
    list.push_back({{"short_code", phone.short_code}, {"worker", phone.worker}});
  }
  return list;
}

// A server with another key is a stranger to every phone of the backup.
void tell_of_key(const ServerConfig& config, const std::string& backup, const Output& output) {
  std::error_code ignored;
  const std::string kept = backup + kKeySuffix;
  const bool is_kept = fs::exists(kept, ignored);
  output.line(
      "Warning: the phones of this backup know another server key and will not speak to this "
      "machine. Before it serves put the old key into " +
          config.key_path() +
          (is_kept ? " (move the one there away and restore again: the old one is in " + kept + ")"
                   : "") +
          ". If the old key is lost, every phone must enrol again with a new code; they keep what "
          "they recorded and send it then.",
      "警告：此备份中的手机认得的是另一把服务器密钥，不会与本机通信。启动服务器之前请把原密钥放回"
      " " +
          config.key_path() +
          (is_kept ? "（移走现有密钥后重新恢复，原密钥在 " + kept + " 中）" : "") +
          "。如原密钥已丢失，每部手机须用新注册码重新登记；手机会保留内容，届时自动发送。");
}

// What only a person can do about the phones that the backup does not know as they are.
void tell_of_phones(const Restored& restored, const Output& output) {
  const std::string unknown = named(restored.backup.unknown);
  const std::string unrevoked = named(restored.backup.unrevoked);
  if (!unknown.empty()) {
    output.line("Enrolled after this backup, must enrol again before they can send: " + unknown,
                "此备份之后登记的手机须重新登记才能发送：" + unknown);
  }
  if (!unrevoked.empty()) {
    output.line("Warning: revoked after this backup, revoke them again: " + unrevoked,
                "警告：此备份之后注销的手机须再次注销：" + unrevoked);
  }
  if (!restored.knew_devices) {
    output.line(
        "Phones enrolled after this backup must enrol again; which they are is not known here.",
        "此备份之后登记的手机须重新登记；此处无法得知是哪些。");
  }
}

}  // namespace

ExitCode run_restore(const ServerConfig& config, const RestoreCommand& command,
                     const Output& output, std::int64_t now_ms) {
  const auto restored = restore(config, command, now_ms);
  if (!restored) return output.fail(restored.error());
  Sheet sheet;
  sheet.add({"restored", "Restored", "已恢复"}, text_value(config.database_path()));
  sheet.add({"upto", "Up to", "日志号"}, number_value(restored->backup.upto.value));
  sheet.add({"told_safe", "Phones told safe up to", "已告知手机的安全日志号"},
            number_value(restored->told_safe.value));
  if (!restored->kept.empty()) {
    sheet.add({"kept", "The file before", "原文件"}, text_value(restored->kept));
  }
  if (output.json) {
    sheet.add({"attachments_lacking", "", ""}, number_value(restored->media_lacking));
    sheet.add({"same_key", "", ""}, flag_value(restored->backup.same_key, ""));
    sheet.add({"as_noted", "", ""}, flag_value(restored->as_noted, ""));
    sheet.add({"to_enrol", "", ""}, {json_of(restored->backup.unknown), ""});
    sheet.add({"to_revoke", "", ""}, {json_of(restored->backup.unrevoked), ""});
  }
  sheet.print(output);
  output.line("Phones that it knows notice by themselves and send again what came after it.",
              "备份中已有的手机会自动察觉，并重新发送此后的内容。");
  tell_of_phones(*restored, output);
  if (restored->media_lacking > 0) {
    output.line("Files of attachments that are not beside the backup: " +
                    std::to_string(restored->media_lacking) +
                    ". The phones that still have them bring them again; if they lie in a folder "
                    "`media` of the backups elsewhere, put that folder beside this backup and "
                    "restore again.",
                "备份旁缺少的附件文件：" + std::to_string(restored->media_lacking) +
                    " 个。仍保存有这些文件的手机会重新传送；如别处的备份文件夹中有 media "
                    "文件夹，请放到此备份旁再恢复一次。");
  }
  if (!restored->as_noted) {
    output.line("There is no " + command.backup + kDigestSuffix +
                    ", so not every byte of it could be compared with what was written.",
                "未找到 " + command.backup + kDigestSuffix + "，无法逐字节核对备份。");
  }
  if (!restored->backup.same_key) tell_of_key(config, command.backup, output);
  if (restored->of_left_log) {
    output.line(
        "Warning: an earlier restore has left this backup's log. Phones that have called since "
        "then "
        "and send again what they had changed upon it may be taken for copies of themselves, and "
        "their records stand twice. To go on from where the server was, restore the file before.",
        "警告：此前的一次恢复已离开此备份所在的日志。此后联系过服务器的手机重新发送其修改时，可能被"
        "当作"
        "副本，其记录会出现两份。如要从服务器原先的位置继续，请恢复原文件。");
  }
  if (restored->backup.upto < restored->told_safe) {
    output.line(
        "Warning: this backup is older than those that phones keep their work for. They were told "
        "that changes up to " +
            std::to_string(restored->told_safe.value) +
            " are safe and may have forgotten them; if there is a newer backup, restore that one "
            "before the server runs again.",
        "警告：手机保留的内容不足以补齐如此旧的备份。手机已被告知 " +
            std::to_string(restored->told_safe.value) +
            " 号以前的更改安全，可能已不再保留；如有更新的备份，请在启动服务器之前改用该备份恢复"
            "。");
  }
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app
