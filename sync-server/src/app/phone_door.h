#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "app/county_thread.h"
#include "rpc/handler.h"

namespace gridwhistle::app {

/// Between the network's threads and the county's: carries frames one way and sinks the other.
/// When more waits than the county can swallow soon, the calls that bring it are paused.
class PhoneDoor : public rpc::RpcHandler {
 public:
  /// Bytes of frames that may wait for the county; a few seconds of its work.
  static constexpr std::size_t kWaitingBytesHigh = 64 << 20;
  static constexpr std::size_t kWaitingBytesLow = 32 << 20;

  /// `thread` outlives the door's last call.
  explicit PhoneDoor(CountyThread& thread);
  ~PhoneDoor() override;

  std::shared_ptr<rpc::StreamHandler> on_open(std::shared_ptr<rpc::SyncStream> stream) override;
  void enrol(std::string request, Reply reply) override;
  void on_shutdown() override;

 private:
  class Stream;
  class StreamSink;

  void forget(ConnectionId id);
  void resume_paused(County& county);

  CountyThread& thread_;
  std::atomic<std::size_t> posted_bytes_ = 0;  ///< not with the county yet
  std::atomic<std::size_t> queued_bytes_ = 0;  ///< with the county, as of its last word
  std::mutex mutex_;
  std::vector<std::weak_ptr<rpc::SyncStream>> paused_;                   // guarded by mutex_
  std::unordered_map<ConnectionId, std::unique_ptr<StreamSink>> sinks_;  // the county's thread
};

}  // namespace gridwhistle::app
