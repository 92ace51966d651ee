#include "rpc/call_budget.h"

#include <catch2/catch.hpp>

namespace gridwhistle::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool begins(CallBudget::Answer answer) { return answer == CallBudget::Answer::kBegins; }

int taken(CallBudget& budget, const std::string& peer, CallBudget::Time now, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += begins(budget.take(peer, now)) ? 1 : 0;
  return taken;
}

TEST_CASE("a connection may begin so many calls at once, and so many a second from then on") {
  CallBudget budget;
  const CallBudget::Time begun{};
  CHECK(taken(budget, "ipv4:127.0.0.1:1", begun, 10'000) == 300);
  CHECK(taken(budget, "ipv4:127.0.0.1:1", begun + seconds(1), 10'000) == 50);
  CHECK(taken(budget, "ipv4:127.0.0.1:1", begun + milliseconds(1'100), 10'000) == 5);
  CHECK(taken(budget, "ipv4:127.0.0.1:1", begun + seconds(3'600), 10'000) == 300);
}

TEST_CASE("a connection that begins calls whatever it is told is to be ended") {
  CallBudget budget;
  const std::string peer = "ipv4:127.0.0.1:1";
  const CallBudget::Time begun{};
  const auto ends = [&](CallBudget::Time now, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) {
      count += budget.take(peer, now) == CallBudget::Answer::kToBeEnded ? 1 : 0;
    }
    return count;
  };
  CHECK(ends(begun, 300 + 299) == 0);
  CHECK(ends(begun, 1) == 1);
  // One that was only hasty once, and then had patience, is as any other.
  CHECK(ends(begun + seconds(3'600), 300 + 299) == 0);
}

TEST_CASE("one connection's calls are not charged to another") {
  CallBudget budget;
  CHECK(taken(budget, "ipv4:127.0.0.1:1", {}, 10'000) == 300);
  CHECK(begins(budget.take("ipv4:127.0.0.1:2", {})));
}

TEST_CASE("connections that are gone are forgotten, however many there were") {
  CallBudget budget;
  const CallBudget::Time begun{};
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 2 * CallBudget::kConnectionsMax; ++i) {
    refused += begins(budget.take(std::to_string(i), begun + milliseconds(i))) ? 0 : 1;
  }
  CHECK(refused == 0);
}

}  // namespace
}  // namespace gridwhistle::rpc
