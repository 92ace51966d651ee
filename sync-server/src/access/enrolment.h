#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gridwhistle/ids.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "storage/storage.h"

namespace gridwhistle {

inline constexpr std::int64_t kCodeLifeMs = std::int64_t{10} * 60 * 1000;
inline constexpr std::uint32_t kCodeTries = 5;

/// Makes a one-time code for a worker, "K7QM-3F9X-2TRB". Its first part finds it again, of the rest
/// a salted hash is kept. Inside a batch.
Result<std::string> make_enrolment_code(Storage& storage, Random& random, RecordId worker,
                                        std::int64_t now_ms);

/// Whether a request is well formed and signed by its own key. kInvalid, kBadSignature.
Result<void> check_enrolment(const v1::EnrolRequest& request, std::string_view server_key_sha256);

/// The letters of a device in its whistles' numbers, made of its own number: whoever was enrolled
/// by a log that a restore has lost keeps its letters when it enrols again, and they do not become
/// another's. kTooMany.
Result<std::string> letters_for(Storage& storage, DeviceId device);

struct EnrolledDevice {
  DeviceRow row;
  bool key_replaced = false;  ///< the key it was known by counts no more
};

/// Registers a device. Inside a batch, to be committed whatever comes back: a failed try counts.
///
/// The same device that asks again with its used code gets its answer again. One that lost its key
/// comes with a new one, and needs a new code of the worker whose it is.
/// Errors: kCodeWrong; of a code that was given whole kCodeUsed, kCodeExpired, kCodeSpent;
/// kBadSignature, kAlreadyExists (another worker's device has this number, with another key),
/// kInvalid, and those of storage.
Result<EnrolledDevice> enrol_device(Storage& storage, const v1::EnrolRequest& request,
                                    std::string_view server_key_sha256, std::int64_t now_ms);

}  // namespace gridwhistle
