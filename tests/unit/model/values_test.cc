#include <catch2/catch.hpp>
#include <limits>

#include "base/limits.h"
#include "model/merge.h"
#include "model/whistle_number.h"
#include "thing.h"

namespace gridwhistle {
namespace {

constexpr FieldSchema kPointFields[] = {
    {.number = 1, .name = "at_ms", .type = FieldType::kInt, .measure = Measure::kTime},
    {.number = 2,
     .name = "latitude",
     .type = FieldType::kDouble,
     .measure = Measure::kLatitude,
     .beside = 3},
    {.number = 3,
     .name = "longitude",
     .type = FieldType::kDouble,
     .measure = Measure::kLongitude,
     .beside = 2},
};
constexpr FieldSchema kFields[] = {
    {.number = 2, .name = "started_ms", .type = FieldType::kInt, .measure = Measure::kTime},
    {.number = 3,
     .name = "ended_ms",
     .type = FieldType::kInt,
     .measure = Measure::kTime,
     .not_before = 2},
    {.number = 4,
     .name = "latitude",
     .type = FieldType::kDouble,
     .measure = Measure::kLatitude,
     .beside = 5},
    {.number = 5,
     .name = "longitude",
     .type = FieldType::kDouble,
     .measure = Measure::kLongitude,
     .beside = 4},
    {.number = 6, .name = "accuracy_m", .type = FieldType::kDouble, .measure = Measure::kAccuracy},
    {.number = 7,
     .name = "points",
     .type = FieldType::kMessage,
     .repeated = true,
     .nested = kPointFields,
     .nested_count = std::size(kPointFields)},
    {.number = 8, .name = "count", .type = FieldType::kInt},
    {.number = 9, .name = "grid", .place_code = PlaceCode::kGrid},
    {.number = 10, .name = "where", .place_code = PlaceCode::kGridOrArea},
};
constexpr KindSchema kWalk{.id = KindId(9), .name = "Walk", .scope_field = 2, .fields = kFields};

std::string position(double latitude, double longitude, std::uint32_t first = 4) {
  std::string message;
  append_double(message, first, latitude);
  append_double(message, first + 1, longitude);
  return message;
}

std::string times(std::int64_t started, std::int64_t ended) {
  return int_field(2, started) + int_field(3, ended);
}

bool possible(const std::string& message) {
  const auto how = check_values(kWalk, message);
  if (!how) CHECK(how.error().code == ErrorCode::kInvalid);
  return how.has_value();
}

TEST_CASE("degrees lie on the globe, to the last of them") {
  const double beyond_pole = std::nextafter(90.0, 91.0);
  const double beyond_half = std::nextafter(180.0, 181.0);
  for (const double sign : {1.0, -1.0}) {
    CHECK(possible(position(sign * 90, 0)));
    CHECK_FALSE(possible(position(sign * beyond_pole, 0)));
    CHECK(possible(position(0, sign * 180)));
    CHECK_FALSE(possible(position(0, sign * beyond_half)));
  }
}

TEST_CASE("times lie between 1970 and 2200") {
  CHECK(possible(int_field(2, 0)));
  CHECK_FALSE(possible(int_field(2, -1)));
  CHECK(possible(int_field(2, limits::kClockMaxMs)));
  CHECK_FALSE(possible(int_field(2, limits::kClockMaxMs + 1)));
  CHECK(possible(int_field(8, -1)));
}

TEST_CASE("half a position is none, and no radius is below nothing") {
  std::string north, east, near, inside_out;
  append_double(north, 4, 21);
  append_double(east, 5, 110);
  append_double(near, 6, 0);
  append_double(inside_out, 6, -std::numeric_limits<double>::min());
  CHECK_FALSE(possible(north));
  CHECK_FALSE(possible(east));
  CHECK(possible(north + east));
  CHECK(possible(near));
  CHECK_FALSE(possible(inside_out));
}

TEST_CASE("what one write says has an end at or after its beginning") {
  CHECK(possible(times(5, 5)));
  CHECK(possible(times(5, 6)));
  CHECK_FALSE(possible(times(5, 4)));
  CHECK(possible(int_field(3, 4)));
}

TEST_CASE("the points of a track are looked at one by one, whatever their order inside") {
  std::string good, bad;
  append_text(good, 7, position(21, 110, 2) + int_field(1, 7));
  append_text(bad, 7, int_field(1, 7) + position(21, 181, 2));
  CHECK(possible(good + good));
  CHECK_FALSE(possible(good + bad));
  std::string half;
  std::string point;
  append_double(point, 2, 21);
  append_text(half, 7, point);
  CHECK_FALSE(possible(half));
}

TEST_CASE("a grid is 15 digits and nothing else; what may lie in an area is 15 or 12") {
  const auto holds = [](std::uint32_t number, std::string_view code) {
    return possible(text_field(number, code));
  };
  for (const std::uint32_t number : {9U, 10U}) {
    CHECK(holds(number, "440811001001001"));
    for (const char* code :
         {"", "grid:440811001001001", "worker:440811001001001", "44081100100100",
          "4408110010010010", "44081100100100x", "village:440811001001", "440811"}) {
      CHECK_FALSE(holds(number, code));
    }
  }
  CHECK(holds(10, "440811001001"));
  CHECK_FALSE(holds(9, "440811001001"));
  const auto how = check_values(kWalk, text_field(9, "grid:440811001001001"));
  REQUIRE_FALSE(how);
  CHECK(how.error().message == "Walk.grid takes the 15 digits of a grid");
}

TEST_CASE("an impossible value is refused by the field's name") {
  const auto how = check_values(kWalk, position(91, 0));
  REQUIRE_FALSE(how);
  CHECK(how.error().message == "Walk.latitude lies beyond 90 degrees");
}

TEST_CASE("a number says whose it is only when no character of it is wrong") {
  const std::string number = whistle_number("A7K", 123);
  CHECK(number.starts_with("A7K-000123-"));
  CHECK(short_code_in(number) == "A7K");
  CHECK(short_code_in(whistle_number("1", 18'446'744'073'709'551'615U)) == "1");
  for (std::size_t at = 0; at < number.size(); ++at) {
    std::string wrong = number;
    wrong[at] = wrong[at] == '9' ? '8' : '9';
    CHECK_FALSE(short_code_in(wrong));
    CHECK_FALSE(short_code_in(number.substr(0, at)));
  }
  CHECK_FALSE(short_code_in("A7K-0000123-" + number.substr(number.size() - 1)));
}

}  // namespace
}  // namespace gridwhistle
