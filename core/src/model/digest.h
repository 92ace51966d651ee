#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gridwhistle/ids.h"
#include "model/schema.h"

// Whether two sides hold the same records, told by a little. The records that a device may hold are
// divided into ranges by their ids; a range's digest is the sum of its records' digests, so that
// the order in which they are read says nothing.
namespace gridwhistle {

inline constexpr std::size_t kDigestRanges = 256;

/// The digests of all ranges, by their number.
using RangeDigests = std::array<std::uint64_t, kDigestRanges>;

/// The range of a record: the lowest byte of its id, which counts.
std::size_t range_of(const RecordId& id);

/// Of a record as a server has it, `body` in canonical form: the first 64 bits of a SHA-256.
/// Against damage and faults, not against who wants two records to look alike.
std::uint64_t digest_of(KindId kind, const RecordId& id, std::string_view body);

/// Whether a phone holds a record of the kind as its server does: not those that only an encrypted
/// file may have, nor receipts, which may quote such.
bool is_compared(const KindSchema& kind);

}  // namespace gridwhistle
