#include "rpc/call_budget.h"

#include <algorithm>

namespace gridwhistle::rpc {

namespace {

double left_at(double left, CallBudget::Time since, CallBudget::Time now) {
  const double seconds = std::chrono::duration<double>(now - since).count();
  return std::min(CallBudget::kAtOnce, left + seconds * CallBudget::kASecond);
}

}  // namespace

CallBudget::Answer CallBudget::take(const std::string& peer, Time now) {
  const std::lock_guard lock(mutex_);
  if (accounts_.size() >= kConnectionsMax) forget_full(now);
  Account& account = accounts_.try_emplace(peer, Account{.at = now}).first->second;
  account.left = left_at(account.left, account.at, now);
  account.at = now;
  if (account.left >= kAtOnce) account.turned_away = 0;
  if (account.left < 1) {
    const bool too_often = ++account.turned_away % kTurnedAwayMax == 0;
    return too_often ? Answer::kToBeEnded : Answer::kTurnedAway;
  }
  account.left -= 1;
  return Answer::kBegins;
}

// Whoever has all of it again is like one who never came. Where that frees nothing, too many come
// at once to tell them apart, and all begin anew.
void CallBudget::forget_full(Time now) {
  std::erase_if(accounts_, [&](const auto& entry) {
    return left_at(entry.second.left, entry.second.at, now) >= kAtOnce;
  });
  if (accounts_.size() >= kConnectionsMax) accounts_.clear();
}

}  // namespace gridwhistle::rpc
