#pragma once

#include <cstdint>
#include <vector>

#include "storage/rows.h"

// What `forget` takes (docs/merge-laws.md, "Forgetting"); Applier::forget does it.
namespace gridwhistle {

/// What one forgetting took.
struct Forgotten {
  std::vector<RecordKey> records;  ///< with all that belonged to them
  std::uint64_t receipts = 0;      ///< of their writers, that quoted what they said
  std::uint64_t lost_values = 0;
  std::vector<std::uint64_t> kept;  ///< transactions kept for later that spoke of them
};

}  // namespace gridwhistle
