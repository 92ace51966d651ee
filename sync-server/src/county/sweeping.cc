#include <algorithm>
#include <limits>
#include <string>

#include "county/impl.h"

// What is erased, or has left, is told to phones until they have heard it or their time is over.
namespace gridwhistle {

namespace {

// The highest place in the log up to which anything was ever swept.
constexpr std::string_view kSwept = "swept";
// So many marks lie within the time that tombstones are kept.
constexpr std::int64_t kMarks = 180;
// Some tens of milliseconds.
constexpr std::size_t kSweptAtOnce = 500;

}  // namespace

Result<void> County::Impl::read_swept() {
  auto noted = number_noted(kSwept);
  if (!noted) return std::unexpected(std::move(noted.error()));
  swept = Seq(static_cast<std::uint64_t>(*noted));
  return {};
}

// Where the log ended when the time began that tombstones are kept for, or somewhat before.
Result<Seq> County::Impl::kept_since(std::int64_t now_ms) {
  const auto marks = storage->log_marks();
  if (!marks) return std::unexpected(marks.error());
  Seq since;
  for (const LogMark& mark : *marks) {
    if (mark.at_ms <= now_ms - options.tombstones_kept_ms) since = std::max(since, mark.seq);
  }
  return since;
}

// What every phone that reads has passed. One that still has work to bring may have written it
// before: nothing more goes until that has come. One that has never called holds nothing.
Result<Seq> County::Impl::passed_by_all() {
  const auto devices = storage->devices();
  if (!devices) return std::unexpected(devices.error());
  Seq passed = storage->last_seq();
  for (const DeviceRow& device : *devices) {
    if (device.state == DeviceState::kLost || device.call_counter == 0) continue;
    // Who left may still bring work, which a reviewer is to find.
    if (device.state != DeviceState::kActive && device.unsent == 0) continue;
    passed = std::min(passed, device.unsent > 0 ? std::min(device.cursor, swept) : device.cursor);
  }
  return passed;
}

Result<void> County::Impl::mark_log(std::int64_t now_ms) {
  const auto marks = storage->log_marks();
  if (!marks) return std::unexpected(marks.error());
  const std::int64_t every_ms = options.tombstones_kept_ms / kMarks;
  if (!marks->empty() && marks->back().at_ms <= now_ms && now_ms - marks->back().at_ms < every_ms) {
    return {};
  }
  if (auto added = storage->add_log_mark({now_ms, storage->last_seq()}); !added) return added;
  // The newest that is old enough stays.
  const auto old = std::ranges::find_if(*marks, [&](const LogMark& mark) {
    return mark.at_ms > now_ms - options.tombstones_kept_ms;
  });
  if (old == marks->begin()) return {};
  return storage->drop_log_marks_before(std::prev(old)->at_ms);
}

Result<void> County::Impl::begin_sweep() {
  const std::int64_t now = now_ms();
  auto since = kept_since(now);
  if (!since) return std::unexpected(std::move(since.error()));
  auto passed = passed_by_all();
  if (!passed) return std::unexpected(std::move(passed.error()));
  const Seq upto = std::max({*since, *passed, swept});
  const auto noted = in_quiet_batch([&]() -> Result<void> {
    if (auto marked = mark_log(now); !marked) return marked;
    if (upto == swept) return {};
    return storage->set_fact(kSwept, std::to_string(upto.value));
  });
  if (!noted) return noted;
  swept = upto;
  sweep.emplace(SweepProgress{.upto = upto});
  // A phone hears in its Welcome what has been swept; a call that began before begins anew.
  for (auto& [connection, session] : sessions) {
    if (!session.author || session.reconciles) continue;
    const Seq cursor = session.author->device.cursor;
    if (cursor && cursor < swept) refuse(session, swept_over());
  }
  return {};
}

Result<SweepReport> County::sweep() {
  Impl& impl = *impl_;
  if (!impl.sweep) {
    if (auto begun = impl.begin_sweep(); !begun) return std::unexpected(begun.error());
  }
  SweepProgress progress = *impl.sweep;
  impl.sweep.reset();  // what fails begins anew: what is gone by then costs nothing
  const auto taken = impl.in_quiet_batch(
      [&] { return sweep_some(*impl.storage, impl.schema, progress, kSweptAtOnce); });
  if (!taken) return std::unexpected(taken.error());
  const bool more = !progress.done(impl.schema);
  if (more) impl.sweep = progress;
  return SweepReport{.records = taken->records, .exits = taken->exits, .more = more};
}

}  // namespace gridwhistle
