#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"

namespace gridwhistle {

/// How far one lane of this device has come. acknowledged <= recorded.
struct LaneProgress {
  LaneSeq acknowledged;  ///< all up to here are, durably on this phone
  LaneSeq recorded;      ///< the last one recorded
  LaneSeq first{1};      ///< from here on none is forgotten, when the call began
};

/// Which operations go next in one call, and which are still unanswered. The most urgent lane that
/// has something goes first. So much may be under way unanswered that a call fills any line, and no
/// more, so that a million operations neither fill the memory nor stand in the way of a whistle
/// that is recorded meanwhile.
class Outbox {
 public:
  static constexpr std::size_t kWindowBytes = 4 * 1024 * 1024;
  static constexpr std::size_t kBulkWindowBytes = 512 * 1024;

  Outbox() = default;
  explicit Outbox(const std::array<LaneProgress, kLaneCount>& lanes);

  /// Operations up to `last` are recorded now.
  void recorded(Lane lane, LaneSeq last);

  /// The lane to send from, or none: nothing is left, or enough is unanswered.
  std::optional<Lane> next() const;
  /// What was last sent of a lane.
  LaneSeq sent(Lane lane) const { return at(lane).sent; }
  LaneProgress progress(Lane lane) const {
    return {at(lane).acknowledged, at(lane).recorded, at(lane).first};
  }
  /// `count` more operations of a lane went out in `bytes`.
  void add_sent(Lane lane, std::size_t count, std::size_t bytes);
  /// What of this lane and the less urgent ones was not sent yet stays for another call.
  void hold(Lane from);
  /// How many stay.
  std::uint64_t held_back() const;
  /// The file has nothing beyond what was sent.
  void exhausted(Lane lane);

  /// Checks what a server says it took over: only what was sent, in order, each once. kProtocol.
  Result<void> check(const v1::Acks& acks) const;
  /// Takes acknowledgements that were checked.
  void acknowledge(const v1::Acks& acks);

  /// But for what is held.
  bool all_sent() const;
  bool all_acknowledged() const;
  /// Bytes of the largest frame that may be the next to be answered.
  std::size_t next_answered_bytes() const;
  /// Sent and unanswered.
  bool waiting() const;

 private:
  struct Frame {
    LaneSeq last;
    std::size_t bytes = 0;
  };
  struct LaneState {
    LaneSeq acknowledged;
    LaneSeq sent;
    LaneSeq recorded;
    LaneSeq first{1};
    std::deque<Frame> unanswered;
    std::size_t unanswered_bytes = 0;
  };

  LaneState& at(Lane lane) { return lanes_[index_of(lane)]; }
  const LaneState& at(Lane lane) const { return lanes_[index_of(lane)]; }

  std::array<LaneState, kLaneCount> lanes_;
  std::size_t lanes_sent_ = kLaneCount;  ///< the others are held
};

}  // namespace gridwhistle
