#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "county/connection.h"

namespace gridwhistle {

struct Waiting {
  ConnectionId connection;
  std::string frame;
  bool end = false;  ///< the half-close, in order with the frames
};

/// What phones have sent and nobody has looked at yet. Each call in its turn, a frame at a time, so
/// that who sends a year's work holds up nobody's report; the frames of a call in their order.
class WaitingFrames {
 public:
  void push(Waiting waiting);
  /// The next one; there is one.
  Waiting pop();
  /// What was popped and could not be dealt with, in that order: it is next again.
  void put_back(std::vector<Waiting> popped);

  bool empty() const { return turns_.empty(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::map<ConnectionId, std::deque<Waiting>> frames_;  ///< none is empty
  std::deque<ConnectionId> turns_;                      ///< each call that has any, once
  std::size_t bytes_ = 0;
};

}  // namespace gridwhistle
