#pragma once

#include <cstdint>
#include <string>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"

namespace gridwhistle {

/// One open call of a phone, as its transport numbers it. Never used twice.
using ConnectionId = Strong<struct ConnectionIdTag>;

/// Where the frames of one call go. Used on the county's thread alone.
class Sink {
 public:
  virtual ~Sink() = default;

  /// Queues a frame, a serialized `v1::Down`. Never blocks, never calls back.
  virtual void send(std::string frame) = 0;

  /// Whether the phone keeps up. While it is false the county makes no cuts for this call; whoever
  /// sees it become true again calls `County::pump`.
  virtual bool writable() const = 0;

  /// Ends the call when everything queued is sent. An error's code and message go to the phone.
  /// The county forgets the sink at once; `on_closed` is still allowed, and without effect.
  virtual void close(Result<void> how) = 0;
};

}  // namespace gridwhistle
