#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "base/limits.h"
#include "base/varint.h"
#include "model/record.h"
#include "thing.h"

namespace gridwhistle {
namespace {

using namespace thing;

ErrorCode code_of(std::string_view message) {
  const auto result = canonical(kThing, message);
  return result ? ErrorCode{} : result.error().code;
}

std::string tagged(std::uint32_t number, unsigned wire_type, std::string_view rest) {
  std::string out;
  append_varint(out, std::uint64_t{number} << 3 | wire_type);
  return out + std::string(rest);
}

std::string text_of_size(std::uint32_t number, std::size_t entry_size) {
  // One byte of tag and two of length.
  return text_field(number, std::string(entry_size - 3, 'a'));
}

}  // namespace

TEST_CASE("a message in canonical form stays as it is") {
  const std::string message = text_field(kTitle, "网格") + int_field(kCount, -1) +
                              text_field(kTags, "b") + text_field(kTags, "a") +
                              text_field(kUnknown, "\xFF");
  CHECK(canonical(kThing, message) == message);
  CHECK(is_canonical(message));
}

TEST_CASE("the id is dropped, wherever it stands") {
  const std::string id = text_field(1, std::string(16, 'i'));
  const std::string title = text_field(kTitle, "t");
  CHECK(canonical(kThing, id + title) == title);
  CHECK(canonical(kThing, title + id) == title);
  CHECK(canonical(kThing, id) == "");
}

TEST_CASE("fields are sorted, the last of a singular one stays, elements keep their order") {
  const std::string message =
      text_field(kTags, "b") + int_field(kCount, 1) + text_field(kTags, "a") + int_field(kCount, 2);
  CHECK(canonical(kThing, message) ==
        int_field(kCount, 2) + text_field(kTags, "b") + text_field(kTags, "a"));
}

TEST_CASE("packed numbers are unpacked and every varint is as short as it can be") {
  CHECK(canonical(kThing, text_field(kNumbers, "\x05\x06")) ==
        int_field(kNumbers, 5) + int_field(kNumbers, 6));
  CHECK(canonical(kThing, tagged(kCount, 0, std::string("\x81\x00", 2))) == int_field(kCount, 1));
  CHECK_FALSE(is_canonical(tagged(kCount, 0, std::string("\x81\x00", 2))));
}

TEST_CASE("a value that breaks its field's rule is refused, and the message names the field") {
  CHECK(code_of(text_field(kTitle, "\xC3\x28")) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kTitle, std::string("a\0b", 3))) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kTitle, "\xED\xA0\x80")) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kTitle, "\xF4\x90\x80\x80")) == ErrorCode::kInvalid);
  CHECK(code_of(int_field(kTitle, 1)) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kCount, "1")) == ErrorCode::kInvalid);
  CHECK(code_of(int_field(kOpen, 2)) == ErrorCode::kInvalid);
  CHECK(code_of(int_field(kCode, std::int64_t{1} << 31)) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kOwner, "short")) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kPart, "\x0A\x05")) == ErrorCode::kInvalid);
  std::string not_a_number;
  append_double(not_a_number, kDegrees, std::numeric_limits<double>::quiet_NaN());
  CHECK(code_of(not_a_number) == ErrorCode::kInvalid);
  CHECK(canonical(kThing, int_field(kOpen, 2)).error().message ==
        "Thing.open is neither true nor false");
}

TEST_CASE(
    "what stands in a nested message is checked like the rest, or nobody could read the record") {
  CHECK(code_of(text_field(kPart, text_field(1, "\xFF"))) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kPart, int_field(1, 5))) == ErrorCode::kInvalid);
  CHECK(code_of(text_field(kPart, text_field(2, "x"))) == ErrorCode::kInvalid);
  const std::string sound = text_field(kPart, text_field(1, "井盖") + int_field(2, 5));
  CHECK(canonical(kThing, sound) == sound);
  const std::string unknown_inside = text_field(kPart, text_field(9, "\xFF"));
  CHECK(canonical(kThing, unknown_inside) == unknown_inside);
}

TEST_CASE("an enum value that nobody knows yet is kept") {
  CHECK(canonical(kThing, int_field(kCode, 4711)) == int_field(kCode, 4711));
  CHECK(canonical(kThing, int_field(kCode, -5)) == int_field(kCode, -5));
}

TEST_CASE("groups, field 0 and messages that end early are refused") {
  CHECK(code_of(tagged(kTitle, 3, "")) == ErrorCode::kInvalid);
  CHECK(code_of(tagged(kTitle, 4, "")) == ErrorCode::kInvalid);
  CHECK(code_of(tagged(0, 0, "\x01")) == ErrorCode::kInvalid);
  CHECK(code_of("\x80") == ErrorCode::kInvalid);
  const std::string message = text_field(kTitle, "网格") + int_field(kCount, 300);
  for (std::size_t size = 1; size < message.size(); ++size) {
    if (size == text_field(kTitle, "网格").size()) continue;
    CHECK(code_of(message.substr(0, size)) == ErrorCode::kInvalid);
  }
}

TEST_CASE("a text of 16 KB passes and a byte more does not") {
  const std::string text(limits::kFieldBytes, 'a');
  CHECK(code_of(text_field(kTitle, text)) == ErrorCode{});
  CHECK(code_of(text_field(kTitle, text + 'a')) == ErrorCode::kTooLarge);
}

TEST_CASE("the elements of a field count together") {
  const std::string half(limits::kFieldBytes / 2, 'a');
  const std::string other(limits::kFieldBytes / 2, 'b');
  CHECK(code_of(text_field(kTags, half) + text_field(kTags, other)) == ErrorCode{});
  CHECK(code_of(text_field(kTags, half) + text_field(kTags, other + 'b')) == ErrorCode::kTooLarge);
}

TEST_CASE("in a record that many wrote to, only the whole has a limit") {
  // One byte of tag and three of length.
  const std::string large = text_field(kTitle, std::string(limits::kRecordBytes - 4, 'a'));
  const auto kept = canonical_record(kThing, large);
  REQUIRE(kept.has_value());
  CHECK(*kept == large);
  const auto refused = canonical_record(kThing, large + int_field(kOpen, 1));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("a record of 64 KB passes and a byte more does not") {
  std::string message;
  for (const std::uint32_t number : {kGrid, kTitle, kTags}) {
    message += text_of_size(number, limits::kFieldBytes);
  }
  CHECK(code_of(message + text_of_size(kLog, limits::kFieldBytes)) == ErrorCode{});
  std::string larger = message + text_of_size(kLog, limits::kFieldBytes - 1) + int_field(kOpen, 1);
  CHECK(larger.size() == limits::kRecordBytes + 1);
  CHECK(code_of(larger) == ErrorCode::kTooLarge);
}

TEST_CASE("hostile bytes give a canonical message or an error, and a canonical one stays") {
  CHECK(rc::check([](const std::vector<std::uint8_t>& bytes) {
    const std::string message(bytes.begin(), bytes.end());
    const auto once = canonical(kThing, message);
    fields_of(message);
    field_of(message, kTitle);
    if (!once) return;
    RC_ASSERT(is_canonical(*once));
    const auto twice = canonical(kThing, *once);
    RC_ASSERT(twice.has_value());
    RC_ASSERT(*twice == *once);
  }));
}

TEST_CASE("flipped bits give a canonical message or an error") {
  const std::string message = text_field(kTitle, "网格员") + int_field(kCount, 7) +
                              text_field(kTags, "a") + text_field(kTags, "b") +
                              text_field(kPart, int_field(2, 2)) + int_field(kNumbers, 9);
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    std::string flipped = message;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const auto result = canonical(kThing, flipped);
    if (result) CHECK(is_canonical(*result));
  }
}

}  // namespace gridwhistle
