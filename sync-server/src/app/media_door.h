#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "app/county_thread.h"
#include "app/task_thread.h"
#include "media/media_desk.h"
#include "rpc/handler.h"

namespace gridwhistle::app {

/// Between the network's threads, the one that reads and writes attachments' bytes, and the
/// county's, which is asked who may what.
class MediaDoor {
 public:
  /// All outlive the door's last call. `tell_refused`: see `MediaDesk::on_refused`; on the door's
  /// own thread.
  MediaDoor(CountyThread& county, std::unique_ptr<MediaFiles> files, Clock& clock, Random& random,
            std::function<void(std::string_view, ErrorCode)> tell_refused);
  ~MediaDoor();

  std::shared_ptr<rpc::StreamHandler> on_open(std::shared_ptr<rpc::SyncStream> stream);
  void on_shutdown();

  /// To be called every few seconds. Any thread.
  void tick();
  /// Blocks while a file is written. Any thread but the door's own.
  MediaFigures figures();
  /// Ends the door's thread. The county's may still run.
  void stop();

 private:
  class Line;
  class Handler;
  class Questions;

  const std::unique_ptr<MediaFiles> files_;
  const std::unique_ptr<Questions> questions_;
  MediaDesk desk_;                                                      // the thread's
  std::unordered_map<MediaDesk::CallId, std::unique_ptr<Line>> lines_;  // the thread's
  TaskThread thread_;
};

}  // namespace gridwhistle::app
