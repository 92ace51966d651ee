#pragma once

#include <cstddef>
#include <cstdint>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/schema.h"
#include "storage/storage.h"

// Tombstones and exits go when their time is over (docs/decisions/0015-swept-tombstones.md).
namespace gridwhistle {

/// How far a round of sweeping has come.
struct SweepProgress {
  Seq upto;  ///< what lies behind this place in the log stays
  Seq exits_to;
  bool exits_done = false;
  std::size_t kind = 0;  ///< of the schema's
  Tombstone tombstones_to;

  bool done(const Schema& schema) const { return exits_done && kind >= schema.kinds.size(); }
};

/// What was taken.
struct Swept {
  std::size_t records = 0;
  std::size_t exits = 0;
};

/// Goes on with a round, inside the storage's open batch, for about `limit` records and exits. A
/// record goes with all that belongs to it; while any of that stands, or is younger than the round,
/// both stay. What was forgotten stays.
Result<Swept> sweep_some(Storage& storage, const Schema& schema, SweepProgress& progress,
                         std::size_t limit);

}  // namespace gridwhistle
