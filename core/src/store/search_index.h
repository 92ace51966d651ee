#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/state.h"

namespace gridwhistle::store {

/// What search may find of a record, a line a value. `personal` is for readers with a purpose.
struct Document {
  std::string text;
  std::string personal;
};
Document document_of(const KindSchema& kind, std::string_view body);

/// Records that changed since the index last read them.
Result<std::vector<std::pair<KindId, RecordId>>> unindexed(StoreState& state);

/// Brings the index up to date: every search does this first, so that a commit need not.
Result<void> catch_up_index(StoreState& state);

}  // namespace gridwhistle::store
