#include "app/metrics.h"

#include <catch2/catch.hpp>

using namespace gridwhistle;
using namespace gridwhistle::app;

namespace {

constexpr std::int64_t kHourMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kNowMs = std::int64_t{1'780'000'000'000};

}  // namespace

TEST_CASE("A server without a backup for three days is not healthy, started anew or not") {
  CountyStatus status;
  status.backed_up_ms = kNowMs - 71 * kHourMs;
  CHECK(health_text(status, kNowMs - 1000 * kHourMs, kNowMs) == "ok");
  status.backed_up_ms = kNowMs - 73 * kHourMs;
  CHECK(health_text(status, kNowMs - 1000 * kHourMs, kNowMs) == "no backup for three days");
  CHECK(health_text(status, kNowMs - kHourMs, kNowMs) == "no backup for three days");
}

TEST_CASE("A new server has three days for its first backup") {
  CHECK(health_text({}, kNowMs - 71 * kHourMs, kNowMs) == "ok");
  CHECK(health_text({}, kNowMs - 73 * kHourMs, kNowMs) == "no backup for three days");
}
