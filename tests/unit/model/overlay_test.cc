#include <algorithm>
#include <catch2/catch.hpp>

#include "model/record.h"
#include "thing.h"

namespace gridwhistle {
namespace {

using namespace thing;
using Texts = std::vector<std::string>;

std::string laid(std::string_view base, std::string_view set,
                 const std::vector<std::uint32_t>& clear = {}, std::string_view remove = {}) {
  return overlay(kThing, base, set, clear, remove);
}

}  // namespace

TEST_CASE("a change replaces the fields it names and leaves the others") {
  const std::string base = text_field(kTitle, "a") + int_field(kCount, 1);
  CHECK(laid(base, int_field(kCount, 2)) == text_field(kTitle, "a") + int_field(kCount, 2));
  CHECK(laid(base, {}, {kTitle}) == int_field(kCount, 1));
}

TEST_CASE("a group is written whole") {
  const std::string base = int_field(kX, 1) + int_field(kY, 2) + int_field(kZ, 3);
  CHECK(laid(base, int_field(kX, 4)) == int_field(kX, 4));
  CHECK(laid(base, {}, {kZ}).empty());
}

TEST_CASE("elements of a set are there once, in one order") {
  const std::string base = laid({}, text_field(kTags, "b") + text_field(kTags, "a"));
  CHECK(texts_of(base, kTags) == Texts{"a", "b"});
  CHECK(texts_of(laid(base, text_field(kTags, "a")), kTags) == Texts{"a", "b"});
  CHECK(texts_of(laid(base, {}, {}, text_field(kTags, "a")), kTags) == Texts{"b"});
  CHECK(texts_of(laid(base, text_field(kTags, "c"), {kTags}), kTags) == Texts{"c"});
}

TEST_CASE("a log keeps what it has and grows at its end") {
  const std::string base = text_field(kLog, "b");
  CHECK(texts_of(laid(base, text_field(kLog, "a") + text_field(kLog, "b")), kLog) ==
        Texts{"b", "a", "b"});
}

TEST_CASE("a field that this build does not know is laid over like any other") {
  CHECK(laid(text_field(kUnknown, "a"), text_field(kUnknown, "b")) == text_field(kUnknown, "b"));
}

TEST_CASE("a cursor finds each field that a search from the beginning finds") {
  const std::string message = text_field(kTitle, "t") + int_field(kCount, 1) +
                              text_field(kTags, "a") + text_field(kTags, "b") +
                              text_field(kUnknown, "u");
  for (const std::uint32_t step : {1U, 2U, 3U, 7U}) {
    FieldCursor cursor(message);
    for (std::uint32_t number = 1; number <= kUnknown + 2; number += step) {
      INFO("field " << number << ", every " << step);
      CHECK(cursor.entries(number) == field_of(message, number).entries);
    }
  }
  FieldCursor cursor(message);
  CHECK(cursor.entries(kTags) == text_field(kTags, "a") + text_field(kTags, "b"));
}

TEST_CASE("a field is found by its number, and a number between two fields finds none") {
  for (const FieldSchema& field : kThing.fields) CHECK(kThing.field(field.number) == &field);
  for (std::uint32_t number = 0; number < 300; ++number) {
    const auto same = std::ranges::find(kThing.fields, number, &FieldSchema::number);
    CHECK((kThing.field(number) != nullptr) == (same != kThing.fields.end()));
  }
}

TEST_CASE("a row of the feed replaces whole fields, sets and logs too") {
  const std::string base = text_field(kTitle, "t") + text_field(kTags, "a");
  CHECK(replace_fields(base, text_field(kTags, "b"), {kTitle}) == text_field(kTags, "b"));
}

}  // namespace gridwhistle
