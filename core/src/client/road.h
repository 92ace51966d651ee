#pragma once

#include "gridwhistle/road.h"
#include "store/store.h"

// A whistle's road as this phone can tell it: the rows the server sent, and the same rules the
// server uses, run over this phone's pending actions.
namespace gridwhistle {

Result<Road> road_of(store::Store& store, const RecordId& whistle);

/// The action with actor, organisation, time, round and `after` filled in. kConflict, kForbidden.
Result<v1::WhistleAction> completed_action(store::Store& store, const v1::WhistleAction& action,
                                           const RecordId& worker, std::int64_t now_ms);

}  // namespace gridwhistle
