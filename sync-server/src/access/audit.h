#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/line.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/status.h"
#include "storage/storage.h"

// Who did what to the county: an append-only chain. Each entry is chained to the one before by the
// salted hash of its content, so a content can be forgotten and the chain still holds.
namespace gridwhistle {

/// Appends an entry. Inside a batch. `content` names ids and codes, never what a person wrote.
Result<void> add_audit_entry(Storage& storage, Random& random, std::int64_t at_ms,
                             std::string_view content);

struct AuditVerdict {
  std::uint64_t entries = 0;
  std::vector<Line> faults;  ///< empty: the chain holds
};
Result<AuditVerdict> verify_audit(Storage& storage);

}  // namespace gridwhistle
