#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <list>
#include <memory>
#include <utility>

#include "base/grpc_frames.h"
#include "base/rpc_names.h"
#include "gridwhistle/default_ports.h"
#include "ports/call_status.h"
#include "ports/pinned_channel.h"
#include "ports/stream_call.h"

namespace gridwhistle {
namespace {

class OwnedCall final : public Call {
 public:
  explicit OwnedCall(std::shared_ptr<StreamCall> call) : call_(std::move(call)) {}
  ~OwnedCall() override { call_->detach(); }
  void send(std::string frame) override { call_->send(std::move(frame)); }
  void finish_sending() override { call_->finish_sending(); }

 private:
  const std::shared_ptr<StreamCall> call_;
};

// One `Enrol` call. Holds itself until gRPC is done with it and its answer has been told.
class Question : public std::enable_shared_from_this<Question> {
 public:
  using Done = std::function<void(Result<std::string>)>;

  Question(std::shared_ptr<Link> link, Done done)
      : link_(std::move(link)), line_(link_->get()), done_(std::move(done)) {}

  void ask(const std::string& request) {
    self_ = shared_from_this();
    link_->call_begins();
    request_ = to_buffer(request);
    context_.set_deadline(std::chrono::system_clock::now() + link_->options().enrol_timeout);
    grpc::GenericStub(line_.channel)
        .UnaryCall(&context_, rpc_names::kEnrolMethod, {}, &request_, &reply_,
                   [this](const grpc::Status& status) { answered(status); });
  }

  /// The executor's thread. Nobody is told the answer.
  void detach() {
    done_ = nullptr;
    context_.TryCancel();
  }

 private:
  // The task takes along all that holds the channel; see Link.
  void answered(const grpc::Status& status) {
    const auto link = link_;
    PinnedChannel failed;
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !code_from_server(context_)) {
      failed = link->take_failed(line_.channel.get());
    }
    link->executor().post(
        [self = std::move(self_), failed = std::move(failed),
         outcome = outcome_of(status, context_, line_.wrong_key->load())] { self->tell(outcome); });
    link->call_ended();
  }

  void tell(const Result<void>& outcome) {
    const Done done = std::exchange(done_, nullptr);
    if (!done) return;
    if (outcome) return done(to_frame(reply_));
    done(std::unexpected(outcome.error()));
  }

  const std::shared_ptr<Link> link_;
  const PinnedChannel line_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  std::shared_ptr<Question> self_;  ///< until gRPC is done
  Done done_;                       ///< the executor's thread
};

class GrpcTransport final : public Transport {
 public:
  GrpcTransport(ServerAddress server, Executor& executor, TransportOptions options)
      : link_(std::make_shared<Link>(std::move(server), executor, options)) {}

  ~GrpcTransport() override {
    for (const auto& question : questions_) {
      if (const auto open = question.lock()) open->detach();
    }
    link_->close();
  }

  std::unique_ptr<Call> sync(CallEvents events) override {
    return begin(rpc_names::kSyncMethod, std::move(events));
  }

  std::unique_ptr<Call> media(CallEvents events) override {
    return begin(rpc_names::kMediaMethod, std::move(events));
  }

  void enrol(std::string request, Question::Done done) override {
    std::erase_if(questions_, [](const auto& question) { return question.expired(); });
    auto question = std::make_shared<Question>(link_, std::move(done));
    questions_.push_back(question);
    question->ask(request);
  }

 private:
  std::unique_ptr<Call> begin(const char* method, CallEvents events) {
    auto call = std::make_shared<StreamCall>(link_, method, std::move(events));
    call->start();
    return std::make_unique<OwnedCall>(std::move(call));
  }

  const std::shared_ptr<Link> link_;
  std::list<std::weak_ptr<Question>> questions_;
};

}  // namespace

Result<std::unique_ptr<Transport>> grpc_transport(ServerAddress server, Executor& executor,
                                                  TransportOptions options) {
  if (server.key_sha256.size() != 32) {
    return fail(ErrorCode::kInvalid, "the server's key is pinned by a SHA-256 of 32 bytes",
                "key hash bytes " + std::to_string(server.key_sha256.size()));
  }
  if (server.host_and_port.empty()) {
    return fail(ErrorCode::kInvalid, "the server's address is missing");
  }
  return std::make_unique<GrpcTransport>(std::move(server), executor, options);
}

}  // namespace gridwhistle
