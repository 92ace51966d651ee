#include "app/media_door.h"

#include <future>
#include <utility>

namespace gridwhistle::app {

// What the desk asks is posted to the county, and its answers back.
class MediaDoor::Questions final : public MediaCounty {
 public:
  Questions(CountyThread& county, TaskThread& desk) : county_(county), desk_(desk) {}

  void greet(v1::MediaHello hello, Then<MediaCaller> then) override {
    const DeviceId device(hello.device());
    ask<MediaCaller>(
        [device, hello = std::move(hello)](County& county) -> Result<MediaCaller> {
          auto short_code = county.greet_media(hello);
          if (!short_code) return std::unexpected(std::move(short_code.error()));
          return MediaCaller{device, std::move(*short_code)};
        },
        std::move(then));
  }
  void may_bring(DeviceId device, MediaFile file, Then<void> then) override {
    ask<void>(
        [device, file = std::move(file)](County& county) { return county.may_bring(device, file); },
        std::move(then));
  }
  void may_fetch(DeviceId device, std::string sha256, Then<void> then) override {
    ask<void>([device, sha256 = std::move(sha256)](
                  County& county) { return county.may_fetch(device, sha256); },
              std::move(then));
  }
  void brought(DeviceId device, MediaFile file, Then<Seq> then) override {
    ask<Seq>([device, file = std::move(file)](
                 County& county) { return county.media_brought(device, file); },
             std::move(then));
  }

 private:
  template <typename T, typename Work>
  void ask(Work work, Then<T> then) {
    county_.post([this, work = std::move(work), then = std::move(then)](County& county) {
      desk_.post([then, answer = work(county)] { then(answer); });
    });
  }

  CountyThread& county_;
  TaskThread& desk_;
};

// On the door's thread.
class MediaDoor::Line final : public MediaLine {
 public:
  explicit Line(std::shared_ptr<rpc::SyncStream> stream) : stream_(std::move(stream)) {}

  void send(std::string frame) override { stream_->send(std::move(frame)); }
  // A phone that does not take what it asked for asks for nothing more.
  void want_frame() override {
    wanting_ = true;
    go_on();
  }
  void close() override { stream_->close({}); }
  void go_on() {
    if (!wanting_ || !stream_->writable()) return;
    wanting_ = false;
    stream_->resume();
  }

 private:
  const std::shared_ptr<rpc::SyncStream> stream_;
  bool wanting_ = false;
};

class MediaDoor::Handler final : public rpc::StreamHandler {
 public:
  Handler(MediaDoor& door, const std::shared_ptr<rpc::SyncStream>& stream)
      : door_(door), stream_(stream), id_(stream->id()) {}

  void on_frame(std::string frame) override {
    if (const auto stream = stream_.lock()) stream->pause();
    door_.thread_.post([&door = door_, id = id_, frame = std::move(frame)]() mutable {
      door.desk_.on_frame(id, std::move(frame));
    });
  }
  void on_half_close() override {
    if (const auto stream = stream_.lock()) stream->close({});
  }
  void on_drained() override {
    door_.thread_.post([&door = door_, id = id_] {
      const auto line = door.lines_.find(id);
      if (line != door.lines_.end()) line->second->go_on();
    });
  }
  void on_closed() override {
    door_.thread_.post([&door = door_, id = id_] {
      door.desk_.on_closed(id);
      door.lines_.erase(id);
    });
  }

 private:
  MediaDoor& door_;
  const std::weak_ptr<rpc::SyncStream> stream_;
  const MediaDesk::CallId id_;
};

MediaDoor::MediaDoor(CountyThread& county, std::unique_ptr<MediaFiles> files, Clock& clock,
                     Random& random, std::function<void(std::string_view, ErrorCode)> tell_refused)
    : files_(std::move(files)),
      questions_(std::make_unique<Questions>(county, thread_)),
      desk_(*files_, *questions_, clock, random) {
  desk_.on_refused(std::move(tell_refused));
}

MediaDoor::~MediaDoor() { stop(); }

std::shared_ptr<rpc::StreamHandler> MediaDoor::on_open(std::shared_ptr<rpc::SyncStream> stream) {
  // Frames come one by one, as the desk asks for them.
  stream->pause();
  auto handler = std::make_shared<Handler>(*this, stream);
  thread_.post([this, stream = std::move(stream)] {
    auto& line = lines_[stream->id()];
    line = std::make_unique<Line>(stream);
    desk_.on_open(stream->id(), *line);
  });
  return handler;
}

void MediaDoor::on_shutdown() {
  thread_.post([this] { desk_.close_all(); });
}

void MediaDoor::tick() {
  thread_.post([this] { desk_.tick(); });
}

MediaFigures MediaDoor::figures() {
  const auto answer = std::make_shared<std::promise<MediaFigures>>();
  auto figures = answer->get_future();
  thread_.post([this, answer] { answer->set_value(desk_.figures()); });
  return figures.get();
}

void MediaDoor::stop() { thread_.stop(); }

}  // namespace gridwhistle::app
