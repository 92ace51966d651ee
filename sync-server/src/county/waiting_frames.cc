#include "county/waiting_frames.h"

#include <algorithm>
#include <utility>

namespace gridwhistle {

void WaitingFrames::push(Waiting waiting) {
  bytes_ += waiting.frame.size();
  std::deque<Waiting>& of_call = frames_[waiting.connection];
  if (of_call.empty()) turns_.push_back(waiting.connection);
  of_call.push_back(std::move(waiting));
}

Waiting WaitingFrames::pop() {
  const ConnectionId call = turns_.front();
  turns_.pop_front();
  const auto of_call = frames_.find(call);
  Waiting next = std::move(of_call->second.front());
  of_call->second.pop_front();
  bytes_ -= next.frame.size();
  if (of_call->second.empty()) {
    frames_.erase(of_call);
  } else {
    turns_.push_back(call);
  }
  return next;
}

void WaitingFrames::put_back(std::vector<Waiting> popped) {
  for (auto waiting = popped.rbegin(); waiting != popped.rend(); ++waiting) {
    const ConnectionId call = waiting->connection;
    std::erase(turns_, call);
    turns_.push_front(call);
    bytes_ += waiting->frame.size();
    frames_[call].push_front(std::move(*waiting));
  }
}

}  // namespace gridwhistle
