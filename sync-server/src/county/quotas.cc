#include "county/quotas.h"

#include <algorithm>

namespace gridwhistle {

namespace {

constexpr std::int64_t kHourMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

}  // namespace

std::optional<std::int64_t> Quotas::take(DeviceId device, Lane lane, std::uint64_t operations,
                                         std::uint64_t bytes, std::int64_t now_ms) {
  forget_old(now_ms);
  Sent& sent = sent_[device];
  const auto renew = [&](Window& window, std::int64_t length_ms) {
    const std::int64_t age_ms = now_ms - window.since_ms;
    if (age_ms < 0 || age_ms >= length_ms) window = {.since_ms = now_ms, .all = {}, .whistles = {}};
  };
  renew(sent.hour, kHourMs);
  renew(sent.day, kDayMs);
  const bool reserve =
      lane == Lane::kWhistles && sent.hour.whistles.operations < limits_.whistles_an_hour;
  if (!reserve) {
    const auto full = [](const Count& count, std::uint64_t operations_max,
                         std::uint64_t bytes_max) {
      return count.operations >= operations_max || count.bytes >= bytes_max;
    };
    if (full(sent.day.all, limits_.operations_a_day, limits_.bytes_a_day)) {
      return sent.day.since_ms + kDayMs - now_ms;
    }
    if (full(sent.hour.all, limits_.operations_an_hour, limits_.bytes_an_hour)) {
      return sent.hour.since_ms + kHourMs - now_ms;
    }
  }
  for (Window* window : {&sent.hour, &sent.day}) {
    Count& count = reserve ? window->whistles : window->all;
    count.operations += operations;
    count.bytes += bytes;
  }
  taken_.push_back({device, reserve, {operations, bytes}});
  return std::nullopt;
}

void Quotas::undo() {
  for (const Taken& taken : taken_) {
    const auto sent = sent_.find(taken.device);
    if (sent == sent_.end()) continue;
    for (Window* window : {&sent->second.hour, &sent->second.day}) {
      Count& count = taken.reserve ? window->whistles : window->all;
      count.operations -= std::min(count.operations, taken.count.operations);
      count.bytes -= std::min(count.bytes, taken.count.bytes);
    }
  }
  taken_.clear();
}

void Quotas::forget_old(std::int64_t now_ms) {
  if (now_ms >= looked_ms_ && now_ms - looked_ms_ < kHourMs) return;
  looked_ms_ = now_ms;
  std::erase_if(sent_,
                [&](const auto& entry) { return now_ms - entry.second.day.since_ms >= kDayMs; });
}

}  // namespace gridwhistle
