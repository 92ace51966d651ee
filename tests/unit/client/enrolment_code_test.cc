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

TEST_CASE("an enrolment code may be typed with any keyboard and broken over lines") {
  const EnrolmentCode code{{"sync.example.gov.cn:7443", std::string(32, '\xAB')}, "K7QM-3F9X-2TRB"};
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += "aB";
  for (const std::string& text :
       {"GW1:sync.example.gov.cn:7443:" + hex + ":K7QM-3F9X-2TRB",
        "gw1：sync.example.gov.cn：７４４３：" + hex + "：Ｋ７ＱＭ－３Ｆ９Ｘ－２ＴＲＢ",
        "　gw1 : sync。example。gov。cn : 7443 :\r\n" + hex.substr(0, 30) + "\n" + hex.substr(30) +
            " : K7QM – 3F9X—2TRB\u200B"}) {
    INFO(text);
    const auto typed = EnrolmentCode::parse(text);
    REQUIRE(typed);
    CHECK(typed->server.host_and_port == code.server.host_and_port);
    CHECK(typed->server.key_sha256 == code.server.key_sha256);
    CHECK(typed->code == code.code);
  }
  // Whatever else is in there stays, and ends as a part that is wrong.
  CHECK_FALSE(EnrolmentCode::parse("gw1:h:1:" + hex.substr(2) + "\xE3\x80:X"));
  CHECK_FALSE(EnrolmentCode::parse("\xEF"));
}

TEST_CASE("a damaged enrolment code is refused with the part that is wrong") {
  const std::string key(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("gw1:"), "gw2:host:1:" + key + ":X", "gw1:host:1:" + key + ":",
        "gw1:host:1:" + key.substr(1) + ":X", "gw1:host:1:" + key.substr(1) + "g:X",
        "gw1:host:" + key + ":X", "gw1:host:port:" + key + ":X", "gw1::1:" + key + ":X",
        "gw1:host:0:" + key + ":X", "gw1:host:65536:" + key + ":X",
        "gw1:host:99999999999:" + key + ":X", "gw1:\xE2\x80 \x90:1:" + key + ":X"}) {
    INFO(text);
    const auto code = EnrolmentCode::parse(text);
    REQUIRE_FALSE(code);
    CHECK(code.error().code == ErrorCode::kInvalid);
  }
  const auto port = EnrolmentCode::parse("gw1:host:99999:" + key + ":X");
  CHECK(port.error().message.find("1 to 65535") != std::string::npos);
}

}  // namespace gridwhistle
