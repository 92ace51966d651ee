#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "journal.h"

// What stands in the files when the day is over: read with SQL from the phones' files and the
// server's database, past the library and the server.
namespace gridwhistle::demo {

/// A record's name in a file.
struct Key {
  std::uint32_t kind = 0;
  RecordId id;
  auto operator<=>(const Key&) const = default;
};

/// A scope that a worker holds.
struct Held {
  std::string scope;  ///< "grid:440811100001001"
  bool subtree = false;
  std::uint32_t audiences = 0;
  std::uint32_t roles = 0;
};

/// A value that lost a merge, as the server's audit has it.
struct LostMerge {
  Key key;
  std::uint64_t writer = 0;  ///< the device that wrote it
};

struct ServerFacts {
  std::map<Key, std::string> records;              ///< not erased: canonical bodies
  std::map<Key, std::vector<std::string>> places;  ///< the leaf scopes each belongs to
  std::map<RecordId, std::vector<Held>> held;      ///< by worker
  std::map<std::uint64_t, RecordId> worker_of_device;
  std::vector<LostMerge> lost_merges;
};

struct PhoneFacts {
  std::string name;  ///< the worker's code: a made-up one
  std::uint64_t device = 0;
  std::map<Key, std::string> records;  ///< what the phone shows
  std::uint64_t pending = 0;           ///< operations without acknowledgement
  JournalContents journal;
};

Result<ServerFacts> read_server(const std::string& database);
/// `folder` is the phone's own.
Result<PhoneFacts> read_phone(const std::string& folder, const std::string& name);

}  // namespace gridwhistle::demo
