#include "app/listing.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace gridwhistle::app;

namespace {

std::string printed(const Listing& listing, Language language, bool json) {
  std::string text;
  const auto keep = [&](std::string_view piece) { text += piece; };
  listing.print({keep, keep, language, json}, "nothing", "没有");
  return text;
}

Listing sample() {
  Listing listing({{"name", "Name", "名称"}, {"count", "Count", "数量"}});
  listing.add({text_value("麻章镇"), number_value(40)});
  listing.add({text_value("Taiping"), number_value(7)});
  return listing;
}

}  // namespace

TEST_CASE("Columns line up, Chinese characters being two wide") {
  CHECK(printed(sample(), Language::kEnglish, false) ==
        "Name     Count\n麻章镇   40\nTaiping  7\n");
  CHECK(printed(sample(), Language::kChinese, false) == "名称     数量\n麻章镇   40\nTaiping  7\n");
}

TEST_CASE("A program gets an object a line, in no language") {
  CHECK(printed(sample(), Language::kChinese, true) ==
        "{\"name\":\"麻章镇\",\"count\":40}\n{\"name\":\"Taiping\",\"count\":7}\n");
}

TEST_CASE(
    "Nothing that a person wrote forges a row or steers the terminal; a program gets it as it is") {
  Listing listing({{"title", "Title", "标题"}, {"state", "State", "状态"}});
  listing.add({text_value("a\x1b[31m\nb"), text_value("\u202e")});
  Sheet sheet;
  sheet.add({"title", "Title", "标题"}, text_value("a\x1b\nb"));
  CHECK(printed(listing, Language::kEnglish, false) ==
        "Title          State\na\\u001b[31m⏎b  \\u202e\n");
  CHECK(printed(listing, Language::kEnglish, true) ==
        "{\"title\":\"a\\u001b[31m\\nb\",\"state\":\"\u202e\"}\n");
  std::string text;
  const auto keep = [&](std::string_view piece) { text += piece; };
  const Output output{keep, keep};
  sheet.print(output);
  output.line("c\x1b\nd", "");
  output.fail({gridwhistle::ErrorCode::kNotFound, "no e\x1b\nf", ""});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(std::ranges::count(text, '\n') == 3);
}

TEST_CASE("An empty list says so to people and nothing to programs") {
  CHECK(printed(Listing({{"a", "A", "甲"}}), Language::kChinese, false) == "没有\n");
  CHECK(printed(Listing({{"a", "A", "甲"}}), Language::kChinese, true).empty());
}

TEST_CASE("A word this build does not know is shown as unknown and kept as its number") {
  constexpr gridwhistle::EnumValue kWords[] = {{0, "", ""}, {1, "OPEN", "开"}};
  const gridwhistle::FieldSchema field{.number = 2, .name = "state", .enum_values = kWords};
  CHECK(word_value(field, 1, Language::kChinese).text == "开");
  CHECK(word_value(field, 1, Language::kChinese).json == "OPEN");
  CHECK(word_value(field, 9, Language::kChinese).text == "未知");
  CHECK(word_value(field, 9, Language::kEnglish).json == 9);
  CHECK(word_value(field, 0, Language::kEnglish).json.is_null());
}
