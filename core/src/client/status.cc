#include <algorithm>
#include <utility>

#include "client/outcomes.h"
#include "client/state.h"

namespace gridwhistle {

namespace {

constexpr std::size_t kNewestRefused = 3;

constexpr const char* kTelephone =
    "这条紧急哨声还没有发出，请立即打电话报告。 This emergency has not left the phone: telephone "
    "now.";

// What is known without the disk, so that a phone with a bad one never says that all is sent.
void add_file(ClientStatus& status, const store::SyncState& file) {
  status.device = file.device;
  status.cursor = file.cursor;
  status.unsent = file.unsent;
  for (const store::GrantHeld& grant : file.grants) status.scopes.push_back(grant.scope);
  for (const Lane lane : kLanes) {
    const store::LaneProgress& progress = file.lanes[index_of(lane)];
    LaneStatus& of_lane = status.lanes.emplace_back();
    of_lane.lane = lane;
    of_lane.unsent = progress.last.value - progress.noted.value;
    of_lane.delivered = progress.noted.value;
  }
}

void add_kept(ClientStatus& status, const store::StoreStatus& kept) {
  for (LaneStatus& of_lane : status.lanes) {
    of_lane.sent = kept.sent[index_of(of_lane.lane)];
    of_lane.not_backed_up = kept.not_backed_up[index_of(of_lane.lane)];
  }
  for (const store::StoreStatus::Emergency& emergency : kept.emergencies) {
    status.emergencies.push_back(
        {emergency.whistle, emergency.number, emergency.title,
         static_cast<std::uint64_t>(std::max<std::int64_t>(emergency.unsent_ms, 0)), kTelephone});
  }
  if (kept.since_caught_up_ms) {
    status.since_sync_ms =
        static_cast<std::uint64_t>(std::max<std::int64_t>(*kept.since_caught_up_ms, 0));
  }
}

}  // namespace

ClientStatus ClientState::status() {
  const auto lock = strand_->lock();
  ClientStatus status;
  status.poisoned = poisoned_;
  status.last_error = session_.last_error();
  status.phase = session_.phase();
  if (enrolment_) {
    status.enrolled = true;
    status.county = enrolment_->county;
    status.server = enrolment_->server_address;
    status.worker = enrolment_->worker;
    status.short_code = enrolment_->short_code;
  }
  if (!store_) return status;
  if (status.phase == SyncPhase::kWaiting) {
    const std::uint64_t now = now_ms();
    status.retry_in_ms = std::max(session_.wake_ms().value_or(now), now) - now;
  }
  if (!status.last_error) status.last_error = store_->line_error();
  status.caught_up = store_->is_caught_up();
  media_.add_status(status.media);
  if (const auto file = store_->sync_state()) add_file(status, *file);
  if (const auto kept = store_->status()) {
    add_kept(status, *kept);
  } else {
    status.last_error = kept.error();
  }
  if (auto outcomes = outcomes_of(*store_, {})) {
    status.refused = outcomes->size();
    outcomes->resize(std::min(outcomes->size(), kNewestRefused));
    status.newest_refused = std::move(*outcomes);
  } else {
    status.last_error = outcomes.error();
  }
  return status;
}

}  // namespace gridwhistle
