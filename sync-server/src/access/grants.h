#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "storage/storage.h"

namespace gridwhistle {

/// What a worker holds at a moment, by the roles in their Worker record: each scope once. Nothing
/// after they left. `granted` is not set.
std::vector<ScopeGrant> derive_grants(std::string_view county, RecordId worker,
                                      std::string_view worker_body, std::int64_t now_ms);

/// Whether a worker has left by then, as their record says.
bool has_left(std::string_view worker_body, std::int64_t now_ms);

/// Brings a worker's stored grants in line with their record and the time; true when something
/// changed, and then the change has a place in the log. What they no longer hold stays as history;
/// of one who left it ended on that day, however late the record says so.
/// Inside a batch.
Result<bool> refresh_grants(Storage& storage, RecordId worker, std::int64_t now_ms);

/// A worker's standing, now and before.
struct Standing {
  ScopeSet held;
  std::vector<GrantRow> ended;
  std::uint64_t version = 0;  ///< names the list held; another list has another one, none has 0
};
Result<Standing> standing_of(Storage& storage, RecordId worker);

/// Workers' standings as they were last found to be in line. Each call of a phone asks for one, and
/// between two calls hardly ever changes what it goes by: the worker's record and the time.
class Standings {
 public:
  struct Found {
    Standing standing;
    bool changed = false;  ///< the stored grants did not fit any more and were written
  };
  /// `refresh_grants`, then `standing_of`. Inside a batch.
  Result<Found> of(Storage& storage, RecordId worker, std::int64_t now_ms);
  /// After a batch that was undone: what it wrote is not there.
  void rolled_back() { known_.clear(); }

 private:
  struct Known {
    Seq written;                ///< the record's last change
    std::int64_t from_ms = 0;   ///< when it was in line,
    std::int64_t until_ms = 0;  ///< and when a role begins or ends next
    Standing standing;
  };
  std::unordered_map<RecordId, Known> known_;
};

/// How far back authority is judged by the role held when something was recorded.
inline constexpr std::int64_t kAuthorityLookBackMs = std::int64_t{30} * 24 * 3600 * 1000;

/// What the worker held at `effective_ms`, as far as it still counts at `now_ms`: what they hold
/// now, and what ended after the effective time and not longer ago than the look-back.
ScopeSet standing_at(const Standing& standing, std::int64_t effective_ms, std::int64_t now_ms);
/// Everything the worker has ever held.
ScopeSet ever_held(const Standing& standing);

}  // namespace gridwhistle
