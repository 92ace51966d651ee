#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gridwhistle/status.h"

// What the rest of the server sees of the network. A frame is a serialized `v1::Up` or `v1::Down`;
// nothing here looks inside.
namespace gridwhistle::rpc {

/// One open call, as the server writes to it. Any thread; never blocks. Once the call is
/// over everything here is without effect.
class SyncStream {
 public:
  virtual ~SyncStream() = default;

  /// Another number for each call of this process.
  virtual std::uint64_t id() const = 0;

  /// Queues a frame. Whoever sends while `writable` is false and goes on doing so ends the call
  /// with kBusy once `outgoing_bytes_max` are queued.
  virtual void send(std::string frame) = 0;

  /// Whether the phone keeps up. When it becomes true again, `on_drained` says so.
  virtual bool writable() const = 0;

  /// No frame is delivered until `resume`, but one may be on its way already.
  virtual void pause() = 0;
  virtual void resume() = 0;

  /// Ends the call when everything queued has been sent. An error's code and message travel to the
  /// phone; its detail does not.
  virtual void close(Result<void> how = {}) = 0;
};

/// What happens to one call. gRPC's threads; must not block. One event at a time, but `on_drained`,
/// which may come beside the others.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void on_frame(std::string frame) = 0;
  /// The phone will send nothing more.
  virtual void on_half_close() = 0;
  virtual void on_drained() = 0;
  /// The call is over, whoever ended it. Once, last.
  virtual void on_closed() = 0;
};

/// The server behind the network. gRPC's threads, many at a time; must not block. Outlives the
/// RpcServer.
class RpcHandler {
 public:
  using Reply = std::function<void(Result<std::string>)>;

  virtual ~RpcHandler() = default;

  /// A phone calls. Nothing refuses it; then the call ends with kUnavailable.
  virtual std::shared_ptr<StreamHandler> on_open(std::shared_ptr<SyncStream> stream) = 0;

  /// A phone calls to bring or fetch attachments' bytes; frames are `v1::MediaUp` and
  /// `v1::MediaDown`. As above; a handler that carries none takes no such calls.
  virtual std::shared_ptr<StreamHandler> on_open_media(std::shared_ptr<SyncStream> stream) {
    static_cast<void>(stream);
    return nullptr;
  }

  /// A serialized `v1::EnrolRequest`, to be answered once, from any thread, by a `v1::EnrolReply`.
  /// A reply that is dropped instead of called ends the call with kInternal.
  virtual void enrol(std::string request, Reply reply) = 0;

  /// The server is about to stop: send what there is, and close the streams.
  virtual void on_shutdown() = 0;
};

}  // namespace gridwhistle::rpc
