#include "model/patrol.h"

#include <algorithm>
#include <limits>

#include "model/record.h"

namespace gridwhistle {

namespace {

// Numbers of v1::VisitKind and of a field of v1::TrackPoint.
constexpr std::int64_t kPatrol = 1;
constexpr std::int64_t kNight = 3;
constexpr std::uint32_t kPointTime = 1;

std::optional<std::int64_t> int_named(const KindSchema& kind, std::string_view body,
                                      std::string_view name) {
  const FieldSchema* field = kind.field(name);
  return field != nullptr ? int_of(body, field->number) : std::nullopt;
}

}  // namespace

bool lies_within_patrol(const KindSchema& batches, std::string_view batch, const TrackClock& clock,
                        const KindSchema& visits, std::string_view visit) {
  const std::int64_t purpose = int_named(visits, visit, "kind").value_or(0);
  const auto check_in = int_named(visits, visit, "started_ms");
  if ((purpose != kPatrol && purpose != kNight) || !check_in) return false;
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  const std::int64_t ended_ms = int_named(visits, visit, "ended_ms").value_or(kNever);
  const std::int64_t check_out =
      ended_ms > kNever - clock.set_back_ms ? kNever : ended_ms + clock.set_back_ms;
  const bool set_back_behind = clock.recorded_ms < *check_in;
  const auto within = [&](std::optional<std::int64_t> time_ms) {
    return !time_ms || ((set_back_behind || *check_in <= *time_ms) && *time_ms <= check_out);
  };
  const FieldSchema* points = batches.field("points");
  return within(int_named(batches, batch, "started_ms")) &&
         within(int_named(batches, batch, "ended_ms")) &&
         (points == nullptr ||
          std::ranges::all_of(
              values_of(field_of(batch, points->number).entries),
              [&](const ValueView& point) { return within(int_of(point.bytes, kPointTime)); }));
}

}  // namespace gridwhistle
