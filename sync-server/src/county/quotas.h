#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/schema.h"

namespace gridwhistle {

/// What one phone may send. Far more than people record; what passes it is an app run wild, which
/// shall not stand in the way of the others.
struct QuotaLimits {
  std::uint64_t operations_an_hour = 200'000;  ///< a phone that was away for years needs a few
  std::uint64_t operations_a_day = 1'000'000;  ///< as many as a phone can hold
  std::uint64_t bytes_an_hour = std::uint64_t{128} << 20;  ///< as sent
  std::uint64_t bytes_a_day = std::uint64_t{512} << 20;
  /// Whistles an hour that go whatever else was sent, beside all of these.
  std::uint64_t whistles_an_hour = 2'000;

  bool operator==(const QuotaLimits&) const = default;
};

/// What each phone has sent lately. Remembered since the start of the server alone. A frame passes
/// while what came before it is below the limits, so a frame larger than a limit passes, too.
class Quotas {
 public:
  explicit Quotas(const QuotaLimits& limits) : limits_(limits) {}

  /// Counts new operations of a lane that came in so many bytes; or says after how many
  /// milliseconds they may come, and counts nothing.
  std::optional<std::int64_t> take(DeviceId device, Lane lane, std::uint64_t operations,
                                   std::uint64_t bytes, std::int64_t now_ms);

  /// What was counted since the last call of either was written, or was not.
  void keep() { taken_.clear(); }
  void undo();

 private:
  struct Count {
    std::uint64_t operations = 0;
    std::uint64_t bytes = 0;
  };
  struct Window {
    std::int64_t since_ms = 0;
    Count all;
    Count whistles;  ///< of the reserve
  };
  struct Sent {
    Window hour;
    Window day;
  };
  struct Taken {
    DeviceId device;
    bool reserve = false;
    Count count;
  };

  void forget_old(std::int64_t now_ms);

  const QuotaLimits limits_;
  std::map<DeviceId, Sent> sent_;
  std::vector<Taken> taken_;
  std::int64_t looked_ms_ = 0;
};

}  // namespace gridwhistle
