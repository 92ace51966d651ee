#pragma once

#include <cstdint>
#include <string_view>

#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "storage/storage.h"

namespace gridwhistle {

/// Whose call this is. Notes the call's counter and what the Hello says of the device, inside a
/// batch; the answer holds once that is committed.
///
/// Errors: kNotEnrolled, kDeviceLost, kBadSignature, kForked (the counter was
/// used before), and those of storage. A device
/// whose worker left is let in: it may hand over its work.
Result<DeviceRow> recognise(Storage& storage, const v1::Hello& hello,
                            std::string_view server_key_sha256, std::int64_t now_ms);

}  // namespace gridwhistle
