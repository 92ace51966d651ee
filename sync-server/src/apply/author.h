#pragma once

#include <cstdint>
#include <span>

#include "access/grants.h"
#include "gridwhistle/ports.h"
#include "model/operation.h"
#include "storage/rows.h"
#include "storage/storage.h"

namespace gridwhistle {

/// A device's clocks beside the server's at one moment: the Hello of a call.
struct ClockPair {
  ClockReading device;
  std::int64_t server_ms = 0;
};

/// When something was recorded, by the server's clock: by the time since the phone's start where
/// that is the same start, else by how far its wall clock was off; never after `now_ms`.
std::int64_t effective_time(const ClockPair& clocks, const ClockReading& claimed,
                            std::int64_t now_ms);

/// By how many milliseconds, at least, the device's wall clock was set back between a reading and
/// the Hello; 0 if it was not, or if it says what no clock says.
std::int64_t set_back_since(const ClockPair& clocks, const ClockReading& claimed);

/// Whose operations are applied.
struct Author {
  DeviceRow device;
  Standing standing;
  ClockPair clocks;
  /// What they wrote waited here: their phone learns from the feed what became of it.
  bool waited = false;
};

/// The author of a kept transaction, as they stand now; its time comes out as it was reckoned when
/// it came.
Result<Author> author_of(Storage& storage, const KeptOperation& kept,
                         std::span<const Operation> operations);

}  // namespace gridwhistle
