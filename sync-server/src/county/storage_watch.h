#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "county/operator.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/operation.h"
#include "storage/storage.h"

namespace gridwhistle {

/// Knows whether a county's storage takes writes, and whose work it refuses although it does.
///
/// A commit that failed does not say whether the disk was at fault or what was to be written. So
/// after one the watch writes something of its own: when that fails too the storage takes nothing
/// from anybody, and the watch tries again until it does; else it is that phone's work alone.
/// Never called inside a batch.
class StorageWatch {
 public:
  explicit StorageWatch(Storage& storage) : storage_(storage) {}

  /// A batch that belongs to nobody's call failed, or one of many calls.
  void failed(std::int64_t now_ms);
  /// A phone was put off: with `lane` its work could not be written, else something for it could
  /// not be read.
  void put_off(const DeviceRow& phone, std::optional<Lane> lane, const Error& why,
               std::int64_t now_ms);
  /// What this phone sent in the lane was written.
  void took(DeviceId phone, Lane lane);
  /// This phone was given everything.
  void served(DeviceId phone);

  /// Tries again whether the storage takes writes, when it is time; gives in how many milliseconds
  /// it wants to be called next.
  std::int64_t try_again(std::int64_t now_ms);

  StorageHealth health() const;

 private:
  struct PutOff {
    std::string short_code;
    std::optional<Lane> lane;
    Error why;
    std::int64_t last_ms = 0;
  };

  bool takes_writes(std::int64_t now_ms);

  Storage& storage_;
  std::optional<Error> refuses_;
  std::int64_t since_ms_ = 0;
  std::int64_t next_try_ms_ = 0;
  std::uint64_t failures_ = 0;
  std::map<DeviceId, PutOff> put_off_;
};

}  // namespace gridwhistle
