#include <algorithm>
#include <deque>
#include <utility>

#include "base/p256.h"
#include "client/state.h"
#include "wire/frames.h"

// Carrying out what the session wants. On the executor's thread, with the lock held.
namespace gridwhistle {

namespace {

SyncState session_state(const store::SyncState& file, bool compare_due) {
  SyncState state;
  state.compare_due = compare_due;
  state.device = file.device;
  state.has_succeeded = file.has_succeeded;
  for (std::size_t i = 0; i < kLaneCount; ++i) {
    state.lanes[i] = {file.lanes[i].noted, file.lanes[i].last, file.lanes[i].first};
  }
  state.cursor.set_seq(file.cursor.value);
  state.cursor.set_complete(file.complete.value);
  state.cursor.set_urgent(file.urgent.value);
  state.cursor.set_reached(file.reached.value);
  for (const store::ScopeProgress& scope : file.exceptions) {
    v1::ScopeCursor& cursor = *state.cursor.add_exceptions();
    cursor.set_scope(scope.scope);
    cursor.set_seq(scope.seq.value);
  }
  state.own_since = file.own_since;
  for (const store::EpochSeen& epoch : file.epochs) state.epochs.push_back(epoch.id);
  for (const store::GrantHeld& grant : file.grants) state.scopes.push_back(grant.scope);
  state.grants_version = file.grants_version;
  state.unsent = file.unsent;
  return state;
}

/// Whether the server's history parted from this file's: less is acknowledged or read than before.
bool went_back(const store::SyncState& before, const store::SyncState& after) {
  if (after.cursor < before.cursor || after.complete < before.complete) return true;
  for (const store::ScopeProgress& lag : after.exceptions) {
    const auto said = std::ranges::find(before.exceptions, lag.scope, &store::ScopeProgress::scope);
    if (said != before.exceptions.end() && lag.seq < said->seq) return true;
  }
  for (std::size_t i = 0; i < kLaneCount; ++i) {
    if (after.lanes[i].noted < before.lanes[i].noted) return true;
  }
  return false;
}

}  // namespace

void ClientState::perform(SyncActions actions) {
  std::deque<SyncAction> todo(std::make_move_iterator(actions.begin()),
                              std::make_move_iterator(actions.end()));
  while (!todo.empty()) {
    const SyncAction action = std::move(todo.front());
    todo.pop_front();
    const std::uint64_t call = session_.call_number();
    SyncActions more = carry_out(action);
    // What was to follow on a call that is over has lost its meaning.
    if (call != session_.call_number()) todo.clear();
    std::ranges::move(more, std::back_inserter(todo));
  }
  arm_timer();
  media_.look();
}

SyncActions ClientState::carry_out(const SyncAction& action) {
  if (std::holds_alternative<OpenCall>(action)) return do_open();
  if (const auto* succeed = std::get_if<Succeed>(&action)) return do_succeed(succeed->is_unknown);
  if (const auto* hello = std::get_if<SendHello>(&action)) return do_hello(hello->hello);
  if (const auto* read = std::get_if<ReadOperations>(&action)) return do_read(*read);
  if (const auto* send = std::get_if<Send>(&action)) {
    if (call_) call_->send(send->frame);
  } else if (std::holds_alternative<FinishSending>(action)) {
    if (call_) call_->finish_sending();
  } else if (std::holds_alternative<ReadDigests>(action)) {
    const auto digests = store_->digests();
    return digests ? session_.digests(*digests) : session_.store_failed(digests.error(), now_ms());
  } else if (const auto* ranges = std::get_if<ReadContents>(&action)) {
    const auto contents = store_->contents(ranges->ranges);
    return contents ? session_.contents(*contents)
                    : session_.store_failed(contents.error(), now_ms());
  } else if (std::holds_alternative<StoreCompared>(action)) {
    return after_store(store_->note_compared());
  } else if (std::holds_alternative<MakeDurable>(action)) {
    return after_store(store_->make_durable());
  } else if (const auto* welcome = std::get_if<StoreWelcome>(&action)) {
    return do_welcome(welcome->welcome);
  } else if (const auto* acks = std::get_if<StoreAcks>(&action)) {
    return after_store(store_->acknowledge(acks->acks));
  } else if (const auto* cut = std::get_if<StoreCut>(&action)) {
    return after_store(store_->apply_cut(cut->cut));
  } else if (const auto* caught_up = std::get_if<StoreCaughtUp>(&action)) {
    note_line(std::nullopt);
    auto after = after_store(store_->caught_up(caught_up->upto));
    if (after.empty()) media_.caught_up();
    return after;
  } else if (std::holds_alternative<CloseCall>(action)) {
    do_close();
  } else if (const auto* finished = std::get_if<Finished>(&action)) {
    do_finished(finished->how);
  }
  return {};
}

Result<void> ClientState::connect(const ServerAddress& server) {
  auto transport = options_.connect(server);
  if (!transport) return std::unexpected(std::move(transport.error()));
  strand_->release(std::exchange(transport_, std::shared_ptr<Transport>(std::move(*transport))));
  return {};
}

Result<void> ClientState::connect_if_needed() {
  if (transport_) return {};
  return connect({enrolment_->server_address, enrolment_->server_key_sha256});
}

SyncActions ClientState::do_open() {
  if (poisoned_) {
    return session_.open_failed({ErrorCode::kPoisoned, poisoned_->message, ""}, now_ms());
  }
  const auto file = store_->sync_state();
  if (!file) return session_.open_failed(file.error(), now_ms());
  if (!file->enrolment) {
    return session_.open_failed(
        {ErrorCode::kNotEnrolled, "this device is not enrolled: ask the operator for a code", ""},
        now_ms());
  }
  if (const auto connected = connect_if_needed(); !connected) {
    return session_.open_failed(connected.error(), now_ms());
  }
  ++call_number_;
  call_ = transport_->sync(events_of_call());
  const auto due = store_->compare_due();
  return session_.opened(session_state(*file, due.value_or(false)), now_ms());
}

CallEvents ClientState::events_of_call() {
  CallEvents events;
  const std::weak_ptr<ClientState> weak = weak_from_this();
  // The transport calls on the executor's thread, but not inside a task of the strand.
  events.on_frame = [weak, number = call_number_](std::string frame) {
    const auto self = weak.lock();
    if (!self) return;
    const auto lock = self->strand_->lock();
    if (self->strand_->ended() || number != self->call_number_) return;
    try {
      self->on_frame(frame);
    } catch (const std::exception& broken) {
      self->poison(fault_of(broken));
    }
  };
  events.on_end = [weak, number = call_number_](Result<void> how) {
    const auto self = weak.lock();
    if (!self) return;
    const auto lock = self->strand_->lock();
    if (self->strand_->ended() || number != self->call_number_) return;
    try {
      self->perform(self->session_.ended(how, self->now_ms()));
    } catch (const std::exception& broken) {
      self->poison(fault_of(broken));
    }
  };
  return events;
}

void ClientState::on_frame(const std::string& frame) {
  const Result<Down> decoded = decode_down(*build_.schema, frame);
  if (!decoded) {
    perform(session_.bad_frame(decoded.error(), now_ms()));
    return;
  }
  const std::uint64_t asked_ms = session_.not_before_ms();
  SyncActions actions = session_.frame(*decoded, frame.size(), now_ms());
  if (session_.not_before_ms() != asked_ms) note_wait();
  perform(std::move(actions));
}

// For a phone that restarts meanwhile. A file that cannot be written says so itself with the next
// write, and what is short is not worth one.
void ClientState::note_wait() {
  constexpr std::uint64_t kWorthKeepingMs = 60'000;
  const ClockReading now = options_.clock->now();
  const std::uint64_t until_ms = session_.not_before_ms();
  // A shorter one replaces a longer that was kept.
  const auto kept_ms = store_->wait_left_ms(now);
  const bool is_kept = kept_ms && *kept_ms > 0;
  if (until_ms < now.boot_ms + kWorthKeepingMs && !is_kept) return;
  static_cast<void>(store_->note_wait(until_ms - std::min(until_ms, now.boot_ms), now));
}

Result<void> ClientState::resume_wait(const store::SyncState& file) {
  const ClockReading now = options_.clock->now();
  const auto left_ms = store_->wait_left_ms(now);
  if (!left_ms) return std::unexpected(left_ms.error());
  session_.resume(session_state(file, false).lanes, *left_ms, now.boot_ms);
  return {};
}

SyncActions ClientState::do_hello(v1::Hello hello) {
  if (auto durable = store_->make_durable(); !durable) return after_store(durable);
  const auto counter = store_->next_call_counter();
  if (!counter) return session_.store_failed(counter.error(), now_ms());
  const ClockReading clock = options_.clock->now();
  hello.set_protocol(build_.protocol);
  hello.set_call_counter(*counter);
  hello.set_wall_ms(clock.wall_ms);
  hello.set_boot_ms(clock.boot_ms);
  hello.set_boot_id(clock.boot_id);
  const auto signature = options_.secrets->sign(
      store_->key_name(), hello_to_sign(hello, enrolment_->server_key_sha256));
  if (!signature) return session_.store_failed(signature.error(), now_ms());
  hello.set_signature(compact_signature(*signature));
  call_->send(encode(hello));
  return {};
}

SyncActions ClientState::do_read(const ReadOperations& read) {
  const auto operations = store_->operations(read.lane, read.after, read.bytes_max);
  if (!operations) return session_.store_failed(operations.error(), now_ms());
  if (!operations->empty()) store_->note_sent(read.lane, operations->back().lane_seq);
  return session_.operations(read.lane, *operations);
}

SyncActions ClientState::do_welcome(const v1::Welcome& welcome) {
  const auto before = store_->sync_state();
  if (!before) return session_.store_failed(before.error(), now_ms());
  const auto stored = store_->welcome(welcome, options_.clock->now());
  if (!stored) return after_store(stored);
  const auto after = store_->sync_state();
  if (!after) return session_.store_failed(after.error(), now_ms());
  // What the Hello said of this file is no longer so.
  if (went_back(*before, *after)) return session_.restart(now_ms());
  return {};
}

SyncActions ClientState::after_store(const Result<void>& stored) {
  if (stored) return {};
  if (stored.error().code == ErrorCode::kInternal) poison(stored.error());
  return session_.store_failed(stored.error(), now_ms());
}

void ClientState::do_close() {
  ++call_number_;
  strand_->release(std::exchange(call_, nullptr));
  store_->note_call_ended();
}

// A file that cannot be written says so itself with the next write.
void ClientState::note_line(const std::optional<Error>& error) {
  static_cast<void>(store_->note_line(error));
}

void ClientState::do_finished(const Result<void>& how) {
  if (!how) note_line(how.error());
  Result<SyncReport> report = session_.report();
  if (!how) report = std::unexpected(how.error());
  for (auto& [question, waiting] : std::exchange(waiting_, {})) {
    answer(question, [done = std::move(waiting), report] { done(report); });
  }
}

void ClientState::sync_once(const SyncOptions& options,
                            std::function<void(Result<SyncReport>)> done) {
  ask(
      [this, options, done](std::uint64_t question) {
        waiting_.emplace(question, done);
        tell_recorded();
        perform(session_.sync_once(options, now_ms()));
      },
      [done](const Error& error) { done(std::unexpected(error)); });
}

void ClientState::arm_timer() {
  const std::optional<std::uint64_t> wake_ms = session_.wake_ms();
  if (wake_ms == timer_ms_) return;
  if (timer_ms_) strand_->cancel(timer_);
  timer_ms_ = wake_ms;
  if (!wake_ms) return;
  const std::uint64_t now = now_ms();
  const std::chrono::milliseconds delay(*wake_ms > now ? *wake_ms - now : 0);
  timer_ = strand_->post_after(delay, [this] {
    timer_ms_.reset();
    perform(session_.tick(now_ms()));
  });
}

}  // namespace gridwhistle
