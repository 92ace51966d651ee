#include "app/phone_door.h"

#include <utility>

namespace gridwhistle::app {

class PhoneDoor::StreamSink : public Sink {
 public:
  explicit StreamSink(std::shared_ptr<rpc::SyncStream> stream) : stream_(std::move(stream)) {}
  void send(std::string frame) override { stream_->send(std::move(frame)); }
  bool writable() const override { return stream_->writable(); }
  void close(Result<void> how) override { stream_->close(std::move(how)); }

 private:
  std::shared_ptr<rpc::SyncStream> stream_;
};

class PhoneDoor::Stream : public rpc::StreamHandler {
 public:
  Stream(PhoneDoor& door, const std::shared_ptr<rpc::SyncStream>& stream)
      : door_(door), stream_(stream), id_(stream->id()) {}

  void on_frame(std::string frame) override {
    const std::size_t size = frame.size();
    // Paused before its frame is posted, so that the round with this frame resumes it.
    if (door_.posted_bytes_.fetch_add(size) + size + door_.queued_bytes_ > kWaitingBytesHigh) {
      pause();
    }
    door_.thread_.post(
        [&door = door_, id = id_, size, frame = std::move(frame)](County& county) mutable {
          county.on_frame(id, std::move(frame));
          // In this order, so that the frame is counted at every moment.
          door.queued_bytes_ = county.queued_bytes();
          door.posted_bytes_ -= size;
        });
  }
  void on_half_close() override {
    door_.thread_.post([id = id_](County& county) { county.on_half_close(id); });
  }
  void on_drained() override {
    door_.thread_.post([](County&) {});
  }
  void on_closed() override {
    door_.thread_.post([&door = door_, id = id_](County& county) {
      county.on_closed(id);
      door.forget(id);
    });
  }

 private:
  void pause() {
    const auto stream = stream_.lock();
    if (!stream) return;
    stream->pause();
    const std::lock_guard lock(door_.mutex_);
    door_.paused_.push_back(stream_);
  }

  PhoneDoor& door_;
  std::weak_ptr<rpc::SyncStream> stream_;
  ConnectionId id_;
};

PhoneDoor::PhoneDoor(CountyThread& thread) : thread_(thread) {
  thread_.after_round([this](County& county) { resume_paused(county); });
}

PhoneDoor::~PhoneDoor() = default;

std::shared_ptr<rpc::StreamHandler> PhoneDoor::on_open(std::shared_ptr<rpc::SyncStream> stream) {
  auto handler = std::make_shared<Stream>(*this, stream);
  thread_.post([this, stream = std::move(stream)](County& county) {
    const ConnectionId id(stream->id());
    auto& sink = sinks_[id];
    sink = std::make_unique<StreamSink>(stream);
    county.on_open(id, *sink);
  });
  return handler;
}

void PhoneDoor::enrol(std::string request, Reply reply) {
  thread_.post([request = std::move(request), reply = std::move(reply)](County& county) {
    reply(county.enrol(request));
  });
}

void PhoneDoor::on_shutdown() {
  // The first task lets the county deal with what has come; the calls end in the round after.
  thread_.post([this](County&) {
    thread_.post([this](County&) {
      for (auto& [id, sink] : sinks_) {
        sink->close(
            fail(ErrorCode::kUnavailable, "服务器正在停止，请稍后再试 / the server is stopping"));
      }
    });
  });
}

void PhoneDoor::forget(ConnectionId id) { sinks_.erase(id); }

void PhoneDoor::resume_paused(County& county) {
  queued_bytes_ = county.queued_bytes();
  if (posted_bytes_ + queued_bytes_ > kWaitingBytesLow) return;
  std::vector<std::weak_ptr<rpc::SyncStream>> paused;
  {
    const std::lock_guard lock(mutex_);
    paused.swap(paused_);
  }
  for (const auto& weak : paused) {
    if (const auto stream = weak.lock()) stream->resume();
  }
}

}  // namespace gridwhistle::app
