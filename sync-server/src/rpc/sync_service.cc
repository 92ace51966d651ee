#include "rpc/sync_service.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

#include <utility>

#include "base/grpc_frames.h"
#include "base/rpc_names.h"
#include "rpc/call_error.h"
#include "rpc/hang_up.h"

namespace gridwhistle::rpc {
namespace {

// Twice what the desk behind takes: those above hear when to come back, the rest is shut out.
constexpr std::size_t kMediaStreamsMax = 512;

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

// A `Sync` call that is turned away: it costs no more than its answer.
class RefusedCall final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  RefusedCall(const grpc::Status& why, std::function<void()> done) : done_(std::move(done)) {
    Finish(why);
  }
  void OnDone() override {
    const auto done = std::move(done_);
    delete this;
    done();
  }

 private:
  std::function<void()> done_;
};

}  // namespace

SyncServiceAdapter::SyncServiceAdapter(RpcHandler& handler, StreamLimits limits,
                                       std::size_t streams_max)
    : handler_(handler), limits_(limits), streams_max_(streams_max) {
  AddMethod(new RpcServiceMethod(rpc_names::kSyncMethod, RpcMethod::BIDI_STREAMING, nullptr));
  MarkMethodRawCallback(
      0, new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(
             [this](CallbackServerContext* context) { return open(*context, CallKind::kSync); }));
  AddMethod(new RpcServiceMethod(rpc_names::kEnrolMethod, RpcMethod::NORMAL_RPC, nullptr));
  MarkMethodRawCallback(
      1, new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
             [this](CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* reply) {
               return enrol(*context, *request, *reply);
             }));
}

MediaServiceAdapter::MediaServiceAdapter(SyncServiceAdapter& calls) {
  AddMethod(new RpcServiceMethod(rpc_names::kMediaMethod, RpcMethod::BIDI_STREAMING, nullptr));
  MarkMethodRawCallback(0, new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(
                               [&calls](CallbackServerContext* context) {
                                 return calls.open(*context, SyncServiceAdapter::CallKind::kMedia);
                               }));
}

SyncServiceAdapter::SyncReactor* SyncServiceAdapter::open(CallbackServerContext& context,
                                                          CallKind kind) {
  if (const auto admitted = admit(context.peer(), kind); !admitted) {
    return new RefusedCall(end_call(context, admitted), [this] { ended(CallKind::kEnrol); });
  }
  auto stream =
      std::make_shared<Stream>(++last_id_, context, limits_, [this, kind] { ended(kind); });
  std::shared_ptr<StreamHandler> handler =
      kind == CallKind::kSync ? handler_.on_open(stream) : handler_.on_open_media(stream);
  if (!handler) stream->close(fail(ErrorCode::kUnavailable, "the server takes no calls now"));
  stream->start(std::move(handler));
  return stream.get();
}

grpc::ServerUnaryReactor* SyncServiceAdapter::enrol(CallbackServerContext& context,
                                                    const ByteBuffer& request, ByteBuffer& reply) {
  auto admitted = admit(context.peer(), CallKind::kEnrol);
  auto* reactor = context.DefaultReactor();
  auto answer =
      std::make_shared<Answer>(context, *reactor, reply, [this] { ended(CallKind::kEnrol); });
  if (!admitted) {
    answer->give(std::unexpected(std::move(admitted.error())));
  } else {
    handler_.enrol(to_frame(request), [answer](Result<std::string> given) { answer->give(given); });
  }
  return reactor;
}

// Every call that has begun is counted until it has ended; of streams only those that were let in:
// whoever is turned away takes no phone's place.
Result<void> SyncServiceAdapter::admit(const std::string& peer, CallKind kind) {
  const auto answer = budget_.take(peer, std::chrono::steady_clock::now());
  if (answer == CallBudget::Answer::kToBeEnded) hang_up(peer);
  const std::lock_guard lock(mutex_);
  ++calls_;
  if (refusing_) return fail(ErrorCode::kUnavailable, "the server is stopping");
  if (answer != CallBudget::Answer::kBegins) {
    return fail(ErrorCode::kBusy, "too many calls on one connection; try again later");
  }
  if (kind == CallKind::kEnrol) return {};
  const bool media = kind == CallKind::kMedia;
  if (media ? media_streams_ >= kMediaStreamsMax : streams_ >= streams_max_) {
    return fail(ErrorCode::kBusy, "the server has as many phones as it can serve; try again later");
  }
  ++(media ? media_streams_ : streams_);
  return {};
}

void SyncServiceAdapter::ended(CallKind kind) {
  const std::lock_guard lock(mutex_);
  if (kind == CallKind::kSync) --streams_;
  if (kind == CallKind::kMedia) --media_streams_;
  --calls_;
  if (calls_ == 0) idle_.notify_all();
}

void SyncServiceAdapter::wait_until_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return calls_ == 0; });
}

}  // namespace gridwhistle::rpc
