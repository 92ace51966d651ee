#include "rpc/stream.h"

#include <utility>

#include "base/grpc_frames.h"
#include "base/rpc_names.h"
#include "rpc/call_error.h"

namespace gridwhistle::rpc {

Stream::Stream(std::uint64_t id, grpc::CallbackServerContext& context, StreamLimits limits,
               std::function<void()> done)
    : id_(id), context_(context), limits_(limits), done_(std::move(done)) {}

void Stream::start(std::shared_ptr<StreamHandler> handler) {
  bool read = false;
  {
    const std::lock_guard lock(mutex_);
    self_ = shared_from_this();
    handler_ = std::move(handler);
    read = handler_ != nullptr && !closing_ && !paused_;
    if (read) wish_to_read();
  }
  if (read) begin_read();
  advance();
}

void Stream::send(std::string frame) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || cancelled_ || finished_) return;
    queued_bytes_ += frame.size();
    queue_.push_back(std::move(frame));
    drain_wanted_ = drain_wanted_ || queued_bytes_ >= limits_.outgoing_bytes_high;
    if (queued_bytes_ > limits_.outgoing_bytes_max) {
      queue_.clear();
      closing_ = fail(ErrorCode::kBusy, "the phone does not take what it asked for");
    }
  }
  advance();
}

bool Stream::writable() const {
  const std::lock_guard lock(mutex_);
  return !closing_ && !cancelled_ && !drain_wanted_;
}

void Stream::pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
}

void Stream::resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    if (self_ == nullptr || reading_ || finished_ || closing_) return;
    wish_to_read();
  }
  begin_read();
}

void Stream::close(Result<void> how) {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) closing_ = std::move(how);
  }
  advance();
}

void Stream::wish_to_read() {
  reading_ = true;
  ++reads_beginning_;
}

// Until the read has begun the call must not finish: it would begin on a stream that is gone.
void Stream::begin_read() {
  StartRead(&incoming_);
  {
    const std::lock_guard lock(mutex_);
    --reads_beginning_;
  }
  advance();
}

void Stream::OnReadDone(bool ok) {
  std::shared_ptr<StreamHandler> handler;
  {
    const std::lock_guard lock(mutex_);
    handler = handler_;
  }
  if (!ok) {
    if (!context_.IsCancelled()) handler->on_half_close();
    return;
  }
  std::string frame = to_frame(incoming_);
  if (frame.size() > limits_.frame_bytes_max) {
    close(fail(ErrorCode::kTooLarge,
               "a frame is larger than " + std::to_string(limits_.frame_bytes_max) + " bytes"));
  } else {
    handler->on_frame(std::move(frame));
  }
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    if (paused_ || finished_ || closing_) return;
    wish_to_read();
  }
  begin_read();
}

void Stream::OnWriteDone(bool) {
  std::shared_ptr<StreamHandler> drained;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (drain_wanted_ && !closing_ && !cancelled_ &&
        queued_bytes_ <= limits_.outgoing_bytes_high / 2) {
      drain_wanted_ = false;
      drained = handler_;
    }
  }
  advance();
  if (drained) drained->on_drained();
}

void Stream::OnCancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  advance();
}

void Stream::OnDone() {
  std::shared_ptr<Stream> self;  // declared first, so that the lock is not the last to go
  std::shared_ptr<StreamHandler> handler;
  {
    const std::lock_guard lock(mutex_);
    self = std::move(self_);
    handler = std::move(handler_);
  }
  if (handler) handler->on_closed();
  done_();
}

// Writes the next frame, or finishes when there is a reason to and nothing under way.
void Stream::advance() {
  std::string frame;
  bool buffered = false;
  bool last = false;  // the end goes with it
  std::optional<Result<void>> how;
  {
    const std::lock_guard lock(mutex_);
    if (self_ == nullptr || finished_ || writing_) return;
    if (!cancelled_ && !queue_.empty()) {
      frame = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= frame.size();
      // The first frame takes the call's headers along, and gRPC would hold both back for ever.
      buffered = headers_sent_ && !queue_.empty() && frame.size() <= kJoinedFrameBytes;
      headers_sent_ = true;
      writing_ = true;
      last = queue_.empty() && closing_ && reads_beginning_ == 0;
      if (last) how = *closing_;
      finished_ = last;
    } else if ((cancelled_ || closing_) && reads_beginning_ == 0) {
      finished_ = true;
      how = closing_ ? *closing_ : fail(ErrorCode::kUnavailable, "the call was cancelled");
    } else {
      return;
    }
  }
  if (how && !last) return Finish(end_call(context_, *how));
  outgoing_ = to_buffer(frame);
  grpc::WriteOptions options;
  if (last) return StartWriteAndFinish(&outgoing_, options, end_call(context_, *how));
  if (buffered) options.set_buffer_hint();
  StartWrite(&outgoing_, options);
}

}  // namespace gridwhistle::rpc
