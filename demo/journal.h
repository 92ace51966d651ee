#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"

// What a phone of the demo was told, kept beside the library and independent of it.
namespace gridwhistle::demo {

/// One change that a phone commits.
struct Note {
  bool creates = true;
  std::string kind;  ///< "Visit"
  RecordId record;
  std::string set;  ///< of an edit: the fields written, as a message of the kind
};

/// An append-only file of lines, each on the disk before `write` returns. A commit is noted before
/// ("try") and after it was acknowledged ("ack"); what was acknowledged must be on the server at
/// the end of the day, what was tried may be.
class Journal {
 public:
  explicit Journal(const std::string& path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  Result<void> trying(const std::vector<Note>& notes) { return write("try", notes); }
  Result<void> acknowledged(const std::vector<Note>& notes) { return write("ack", notes); }

 private:
  Result<void> write(std::string_view what, const std::vector<Note>& notes);
  int file_;
};

/// A journal as it was found.
struct JournalContents {
  std::vector<Note> tried;
  std::vector<Note> acknowledged;  ///< in order
};

/// kNotFound, kCorrupt: a line that is no note.
Result<JournalContents> read_journal(const std::string& path);

}  // namespace gridwhistle::demo
