#include "ports/stream_call.h"

#include <grpcpp/generic/generic_stub.h>

#include <utility>

#include "base/grpc_frames.h"
#include "ports/call_status.h"

namespace gridwhistle {
namespace {

// What may lie between the network and an owner that is busy: enough to keep it busy, and no more
// than a phone can spare.
constexpr std::size_t kUnconsumedBytesMax = 1 << 20;

}  // namespace

StreamCall::StreamCall(std::shared_ptr<Link> link, const char* method, CallEvents events)
    : link_(std::move(link)),
      line_(link_->get()),
      method_(method),
      frame_bytes_max_(link_->options().frame_bytes_max),
      events_(std::make_shared<const CallEvents>(std::move(events))) {}

void StreamCall::start() {
  self_ = shared_from_this();
  link_->call_begins();
  grpc::GenericStub(line_.channel).PrepareBidiStreamingCall(&context_, method_, {}, this);
  // Writes begin outside of gRPC's callbacks, so the call must not be done before we say so.
  AddHold();
  StartRead(&incoming_);
  StartCall();
}

void StreamCall::send(std::string frame) {
  bool too_large = false;
  const bool joins = frame.size() <= kJoinedFrameBytes;
  {
    const std::lock_guard lock(mutex_);
    if (over_ || finish_wanted_ || own_failure_) return;
    too_large = frame.size() > frame_bytes_max_;
    if (!too_large) {
      queue_.push_back(std::move(frame));
    } else {
      own_failure_ = Error{ErrorCode::kTooLarge,
                           "a frame of " + std::to_string(frame.size()) + " bytes is too large",
                           "frame bytes " + std::to_string(frame.size())};
      queue_.clear();
    }
  }
  if (too_large) {
    context_.TryCancel();
  } else if (joins) {
    // What its owner sends right after it, or that nothing follows, travels with it.
    link_->executor().post([self = shared_from_this()] { self->write_next(); });
  } else {
    write_next();
  }
}

void StreamCall::finish_sending() {
  {
    const std::lock_guard lock(mutex_);
    finish_wanted_ = true;
  }
  write_next();
}

void StreamCall::detach() {
  std::shared_ptr<const CallEvents> events;  // destroyed outside the lock: it may own anything
  bool read = false;
  {
    const std::lock_guard lock(mutex_);
    events = std::move(events_);
    queue_.clear();
    finish_wanted_ = true;
    finish_sent_ = true;
    read = !reading_ && !over_;
    reading_ = reading_ || read;
  }
  context_.TryCancel();
  // A call whose reading was paused learns that it is over from a read.
  if (read) StartRead(&incoming_);
}

void StreamCall::write_next() {
  enum { kNothing, kFrame, kNewestFrame, kLastFrame, kFinish } next = kNothing;
  std::string frame;
  {
    const std::lock_guard lock(mutex_);
    if (writing_ || over_) return;
    if (!queue_.empty()) {
      frame = std::move(queue_.front());
      queue_.pop_front();
      next = !queue_.empty() ? kFrame : finish_wanted_ ? kLastFrame : kNewestFrame;
      finish_sent_ = finish_sent_ || next == kLastFrame;
    } else if (finish_wanted_ && !finish_sent_) {
      finish_sent_ = true;
      next = kFinish;
    }
    writing_ = next != kNothing;
  }
  if (next == kNothing) return;
  if (next == kFinish) return StartWritesDone();
  outgoing_ = to_buffer(frame);
  grpc::WriteOptions options;
  if (next == kFrame && frame.size() <= kJoinedFrameBytes) options.set_buffer_hint();
  if (next == kLastFrame) return StartWriteLast(&outgoing_, options);
  StartWrite(&outgoing_, options);
}

void StreamCall::written() {
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
  }
  write_next();
  release_hold_if_over();
}

// A write that failed says no more than that the call is ending; OnDone says why.
void StreamCall::OnWriteDone(bool) { written(); }
void StreamCall::OnWritesDoneDone(bool) { written(); }

void StreamCall::OnReadDone(bool ok) {
  bool read = false;
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    if (ok) {
      deliver(to_frame(incoming_));
      // Once nobody listens it reads on to the end: that is how a call learns that it is over.
      read = !events_ || unconsumed_bytes_ < kUnconsumedBytesMax;
      reading_ = read;
    } else {
      over_ = true;
    }
  }
  if (read) return StartRead(&incoming_);
  release_hold_if_over();
}

// Under the lock.
void StreamCall::deliver(std::string frame) {
  if (!events_) return;
  const std::size_t size = frame.size();
  unconsumed_bytes_ += size;
  link_->executor().post([self = shared_from_this(), frame = std::move(frame), size]() mutable {
    std::shared_ptr<const CallEvents> events;
    {
      const std::lock_guard lock(self->mutex_);
      events = self->events_;
    }
    if (!events) return;
    events->on_frame(std::move(frame));
    self->consumed(size);
  });
}

void StreamCall::consumed(std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    unconsumed_bytes_ -= bytes;
    if (reading_ || over_ || unconsumed_bytes_ >= kUnconsumedBytesMax) return;
    reading_ = true;
  }
  StartRead(&incoming_);
}

void StreamCall::release_hold_if_over() {
  {
    const std::lock_guard lock(mutex_);
    if (!over_ || writing_ || !holding_) return;
    holding_ = false;
  }
  RemoveHold();
}

// The task takes along all that holds the channel; see Link.
void StreamCall::OnDone(const grpc::Status& status) {
  const auto link = link_;
  Result<void> how = outcome_of(status, context_, line_.wrong_key->load());
  PinnedChannel failed;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !code_from_server(context_)) {
    failed = link->take_failed(line_.channel.get());
  }
  {
    const std::lock_guard lock(mutex_);
    if (own_failure_) how = std::unexpected(*own_failure_);
  }
  link->executor().post([self = std::move(self_), failed = std::move(failed),
                         how = std::move(how)]() mutable { self->tell_end(std::move(how)); });
  link->call_ended();
}

void StreamCall::tell_end(Result<void> how) {
  std::shared_ptr<const CallEvents> events;
  {
    const std::lock_guard lock(mutex_);
    events = std::move(events_);
  }
  if (events) events->on_end(std::move(how));
}

}  // namespace gridwhistle
