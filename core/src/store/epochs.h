#pragma once

#include <optional>
#include <vector>

#include "gridwhistle/v1/sync.pb.h"
#include "store/sync_state.h"

namespace gridwhistle::store {

/// As a server tells them, newest first.
std::vector<EpochSeen> epochs_of(const google::protobuf::RepeatedPtrField<v1::Epoch>& told);
/// Whether any start of the server is known to both.
bool share_a_start(const std::vector<EpochSeen>& ours, const std::vector<EpochSeen>& theirs);

/// Up to where this file and a server share one log, given the starts of the server each of them
/// knows, newest first. Nothing: all that this file knows is in the server's log. A server that was
/// restored has a start, after the last one in common, from an earlier place in the log. 0 where
/// none is in common: they may share much, but nobody can say up to where.
std::optional<Seq> parting(const std::vector<EpochSeen>& ours,
                           const std::vector<EpochSeen>& theirs);

}  // namespace gridwhistle::store
