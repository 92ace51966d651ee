#include "sync/session.h"

#include <algorithm>
#include <utility>

#include "base/line.h"
#include "wire/limits.h"

namespace gridwhistle {

namespace {

bool is_limited(const SyncOptions& options) { return options.metered || options.budget_bytes != 0; }

}  // namespace

SyncSession::SyncSession(SessionLabel label, Random& random)
    : label_(std::move(label)), random_(random) {}

void SyncSession::resume(const std::array<LaneProgress, kLaneCount>& lanes, std::uint64_t wait_ms,
                         std::uint64_t now_ms) {
  now_ms_ = now_ms;
  outbox_ = Outbox(lanes);
  put_off(wait_ms);
}

SyncActions SyncSession::sync_once(const SyncOptions& options, std::uint64_t now_ms) {
  now_ms_ = now_ms;
  once_until_ms_.reset();
  if (options.budget_ms > 0) once_until_ms_ = now_ms + options.budget_ms;
  if (call_open_) {
    // A live call is never over; what was asked of it is done when nothing is left to do.
    once_wanted_ = true;
    again_ = end_sent_ || (!live_ && is_limited(options_) && !is_limited(options));
    if (again_) options_next_ = options;
    SyncActions actions;
    settle(actions);
    return actions;
  }
  if (now_ms < earliest_ms()) {
    const std::uint64_t wait_ms = not_before_ms_ - now_ms;
    const std::string minutes = std::to_string((wait_ms + 59'999) / 60'000);
    return {Finished{
        fail(ErrorCode::kBusy,
             both("服务器请本机 " + minutes + " 分钟后再同步；内容都在本机，哨声可随时发送",
                  "the server asks this phone to wait: sync again in " + minutes +
                      " minutes; everything is safe on it, and whistles go at once"),
             "ms " + std::to_string(wait_ms))}};
  }
  once_wanted_ = true;
  options_ = options;
  return open(now_ms);
}

SyncActions SyncSession::go_live(std::uint64_t now_ms) {
  now_ms_ = now_ms;
  const bool was_live = std::exchange(live_wanted_, true);
  if (call_open_ || (was_live && phase_ == SyncPhase::kWaiting)) return {};
  if (now_ms < earliest_ms()) {
    phase_ = SyncPhase::kWaiting;
    retry_ms_ = not_before_ms_;
    return {};
  }
  return open(now_ms);
}

SyncActions SyncSession::stop() {
  live_wanted_ = false;
  phase_ = SyncPhase::kStopped;
  if (!let_go()) return {};
  once_wanted_ = false;
  return {CloseCall{}, Finished{fail(ErrorCode::kUnavailable, "synchronising was stopped")}};
}

SyncActions SyncSession::network_changed(std::uint64_t now_ms) {
  now_ms_ = now_ms;
  if (call_open_) return doubt(now_ms);
  if (!live_wanted_) return {};
  backoff_.reset();
  phase_ = SyncPhase::kWaiting;
  retry_ms_ = std::max(now_ms, earliest_ms());
  return tick(now_ms);
}

// The line may be dead without anybody having said so. A live call at rest is begun anew, which
// costs a Hello; any other has to hear something soon.
SyncActions SyncSession::doubt(std::uint64_t now_ms) {
  if (phase_ == SyncPhase::kLive) return begin_anew(now_ms);
  doubted_ms_ = now_ms;
  return {};
}

void SyncSession::put_off(std::uint64_t ms) {
  if (ms > 0) not_before_ms_ = now_ms_ + std::min(ms, kPutOffMaxMs);
}

// What a server asked for, unless a whistle waits.
std::uint64_t SyncSession::earliest_ms() const {
  const LaneProgress whistles = outbox_.progress(Lane::kWhistles);
  return whistles.acknowledged < whistles.recorded ? 0 : not_before_ms_;
}

SyncActions SyncSession::recorded(Lane lane, LaneSeq last, std::uint64_t now_ms) {
  now_ms_ = now_ms;
  SyncActions actions;
  outbox_.recorded(lane, last);
  if (call_open_) {
    pump(actions);
  } else if (phase_ == SyncPhase::kWaiting) {
    const std::uint64_t soon = std::max(failed_ms_ + kRetryAfterWriteMs, earliest_ms());
    retry_ms_ = std::min(retry_ms_, std::max(soon, now_ms));
    actions = tick(now_ms);
  }
  return actions;
}

SyncActions SyncSession::operations(Lane lane, std::span<const Operation> operations) {
  reading_ = false;
  SyncActions actions;
  if (!call_open_) return actions;
  if (operations.empty()) outbox_.exhausted(lane);
  while (!operations.empty()) {
    std::size_t taken = 0;
    std::string frame = encode_operations(device_, operations, taken);
    taken = std::clamp<std::size_t>(taken, 1, operations.size());
    outbox_.add_sent(lane, taken, frame.size());
    report_.sent += taken;
    report_.bytes_up += frame.size();
    actions.push_back(Send{std::move(frame)});
    operations = operations.subspan(taken);
  }
  if (budget_bytes() != 0 && report_.bytes_up >= budget_bytes()) outbox_.hold(Lane::kRecords);
  pump(actions);
  return actions;
}

SyncActions SyncSession::digests(const RangeDigests& digests) {
  SyncActions actions;
  if (!call_open_ || comparing_ != Comparing::kAsked) return actions;
  v1::Digests said;
  for (const std::uint64_t digest : digests) said.add_ranges(digest);
  std::string frame = encode(said);
  report_.bytes_up += frame.size();
  actions.push_back(Send{std::move(frame)});
  return actions;
}

SyncActions SyncSession::contents(const std::vector<v1::RangeContents>& contents) {
  SyncActions actions;
  if (!call_open_ || comparing_ != Comparing::kTelling) return actions;
  comparing_ = Comparing::kRepairing;
  for (const v1::RangeContents& range : contents) {
    std::string frame = encode(range);
    report_.bytes_up += frame.size();
    actions.push_back(Send{std::move(frame)});
  }
  pump(actions);
  return actions;
}

SyncActions SyncSession::store_failed(const Error& error, std::uint64_t now_ms) {
  reading_ = false;
  if (error.code == ErrorCode::kForked && !asked_) return succeed(false, now_ms);
  return fail_call(error, now_ms);
}

// A server that parts from its own history again and again is not called without a pause.
SyncActions SyncSession::restart(std::uint64_t now_ms) {
  if (!std::exchange(restarted_, true)) return begin_anew(now_ms);
  return fail_call(
      {ErrorCode::kUnavailable, "the server's history changes from call to call", "restarts"},
      now_ms);
}

SyncActions SyncSession::begin_anew(std::uint64_t now_ms) {
  let_go();
  return reopened(now_ms);
}

// A live call has none: it is there for whatever comes.
std::uint64_t SyncSession::budget_bytes() const {
  if (live_) return 0;
  const bool is_own = options_.budget_bytes != 0 || !options_.metered;
  return is_own ? options_.budget_bytes : SyncOptions::kMeteredBytes;
}

SyncActions SyncSession::reopened(std::uint64_t now_ms) {
  SyncActions actions{CloseCall{}};
  std::ranges::move(open(now_ms), std::back_inserter(actions));
  return actions;
}

SyncActions SyncSession::open(std::uint64_t now_ms) {
  now_ms_ = heard_ms_ = opened_ms_ = now_ms;
  doubted_ms_.reset();
  phase_ = SyncPhase::kConnecting;
  call_open_ = true;
  ++call_number_;
  live_ = live_wanted_;
  again_ = welcomed_ = end_sent_ = end_received_ = reading_ = false;
  comparing_ = Comparing::kNot;
  reconcile_ = false;
  report_ = {};
  return {OpenCall{}};
}

// Waiting for the answer is like waiting for a call's.
SyncActions SyncSession::succeed(bool is_unknown, std::uint64_t now_ms) {
  let_go();
  open(now_ms);
  asking_ = asked_ = true;
  return {CloseCall{}, Succeed{is_unknown}};
}

SyncActions SyncSession::succeeded(std::uint64_t now_ms) {
  asking_ = false;
  return begin_anew(now_ms);
}

bool SyncSession::let_go() {
  asking_ = false;
  if (call_open_) ++call_number_;
  return std::exchange(call_open_, false);
}

SyncActions SyncSession::opened(const SyncState& state, std::uint64_t now_ms) {
  now_ms_ = heard_ms_ = now_ms;
  device_ = state.device;
  has_succeeded_ = state.has_succeeded;
  outbox_ = Outbox(state.lanes);
  if (options_.metered && !live_) outbox_.hold(Lane::kBulk);
  cursor_ = Seq(state.cursor.seq());
  urgent_ = {};
  behind_.clear();
  for (const v1::ScopeCursor& scope : state.cursor.exceptions()) {
    behind_.emplace(scope.scope(), Seq(scope.seq()));
  }
  granted_ = {state.scopes.begin(), state.scopes.end()};
  backed_up_ = {};
  // What is unsent now would be told as a difference before it is acknowledged.
  const bool whole = state.unsent == 0 && behind_.empty() && budget_bytes() == 0;
  const bool due = state.compare_due || (options_.compare && once_wanted_);
  comparing_ = whole && due ? Comparing::kWanted : Comparing::kNot;
  compare_put_off_ = state.compare_due && !whole;
  SyncActions actions{SendHello{hello(state)}};
  pump(actions);
  return actions;
}

void SyncSession::add_lanes(google::protobuf::RepeatedPtrField<v1::LaneState>& lanes) const {
  for (const Lane lane : kLanes) {
    const LaneProgress progress = outbox_.progress(lane);
    if (!progress.recorded) continue;
    v1::LaneState& said = *lanes.Add();
    said.set_lane(static_cast<std::uint32_t>(lane));
    said.set_noted(progress.acknowledged.value);
    said.set_last(progress.recorded.value);
    if (progress.first > LaneSeq(1)) said.set_first(progress.first.value);
  }
}

v1::Hello SyncSession::hello(const SyncState& state) const {
  v1::Hello hello;
  hello.set_protocol(kProtocol);
  hello.set_schema(label_.schema);
  hello.set_device(state.device.value);
  *hello.mutable_cursor() = state.cursor;
  add_lanes(*hello.mutable_lanes());
  hello.set_own_since(state.own_since.value);
  hello.set_budget_bytes(budget_bytes());
  hello.set_live(live_);
  hello.set_urgent_first(true);
  const std::size_t epochs = std::min(state.epochs.size(), limits::kEpochs);
  for (std::size_t i = 0; i < epochs; ++i) hello.add_epochs(state.epochs[i]);
  hello.set_grants_version(state.grants_version);
  if (!software_told_) hello.set_software(label_.software);
  hello.set_compare(comparing_ == Comparing::kWanted);
  hello.set_unsent(static_cast<std::uint32_t>(
      std::min<std::uint64_t>(state.unsent, limits::kPendingOperations)));
  return hello;
}

SyncActions SyncSession::open_failed(const Error& error, std::uint64_t now_ms) {
  return fail_call(error, now_ms);
}

SyncActions SyncSession::bad_frame(const Error& error, std::uint64_t now_ms) {
  // Whatever is wrong with it, this file is sound: a server that is put right will be understood.
  return fail_call({ErrorCode::kProtocol, error.message, error.detail}, now_ms);
}

SyncActions SyncSession::ended(const Result<void>& how, std::uint64_t now_ms) {
  if (!call_open_) return {};
  if (!how) return fail_call(how.error(), now_ms);
  const bool complete = end_received_ && !outbox_.waiting();
  if (!complete) {
    return fail_call({ErrorCode::kUnavailable, "the server ended the call early", "early end"},
                     now_ms);
  }
  now_ms_ = now_ms;
  let_go();
  once_wanted_ = asked_ = restarted_ = false;
  last_error_.reset();
  if (!live_ || now_ms >= opened_ms_ + kSteadyMs) backoff_.reset();
  phase_ = SyncPhase::kStopped;
  const bool reconciles = reconciles_next();
  if (reconciles || again_) {
    once_wanted_ = true;
    if (!reconciles) options_ = options_next_;
    return reopened(now_ms);
  }
  if (live_wanted_) {
    phase_ = SyncPhase::kWaiting;
    // A one-time call may go over into a live one at once; a live call that a server ended well
    // (it restarts, it sheds load) comes back after a pause.
    retry_ms_ = std::max(now_ms + (live_ ? backoff_.next_ms(random_) : 0), earliest_ms());
  }
  return {CloseCall{}, Finished{}};
}

SyncActions SyncSession::fail_call(const Error& error, std::uint64_t now_ms) {
  now_ms_ = failed_ms_ = now_ms;
  last_error_ = error;
  once_wanted_ = asking_ = asked_ = restarted_ = false;
  SyncActions actions;
  if (phase_ == SyncPhase::kLive && now_ms >= opened_ms_ + kSteadyMs) backoff_.reset();
  if (let_go()) actions.push_back(CloseCall{});
  actions.push_back(Finished{std::unexpected(error)});
  plan_retry(error, now_ms);
  return actions;
}

void SyncSession::plan_retry(const Error& error, std::uint64_t now_ms) {
  phase_ = SyncPhase::kStopped;
  if (!live_wanted_) return;
  std::uint64_t pause_ms = 0;
  switch (error.retry()) {
    case Retry::kLater:
      pause_ms = backoff_.next_ms(random_);
      break;
    // What a person has to put right may be put right elsewhere (a server upgraded, space freed).
    case Retry::kAfterUser:
      pause_ms = Backoff::kCapMs;
      break;
    case Retry::kNever:
    case Retry::kAfterEnrol:
      return;
  }
  phase_ = SyncPhase::kWaiting;
  retry_ms_ = std::max(now_ms + pause_ms, earliest_ms());
}

// What the call has done stands, acknowledgement by acknowledgement and cut by cut.
SyncActions SyncSession::time_is_up() {
  once_until_ms_.reset();
  if (!welcomed_) {
    return fail_call({ErrorCode::kTimeout, "the server did not answer in the time given", "budget"},
                     now_ms_);
  }
  once_wanted_ = false;
  if (live_) return {Finished{}};
  let_go();
  phase_ = SyncPhase::kStopped;
  if (live_wanted_) {
    phase_ = SyncPhase::kWaiting;
    retry_ms_ = std::max(now_ms_, earliest_ms());
  }
  return {CloseCall{}, Finished{}};
}

SyncActions SyncSession::tick(std::uint64_t now_ms) {
  now_ms_ = now_ms;
  if (call_open_ && once_wanted_ && once_until_ms_ && now_ms >= *once_until_ms_) {
    return time_is_up();
  }
  if (call_open_ && owed_an_answer() && now_ms >= answer_due_ms()) {
    return fail_call({ErrorCode::kTimeout, "the server does not answer", "silence"}, now_ms);
  }
  if (phase_ == SyncPhase::kWaiting && now_ms >= retry_ms_) return open(now_ms);
  return {};
}

std::optional<std::uint64_t> SyncSession::wake_ms() const {
  std::optional<std::uint64_t> wake;
  if (call_open_ && owed_an_answer()) {
    wake = answer_due_ms();
  } else if (phase_ == SyncPhase::kWaiting) {
    wake = retry_ms_;
  }
  if (call_open_ && once_wanted_ && once_until_ms_) {
    wake = std::min(wake.value_or(*once_until_ms_), *once_until_ms_);
  }
  return wake;
}

bool SyncSession::owed_an_answer() const { return !end_received_ || outbox_.waiting() || !live_; }

// A frame on a bad line is not silence: what the next answer waits for may still be going up.
std::uint64_t SyncSession::answer_due_ms() const {
  const std::size_t bytes = outbox_.next_answered_bytes();
  const std::uint64_t sending_ms =
      bytes > kSmallFrameBytes ? bytes * 1000 / kSlowestBytesPerSecond : 0;
  const std::uint64_t due_ms = heard_ms_ + kAnswerTimeoutMs + sending_ms;
  return doubted_ms_ ? std::min(due_ms, *doubted_ms_ + kNewNetworkMs + sending_ms) : due_ms;
}

void SyncSession::pump(SyncActions& actions) {
  if (!call_open_ || asking_ || end_sent_ || reading_) return;
  if (const std::optional<Lane> lane = outbox_.next()) {
    reading_ = true;
    std::size_t bytes = kReadBytes;
    if (budget_bytes() != 0 && *lane != Lane::kWhistles) {
      bytes = std::min<std::uint64_t>(bytes, budget_bytes() - report_.bytes_up);
    }
    actions.push_back(ReadOperations{*lane, outbox_.sent(*lane), bytes});
    // A live line that was idle owes an answer from now on, not since its last word.
    if (!outbox_.waiting()) heard_ms_ = std::max(heard_ms_, now_ms_);
  } else if (!live_ && outbox_.all_sent() &&
             (comparing_ == Comparing::kNot || comparing_ == Comparing::kRepairing)) {
    end_sent_ = true;
    report_.held_back = outbox_.held_back();
    actions.push_back(FinishSending{});
  }
}

// What is to be compared is all that there is: the call that brings it ends first. Whatever a
// server says, one call more.
bool SyncSession::reconciles_next() {
  const bool can = report_.caught_up && budget_bytes() == 0;
  reconciles_ = reconcile_ && can && !reconciles_;
  return reconciles_;
}

void SyncSession::settle(SyncActions& actions) {
  if (!live_ || !end_received_ || !outbox_.all_acknowledged()) return;
  if (reconciles_next()) {
    std::ranges::move(begin_anew(now_ms_), std::back_inserter(actions));
    return;
  }
  phase_ = SyncPhase::kLive;
  if (std::exchange(once_wanted_, false)) actions.push_back(Finished{});
}

}  // namespace gridwhistle
