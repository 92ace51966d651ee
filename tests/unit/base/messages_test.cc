#include "gridwhistle/messages.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

namespace gridwhistle {

TEST_CASE("every error code has words of its own in both languages") {
  std::set<std::string_view> chinese;
  std::set<std::string_view> english;
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(ErrorCode::kInternal); ++code) {
    const Wording words = message_of(static_cast<ErrorCode>(code));
    chinese.insert(words.zh);
    english.insert(words.en);
    INFO(words.en);
    CHECK(std::ranges::all_of(words.en, [](char c) { return c > 0; }));
  }
  CHECK(chinese.size() == static_cast<std::size_t>(ErrorCode::kInternal));
  CHECK(english.size() == static_cast<std::size_t>(ErrorCode::kInternal));
  CHECK_FALSE(english.contains(message_of(static_cast<ErrorCode>(9999)).en));
}

}  // namespace gridwhistle
