#include "store/epochs.h"

#include <algorithm>

#include "wire/limits.h"

namespace gridwhistle::store {

std::vector<EpochSeen> epochs_of(const google::protobuf::RepeatedPtrField<v1::Epoch>& told) {
  std::vector<EpochSeen> epochs;
  for (const v1::Epoch& epoch : told) {
    epochs.push_back({epoch.id(), Seq(epoch.start_seq())});
    if (epochs.size() == limits::kEpochs) break;
  }
  return epochs;
}

bool share_a_start(const std::vector<EpochSeen>& ours, const std::vector<EpochSeen>& theirs) {
  return std::ranges::any_of(ours, [&](const EpochSeen& mine) {
    return std::ranges::find(theirs, mine.id, &EpochSeen::id) != theirs.end();
  });
}

std::optional<Seq> parting(const std::vector<EpochSeen>& ours,
                           const std::vector<EpochSeen>& theirs) {
  if (ours.empty()) return std::nullopt;
  for (std::size_t mine = 0; mine < ours.size(); ++mine) {
    const auto common = std::ranges::find(theirs, ours[mine].id, &EpochSeen::id);
    if (common == theirs.end()) continue;
    std::optional<Seq> shared;
    // What either side began after the last start in common is not the other's.
    if (common != theirs.begin()) shared = std::prev(common)->start;
    if (mine > 0) shared = std::min(shared.value_or(ours[mine - 1].start), ours[mine - 1].start);
    return shared;
  }
  return Seq(0);
}

}  // namespace gridwhistle::store
