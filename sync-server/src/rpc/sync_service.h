#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "rpc/call_budget.h"
#include "rpc/handler.h"
#include "rpc/stream.h"

namespace gridwhistle::rpc {

/// `SyncService` as bytes: registers its two methods without generated code, so that frames reach
/// the handler unparsed and no rule of protobuf's comes before ours.
class SyncServiceAdapter final : public grpc::Service {
 public:
  SyncServiceAdapter(RpcHandler& handler, StreamLimits limits, std::size_t streams_max);

  /// Any thread. Every call from now on ends with kUnavailable.
  void refuse_new_calls() { refusing_ = true; }
  /// Blocks until every call's last event has come.
  void wait_until_idle();

  enum class CallKind : std::uint8_t { kSync, kMedia, kEnrol };
  using SyncReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  /// A stream of either service.
  SyncReactor* open(grpc::CallbackServerContext& context, CallKind kind);

 private:
  grpc::ServerUnaryReactor* enrol(grpc::CallbackServerContext& context,
                                  const grpc::ByteBuffer& request, grpc::ByteBuffer& reply);
  Result<void> admit(const std::string& peer, CallKind kind);
  /// A call that was let in, or, as kEnrol, one that was turned away.
  void ended(CallKind kind);

  RpcHandler& handler_;
  const StreamLimits limits_;
  const std::size_t streams_max_;
  CallBudget budget_;
  std::atomic<bool> refusing_ = false;
  std::atomic<std::uint64_t> last_id_ = 0;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t streams_ = 0;
  std::size_t media_streams_ = 0;
  std::size_t calls_ = 0;
};

/// The same of `MediaService`; the other one counts its calls.
class MediaServiceAdapter final : public grpc::Service {
 public:
  explicit MediaServiceAdapter(SyncServiceAdapter& calls);
};

}  // namespace gridwhistle::rpc
