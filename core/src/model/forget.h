#pragma once

#include <cstdint>

#include "gridwhistle/ids.h"
#include "model/merge.h"
#include "model/operation.h"

// What `forget` leaves: that there was a record, and nothing of what it said. It is the server's
// alone, a resident's right or the end of a period, and beats every edit.
namespace gridwhistle {

/// The record as a tombstone without content, as change number `seq`. Every device is told, its
/// writers' too: who wrote which field stays, no value does. What never existed is forgotten as
/// well, so that nothing can make it later.
void forget(RecordState& record, Seq seq, std::int64_t at_ms);

/// The operation without what it says: it keeps its place and its hash, writes nothing, makes
/// nothing and erases nothing.
void forget(Operation& operation);

}  // namespace gridwhistle
