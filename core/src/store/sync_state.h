#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/media_files.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"

namespace gridwhistle::store {

/// One lane of the outbox.
struct LaneProgress {
  LaneSeq last;   ///< the last one recorded
  LaneSeq noted;  ///< acknowledged up to here, durably in this file
  /// From here to `last` the file has every operation; last + 1 when it has none. Below it they
  /// were forgotten, except those that were refused. At most noted + 1.
  LaneSeq first{1};
};

/// How far one scope is read, where that differs from the cursor.
struct ScopeProgress {
  std::string scope;
  Seq seq;
  bool operator==(const ScopeProgress&) const = default;
};

/// A start of the server that this file knows.
struct EpochSeen {
  std::uint64_t id = 0;
  Seq start;
  bool operator==(const EpochSeen&) const = default;
};

/// A scope this device holds.
struct GrantHeld {
  std::string scope;
  bool subtree = false;
  std::uint32_t audiences = 0;     ///< 1 << Audience
  std::uint32_t roles = 0;         ///< in `scope` itself, 1 << Role
  std::uint32_t roles_inside = 0;  ///< of these, in the scopes inside it as well
  bool operator==(const GrantHeld&) const = default;
};

/// Whom this file belongs to and which server it speaks to; all of it comes with the enrolment.
struct Enrolment {
  std::string county;  ///< "440811"
  RecordId worker;
  std::string short_code;         ///< of the device, for whistle numbers
  std::string server_key_sha256;  ///< 32 bytes
  std::string server_address;     ///< "host:port"
  bool operator==(const Enrolment&) const = default;
};

/// Everything a session needs to know of the file when it begins.
struct SyncState {
  DeviceId device;
  bool has_succeeded = false;  ///< the number is a successor's
  std::optional<Enrolment> enrolment;
  Seq cursor;
  std::vector<ScopeProgress> exceptions;
  Seq complete;  ///< where `cursor` stood when the server last said that nothing was missing
  Seq urgent;    ///< so far the urgent kinds came ahead of the rest, of all granted scopes
  Seq reached;   ///< the newest place that anything came from since it was last caught up
  DevSeq own_since;
  std::vector<EpochSeen> epochs;  ///< newest first
  std::vector<GrantHeld> grants;
  std::uint64_t grants_version = 0;
  std::array<LaneProgress, kLaneCount> lanes;  ///< by index_of(lane)
  std::uint64_t unsent = 0;                    ///< operations without acknowledgement
  Hlc highest;                                 ///< of all clock values seen
};

/// What a file asks a server for that found it to be a copy, or an older state, of the file it
/// knows: to go on under a number of its own.
struct Succession {
  DeviceId successor;           ///< the same until it has succeeded
  std::string key_name;         ///< of the key that goes with it
  DeviceId predecessor;         ///< the number that the server knows
  std::string predecessor_key;  ///< the name of the key that that one is known by
  DevSeq dev_seq;               ///< the last one given
  /// Lane by lane what may have reached the server from the other file.
  std::vector<v1::UnsettledLane> lanes;
  bool is_return = false;  ///< of a number that the file has or had, to a server that lost it
};

/// What could be saved of a damaged file.
struct Salvaged {
  std::string kept;          ///< the damaged file, under its new name
  std::uint64_t unsent = 0;  ///< operations that wait for the server in the new file
  bool whole = true;         ///< everything that only this phone has could be read
};

/// A file of an attachment that this phone has.
struct MediaKept {
  MediaFile file;
  bool own = false;  ///< kept here; else fetched from the server
  Seq seq;           ///< where the server's log says that it has it; 0: nowhere yet
  /// Why the server, or this phone, refused it last; none: it did not.
  std::optional<Error> refused;
};

/// How things stand, for people.
struct StoreStatus {
  struct Unsent {
    Lane lane = Lane::kRecords;
    KindId kind;
    std::uint64_t count = 0;  ///< without acknowledgement
  };
  struct Emergency {
    RecordId whistle;
    std::string number;
    std::string title;
    std::int64_t unsent_ms = 0;
  };
  std::vector<Unsent> unsent;  ///< by lane and kind
  /// Of each lane: handed to a call that has not answered yet.
  std::array<std::uint64_t, kLaneCount> sent{};
  /// Of each lane: acknowledged, and not yet in every backup that the server may be restored to.
  std::array<std::uint64_t, kLaneCount> not_backed_up{};
  std::uint64_t refused = 0;                     ///< operations; see Store::refused
  std::optional<std::int64_t> oldest_unsent_ms;  ///< its age
  std::vector<Emergency> emergencies;            ///< unsent for more than five minutes
  std::optional<std::int64_t> since_contact_ms;  ///< since the server was last heard
  std::optional<std::int64_t> since_caught_up_ms;
};

}  // namespace gridwhistle::store
