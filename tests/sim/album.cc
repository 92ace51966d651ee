#include "album.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/sha256.h"
#include "gridwhistle/v1/records.pb.h"
#include "oracle.h"
#include "schema/kinds.h"

namespace gridwhistle::sim {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBeginning = "\x89PNG\r\n\x1A\n";
constexpr std::string_view kLength = ".length";

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

template <typename Each>
void for_each_attachment(const County& county, Each each) {
  const auto rows = county.all(kinds::kAttachment);
  if (!rows) throw Violation("attachments cannot be read: " + rows.error().message);
  for (const StoredRow& row : *rows) {
    v1::Attachment says;
    if (!says.ParseFromString(row.body)) throw Violation("an attachment cannot be read");
    each(row.id, says);
  }
}

}  // namespace

std::string Album::take() {
  if (!pictures_.empty() && dice_.chance(150)) {
    return std::next(pictures_.begin(), static_cast<std::ptrdiff_t>(dice_.below(pictures_.size())))
        ->second;
  }
  // Of one frame, of some, and now and then of many.
  const std::uint64_t lot = dice_.below(100);
  const std::uint64_t size = lot < 60   ? dice_.between(200, 8'000)
                             : lot < 95 ? dice_.between(8'000, 60'000)
                                        : dice_.between(60'000, 400'000);
  std::string bytes(kBeginning);
  while (bytes.size() < size) {
    const std::uint64_t word = dice_.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

void Album::kept(const std::string& phone, const std::string& sha256, std::string bytes) {
  if (gridwhistle::sha256(bytes) != sha256)
    throw Violation(phone + " gives a picture a wrong name");
  pictures_.emplace(sha256, std::move(bytes));
  drafts_[phone].insert(sha256);
}

void Album::check_bytes(const std::string& whose, const std::string& sha256,
                        const std::string& path) const {
  const auto picture = pictures_.find(sha256);
  if (picture == pictures_.end()) throw Violation(whose + ": a picture that nobody took");
  if (content_of(path) == picture->second) return;
  throw Violation(whose + ": picture " + to_hex(sha256).substr(0, 8) +
                  (fs::exists(path) ? " is not what was taken" : " is not there"));
}

void Album::check_shown(const std::string& reader, const std::string& sha256,
                        const std::string& path) const {
  check_bytes("shown to " + reader, sha256, path);
}

std::size_t Album::lacking(const County& county) {
  std::size_t lacking = 0;
  for_each_attachment(county, [&](const RecordId&, const v1::Attachment& says) {
    if (!says.stored()) ++lacking;
  });
  return lacking;
}

void Album::check_brought(const County& county, const std::string& folder) const {
  for_each_attachment(county, [&](const RecordId& id, const v1::Attachment& says) {
    if (!says.stored()) throw Violation("the picture of attachment " + id.text() + " never came");
    check_bytes("at the county", says.sha256(), path_in(folder, says.sha256()));
  });
}

void Album::check_forgotten(const County& county, const std::set<RecordId>& forgotten,
                            const std::string& whose, const std::string& folder) const {
  std::set<std::string> standing;
  for_each_attachment(
      county, [&](const RecordId&, const v1::Attachment& says) { standing.insert(says.sha256()); });
  const auto drafts = drafts_.find(whose);
  for (const auto& [sha256, attachments] : named_) {
    if (standing.contains(sha256)) continue;
    if (drafts != drafts_.end() && drafts->second.contains(sha256)) continue;
    const bool is_forgotten = std::ranges::all_of(
        attachments, [&](const RecordId& id) { return forgotten.contains(id); });
    if (is_forgotten && fs::exists(path_in(folder, sha256))) {
      throw Violation("forgotten, and in " + whose + "'s folder: picture " +
                      to_hex(sha256).substr(0, 8));
    }
  }
}

std::string path_in(const std::string& folder, std::string_view sha256) {
  const std::string hex = to_hex(sha256);
  return folder + "/" + hex.substr(0, 2) + "/" + hex;
}

// Letting go of a part notes how much of it is synced, which who is killed does not.
void end_amid_files(const std::string& folder, bool power_goes, Dice& dice,
                    const std::function<void()>& end) {
  const std::string parts = folder + "/parts";
  std::map<std::string, std::string> notes;
  if (fs::exists(parts)) {
    for (const auto& entry : fs::directory_iterator(parts)) {
      if (entry.path().string().ends_with(kLength)) {
        notes[entry.path().string()] = content_of(entry.path());
      }
    }
  }
  end();
  if (!fs::exists(parts)) return;
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(parts)) left.insert(entry.path().string());
  for (const std::string& path : left) {
    if (path.ends_with(kLength)) {
      write(path, notes[path]);
      continue;
    }
    if (!power_goes) continue;
    std::uint64_t synced = 0;
    const std::string& note = notes[path + std::string(kLength)];
    if (note.size() == sizeof synced) std::memcpy(&synced, note.data(), sizeof synced);
    std::string bytes = content_of(path);
    constexpr std::size_t kSector = 512;
    for (std::size_t at = synced; at < bytes.size(); at += kSector) {
      if (dice.chance(500)) continue;
      const std::size_t end_at = std::min(at + kSector, bytes.size());
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                bytes.begin() + static_cast<std::ptrdiff_t>(end_at), '\0');
    }
    write(path, bytes);
  }
}

}  // namespace gridwhistle::sim
