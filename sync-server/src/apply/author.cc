#include "apply/author.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"

namespace gridwhistle {

namespace {

// From one reading to another by each clock of the device, where it can be asked.
struct Passed {
  std::optional<std::int64_t> boot_ms;
  std::optional<std::int64_t> wall_ms;
};

Passed passed(const ClockReading& from, const ClockReading& to) {
  const auto reasonable = [](std::int64_t ms) { return ms >= 0 && ms <= limits::kClockMaxMs; };
  const std::uint64_t most = static_cast<std::uint64_t>(limits::kClockMaxMs);
  Passed passed;
  if (from.boot_id == to.boot_id && from.boot_ms <= most && to.boot_ms <= most) {
    passed.boot_ms =
        static_cast<std::int64_t>(to.boot_ms) - static_cast<std::int64_t>(from.boot_ms);
  }
  if (reasonable(from.wall_ms) && reasonable(to.wall_ms)) {
    passed.wall_ms = to.wall_ms - from.wall_ms;
  }
  return passed;
}

}  // namespace

std::int64_t effective_time(const ClockPair& clocks, const ClockReading& claimed,
                            std::int64_t now_ms) {
  const Passed since = passed(claimed, clocks.device);
  const auto age_ms = since.boot_ms ? since.boot_ms : since.wall_ms;
  const std::int64_t ms = age_ms ? clocks.server_ms - *age_ms : now_ms;
  return std::clamp<std::int64_t>(ms, 0, now_ms);
}

std::int64_t set_back_since(const ClockPair& clocks, const ClockReading& claimed) {
  const Passed since = passed(claimed, clocks.device);
  if (!since.wall_ms) return 0;
  return std::max<std::int64_t>(since.boot_ms.value_or(0) - *since.wall_ms, 0);
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
