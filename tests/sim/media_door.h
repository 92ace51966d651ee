#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "county/connection.h"
#include "county/county.h"
#include "doors.h"
#include "marks.h"
#include "media/media_desk.h"
#include "plants.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// What stands between the calls that carry attachments' bytes, the desk and the county, each of
/// which answers in its own time. Gone with its server's process.
class MediaDoor final : private MediaCounty {
 public:
  struct Around {
    Timeline& timeline;
    Dice& dice;
    Marks& marks;
    SimClock& clock;
    /// Does something with the county, as the server does all.
    std::function<void(const std::function<void(County&)>&)> with_county;
    /// What the server's disk has now against what reads it, or writes to it.
    std::function<std::optional<Error>(bool writes)> hindrance;
    PlantedBug* bug = nullptr;
  };
  MediaDoor(Around around, std::unique_ptr<MediaFiles> files);
  ~MediaDoor() override;

  void opened(ConnectionId call, Sink& sink);
  /// `damaged`: a byte of it is not as it was sent. Throws a Violation where it is taken for whole.
  void frame(ConnectionId call, std::string frame, bool damaged);
  void closed(ConnectionId call);
  /// The phone has taken some of what was sent.
  void drained(ConnectionId call) { go_on_soon(call); }

 private:
  class Line;

  void greet(v1::MediaHello hello, Then<MediaCaller> then) override;
  void may_bring(DeviceId device, MediaFile file, Then<void> then) override;
  void may_fetch(DeviceId device, std::string sha256, Then<void> then) override;
  void brought(DeviceId device, MediaFile file, Then<Seq> then) override;
  template <typename T>
  void ask(std::function<Result<T>(County&)> question, Then<T> then);

  void soon(std::function<void()> what);
  void go_on_soon(ConnectionId call);
  void go_on(ConnectionId call);
  void tick_now_and_then();

  Around around_;
  const std::unique_ptr<MediaFiles> files_;
  MediaDesk desk_;
  std::map<ConnectionId, std::unique_ptr<Line>> lines_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace gridwhistle::sim
