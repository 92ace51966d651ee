#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gridwhistle/ports.h"
#include "ports/pinned_channel.h"

namespace gridwhistle {

/// One call that streams both ways. Lives until gRPC is done with it, which may be after its owner
/// has gone: then it is detached and tells nobody anything.
///
/// gRPC's threads and the owner's share it. `mutex_` guards the state; gRPC itself is called
/// outside the lock, by whoever set `writing_`, `reading_` or took the hold.
class StreamCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  /// `method` is one of rpc_names.
  StreamCall(std::shared_ptr<Link> link, const char* method, CallEvents events);

  /// Once, first.
  void start();
  /// Any thread.
  void send(std::string frame);
  void finish_sending();
  /// Cancels the call; no event comes afterwards.
  void detach();

 private:
  void OnWriteDone(bool ok) override;
  void OnWritesDoneDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  void write_next();
  void written();
  void deliver(std::string frame);
  void consumed(std::size_t bytes);
  void tell_end(Result<void> how);
  void release_hold_if_over();

  const std::shared_ptr<Link> link_;
  const PinnedChannel line_;
  const char* const method_;
  const std::size_t frame_bytes_max_;
  grpc::ClientContext context_;
  grpc::ByteBuffer outgoing_;
  grpc::ByteBuffer incoming_;
  std::shared_ptr<StreamCall> self_;  ///< until OnDone

  std::mutex mutex_;
  std::shared_ptr<const CallEvents> events_;  ///< null once detached or told the end
  std::deque<std::string> queue_;
  std::size_t unconsumed_bytes_ = 0;  ///< read, but not yet taken by the owner
  std::optional<Error> own_failure_;  ///< why this side gave up
  bool finish_wanted_ = false;
  bool finish_sent_ = false;
  bool writing_ = false;
  bool reading_ = true;
  bool over_ = false;  ///< nothing more will come: no new write may begin
  bool holding_ = true;
};

}  // namespace gridwhistle
