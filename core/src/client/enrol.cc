#include <utility>

#include "base/limits.h"
#include "client/state.h"
#include "gridwhistle/v1/sync.pb.h"
#include "wire/frames.h"

namespace gridwhistle {

void ClientState::enrol(const EnrolmentCode& code, const std::string& device_name,
                        std::function<void(Result<void>)> done) {
  ask([this, code, device_name,
       done](std::uint64_t question) { enrol_now(question, code, device_name, done); },
      [done](const Error& error) { done(std::unexpected(error)); });
}

void ClientState::enrol_now(std::uint64_t question, const EnrolmentCode& code,
                            const std::string& device_name,
                            std::function<void(Result<void>)> done) {
  const auto tell = [this, question, done = std::move(done)](Result<void> how) {
    answer(question, [done, how = std::move(how)] { done(how); });
  };
  if (const auto error = unusable(true)) return tell(std::unexpected(*error));
  const auto request = enrol_request(code, device_name);
  if (!request) return tell(std::unexpected(request.error()));
  auto transport = options_.connect(code.server);
  if (!transport) return tell(std::unexpected(std::move(transport.error())));
  const std::shared_ptr<Transport> line = std::move(*transport);
  enrolling_.emplace(question, line);
  const std::weak_ptr<ClientState> weak = weak_from_this();
  line->enrol(*request, [weak, question, code, tell](Result<std::string> reply) {
    const auto self = weak.lock();
    if (!self) return;
    const auto lock = self->strand_->lock();
    if (self->strand_->ended()) return;
    try {
      tell(self->enrolled(question, code, reply));
    } catch (const std::exception& broken) {
      self->poison(fault_of(broken));
      tell(std::unexpected(fault_of(broken)));
    }
  });
}

Result<std::string> ClientState::enrol_request(const EnrolmentCode& code,
                                               const std::string& device_name) {
  const auto public_key = options_.secrets->public_key(store_->key_name());
  if (!public_key) return std::unexpected(public_key.error());
  v1::EnrolRequest request;
  request.set_code(code.code);
  request.set_public_key(*public_key);
  request.set_device(store_->device().value);
  request.set_device_name(device_name.substr(0, limits::kLabelBytes));
  if (const auto state = store_->sync_state(); state && state->enrolment) {
    const auto not_safe = store_->not_safe_yet();
    if (!not_safe) return std::unexpected(not_safe.error());
    request.set_unsent(*not_safe);
    request.set_worker(std::string(state->enrolment->worker.bytes()));
  }
  const auto signature =
      options_.secrets->sign(store_->key_name(), enrol_to_sign(request, code.server.key_sha256));
  if (!signature) return std::unexpected(signature.error());
  request.set_signature(*signature);
  return request.SerializeAsString();
}

Result<void> ClientState::enrolled(std::uint64_t question, const EnrolmentCode& code,
                                   const Result<std::string>& reply) {
  const auto asked = enrolling_.extract(question);
  const std::shared_ptr<Transport> line = asked.empty() ? nullptr : asked.mapped();
  strand_->release(line);
  if (!reply) return std::unexpected(reply.error());
  v1::EnrolReply said;
  if (!said.ParseFromString(*reply)) {
    return fail(ErrorCode::kProtocol, "the server's answer cannot be read", "enrol reply");
  }
  if (said.code() != 0) {
    return fail(static_cast<ErrorCode>(said.code()), said.message(), "enrolment refused");
  }
  const auto worker = RecordId::from_bytes(said.worker());
  if (!worker || said.county().empty() || said.short_code().empty()) {
    return fail(ErrorCode::kProtocol, "the server's answer is incomplete", "enrol reply");
  }
  const store::Enrolment enrolment{said.county(), *worker, said.short_code(),
                                   code.server.key_sha256, code.server.host_and_port};
  if (const auto kept = store_->set_enrolment(enrolment); !kept) return kept;
  enrolment_ = enrolment;
  note_line(std::nullopt);
  // What another server asked for says nothing of this one.
  session_.forget_wait();
  static_cast<void>(store_->note_wait(0, options_.clock->now()));
  // Whatever call is open was begun with the server of before.
  const bool live = session_.live_wanted();
  perform(session_.stop());
  media_.stop();
  strand_->release(std::exchange(transport_, line));
  if (live) start_live();
  return {};
}

Result<std::string> ClientState::succession_request(const store::Succession& plan) {
  const auto public_key = options_.secrets->public_key(plan.key_name);
  if (!public_key) return std::unexpected(public_key.error());
  v1::EnrolRequest request;
  request.set_public_key(*public_key);
  request.set_device(plan.successor.value);
  request.set_worker(std::string(enrolment_->worker.bytes()));
  request.set_predecessor(plan.predecessor.value);
  request.set_dev_seq(plan.dev_seq.value);
  for (const v1::UnsettledLane& lane : plan.lanes) *request.add_unsettled() = lane;
  const std::string_view server_key = enrolment_->server_key_sha256;
  const auto vouched =
      options_.secrets->sign(plan.predecessor_key, succession_to_sign(request, server_key));
  if (!vouched) return std::unexpected(vouched.error());
  request.set_predecessor_signature(*vouched);
  const auto signature = options_.secrets->sign(plan.key_name, enrol_to_sign(request, server_key));
  if (!signature) return std::unexpected(signature.error());
  request.set_signature(*signature);
  return request.SerializeAsString();
}

SyncActions ClientState::do_succeed(bool is_unknown) {
  numbers_back_ = 0;
  return ask_to_succeed(is_unknown ? store_->plan_return(0) : store_->plan_succession());
}

SyncActions ClientState::ask_to_succeed(const Result<store::Succession>& plan) {
  if (!plan) return session_.store_failed(plan.error(), now_ms());
  const auto request = succession_request(*plan);
  if (!request) return session_.store_failed(request.error(), now_ms());
  const std::weak_ptr<ClientState> weak = weak_from_this();
  transport_->enrol(*request,
                    [weak, plan = *plan, number = call_number_](Result<std::string> reply) {
                      const auto self = weak.lock();
                      if (!self) return;
                      const auto lock = self->strand_->lock();
                      if (self->strand_->ended() || number != self->call_number_) return;
                      try {
                        self->perform(self->succeeded(plan, reply));
                      } catch (const std::exception& broken) {
                        self->poison(fault_of(broken));
                      }
                    });
  return {};
}

SyncActions ClientState::succeeded(const store::Succession& plan,
                                   const Result<std::string>& reply) {
  if (!reply) return session_.open_failed(reply.error(), now_ms());
  v1::EnrolReply said;
  const bool is_whole = said.ParseFromString(*reply) &&
                        (said.code() != 0 || (said.worker() == enrolment_->worker.bytes() &&
                                              !said.short_code().empty()));
  if (!is_whole) {
    return session_.open_failed(
        {ErrorCode::kProtocol, "the server's answer cannot be read", "succession reply"}, now_ms());
  }
  const auto code = static_cast<ErrorCode>(said.code());
  // The numbers that a restored server knows no more are told to it again, the oldest first.
  if (plan.is_return && code == ErrorCode::kNotEnrolled && store_->plan_return(numbers_back_ + 1)) {
    return ask_to_succeed(store_->plan_return(++numbers_back_));
  }
  if (said.code() != 0) {
    return session_.open_failed({code, said.message(), "succession refused"}, now_ms());
  }
  if (plan.is_return && numbers_back_ > 0)
    return ask_to_succeed(store_->plan_return(--numbers_back_));
  const auto stored =
      plan.is_return ? store_->returned(said) : store_->succeed(plan.successor, said);
  if (!stored) return after_store(stored);
  enrolment_->short_code = said.short_code();
  return session_.succeeded(now_ms());
}

}  // namespace gridwhistle
