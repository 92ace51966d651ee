#include <catch2/catch.hpp>
#include <string>

#include "base/utf8.h"

namespace gridwhistle {

TEST_CASE("text of every length of sequence is text") {
  CHECK(is_text(""));
  CHECK(is_text("grid whistle, twice over"));
  CHECK(is_text("é网格哨😀"));
  CHECK(is_text(
      "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

TEST_CASE(
    "overlong forms, surrogates, what lies beyond Unicode, stray bytes and NUL are not text") {
  for (const char* bytes : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80",
                            "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80",
                            "\xFF", "\xE7\xBD", "\xE7\xBD(", "\xE7(\x80", "\xC3("}) {
    CHECK_FALSE(is_text(bytes));
    CHECK_FALSE(is_text(std::string("sixteen ascii ch") + bytes + "sixteen ascii ch"));
  }
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, 'a');
    text[at] = '\0';
    CHECK_FALSE(is_text(text));
  }
}

TEST_CASE("what stands around a character changes nothing about whether it is one") {
  for (int lead = 0xC0; lead <= 0xFF; ++lead) {
    for (const char* rest : {"\x7F\x80", "\x80\x80", "\x9F\xBF", "\xA0\x80", "\xBF\xBF", "\xC0\x80",
                             "\x80\x7F", "\xBF\xC0"}) {
      const std::string one = static_cast<char>(lead) + std::string(rest);
      CAPTURE(lead, rest);
      CHECK(is_text("网" + one + "网网") == is_text(one));
      CHECK(is_text(one + "网网网") == is_text(one));
    }
  }
}

TEST_CASE("a text comes apart into its characters; what is none comes byte by byte") {
  std::string_view text = "aé网😀\xE7\xBDz";
  for (const char32_t wanted : {U'a', U'é', U'网', U'😀'}) CHECK(take_character(text) == wanted);
  CHECK(take_character(text) == std::nullopt);
  CHECK(take_character(text) == std::nullopt);
  CHECK(take_character(text) == U'z');
  CHECK(text.empty());
}

TEST_CASE("a text is blank when nothing in it can be read, however wide its spaces") {
  for (const char* blank : {"", " ", " \t\r\n", "　", "\u00A0\u200B\uFEFF", "\u202E\u2066"}) {
    CHECK(is_blank(blank));
  }
  for (const char* words : {".", "　井", " a ", "\xFF"}) CHECK_FALSE(is_blank(words));
}

}  // namespace gridwhistle
