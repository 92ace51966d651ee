#pragma once

#include <string_view>

#include "model/schema.h"

// A worker's positions are recorded between check-in and check-out of the worker's own patrol, or
// not at all (domain.md). Both sides hold to it: a phone before it records, the server before it
// keeps.
namespace gridwhistle {

/// Whether a TrackBatch lies within a Visit: a patrol, by day or by night, with no time in the
/// batch before its check-in or after its check-out.
bool lies_within_patrol(const KindSchema& batches, std::string_view batch, const KindSchema& visits,
                        std::string_view visit);

}  // namespace gridwhistle
