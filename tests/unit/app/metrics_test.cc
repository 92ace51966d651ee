#include "app/metrics.h"

#include <catch2/catch.hpp>

#include "app/storage_warning.h"

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

TEST_CASE("A storage that works is no matter of warning, and counts as writable") {
  CHECK_FALSE(storage_warning({}));
  CHECK(storage_metrics_text("440811", {}).find("storage_writable{county=\"440811\"} 1\n") !=
        std::string::npos);
}

TEST_CASE("Whatever the storage refuses for, the warning names it and says what to do") {
  for (const ErrorCode code : {ErrorCode::kDiskFull, ErrorCode::kReadOnly, ErrorCode::kIo,
                               ErrorCode::kCorrupt, ErrorCode::kLocked, ErrorCode::kInternal}) {
    StorageHealth health;
    health.refuses = Error{code, "database: words that are not for everybody", "sqlite 13"};
    const auto warning = storage_warning(health);
    REQUIRE(warning);
    CHECK(warning->en.find("takes no writes (" + std::string(name_of(code)) + ")") !=
          std::string::npos);
    CHECK(warning->en.find(": ") != std::string::npos);
    CHECK(warning->en.find("not for everybody") == std::string::npos);
    CHECK(storage_metrics_text("440811", health).find("storage_writable{county=\"440811\"} 0\n") !=
          std::string::npos);
  }
}

TEST_CASE("Phones that alone are refused are named by their short codes and counted") {
  StorageHealth health{.failures = 7};
  health.put_off = {{"AB", {ErrorCode::kCorrupt, "", "sqlite 11"}},
                    {"", {ErrorCode::kCorrupt, "", "sqlite 11"}}};
  const auto warning = storage_warning(health);
  REQUIRE(warning);
  CHECK(warning->en.find("phones AB, ? alone (corrupt)") != std::string::npos);
  const std::string figures = storage_metrics_text("440811", health);
  CHECK(figures.find("storage_writable{county=\"440811\"} 1\n") != std::string::npos);
  CHECK(figures.find("storage_failures_total{county=\"440811\"} 7\n") != std::string::npos);
  CHECK(figures.find("devices_put_off{county=\"440811\"} 2\n") != std::string::npos);
}

TEST_CASE("What went over the desk of attachments is in the figures, each with its number") {
  MediaFigures figures;
  figures.calls_open = 3;
  figures.files_brought = 5;
  figures.files_refused = 2;
  figures.bytes_in = 1'000'000;
  figures.disk_failures = 1;
  const std::string text = media_metrics_text("440811", figures);
  CHECK(text.find("media_calls_open{county=\"440811\"} 3\n") != std::string::npos);
  CHECK(text.find("media_files_brought_total{county=\"440811\"} 5\n") != std::string::npos);
  CHECK(text.find("media_files_refused_total{county=\"440811\"} 2\n") != std::string::npos);
  CHECK(text.find("media_bytes_in_total{county=\"440811\"} 1000000\n") != std::string::npos);
  CHECK(text.find("media_bytes_out_total{county=\"440811\"} 0\n") != std::string::npos);
  CHECK(text.find("media_disk_failures_total{county=\"440811\"} 1\n") != std::string::npos);
}
