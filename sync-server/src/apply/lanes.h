#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/operation.h"
#include "storage/storage.h"

// The count of each device's operations, lane by lane: what is new, what was here before, and what
// cannot be. All inside a batch.
namespace gridwhistle {

/// The first operation of a device that is not what the server has under its number.
struct Fork {
  Lane lane = Lane::kRecords;
  LaneSeq lane_seq;
};

/// A frame against what the server has of its lane.
struct Screened {
  std::size_t known = 0;  ///< so many operations in front were applied before, and are the same
  std::vector<AckedRun> kept;  ///< their outcomes
  std::optional<Fork> fork;    ///< else the rest of the frame is new
};

/// kProtocol: the frame leaves a gap.
Result<Screened> screen(Storage& storage, DeviceId device, std::span<const Operation> operations);

/// Notes operations that were just applied; they continue their lane.
Result<void> add_to_lane(Storage& storage, DeviceId device, std::span<const Operation> operations,
                         std::vector<AckedRun> runs);

/// What a device says in its Hello of a lane. A fork: it has noted less than it did before, or has
/// recorded less than it sent before: it was restored from a copy.
struct LaneClaim {
  Lane lane = Lane::kRecords;
  LaneSeq noted;
  LaneSeq last;
};
Result<std::optional<Fork>> check_claim(Storage& storage, DeviceId device, const LaneClaim& claim);

/// The phone keeps the acknowledgements up to here; of those long noted the server folds the hashes
/// into the running hash.
Result<void> note(Storage& storage, DeviceId device, Lane lane, LaneSeq noted);

/// Of operations that another copy of the device's file offers behind what that has noted, those in
/// front that the server has: the same under the same number. `hashes` are
/// `limits::kUnsettledHashBytes` each.
Result<std::size_t> known_of(Storage& storage, DeviceId device, Lane lane, LaneSeq noted,
                             std::string_view hashes);

/// The outcomes that are kept, from `first` to `last`.
Result<std::vector<AckedRun>> kept_runs(Storage& storage, DeviceId device, Lane lane, LaneSeq first,
                                        LaneSeq last);

/// The outcomes that are kept, after `after`.
Result<std::vector<AckedRun>> kept_after(Storage& storage, DeviceId device, Lane lane,
                                         LaneSeq after);

/// Appends an outcome, as part of the last run where it continues that.
void append_run(std::vector<AckedRun>& runs, const AckedRun& run);

}  // namespace gridwhistle
