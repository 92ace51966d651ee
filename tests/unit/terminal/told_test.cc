#include "terminal/told.h"

#include <catch2/catch.hpp>

#include "base/line.h"

using gridwhistle::both;
using gridwhistle::terminal::told_in;

TEST_CASE("A message in both languages is told in one, however its halves are joined") {
  for (const std::string& message : {both("角色无此权限", "your role may not write this"),
                                     std::string("角色无此权限 / your role may not write this")}) {
    CHECK(told_in(message, true) == "角色无此权限");
    CHECK(told_in(message, false) == "your role may not write this");
  }
  CHECK(told_in("no such file a / b", false) == "no such file a / b");
}

TEST_CASE("What the library says in English is told in Chinese, with the field as people call it") {
  CHECK(told_in("Whistle.title is required", true) == "哨声的标题必须填写");
  CHECK(told_in("WhistleAction.note exceeds 16 KB", true) == "流转的说明超过 16 KB");
  CHECK(told_in("Outcome is written by the server alone", true) == "回执只由服务器填写");
  CHECK(told_in("Whistle.grid takes the 15 digits of a grid, or the 12 of an area", true) ==
        "哨声的网格须为网格的 15 位编码，或区划的 12 位编码");
  CHECK(told_in("too much at once", true) == "一次写入的内容太多");
  CHECK(told_in("too much at once", false) == "too much at once");
}

TEST_CASE("English whose Chinese is not known is not told to a Chinese reader as if it were") {
  CHECK_FALSE(told_in("frame 7 is cut off", true));
  CHECK(told_in("frame 7 is cut off", false) == "frame 7 is cut off");
  CHECK(told_in("", true) == "");
}
