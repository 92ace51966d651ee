#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "storage/storage.h"

namespace gridwhistle {

/// What a device has signed to begin a call.
struct SignedCall {
  DeviceId device;
  std::uint64_t counter = 0;
  std::string to_sign;  ///< what the signature is of
  std::string_view signature;
};

/// Whose call this is, whichever service it is of. Notes the call's counter, inside a batch; the
/// answer holds once that is committed. Errors as below.
Result<DeviceRow> recognise(Storage& storage, const SignedCall& call, std::int64_t now_ms);

/// The same of a `Sync` call; notes also what the Hello says of the device. `is_of_lost_log`: the
/// Hello speaks of a log that this server has lost to a restore, and may come under any counter.
///
/// Errors: kNotEnrolled, kDeviceLost, kBadSignature, kForked (the counter was
/// used before), and those of storage. A device
/// whose worker left is let in: it may hand over its work.
Result<DeviceRow> recognise(Storage& storage, const v1::Hello& hello,
                            std::string_view server_key_sha256, bool is_of_lost_log,
                            std::int64_t now_ms);

/// Whose bundle this is. Writes nothing: a bundle may come twice, and says nothing of when its
/// device was last seen. Errors: as above, but kForked.
Result<DeviceRow> recognise(Storage& storage, const v1::Bundle& bundle,
                            std::string_view server_key_sha256);

}  // namespace gridwhistle
