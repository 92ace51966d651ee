#include <cstdio>
#include <set>

#include "access/enrolment.h"
#include "access/grants.h"
#include "base/line.h"
#include "county/impl.h"
#include "schema/kinds.h"

namespace gridwhistle {

std::string device_text(DeviceId device) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(device.value));
  return text;
}

Result<IssuedCode> County::create_code(RecordId worker, std::string_view by) {
  Impl& impl = *impl_;
  auto found = get(kinds::kWorker, worker);
  if (!found) return std::unexpected(std::move(found.error()));
  const std::int64_t now = impl.now_ms();
  if (!*found || (*found)->erased)
    return fail(ErrorCode::kNotFound, both("没有这个人员", "there is no such worker"));
  if (has_left((*found)->body, now))
    return fail(ErrorCode::kNotFound, both("此人员已离职", "this worker has left"));
  return impl.in_batch([&]() -> Result<IssuedCode> {
    auto code = make_enrolment_code(*impl.storage, impl.random, worker, now);
    if (!code) return std::unexpected(std::move(code.error()));
    if (auto noted = impl.audit(by, "enrolment code for worker " + worker.text()); !noted) {
      return std::unexpected(noted.error());
    }
    return IssuedCode{std::move(*code), now + kCodeLifeMs};
  });
}

Result<void> County::revoke(DeviceId device, DeviceState how, std::string_view by) {
  Impl& impl = *impl_;
  if (how == DeviceState::kActive) {
    return fail(ErrorCode::kInvalid,
                both("注销设备须说明是离职还是遗失", "a device is revoked as left or lost"));
  }
  return impl.in_batch([&]() -> Result<void> {
    auto found = impl.storage->device(device);
    if (!found) return std::unexpected(std::move(found.error()));
    if (!*found) return fail(ErrorCode::kNotFound, both("没有这台设备", "there is no such device"));
    DeviceRow row = std::move(**found);
    row.state = how;
    if (auto put = impl.storage->put_device(row); !put) return put;
    return impl.audit(by, "device " + std::to_string(device.value) +
                              (how == DeviceState::kLost ? " lost" : " left"));
  });
}

Result<void> County::end_what_ran_out() {
  Impl& impl = *impl_;
  std::set<RecordId> workers;
  for (const auto& [connection, session] : impl.sessions) {
    if (session.author) workers.insert(session.author->device.worker);
  }
  if (workers.empty()) return {};
  return impl.in_batch([&]() -> Result<void> {
    for (const RecordId worker : workers) {
      const auto changed = refresh_grants(*impl.storage, worker, impl.now_ms());
      if (!changed) return std::unexpected(changed.error());
    }
    return {};
  });
}

Result<std::vector<DeviceInfo>> County::devices() const {
  auto rows = impl_->storage->devices();
  if (!rows) return std::unexpected(std::move(rows.error()));
  std::vector<DeviceInfo> all;
  for (DeviceRow& row : *rows) {
    auto worker = get(kinds::kWorker, row.worker);
    if (!worker) return std::unexpected(std::move(worker.error()));
    const bool left = *worker && has_left((*worker)->body, impl_->now_ms());
    if (left && row.state == DeviceState::kActive) row.state = DeviceState::kLeft;
    all.push_back({.device = row.device,
                   .worker = row.worker,
                   .state = row.state,
                   .short_code = std::move(row.short_code),
                   .name = std::move(row.name),
                   .software = std::move(row.software),
                   .enrolled_ms = row.enrolled_ms,
                   .last_seen_ms = row.last_seen_ms,
                   .unsent = row.unsent,
                   .cursor = row.cursor,
                   .predecessor = row.predecessor});
    const auto fork = impl_->forks.find(row.device);
    if (fork != impl_->forks.end()) all.back().forked_ms = fork->second;
  }
  return all;
}

const std::map<DeviceId, std::int64_t>& County::forks() const { return impl_->forks; }

bool County::is_silent(const DeviceInfo& device) const {
  const std::int64_t heard = std::max(device.last_seen_ms, device.enrolled_ms);
  return device.state == DeviceState::kActive &&
         impl_->now_ms() - heard > impl_->options.silent_after_ms;
}

}  // namespace gridwhistle
