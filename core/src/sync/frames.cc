#include <algorithm>
#include <utility>

#include "sync/session.h"

// What a server may say when.
namespace gridwhistle {

namespace {

std::unexpected<Error> broken(const char* what) {
  return fail(ErrorCode::kProtocol, "the server broke the protocol", what);
}

}  // namespace

SyncActions SyncSession::frame(const Down& frame, std::size_t bytes, std::uint64_t now_ms) {
  if (!call_open_) return {};
  now_ms_ = heard_ms_ = now_ms;
  doubted_ms_.reset();
  report_.bytes_down += bytes;
  if (const auto* refusal = std::get_if<v1::Refusal>(&frame)) {
    put_off(refusal->retry_after_ms());
    const auto code = static_cast<ErrorCode>(refusal->code());
    const bool is_unknown = code == ErrorCode::kNotEnrolled && has_succeeded_;
    if ((code == ErrorCode::kForked || is_unknown) && !asked_) return succeed(is_unknown, now_ms);
    return fail_call({code, refusal->message(), "refused"}, now_ms);
  }
  const bool is_welcome = std::holds_alternative<v1::Welcome>(frame);
  Result<SyncActions> actions =
      is_welcome == welcomed_
          ? Result<SyncActions>(broken(welcomed_ ? "a second welcome" : "no welcome first"))
          : std::visit(
                [this](const auto& part) -> Result<SyncActions> {
                  if constexpr (std::is_same_v<std::decay_t<decltype(part)>, v1::Refusal>) {
                    return SyncActions{};
                  } else {
                    return take(part);
                  }
                },
                frame);
  if (!actions) return fail_call(actions.error(), now_ms);
  pump(*actions);
  settle(*actions);
  return std::move(*actions);
}

Result<SyncActions> SyncSession::take(const v1::Welcome& welcome) {
  if (welcome.protocol() != kProtocol) {
    return fail(ErrorCode::kUnsupported, "the server speaks another protocol: update this app",
                "protocol " + std::to_string(welcome.protocol()));
  }
  welcomed_ = software_told_ = true;
  phase_ = SyncPhase::kExchanging;
  backed_up_ = Seq(welcome.backed_up());
  if (!welcome.as_before()) granted_.clear();
  for (const v1::Grant& grant : welcome.grants()) granted_.insert(grant.scope());
  SyncActions actions{StoreWelcome{welcome}};
  if (comparing_ == Comparing::kWanted) {
    comparing_ = welcome.compares() ? Comparing::kAsked : Comparing::kNot;
    if (welcome.compares()) actions.push_back(ReadDigests{});
  }
  reconcile_ = (welcome.reconcile() || compare_put_off_) && comparing_ == Comparing::kNot;
  return actions;
}

Result<SyncActions> SyncSession::take(const v1::Differences& differences) {
  if (comparing_ != Comparing::kAsked) return broken("an answer that nobody asked for");
  if (differences.later()) {
    comparing_ = Comparing::kNot;
    return SyncActions{};
  }
  if (differences.ranges().empty()) {
    comparing_ = Comparing::kNot;
    report_.compared = true;
    return SyncActions{StoreCompared{}};
  }
  comparing_ = Comparing::kTelling;
  return SyncActions{ReadContents{{differences.ranges().begin(), differences.ranges().end()}}};
}

Result<SyncActions> SyncSession::take(const v1::Acks& acks) {
  if (Result<void> checked = outbox_.check(acks); !checked) {
    return std::unexpected(checked.error());
  }
  if (Seq(acks.backed_up()) < backed_up_) return broken("the backup went back");
  backed_up_ = Seq(acks.backed_up());
  outbox_.acknowledge(acks);
  SyncActions actions{StoreAcks{acks}};
  for (const v1::AckRun& run : acks.runs()) report_.acknowledged += run.count();
  if (live_ && acks.runs_size() > 0) {
    v1::Noted noted;
    add_lanes(*noted.mutable_lanes());
    std::string frame = encode(noted);
    report_.bytes_up += frame.size();
    actions.push_back(MakeDurable{});
    actions.push_back(Send{std::move(frame)});
  }
  return actions;
}

Result<void> SyncSession::check_cut(const CutDown& cut) const {
  if (cut.repairs && comparing_ != Comparing::kRepairing) return broken("a repair of nothing");
  Seq read = cut.urgent ? urgent_ : cursor_;
  if (!cut.scope.empty()) {
    const auto behind = behind_.find(cut.scope);
    if (behind != behind_.end()) {
      read = behind->second;
    } else if (granted_.contains(cut.scope)) {
      read = {};
    } else {
      return broken("a cut of a scope that is not granted");
    }
  }
  if (cut.upto < read) return broken("a cut below the cursor");
  const bool later = std::ranges::any_of(
      cut.rows, [&](const Row& row) { return row.last_seq > cut.upto || !row.last_seq; });
  if (later) return broken("a row beyond its cut");
  return {};
}

Result<SyncActions> SyncSession::take(const CutDown& cut) {
  if (!live_ && end_received_) return broken("a cut after the end");
  if (Result<void> checked = check_cut(cut); !checked) return std::unexpected(checked.error());
  if (cut.urgent) {
    urgent_ = cut.upto;
  } else if (cut.scope.empty()) {
    cursor_ = cut.upto;
  } else {
    behind_[cut.scope] = cut.upto;
  }
  report_.rows += cut.rows.size();
  if (cut.repairs) report_.repaired += cut.rows.size();
  return SyncActions{StoreCut{cut}};
}

Result<SyncActions> SyncSession::take(const v1::DownEnd& end) {
  if (!live_ && end_received_) return broken("a second end");
  put_off(end.retry_after_ms());
  const Seq upto(end.caught_up());
  end_received_ = true;
  if (!upto) return SyncActions{};
  if (upto < cursor_) return broken("caught up below the cursor");
  cursor_ = upto;
  behind_.clear();
  last_error_.reset();
  report_.caught_up = true;
  SyncActions actions{StoreCaughtUp{upto}};
  if (comparing_ == Comparing::kRepairing) {
    comparing_ = Comparing::kNot;
    report_.compared = true;
    actions.push_back(StoreCompared{});
  }
  return actions;
}

}  // namespace gridwhistle
