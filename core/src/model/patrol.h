#pragma once

#include <cstdint>
#include <string_view>

#include "model/schema.h"

// A worker's positions are recorded between check-in and check-out of the worker's own patrol, or
// not at all (domain.md). Both sides hold to it: a phone before it records, the server before it
// keeps.
namespace gridwhistle {

/// When a batch was recorded, by the phone's wall clock, and how far that was set back since. Both
/// in milliseconds.
struct TrackClock {
  std::int64_t recorded_ms = 0;
  std::int64_t set_back_ms = 0;
};

/// Whether a TrackBatch lies within a Visit: a patrol, by day or by night, with no time in the
/// batch before its check-in or after its check-out, as far as the phone's clock may be asked: a
/// batch recorded by a clock that stood before the check-in came after it all the same, and a clock
/// that was set back since may have said so of the check-out.
bool lies_within_patrol(const KindSchema& batches, std::string_view batch, const TrackClock& clock,
                        const KindSchema& visits, std::string_view visit);

}  // namespace gridwhistle
