#include "apply/author.h"

#include <algorithm>

#include "base/limits.h"

namespace gridwhistle {

std::int64_t effective_time(const ClockPair& clocks, const ClockReading& claimed,
                            std::int64_t now_ms) {
  const auto reasonable = [](std::int64_t ms) { return ms >= 0 && ms <= limits::kClockMaxMs; };
  const std::uint64_t most = static_cast<std::uint64_t>(limits::kClockMaxMs);
  std::int64_t ms = now_ms;
  if (claimed.boot_id == clocks.device.boot_id && claimed.boot_ms <= most &&
      clocks.device.boot_ms <= most) {
    ms = clocks.server_ms + (static_cast<std::int64_t>(claimed.boot_ms) -
                             static_cast<std::int64_t>(clocks.device.boot_ms));
  } else if (reasonable(claimed.wall_ms) && reasonable(clocks.device.wall_ms)) {
    ms = clocks.server_ms + (claimed.wall_ms - clocks.device.wall_ms);
  }
  return std::clamp<std::int64_t>(ms, 0, now_ms);
}

Result<Author> author_of(Storage& storage, const KeptOperation& kept,
                         std::span<const Operation> operations) {
  auto device = storage.device(kept.device);
  if (!device) return std::unexpected(std::move(device.error()));
  auto standing = standing_of(storage, kept.worker);
  if (!standing) return std::unexpected(std::move(standing.error()));
  Author author;
  if (*device) author.device = std::move(**device);
  author.device.device = kept.device;
  author.device.worker = kept.worker;
  author.standing = std::move(*standing);
  if (!operations.empty()) author.clocks.device = operations.front().claimed;
  author.clocks.server_ms = kept.effective_ms;
  author.waited = true;
  return author;
}

}  // namespace gridwhistle
