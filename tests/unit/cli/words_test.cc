#include "cli/words.h"

#include <catch2/catch.hpp>

#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/times.h"

namespace gridwhistle::cli {

namespace {

constexpr std::int64_t kNow_ms = 1'790'000'000'000;

const FieldSchema& field(KindId kind, std::string_view name) {
  return *built_schema().kind(kind)->field(name);
}

/// The error that `set` gives for that pair; it names the field.
ErrorCode set_fails(KindId kind, const std::string& pair) {
  const auto change = change_from(*built_schema().kind(kind), {pair}, kNow_ms);
  INFO(pair);
  REQUIRE_FALSE(change);
  CHECK(change.error().message.find(pair.substr(0, pair.find('='))) != std::string::npos);
  return change.error().code;
}

}  // namespace

TEST_CASE("a yes or no is one of a few words, anything else is refused") {
  const FieldSchema& emergency = field(kinds::kWhistle, "emergency");
  for (const char* word : {"1", "true", "yes", "YES", "是"}) {
    CHECK(number_from(emergency, word, kNow_ms).value() == 1);
  }
  for (const char* word : {"0", "false", "no", "否"}) {
    CHECK(number_from(emergency, word, kNow_ms).value() == 0);
  }
  CHECK(set_fails(kinds::kWhistle, "emergency=maybe") == ErrorCode::kInvalid);
}

TEST_CASE("an enum is given by name or by a number it has") {
  const FieldSchema& wanted = field(kinds::kWhistle, "whistle_class");
  CHECK(enum_from(wanted, "key").value() == enum_from(wanted, "重点").value());
  CHECK(enum_from(wanted, "2").value() == 2);
  for (const char* word : {"0", "99", "-1", "purple"}) {
    INFO(word);
    CHECK(enum_from(wanted, word).error().code == ErrorCode::kInvalid);
  }
}

TEST_CASE("a field is called by its name or by what stands above its values") {
  const KindSchema& visit = *built_schema().kind(kinds::kVisit);
  for (const char* word : {"ended_ms", "ended", "结束时间"}) {
    INFO(word);
    const FieldSchema* found = field_called(visit, word);
    REQUIRE(found != nullptr);
    CHECK(found->name == "ended_ms");
  }
  CHECK(field_called(visit, "colour") == nullptr);
}

TEST_CASE("a number is one to its last digit, a time is one or a date") {
  const FieldSchema& year = field(kinds::kResident, "birth_year");
  CHECK(number_from(year, "1982", kNow_ms).value() == 1982);
  CHECK_FALSE(number_from(year, "1982x", kNow_ms));
  CHECK_FALSE(number_from(year, "3d", kNow_ms));
  const FieldSchema& ended = field(kinds::kVisit, "ended_ms");
  CHECK(number_from(ended, "3d", 0).value() == 3 * 86'400'000);
  CHECK_FALSE(number_from(ended, "abc", kNow_ms));
  CHECK(set_fails(kinds::kVisit, "ended_ms=abc") == ErrorCode::kInvalid);
}

TEST_CASE(
    "a day is one of the calendar, and begins at China's midnight wherever the machine stands") {
  CHECK(time_from("2026-12-01", kNow_ms, false).value() == 1'796'054'400'000);
  CHECK(time_from("2026-12-01 08:30", kNow_ms, false).value() == 1'796'085'000'000);
  CHECK(terminal::time_text(1'796'085'000'000) == "2026-12-01 08:30");
  CHECK(time_from("2028-02-29", kNow_ms, false));
  for (const char* day : {"2026-02-30", "2027-02-29", "2026-04-31", "2026-13-01", "9999-12-31",
                          "1899-12-31", "2026-12-01 24:30"}) {
    INFO(day);
    CHECK_FALSE(time_from(day, kNow_ms, false));
  }
}

TEST_CASE("a year of birth has four digits, whichever command takes it") {
  CHECK(change_from(*built_schema().kind(kinds::kResident), {"birth_year=1982"}, kNow_ms));
  for (const char* pair : {"birth_year=1800", "birth_year=2101", "birth_year=82"}) {
    CHECK(set_fails(kinds::kResident, pair) == ErrorCode::kInvalid);
  }
}

TEST_CASE("of a worker's open visits those begun on this phone come first") {
  const auto visit = [](std::uint64_t device, std::uint64_t counter) {
    Found<v1::Visit> found;
    found.info.id = RecordId::make(DeviceId(device), counter);
    return found;
  };
  std::vector<Found<v1::Visit>> open = {visit(2, 9), visit(1, 8), visit(2, 7), visit(1, 6)};
  own_first(open, DeviceId(1));
  std::vector<std::uint64_t> order;
  for (const auto& one : open) order.push_back(one.info.id.counter());
  CHECK(order == std::vector<std::uint64_t>{8, 6, 9, 7});
}

TEST_CASE("a grant is about the only part there is, else it is told where the ids stand") {
  Road road;
  CHECK_FALSE(assignment_to_grant(road, "RE-1"));
  const auto call = [&](const char* id, v1::AssignmentState state) {
    v1::Assignment& one = road.parts.emplace_back().assignment.record;
    one.set_id(id);
    one.set_state(state);
  };
  call("withdrawn", v1::ASSIGNMENT_STATE_WITHDRAWN);
  call("first", v1::ASSIGNMENT_STATE_HANDLING);
  CHECK(assignment_to_grant(road, "RE-1").value() == "first");
  call("second", v1::ASSIGNMENT_STATE_CHECKED_IN);
  const auto several = assignment_to_grant(road, "RE-1");
  REQUIRE_FALSE(several);
  CHECK(several.error().message.find("gw road RE-1") != std::string::npos);
  CHECK(several.error().message.find("--assignment") != std::string::npos);
}

TEST_CASE("who holds no area is told to sync, or after a sync that no role is left") {
  ClientStatus status;
  status.enrolled = true;
  REQUIRE(why_no_area(status));
  CHECK(why_no_area(status)->en.find("gw sync") != std::string::npos);
  status.since_sync_ms = 1000;
  REQUIRE(why_no_area(status));
  CHECK(why_no_area(status)->en.find("gw sync") == std::string::npos);
  CHECK(why_no_area(status)->en.find("no role") != std::string::npos);
  status.scopes = {"grid:440811100001001"};
  CHECK_FALSE(why_no_area(status));
}

TEST_CASE("a digest is 64 hexadecimal digits, every other field of bytes an id") {
  const FieldSchema& digest = field(kinds::kAttachment, "sha256");
  std::string digits;
  for (int i = 0; i < 16; ++i) digits += "0aF9";
  const auto bytes = bytes_from(digest, digits);
  REQUIRE(bytes);
  CHECK(bytes->size() == 32);
  CHECK(bytes->starts_with("\x0a\xf9\x0a\xf9"));
  const std::string id = "00000000-0000-8000-8000-000000000000";
  CHECK(bytes_from(field(kinds::kAttachment, "parent"), id)->size() == 16);
  CHECK_FALSE(bytes_from(field(kinds::kAttachment, "parent"), digits));
  CHECK(set_fails(kinds::kAttachment, "sha256=" + id) == ErrorCode::kInvalid);
  CHECK(set_fails(kinds::kAttachment, "sha256=" + digits.substr(1) + "g") == ErrorCode::kInvalid);
}

TEST_CASE("a text has words in it") {
  for (const char* blank : {"title=  ", "title=　"}) {
    CHECK(set_fails(kinds::kWhistle, blank) == ErrorCode::kInvalid);
  }
  CHECK(change_from(*built_schema().kind(kinds::kWhistle), {"title=井盖"}, kNow_ms));
}

}  // namespace gridwhistle::cli
