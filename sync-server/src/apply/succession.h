#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "storage/storage.h"

// A phone's file was copied, or put back to an older state, and two now record under one number.
// The one that the server knows less well goes on under a number of its own.
namespace gridwhistle {

/// How many successors the phones of one worker may have in a day: a file that forks more often is
/// being copied by something that should be looked at.
inline constexpr std::size_t kSuccessorsADay = 16;

/// What the server has of the operations of a lane that the successor asked about.
struct SettledLane {
  Lane lane = Lane::kRecords;
  LaneSeq noted;
  std::size_t known = 0;
};

struct Successor {
  DeviceRow row;
  std::vector<SettledLane> settled;
};

/// Registers the successor of a device: same worker, state and roles, its own number, letters and
/// key. Its lanes go on behind what the server has of the predecessor's. Inside a batch.
///
/// Whoever asks again with the same keys gets the same answer: it was lost, or the file was copied
/// while it waited. The copy's own work then shows in its first call that it has forked once more.
/// Errors: kNotEnrolled, kDeviceLost, kBadSignature (of either key), kConflict (the number was
/// given to another worker's phone since), kAlreadyExists, kTooMany, kInvalid, and those of
/// storage.
Result<Successor> succeed_device(Storage& storage, const v1::EnrolRequest& request,
                                 std::string_view server_key_sha256, std::int64_t now_ms);

/// The numbers that a device's file had before this one, newest first.
Result<std::vector<DeviceId>> numbers_before(Storage& storage, const DeviceRow& device);

/// Up to which number what `other` wrote is in the file of `device` as well, because both are
/// copies of one file, or one is a copy of the other; 0: nothing, they never were one.
Result<DevSeq> shared_history(Storage& storage, const DeviceRow& device, DeviceId other);

}  // namespace gridwhistle
