#include "terminal/details.h"

#include <array>
#include <catch2/catch.hpp>

#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/times.h"

using namespace gridwhistle;

namespace {

std::uint32_t number_of(KindId kind, std::string_view field) {
  return built_schema().kind(kind)->field(field)->number;
}

std::string said(const std::string& action, bool chinese) {
  const auto name_of = [](KindId, const RecordId& id) {
    return "N" + std::to_string(id.counter());
  };
  return terminal::in_words(terminal::action_details(action, chinese, name_of), chinese);
}

}  // namespace

TEST_CASE("What an action says is told in the reader's words: ids by name, times by the clock") {
  const auto field = [](std::string_view name) { return number_of(kinds::kWhistleAction, name); };
  std::string action;
  append_int(action, field("type"), 6);  // ASSIGN
  append_text(action, field("lead"), std::string(RecordId::make(DeviceId(1), 7).bytes()));
  for (const std::uint64_t one : {8, 9}) {
    append_text(action, field("co_departments"),
                std::string(RecordId::make(DeviceId(1), one).bytes()));
  }
  append_int(action, field("until_ms"), 1'796'085'000'000);
  CHECK(said(action, true) == "主办：N7；协办：N8、N9；截止：2026-12-01 08:30");
  CHECK(said(action, false) == "lead: N7; co_departments: N8, N9; until: 2026-12-01 08:30");
}

TEST_CASE("A refusal's reason is a word, an objection's a number of the county's own") {
  const auto action = [](int type) {
    std::string text;
    append_int(text, number_of(kinds::kWhistleAction, "type"), type);
    append_int(text, number_of(kinds::kWhistleAction, "reason"), 3);
    return text;
  };
  CHECK(said(action(2), true) == "原因：无法核实");
  CHECK(said(action(2), false) == "reason: NOT_VERIFIED");
  CHECK(said(action(7), false) == "reason: 3");
  CHECK(said("", true).empty());
}

TEST_CASE("What is possible from a state is told in the order of the road, each once") {
  const std::array<AssignmentState, 2> parts = {AssignmentState::kAssigned,
                                                AssignmentState::kReportedBack};
  const Line called = terminal::possible_now(WhistleState::kAssigned, parts);
  CHECK(called.en.starts_with(" It is ASSIGNED; possible from there: object, check_in, pull_up"));
  CHECK(called.zh.starts_with("；现为“已交办”，此时可以：object 派单异议、check_in 报到、"));
  const Line over = terminal::possible_now(WhistleState::kVoid, {});
  CHECK(over.en == " It is VOID; possible from there: comment");
}

TEST_CASE("Times are China's, wherever the machine stands") {
  CHECK(terminal::time_text(1'796'085'000'000) == "2026-12-01 08:30");
  CHECK(terminal::time_text(0) == "1970-01-01 08:00");
}
