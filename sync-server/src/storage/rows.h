#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/merge.h"
#include "model/operation.h"
#include "storage/scopes.h"

// What a county's storage holds, as values.
namespace gridwhistle {

/// A record's place in one leaf scope.
struct Membership {
  ScopeNo scope;
  Seq seq;      ///< where the scope's feed shows the record's last change, entry or exit
  Seq entered;  ///< when it entered the scope
  bool in = true;

  bool operator==(const Membership&) const = default;
};

struct StoredRecord {
  RecordState state;
  std::vector<Membership> memberships;
};

struct RecordKey {
  KindId kind;
  RecordId id;

  auto operator<=>(const RecordKey&) const = default;
};

}  // namespace gridwhistle

/// By the id alone, which hardly two records share.
template <>
struct std::hash<gridwhistle::RecordKey> {
  std::size_t operator()(const gridwhistle::RecordKey& key) const noexcept {
    return std::hash<gridwhistle::RecordId>()(key.id);
  }
};

namespace gridwhistle {

/// One line of a scope's feed.
struct FeedEntry {
  Seq seq;
  RecordKey key;
  Seq entered;
  bool in = true;
};

/// Operations of a lane that fared alike: `first` + i has seq `first_seq` + i.
struct AckedRun {
  LaneSeq first;
  std::uint32_t count = 0;
  Seq first_seq;
  OutcomeStatus status = OutcomeStatus::kAccepted;
  std::uint32_t code = 0;

  bool operator==(const AckedRun&) const = default;
};

/// What is kept of operations that came together, until the phone has noted their acknowledgement
/// and `limits::kUnsettledOperations` more: a copy of its file may still offer them.
struct LaneChunk {
  static constexpr std::size_t kHashBytes = 16;  ///< half a SHA-256 tells operations apart

  LaneSeq first;
  std::string hashes;  ///< `kHashBytes` each, in order
  std::vector<AckedRun> runs;

  std::size_t size() const { return hashes.size() / kHashBytes; }
  LaneSeq last() const { return LaneSeq(first.value + size() - 1); }
};

/// How far a lane of a device has come.
struct LaneRow {
  LaneSeq last;              ///< the last operation taken over
  LaneSeq noted;             ///< the phone keeps the acknowledgements up to here
  std::string running_hash;  ///< over the hashes of all chunks that were dropped
};

enum class DeviceState : std::uint8_t {
  kActive = 1,
  kLeft = 2,  ///< its worker left: reads nothing more, what it sends goes to the reviewer
  kLost = 3,  ///< reported lost: may send nothing
};

struct DeviceRow {
  DeviceId device;
  RecordId worker;
  std::string public_key;  ///< SPKI, DER
  DeviceState state = DeviceState::kActive;
  std::string short_code;
  std::string name;
  std::string software;
  std::int64_t enrolled_ms = 0;
  std::int64_t last_seen_ms = 0;
  std::uint32_t unsent = 0;
  Seq cursor;
  std::uint64_t call_counter = 0;  ///< the highest that was used
  std::uint64_t call_window = 0;   ///< bit i: `call_counter` - i was used
  /// The device whose file this one's was a copy of; 0: none. What that one wrote up to `inherits`
  /// is this one's own.
  DeviceId predecessor;
  DevSeq inherits;
};

/// Whom a device was enrolled for, from a place in the log on.
struct HolderRow {
  Seq since;  ///< what was written behind it is this worker's
  RecordId worker;
};

/// An enrolment code. The code itself is not kept.
struct CodeRow {
  std::string lookup;  ///< its first part
  std::string salt;
  std::string hash;  ///< of salt and the second part
  RecordId worker;
  std::int64_t expires_ms = 0;
  std::uint32_t tries_left = 0;
  DeviceId used_by;
};

/// A grant that a worker holds, or held.
struct GrantRow {
  ScopeGrant grant;
  std::int64_t ended_ms = 0;  ///< 0: held now
};

struct EpochRow {
  std::uint64_t id = 0;
  Seq start_seq;
  std::int64_t started_ms = 0;
};

/// An entry of the audit. Its content may be forgotten; its place in the chain stays.
struct AuditRow {
  std::uint64_t number = 0;
  std::int64_t at_ms = 0;
  std::string salt;
  std::string content;       ///< empty with an empty salt: forgotten
  std::string content_hash;  ///< SHA-256 of salt and content
  std::string chain;         ///< SHA-256 of the entry before, number, time and content hash
};

/// Where the log ended at a time of the server's clock.
struct LogMark {
  std::int64_t at_ms = 0;
  Seq seq;
};

/// An erased record that still has its content, by its place in the log.
struct Tombstone {
  Seq last_seq;
  RecordId id;

  auto operator<=>(const Tombstone&) const = default;
};

/// A value that lost a merge, kept for its author.
struct LostValue {
  Seq decided;  ///< by the change with this seq
  RecordKey key;
  DeviceId writer;
  DevSeq dev_seq;
  Seq seq;
  Hlc hlc;
  std::string set;
  std::vector<std::uint32_t> clear;
  bool by_erasure = false;
  std::int64_t at_ms = 0;
};

enum class KeptState : std::uint8_t { kWaiting = 1, kApplied = 2, kReturned = 3 };

/// An operation that was taken over and not applied: sealed for a reviewer, or of an unknown kind.
struct KeptOperation {
  std::uint64_t number = 0;
  OutcomeStatus why = OutcomeStatus::kSealed;  ///< kSealed or kParked
  KeptState state = KeptState::kWaiting;
  DeviceId device;
  RecordId worker;
  RecordKey key;
  std::int64_t received_ms = 0;
  std::int64_t effective_ms = 0;
  std::string frame;  ///< the operation, as a frame from that device
};

}  // namespace gridwhistle
