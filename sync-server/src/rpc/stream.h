#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "rpc/handler.h"

namespace gridwhistle::rpc {

struct StreamLimits {
  std::size_t frame_bytes_max;
  std::size_t outgoing_bytes_high;
  std::size_t outgoing_bytes_max;
};

/// One `Sync` call on the server. gRPC owns it until OnDone; handlers may keep it longer, as an
/// object without effect.
///
/// `mutex_` guards the state; gRPC and the handler are called outside of it. `Finish` comes once,
/// when nothing is being written or begun.
class Stream final : public SyncStream,
                     public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::uint64_t id, grpc::CallbackServerContext& context, StreamLimits limits,
         std::function<void()> done);

  /// Once, first. Without a handler the call must be closed already.
  void start(std::shared_ptr<StreamHandler> handler);

  std::uint64_t id() const override { return id_; }
  void send(std::string frame) override;
  bool writable() const override;
  void pause() override;
  void resume() override;
  void close(Result<void> how) override;

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void wish_to_read();  ///< under the lock; `begin_read` must follow, outside
  void begin_read();
  void advance();

  const std::uint64_t id_;
  grpc::CallbackServerContext& context_;
  const StreamLimits limits_;
  const std::function<void()> done_;
  std::shared_ptr<Stream> self_;  ///< until OnDone
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;

  mutable std::mutex mutex_;
  std::shared_ptr<StreamHandler> handler_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  std::optional<Result<void>> closing_;
  bool drain_wanted_ = false;  ///< the handler has seen `writable` false
  bool paused_ = false;
  bool reading_ = false;  ///< stays true after the last read
  int reads_beginning_ = 0;
  bool headers_sent_ = false;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

}  // namespace gridwhistle::rpc
