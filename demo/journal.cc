#include "journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/sha256.h"

namespace gridwhistle::demo {

namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Result<Note> note_of(std::istringstream& words) {
  std::string type, kind, id, set;
  words >> type >> kind >> id >> set;
  const auto record = RecordId::parse(id);
  if (!record || (type != "create" && type != "edit")) {
    return fail(ErrorCode::kCorrupt, "a journal has a line that is no note");
  }
  return Note{type == "create", kind, *record, from_hex(set)};
}

}  // namespace

Journal::Journal(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

// One write a commit: a kill cannot leave half of it.
Result<void> Journal::write(std::string_view what, const std::vector<Note>& notes) {
  std::string lines;
  for (const Note& note : notes) {
    lines += std::string(what) + (note.creates ? " create " : " edit ") + note.kind + " " +
             note.record.text() + (note.creates ? "" : " " + to_hex(note.set)) + "\n";
  }
  if (::write(file_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()) ||
      ::fdatasync(file_) != 0) {
    return fail(ErrorCode::kIo, std::string("the demo's journal: ") + std::strerror(errno));
  }
  return {};
}

Result<JournalContents> read_journal(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::kNotFound, "no journal " + path);
  JournalContents contents;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    auto note = note_of(words);
    if (!note) return std::unexpected(note.error());
    if (what == "try") contents.tried.push_back(*note);
    if (what == "ack") contents.acknowledged.push_back(std::move(*note));
  }
  return contents;
}

}  // namespace gridwhistle::demo
