#include "app/forget_journal.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include "app/backup.h"
#include "app/media_keeping.h"
#include "base/line.h"

namespace gridwhistle::app {

namespace {

namespace fs = std::filesystem;

struct Entry {
  std::int64_t at_ms = 0;
  RecordKey key;
};

struct Journal {
  std::vector<Entry> entries;
  std::size_t whole_bytes = 0;  ///< what is behind them was cut off while it was written
};

std::string line_of(const Entry& entry) {
  return std::to_string(entry.at_ms) + " " + std::to_string(entry.key.kind.value) + " " +
         entry.key.id.text() + "\n";
}

std::optional<Entry> entry_of(const std::string& line) {
  std::istringstream words(line);
  Entry entry;
  std::string id;
  std::string more;
  if (!(words >> entry.at_ms >> entry.key.kind.value >> id) || words >> more) return std::nullopt;
  const auto read = RecordId::parse(id);
  if (!read || !entry.key.kind) return std::nullopt;
  entry.key.id = *read;
  return entry;
}

// A last line that does not end was being written when the power went: its forgetting was never
// done.
Result<Journal> read(const std::string& path) {
  Journal journal;
  std::ifstream file(path, std::ios::binary);
  if (!file) return journal;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::size_t number = 0;
  for (std::size_t end = 0; (end = text.find('\n', journal.whole_bytes)) != text.npos;
       journal.whole_bytes = end + 1) {
    const std::string place = path + ":" + std::to_string(++number);
    const auto entry = entry_of(text.substr(journal.whole_bytes, end - journal.whole_bytes));
    if (entry) {
      journal.entries.push_back(*entry);
      continue;
    }
    return fail(
        ErrorCode::kCorrupt,
        both(place + " 无法读取：应为“毫秒 种类 标识”；请修正这一行，否则已删除的内容可能重现",
             place + " cannot be read: it should say milliseconds, kind and id; mend the "
                     "line, or what was deleted might come back"));
  }
  return journal;
}

Result<void> append(const std::string& path, const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  const auto there = read(path);
  if (!there) return std::unexpected(there.error());
  std::error_code error;
  if (fs::exists(path, error)) fs::resize_file(path, there->whole_bytes, error);
  std::ofstream file(path, std::ios::binary | std::ios::app);
  for (const Entry& entry : entries) file << line_of(entry);
  file.close();
  if (error || !file) {
    return fail(
        ErrorCode::kIo,
        both(path + " 无法写入，请检查磁盘空间和权限",
             path + " cannot be written: look after the disk's room and the file's rights"));
  }
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, error);
  if (auto flushed = flush(path); !flushed) return flushed;
  return flush(fs::path(path).parent_path().string());
}

std::vector<Entry> missing_in(const Journal& journal, const Journal& other) {
  std::set<RecordKey> known;
  for (const Entry& entry : journal.entries) known.insert(entry.key);
  std::vector<Entry> missing;
  std::ranges::copy_if(other.entries, std::back_inserter(missing),
                       [&](const Entry& entry) { return !known.contains(entry.key); });
  return missing;
}

}  // namespace

std::string journal_path(const ServerConfig& config, const std::string& folder) {
  return (fs::path(folder) / (config.county + "-forgotten.txt")).string();
}

Result<void> note_forgotten(const ServerConfig& config, const std::vector<RecordKey>& keys,
                            std::int64_t now_ms) {
  std::vector<Entry> entries;
  for (const RecordKey& key : keys) entries.push_back({now_ms, key});
  std::error_code error;
  fs::create_directories(config.backup_folder, error);
  if (error) return fail(ErrorCode::kIo, about(config.backup_folder, error.message()));
  for (const std::string& folder : {config.backup_folder, config.data_folder}) {
    if (auto noted = append(journal_path(config, folder), entries); !noted) return noted;
  }
  return {};
}

Result<ForgetReport> forget_noted(County& county, const ServerConfig& config,
                                  const std::vector<RecordKey>& keys, std::string_view by, bool yes,
                                  std::int64_t now_ms, County::Wiping wiping) {
  const auto note = [&](const std::vector<RecordKey>& gone) {
    return note_forgotten(config, gone, now_ms);
  };
  auto report = county.forget(keys, by, !yes, note, wiping);
  if (!report || !yes) return report;
  if (auto purged = purge_media(config, county); !purged) {
    return std::unexpected(std::move(purged.error()));
  }
  return report;
}

Result<void> share_journal(const ServerConfig& config, const std::string& folder) {
  const std::string own = journal_path(config, config.data_folder);
  const std::string other = journal_path(config, folder);
  std::error_code ignored;
  if (fs::equivalent(config.data_folder, folder, ignored)) return {};
  const auto here = read(own);
  if (!here) return std::unexpected(here.error());
  const auto there = read(other);
  if (!there) return std::unexpected(there.error());
  if (auto brought = append(other, missing_in(*there, *here)); !brought) return brought;
  return append(own, missing_in(*here, *there));
}

Result<std::vector<RecordKey>> read_forgotten(const ServerConfig& config,
                                              const std::vector<std::string>& folders) {
  std::set<RecordKey> all;
  for (const std::string& folder : folders) {
    const auto journal = read(journal_path(config, folder));
    if (!journal) return std::unexpected(journal.error());
    for (const Entry& entry : journal->entries) all.insert(entry.key);
  }
  return std::vector<RecordKey>(all.begin(), all.end());
}

}  // namespace gridwhistle::app
