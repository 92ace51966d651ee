#pragma once

#include <vector>

#include "gridwhistle/ids.h"
#include "model/merge.h"

// What becomes of the parts of a record that is erased. A part is what follows another record as
// its scope parent: the whole says who may see it, and without the whole nobody could reach it.
namespace gridwhistle {

/// Whether the two are one erasure: what went along with a whole says so by this.
bool is_same_erasure(const Stamp& a, const Stamp& b);

/// What others than `reader` wrote of a part later than `read`, and what of it stands: the latest
/// write of each, with the values they wrote. The server's own is nobody's loss.
std::vector<Loser> written_since(const KindSchema& kind, const RecordState& part, Seq read,
                                 DeviceId reader);

/// A part goes with its whole, as change number `seq`. Every device is told, the eraser's too: it
/// may have let go of other parts than the server did.
void erase_along(RecordState& part, const Stamp& erasure, Seq seq);

/// A record that was erased, on the server or by a device alone, stands and goes whole to every
/// device, its writers' too, as change number `seq`.
void stand_again(RecordState& record, Seq seq);

/// What change number `seq` wrote goes to its writer's device too, whose file does not hold it.
void show_to_writer(RecordState& record, Seq seq);

}  // namespace gridwhistle
