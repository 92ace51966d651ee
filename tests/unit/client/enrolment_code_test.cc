#include <catch2/catch.hpp>

#include "gridwhistle/client.h"

namespace gridwhistle {

TEST_CASE("an enrolment code's text gives the code back") {
  const EnrolmentCode code{{"sync.example.gov.cn:7443", std::string(32, '\xAB')}, "K7QM-3F9X-2TRB"};
  const auto again = EnrolmentCode::parse("  " + code.text() + "\n");
  REQUIRE(again);
  CHECK(again->server.host_and_port == code.server.host_and_port);
  CHECK(again->server.key_sha256 == code.server.key_sha256);
  CHECK(again->code == code.code);
  CHECK(EnrolmentCode::parse(EnrolmentCode{{"[::1]:7443", std::string(32, '\1')}, "X"}.text())
            ->server.host_and_port == "[::1]:7443");
}

TEST_CASE("a damaged enrolment code is refused with the part that is wrong") {
  const std::string key(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("gw1:"), "gw2:host:1:" + key + ":X", "gw1:host:1:" + key + ":",
        "gw1:host:1:" + key.substr(1) + ":X", "gw1:host:1:" + key.substr(1) + "g:X",
        "gw1:host:" + key + ":X", "gw1:host:port:" + key + ":X", "gw1::1:" + key + ":X"}) {
    INFO(text);
    const auto code = EnrolmentCode::parse(text);
    REQUIRE_FALSE(code);
    CHECK(code.error().code == ErrorCode::kInvalid);
  }
}

}  // namespace gridwhistle
