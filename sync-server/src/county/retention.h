#pragma once

#include <cstdint>
#include <vector>

#include "gridwhistle/status.h"
#include "model/schema.h"
#include "storage/storage.h"

// How long a county may keep what it knows of people.
namespace gridwhistle {

/// Days; 0: until somebody forgets it.
struct RetentionPeriods {
  std::int64_t contact_days = 365;  ///< of who reported a whistle, after it was closed
  std::int64_t personal_days = 90;  ///< of residents and households, after they moved out
  std::int64_t care_days = 30;      ///< of care, after the service ended

  bool operator==(const RetentionPeriods&) const = default;
};

/// The records whose time is over. What was erased counts from its erasure, by its kind. A date
/// typed wrong is there to be mended: nothing is due that changed within a week.
Result<std::vector<RecordKey>> due_records(Storage& storage, const Schema& schema,
                                           const RetentionPeriods& periods, std::int64_t now_ms);
/// Those of them that are due now, too.
Result<std::vector<RecordKey>> still_due_records(Storage& storage, const RetentionPeriods& periods,
                                                 std::int64_t now_ms,
                                                 const std::vector<RecordKey>& keys);

}  // namespace gridwhistle
