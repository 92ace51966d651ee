#include "media_door.h"

#include <utility>

#include "gridwhistle/v1/media.pb.h"
#include "oracle.h"

namespace gridwhistle::sim {

namespace {

constexpr std::uint64_t kTickMs = 10'000;

using Hindrance = std::function<std::optional<Error>(bool writes)>;

/// A part on the server's disk, with what that disk has against it.
class StruckPart final : public MediaPart {
 public:
  StruckPart(std::unique_ptr<MediaPart> part, Hindrance hindrance, std::function<void()> finished)
      : part_(std::move(part)), hindrance_(std::move(hindrance)), finished_(std::move(finished)) {}

  std::uint64_t size() const override { return part_->size(); }
  Result<void> append(std::string_view bytes) override {
    if (auto error = hindrance_(true)) return std::unexpected(std::move(*error));
    return part_->append(bytes);
  }
  Result<void> finish() override {
    if (auto error = hindrance_(true)) return std::unexpected(std::move(*error));
    auto done = part_->finish();
    if (done) finished_();
    return done;
  }

 private:
  const std::unique_ptr<MediaPart> part_;
  const Hindrance hindrance_;
  const std::function<void()> finished_;
};

/// The folder of files, on a disk that fails as the one beside it does.
class StruckFiles final : public MediaFiles {
 public:
  StruckFiles(std::unique_ptr<MediaFiles> files, Hindrance hindrance, Marks& marks, PlantedBug* bug)
      : files_(std::move(files)), hindrance_(std::move(hindrance)), marks_(marks), bug_(bug) {}

  Result<std::optional<std::uint64_t>> size_of(std::string_view sha256) override {
    return files_->size_of(sha256);
  }
  Result<std::unique_ptr<MediaPart>> part(std::string_view owner, const MediaFile& file) override {
    if (auto error = hindrance_(true)) return std::unexpected(std::move(*error));
    auto part = files_->part(owner, file);
    if (!part) return part;
    if ((*part)->size() > 0) marks_.hit("pictures: one goes on where it stopped");
    return std::make_unique<StruckPart>(std::move(*part), hindrance_, [this, file] {
      if (bug_ != nullptr) bug_->in_picture(files_->path_of(file.sha256));
    });
  }
  Result<std::uint64_t> unfinished(std::string_view owner, std::string_view but_for) override {
    return files_->unfinished(owner, but_for);
  }
  Result<std::vector<std::string>> parts_of(std::string_view owner) override {
    return files_->parts_of(owner);
  }
  Result<void> drop_part(std::string_view owner, std::string_view sha256) override {
    return files_->drop_part(owner, sha256);
  }
  Result<std::string> read(std::string_view sha256, std::uint64_t offset,
                           std::size_t bytes_max) override {
    if (auto error = hindrance_(false)) return std::unexpected(std::move(*error));
    return files_->read(sha256, offset, bytes_max);
  }
  Result<std::string> digest_behind(std::string_view nonce, std::string_view sha256) override {
    if (auto error = hindrance_(false)) return std::unexpected(std::move(*error));
    marks_.hit("pictures: one is shown, not brought again");
    return files_->digest_behind(nonce, sha256);
  }
  Result<void> remove(std::string_view sha256) override { return files_->remove(sha256); }
  Result<std::vector<std::string>> all() override { return files_->all(); }
  Result<std::size_t> drop_parts_before(std::int64_t ms) override {
    return files_->drop_parts_before(ms);
  }
  std::string path_of(std::string_view sha256) const override { return files_->path_of(sha256); }

 private:
  const std::unique_ptr<MediaFiles> files_;
  const Hindrance hindrance_;
  Marks& marks_;
  PlantedBug* const bug_;
};

}  // namespace

class MediaDoor::Line final : public MediaLine {
 public:
  struct Frame {
    std::string bytes;
    bool damaged = false;
  };

  Line(MediaDoor& door, ConnectionId call, Sink& sink) : door_(door), call_(call), sink_(&sink) {}

  void send(std::string frame) override {
    if (sink_ != nullptr) sink_->send(std::move(frame));
  }
  void want_frame() override {
    wanting_ = true;
    door_.go_on_soon(call_);
  }
  void close() override {
    if (sink_ == nullptr) return;
    std::exchange(sink_, nullptr)->close({});
    door_.soon([&door = door_, call = call_] { door.closed(call); });
  }
  void arrived(Frame frame) {
    waiting_.push_back(std::move(frame));
    door_.go_on_soon(call_);
  }
  std::optional<Frame> next() {
    if (!wanting_ || waiting_.empty() || sink_ == nullptr || !sink_->writable()) {
      return std::nullopt;
    }
    wanting_ = false;
    Frame frame = std::move(waiting_.front());
    waiting_.pop_front();
    return frame;
  }

 private:
  MediaDoor& door_;
  const ConnectionId call_;
  Sink* sink_;  ///< null: closed from this side
  std::deque<Frame> waiting_;
  bool wanting_ = false;
};

MediaDoor::MediaDoor(Around around, std::unique_ptr<MediaFiles> files)
    : around_(std::move(around)),
      files_(std::make_unique<StruckFiles>(std::move(files), around_.hindrance, around_.marks,
                                           around_.bug)),
      desk_(*files_, *this, around_.clock, around_.dice) {
  tick_now_and_then();
}

MediaDoor::~MediaDoor() = default;

void MediaDoor::soon(std::function<void()> what) {
  around_.timeline.after(1, [alive = std::weak_ptr(alive_), what = std::move(what)] {
    if (!alive.expired()) what();
  });
}

void MediaDoor::tick_now_and_then() {
  around_.timeline.after(kTickMs, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    desk_.tick();
    tick_now_and_then();
  });
}

void MediaDoor::opened(ConnectionId call, Sink& sink) {
  auto& line = lines_[call];
  line = std::make_unique<Line>(*this, call, sink);
  desk_.on_open(call.value, *line);
}

void MediaDoor::frame(ConnectionId call, std::string frame, bool damaged) {
  const auto line = lines_.find(call);
  if (line != lines_.end()) line->second->arrived({std::move(frame), damaged});
}

void MediaDoor::closed(ConnectionId call) {
  if (!lines_.contains(call)) return;
  desk_.on_closed(call.value);
  lines_.erase(call);
}

void MediaDoor::go_on_soon(ConnectionId call) {
  soon([this, call] { go_on(call); });
}

void MediaDoor::go_on(ConnectionId call) {
  const auto line = lines_.find(call);
  auto frame = line != lines_.end() ? line->second->next() : std::nullopt;
  if (!frame) return;
  const MediaFigures before = desk_.figures();
  desk_.on_frame(call.value, std::move(frame->bytes));
  const MediaFigures after = desk_.figures();
  if (after.files_brought > before.files_brought) around_.marks.hit("pictures: one is brought");
  if (!frame->damaged) return;
  if (after.bytes_in > before.bytes_in) throw Violation("a damaged chunk was taken in");
  around_.marks.hit("damage: up");
}

template <typename T>
void MediaDoor::ask(std::function<Result<T>(County&)> question, Then<T> then) {
  soon([this, question = std::move(question), then = std::move(then)] {
    Result<T> answer = fail(ErrorCode::kIo, "the county does not answer");
    around_.with_county([&](County& county) { answer = question(county); });
    soon([then, answer] { then(answer); });
  });
}

void MediaDoor::greet(v1::MediaHello hello, Then<MediaCaller> then) {
  const DeviceId device(hello.device());
  ask<MediaCaller>(
      [device, hello = std::move(hello)](County& county) -> Result<MediaCaller> {
        auto short_code = county.greet_media(hello);
        if (!short_code) return std::unexpected(std::move(short_code.error()));
        return MediaCaller{device, std::move(*short_code)};
      },
      std::move(then));
}

void MediaDoor::may_bring(DeviceId device, MediaFile file, Then<void> then) {
  ask<void>([device, file](County& county) { return county.may_bring(device, file); },
            std::move(then));
}

void MediaDoor::may_fetch(DeviceId device, std::string sha256, Then<void> then) {
  ask<void>([device, sha256](County& county) { return county.may_fetch(device, sha256); },
            std::move(then));
}

void MediaDoor::brought(DeviceId device, MediaFile file, Then<Seq> then) {
  ask<Seq>([device, file](County& county) { return county.media_brought(device, file); },
           std::move(then));
}

}  // namespace gridwhistle::sim
