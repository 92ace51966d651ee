#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/digest.h"
#include "model/schema.h"
#include "storage/scopes.h"
#include "storage/storage.h"
#include "wire/frames.h"

namespace gridwhistle {

/// What a device should hold, set against what it says that it holds. For a device that has read
/// everything; whoever owns this sees to that.
///
/// The digests are reckoned when they are asked for, a few records at a time: a device asks once a
/// week, while sums kept up to date would cost every write.
class Comparison {
 public:
  /// Storage and schema outlive it. `reader_schema` is what the device was built with.
  Comparison(Storage& storage, const Schema& schema, const ScopeSet& grants,
             std::uint32_t reader_schema, const v1::Digests& theirs);

  /// Reads on; true once all is read.
  Result<bool> read(std::size_t records_max);

  /// What to answer, once all is read.
  v1::Differences differences() const;

  /// The rows that put right a range that differs, as things stand now: what it lacks or has
  /// otherwise, whole, and what is known to be gone for it, as left at `read_to`, where it stands.
  Result<std::vector<Row>> repairs(const v1::RangeContents& theirs, Seq read_to);

 private:
  Result<std::optional<Row>> row_now(const RecordKey& key) const;
  Result<bool> has_left(const RecordKey& key) const;

  Storage& storage_;
  const Schema& schema_;
  const ScopeSet grants_;
  const std::uint32_t reader_schema_;
  RangeDigests theirs_{};
  RangeDigests ours_{};

  std::vector<ScopeNo> leaves_;                           ///< still to be read, the last one first
  Seq read_to_;                                           ///< of the last one
  std::unordered_map<RecordKey, std::uint64_t> digests_;  ///< of what it should hold
};

}  // namespace gridwhistle
