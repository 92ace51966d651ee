#include "rpc/sync_service.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

#include <utility>

#include "base/grpc_frames.h"
#include "base/rpc_names.h"
#include "rpc/call_error.h"

namespace gridwhistle::rpc {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::internal::RpcMethod;
using grpc::internal::RpcServiceMethod;

// Ends one `Enrol` call, once, or when the last who could has dropped it.
class Answer {
 public:
  Answer(CallbackServerContext& context, grpc::ServerUnaryReactor& reactor, ByteBuffer& reply,
         std::function<void()> done)
      : context_(context), reactor_(reactor), reply_(reply), done_(std::move(done)) {}
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() { give(fail(ErrorCode::kInternal, "the server gave no answer")); }

  void give(const Result<std::string>& reply) {
    if (given_.exchange(true)) return;
    Result<void> how;
    if (reply) {
      reply_ = to_buffer(*reply);
    } else {
      how = std::unexpected(reply.error());
    }
    // Once finished, the call and with it the reply are gRPC's.
    const auto done = done_;
    reactor_.Finish(end_call(context_, how));
    done();
  }

 private:
  CallbackServerContext& context_;
  grpc::ServerUnaryReactor& reactor_;
  ByteBuffer& reply_;
  const std::function<void()> done_;
  std::atomic<bool> given_ = false;
};

}  // namespace

SyncServiceAdapter::SyncServiceAdapter(RpcHandler& handler, StreamLimits limits,
                                       std::size_t streams_max)
    : handler_(handler), limits_(limits), streams_max_(streams_max) {
  AddMethod(new RpcServiceMethod(rpc_names::kSyncMethod, RpcMethod::BIDI_STREAMING, nullptr));
  MarkMethodRawCallback(0, new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(
                               [this](CallbackServerContext* context) { return open(*context); }));
  AddMethod(new RpcServiceMethod(rpc_names::kEnrolMethod, RpcMethod::NORMAL_RPC, nullptr));
  MarkMethodRawCallback(
      1, new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
             [this](CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* reply) {
               return enrol(*context, *request, *reply);
             }));
}

SyncServiceAdapter::SyncReactor* SyncServiceAdapter::open(CallbackServerContext& context) {
  const auto admitted = admit();
  begun();
  auto stream = std::make_shared<Stream>(++last_id_, context, limits_, [this] { ended(true); });
  std::shared_ptr<StreamHandler> handler;
  if (admitted) handler = handler_.on_open(stream);
  if (!handler) {
    stream->close(admitted ? fail(ErrorCode::kUnavailable, "the server takes no calls now")
                           : admitted);
  }
  stream->start(std::move(handler));
  return stream.get();
}

grpc::ServerUnaryReactor* SyncServiceAdapter::enrol(CallbackServerContext& context,
                                                    const ByteBuffer& request, ByteBuffer& reply) {
  {
    const std::lock_guard lock(mutex_);
    ++calls_;
  }
  auto* reactor = context.DefaultReactor();
  auto answer = std::make_shared<Answer>(context, *reactor, reply, [this] { ended(false); });
  if (refusing_) {
    answer->give(fail(ErrorCode::kUnavailable, "the server is stopping"));
  } else {
    handler_.enrol(to_frame(request), [answer](Result<std::string> given) { answer->give(given); });
  }
  return reactor;
}

Result<void> SyncServiceAdapter::admit() {
  if (refusing_) return fail(ErrorCode::kUnavailable, "the server is stopping");
  const std::lock_guard lock(mutex_);
  if (streams_ < streams_max_) return {};
  return fail(ErrorCode::kBusy, "the server has as many phones as it can serve; try again later");
}

void SyncServiceAdapter::begun() {
  const std::lock_guard lock(mutex_);
  ++streams_;
  ++calls_;
}

void SyncServiceAdapter::ended(bool stream) {
  const std::lock_guard lock(mutex_);
  if (stream) --streams_;
  --calls_;
  if (calls_ == 0) idle_.notify_all();
}

void SyncServiceAdapter::wait_until_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return calls_ == 0; });
}

}  // namespace gridwhistle::rpc
