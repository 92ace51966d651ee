#include "county/storage_watch.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gridwhistle {

namespace {

constexpr std::string_view kProbe = "probe";
/// As much as a frame: on a disk that is nearly full a few bytes would still find a place.
constexpr std::size_t kProbeBytes = std::size_t{256} << 10;
constexpr std::int64_t kTryAgainMs = 5'000;
constexpr std::int64_t kIdleMs = 60'000;
/// A phone that was put off comes back within a minute; one that does not says nothing any more
/// about how the storage is now.
constexpr std::int64_t kPutOffMs = std::int64_t{15} * 60'000;

Result<void> write_fact(Storage& storage, const std::string& value) {
  if (auto begun = storage.begin(); !begun) return begun;
  if (auto set = storage.set_fact(kProbe, value); !set) {
    storage.rollback();
    return set;
  }
  return storage.commit();
}

}  // namespace

void StorageWatch::failed(std::int64_t now_ms) {
  ++failures_;
  if (refuses_ && now_ms < next_try_ms_) return;
  takes_writes(now_ms);
}

void StorageWatch::put_off(const DeviceRow& phone, std::optional<Lane> lane, const Error& why,
                           std::int64_t now_ms) {
  failed(now_ms);
  if (!refuses_) put_off_[phone.device] = {phone.short_code, lane, why, now_ms};
}

void StorageWatch::took(DeviceId phone, Lane lane) {
  const auto found = put_off_.find(phone);
  if (found != put_off_.end() && found->second.lane == lane) put_off_.erase(found);
}

void StorageWatch::served(DeviceId phone) {
  const auto found = put_off_.find(phone);
  if (found != put_off_.end() && !found->second.lane) put_off_.erase(found);
}

std::int64_t StorageWatch::try_again(std::int64_t now_ms) {
  std::erase_if(put_off_,
                [&](const auto& entry) { return now_ms - entry.second.last_ms > kPutOffMs; });
  if (refuses_ && now_ms >= next_try_ms_) takes_writes(now_ms);
  return refuses_ ? std::max<std::int64_t>(next_try_ms_ - now_ms, 1) : kIdleMs;
}

bool StorageWatch::takes_writes(std::int64_t now_ms) {
  auto written = write_fact(storage_, std::string(kProbeBytes, 'p'));
  if (written) written = write_fact(storage_, "");
  if (written) {
    refuses_.reset();
    return true;
  }
  if (!refuses_) since_ms_ = now_ms;
  refuses_ = std::move(written.error());
  next_try_ms_ = now_ms + kTryAgainMs;
  return false;
}

StorageHealth StorageWatch::health() const {
  StorageHealth health{.refuses = refuses_,
                       .since_ms = refuses_ ? since_ms_ : 0,
                       .failures = failures_,
                       .put_off = {}};
  for (const auto& [device, phone] : put_off_) {
    health.put_off.push_back({phone.short_code, phone.why});
  }
  return health;
}

}  // namespace gridwhistle
