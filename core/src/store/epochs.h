#pragma once

#include <optional>
#include <vector>

#include "store/sync_state.h"

namespace gridwhistle::store {

/// Up to where this file and a server share one log, given the starts of the server each of them
/// knows, newest first. Nothing: all that this file knows is in the server's log. A server that was
/// restored has a start, after the last one in common, from an earlier place in the log.
std::optional<Seq> parting(const std::vector<EpochSeen>& ours,
                           const std::vector<EpochSeen>& theirs);

}  // namespace gridwhistle::store
