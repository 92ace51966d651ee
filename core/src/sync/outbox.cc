#include "sync/outbox.h"

#include <algorithm>
#include <string>

#include "model/operation.h"

namespace gridwhistle {

namespace {

std::optional<Lane> lane_of(std::uint32_t number) {
  for (const Lane lane : kLanes) {
    if (static_cast<std::uint32_t>(lane) == number) return lane;
  }
  return std::nullopt;
}

std::unexpected<Error> broken(const char* what) {
  return fail(ErrorCode::kProtocol, "the server's acknowledgements do not fit what was sent", what);
}

}  // namespace

Outbox::Outbox(const std::array<LaneProgress, kLaneCount>& lanes) {
  for (const Lane lane : kLanes) {
    LaneState& state = at(lane);
    state.acknowledged = state.sent = lanes[index_of(lane)].acknowledged;
    state.recorded = std::max(state.sent, lanes[index_of(lane)].recorded);
    state.first = lanes[index_of(lane)].first;
  }
}

void Outbox::recorded(Lane lane, LaneSeq last) {
  at(lane).recorded = std::max(at(lane).recorded, last);
}

std::optional<Lane> Outbox::next() const {
  for (const Lane lane : kLanes) {
    const LaneState& state = at(lane);
    if (state.sent == state.recorded || index_of(lane) >= lanes_sent_) continue;
    const std::size_t window = lane == Lane::kBulk ? kBulkWindowBytes : kWindowBytes;
    if (state.unanswered_bytes < window) return lane;
    return std::nullopt;  // a less urgent lane must not take the line from this one
  }
  return std::nullopt;
}

void Outbox::add_sent(Lane lane, std::size_t count, std::size_t bytes) {
  LaneState& state = at(lane);
  state.sent = LaneSeq(state.sent.value + count);
  state.recorded = std::max(state.recorded, state.sent);
  state.unanswered.push_back({state.sent, bytes});
  state.unanswered_bytes += bytes;
}

void Outbox::hold(Lane from) { lanes_sent_ = std::min(lanes_sent_, index_of(from)); }

std::uint64_t Outbox::held_back() const {
  std::uint64_t held = 0;
  for (std::size_t at = lanes_sent_; at < kLaneCount; ++at) {
    held += lanes_[at].recorded.value - lanes_[at].sent.value;
  }
  return held;
}

void Outbox::exhausted(Lane lane) { at(lane).recorded = at(lane).sent; }

Result<void> Outbox::check(const v1::Acks& acks) const {
  std::array<std::uint64_t, kLaneCount> expected{};
  for (const Lane lane : kLanes) expected[index_of(lane)] = at(lane).acknowledged.value + 1;
  for (const v1::AckRun& run : acks.runs()) {
    const std::optional<Lane> lane = lane_of(run.lane());
    if (!lane) return broken("unknown lane");
    if (run.count() == 0) return broken("an empty run");
    std::uint64_t& next = expected[index_of(*lane)];
    if (run.first() != next) return broken("a run out of order");
    if (run.count() > at(*lane).sent.value - (next - 1)) return broken("a run never sent");
    if (run.status() < static_cast<std::uint32_t>(OutcomeStatus::kAccepted) ||
        run.status() > static_cast<std::uint32_t>(OutcomeStatus::kSealed)) {
      return broken("an unknown outcome");
    }
    next += run.count();
  }
  return {};
}

void Outbox::acknowledge(const v1::Acks& acks) {
  for (const v1::AckRun& run : acks.runs()) {
    LaneState& state = at(*lane_of(run.lane()));
    state.acknowledged = LaneSeq(run.first() + run.count() - 1);
    while (!state.unanswered.empty() && state.unanswered.front().last <= state.acknowledged) {
      state.unanswered_bytes -= state.unanswered.front().bytes;
      state.unanswered.pop_front();
    }
  }
}

bool Outbox::all_sent() const {
  return std::all_of(lanes_.begin(), lanes_.begin() + lanes_sent_,
                     [](const LaneState& l) { return l.sent == l.recorded; });
}

bool Outbox::all_acknowledged() const {
  return std::ranges::all_of(lanes_,
                             [](const LaneState& l) { return l.acknowledged == l.recorded; });
}

std::size_t Outbox::next_answered_bytes() const {
  std::size_t bytes = 0;
  for (const LaneState& lane : lanes_) {
    if (!lane.unanswered.empty()) bytes = std::max(bytes, lane.unanswered.front().bytes);
  }
  return bytes;
}

bool Outbox::waiting() const {
  return std::ranges::any_of(lanes_, [](const LaneState& l) { return l.acknowledged < l.sent; });
}

}  // namespace gridwhistle
