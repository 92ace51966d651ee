#pragma once

#include <vector>

#include "model/operation.h"
#include "model/schema.h"

namespace gridwhistle::store {

/// What remains of an operation when `later` ones of the same device and record, from other lanes,
/// have been applied before it: an older own write never overwrites a newer one. The server judges
/// alike (merge.h).
Operation without_overwritten(const KindSchema& kind, Operation operation,
                              const std::vector<Operation>& later);

}  // namespace gridwhistle::store
