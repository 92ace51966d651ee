#pragma once

#include <string>
#include <vector>

#include "gridwhistle/road.h"
#include "gridwhistle/v1/records.pb.h"
#include "store/store.h"

// A whistle's road as this phone can tell it: the rows the server sent, and the same rules the
// server uses, run over this phone's pending actions.
namespace gridwhistle {

Result<Road> road_of(store::Store& store, const RecordId& whistle);

/// The attachments as records of the whistle, each with an id and the worker as its author.
Result<std::vector<v1::Attachment>> completed_evidence(store::Store& store,
                                                       const std::string& whistle,
                                                       std::vector<v1::Attachment> evidence,
                                                       const RecordId& worker);

/// The action with actor, organisation, time, round and `after` filled in, and the evidence, which
/// is to be put with it, named. kConflict, kForbidden.
Result<v1::WhistleAction> completed_action(store::Store& store, const v1::WhistleAction& action,
                                           const std::vector<v1::Attachment>& evidence,
                                           const RecordId& worker, std::int64_t now_ms);

}  // namespace gridwhistle
