#pragma once

#include <vector>

#include "gridwhistle/client.h"
#include "store/store.h"

// What became of this worker's operations: Outcome records from the feed, and refusals this file
// knows of whose Outcome has not arrived yet.
namespace gridwhistle {

Result<std::vector<OutcomeView>> outcomes_of(store::Store& store, const Purpose& purpose);
Result<Restored> restore_outcome(store::Store& store, const RecordId& outcome);
Result<void> dismiss_outcome(store::Store& store, const RecordId& outcome);

}  // namespace gridwhistle
