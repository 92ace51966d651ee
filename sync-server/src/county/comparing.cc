#include <algorithm>
#include <utility>

#include "county/impl.h"

// Comparing what a phone holds with what it should hold, within its call.
namespace gridwhistle {

namespace {

// So many lines are read before others have their turn: some tens of milliseconds.
constexpr std::size_t kLinesATurn = 2'000;
// A phone waits so long for its turn, and gives a server up that is silent for a minute.
constexpr std::uint64_t kTurnMs = 20'000;
// A phone compares once a week, and when a person asks.
constexpr std::size_t kComparisonsAnHour = 20;
constexpr std::int64_t kHourMs = 3'600'000;

v1::Refusal broken(const char* what) {
  v1::Refusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(ErrorCode::kProtocol));
  refusal.set_message(what);
  return refusal;
}

}  // namespace

bool has_to_compare(const Session& session) {
  if (session.sink == nullptr || session.closing) return false;
  if (!session.contents.empty()) return session.sink->writable();
  return session.comparison && !session.compared;
}

bool waits_to_compare(const Session& session) {
  return session.sink != nullptr && !session.closing && session.digests && session.turn_since_ms;
}

void County::Impl::take_up(Session& session, Effect& effect) {
  if (effect.digests) {
    if (session.digests || session.comparison || session.compared) {
      return refuse(session, broken("digests are told once a call"));
    }
    session.digests = std::move(effect.digests);
  }
  if (effect.contents) {
    if (!session.compared || !session.comparison || session.contents.size() >= kDigestRanges) {
      return refuse(session, broken("contents of a range that nobody asked for"));
    }
    session.contents.push_back(std::move(*effect.contents));
    --session.ranges_untold;
  }
}

// False while others are to have their turn before it goes on. What the phone has not got yet would
// be told as a difference; and what a comparison holds in memory is for one phone at a time.
Result<bool> County::Impl::compare(Session& session) {
  if (session.digests && !session.comparison) {
    const bool reads = session.author->device.state == DeviceState::kActive;
    if (!reads) return answer_later(session);
    const bool another = std::ranges::any_of(sessions, [&](const auto& entry) {
      return &entry.second != &session && entry.second.comparison;
    });
    const std::uint64_t now = clock.now().boot_ms;
    if (!session.turn_since_ms) session.turn_since_ms = now;
    if (another && now < *session.turn_since_ms + kTurnMs) return false;
    if (another || !may_compare(session.author->device.device)) return answer_later(session);
    session.comparison.emplace(*storage, schema, session.author->standing.held, session.schema,
                               *session.digests);
    session.digests.reset();
  }
  if (session.comparison && !session.compared) {
    if (session.feed->may_have_more()) return answer_later(session);
    auto all = session.comparison->read(kLinesATurn);
    if (!all) return all;
    if (!*all) return false;
    const v1::Differences said = session.comparison->differences();
    session.sink->send(encode(said));
    session.compared = true;
    session.ranges_untold = said.ranges_size();
    if (said.ranges().empty()) session.comparison.reset();
  }
  while (!session.contents.empty() && session.sink->writable()) {
    if (auto repaired = repair(session); !repaired) return std::unexpected(repaired.error());
  }
  if (!session.contents.empty()) return false;
  if (session.compared && (session.up_ended || session.ranges_untold <= 0)) {
    session.comparison.reset();
  }
  return true;
}

bool County::Impl::may_compare(DeviceId device) {
  std::deque<std::int64_t>& lately = comparisons[device];
  while (!lately.empty() && lately.front() <= now_ms() - kHourMs) lately.pop_front();
  if (lately.size() >= kComparisonsAnHour) return false;
  lately.push_back(now_ms());
  return true;
}

Result<bool> County::Impl::answer_later(Session& session) {
  v1::Differences later;
  later.set_later(true);
  session.sink->send(encode(later));
  session.digests.reset();
  session.comparison.reset();
  session.compared = true;
  return true;
}

Result<void> County::Impl::repair(Session& session) {
  auto rows = session.comparison->repairs(session.contents.front(), session.feed->cursor());
  if (!rows) return std::unexpected(std::move(rows.error()));
  session.contents.pop_front();
  session.cut_since_end = true;
  for (std::size_t at = 0; at < rows->size();) {
    CutDown cut{.upto = session.feed->cursor(), .repairs = true};
    std::size_t bytes = 0;
    while (at < rows->size() && bytes < session.cut_bytes) {
      bytes += (*rows)[at].set.size() + limits::kRowOverheadBytes;
      cut.rows.push_back(std::move((*rows)[at++]));
    }
    session.sink->send(encode_cut(cut));
  }
  return {};
}

}  // namespace gridwhistle
