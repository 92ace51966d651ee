#include "terminal/printable.h"

#include <catch2/catch.hpp>

#include "base/utf8.h"

namespace gridwhistle::terminal {

TEST_CASE("what people write is shown as they wrote it") {
  for (const char* text : {"", "井盖松动", "café, 3#楼 ½", "😀 \\u001b"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("what would steer a terminal is shown as an escape") {
  CHECK(printable("a\x1b[31mred") == "a\\u001b[31mred");
  CHECK(printable("\a\r\x7f\u009b") == "\\u0007\\u000d\\u007f\\u009b");
  CHECK(printable(std::string(1, '\0')) == "\uFFFD");
}

TEST_CASE("what turns the direction of writing is shown as an escape") {
  CHECK(printable("\u202e1002\u202c \u2066\u200f") == "\\u202e1002\\u202c \\u2066\\u200f");
}

TEST_CASE("a text stays on its line") {
  CHECK(printable("一\n二\t三\u2028四") == "一⏎二 三\\u2028四");
}

TEST_CASE("bytes that are no text are shown as such, and the rest as it is") {
  const std::string shown = printable(
      "a\xff\x9b"
      "b\xe7\xbd");
  CHECK(shown == "a\uFFFD\uFFFDb\uFFFD\uFFFD");
  CHECK(is_text(shown));
}

}  // namespace gridwhistle::terminal
