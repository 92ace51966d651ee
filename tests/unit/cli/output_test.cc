#include "cli/output.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

#include "gridwhistle/v1/records.pb.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::cli {

namespace {

/// What goes to standard output while this lives.
class Printed {
 public:
  Printed() : before_(std::cout.rdbuf(text_.rdbuf())) {}
  ~Printed() { std::cout.rdbuf(before_); }
  Printed(const Printed&) = delete;
  Printed& operator=(const Printed&) = delete;
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* before_;
};

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a record is shown whole though many writes made a field larger than one may be") {
  v1::Visit visit;
  visit.set_notes("夜间巡查");
  for (int i = 0; i < 20; ++i) visit.add_tags(std::string(1000, static_cast<char>('a' + i)));
  FoundBytes found;
  found.record = visit.SerializeAsString();
  const KindSchema& kind = *built_schema().kind(kinds::kVisit);
  const auto fields = Output(Settings{.json = true}).record_json(kind, found)["fields"];
  CHECK(fields.value("notes", "") == "夜间巡查");
  CHECK(fields.value("tags", nlohmann::json()).size() == 20);
}

TEST_CASE("what is no record shows no fields") {
  FoundBytes found;
  found.record = "\xFF";
  const KindSchema& kind = *built_schema().kind(kinds::kVisit);
  CHECK(Output(Settings{}).record_json(kind, found)["fields"].empty());
}

TEST_CASE("an error is told in the reader's language, then what it says of the case at hand") {
  const Error offline{ErrorCode::kUnavailable, "connect: refused", ""};
  CHECK(has(Output(Settings{.chinese = true}).words_of(offline), "连接不上服务器"));
  CHECK(has(Output(Settings{.chinese = false}).words_of(offline), "cannot be reached"));
  CHECK(has(Output(Settings{.chinese = false}).words_of(offline), "connect: refused"));
  // A road says everything in both languages; one is enough.
  const Error road{ErrorCode::kConflict, "当前状态下不能 Not possible", "wrong_state"};
  CHECK_FALSE(has(Output(Settings{.chinese = false}).words_of(road), "状态"));
  CHECK(has(Output(Settings{.chinese = false}).words_of(road), "state"));
  CHECK_FALSE(has(Output(Settings{.chinese = true}).words_of(road), "state"));
  // What was added about the case at hand is told.
  const Error more{ErrorCode::kConflict, both("不能；现为“已受理”", "No. It is ACCEPTED"),
                   "wrong_state"};
  CHECK(Output(Settings{.chinese = false}).words_of(more) == "No. It is ACCEPTED");
}

TEST_CASE("nothing that a person wrote breaks a table, forges a row of it or steers the terminal") {
  v1::Whistle whistle;
  whistle.set_title("a\x1b[31mred\nRE-1  CLOSED  \u202enot so");
  FoundBytes found;
  found.record = whistle.SerializeAsString();
  const KindSchema& kind = *built_schema().kind(kinds::kWhistle);
  const Printed printed;
  const Output output(Settings{.chinese = false});
  output.records(kind, {found}, 50);
  output.record(kind, found, {});
  output.line(whistle.title());
  Table table({"title"});
  table.add({whistle.title()});
  output.table(table);
  CHECK(has(printed.text(), "a\\u001b[31mred⏎RE-1"));
  CHECK_FALSE(has(printed.text(), "\x1b"));
  CHECK_FALSE(has(printed.text(), "\u202e"));
  CHECK_FALSE(has(printed.text(), "\nRE-1"));
}

TEST_CASE("a program gets what a person wrote as it is") {
  v1::Whistle whistle;
  whistle.set_title("一\n二");
  FoundBytes found;
  found.record = whistle.SerializeAsString();
  const KindSchema& kind = *built_schema().kind(kinds::kWhistle);
  CHECK(Output(Settings{.json = true}).record_json(kind, found)["fields"]["title"] == "一\n二");
}

TEST_CASE("a program reads a whistle's road in no language, and finds each assignment's id in it") {
  Road road;
  road.whistle.record.set_state(v1::WHISTLE_STATE_HANDLING);
  road.proposed = v1::WHISTLE_STATE_REPORTED_BACK;
  road.actions.emplace_back().record.set_type(v1::WHISTLE_ACTION_TYPE_CHECK_IN);
  RoadPart& part = road.parts.emplace_back();
  part.assignment.info.id = RecordId::make(DeviceId(1), 7);
  part.assignment.record.set_state(v1::ASSIGNMENT_STATE_CHECKED_IN);
  const auto nobody = [](KindId, const RecordId&) { return std::string("甲"); };
  std::vector<std::string> told;
  for (const bool chinese : {true, false}) {
    const Printed printed;
    Output(Settings{.json = true, .chinese = chinese}).road(road, nobody);
    told.push_back(printed.text());
  }
  CHECK(told[0] == told[1]);
  CHECK(has(told[0], "HANDLING"));
  CHECK(has(told[0], "CHECK_IN"));
  const Printed printed;
  Output(Settings{.chinese = true}).road(road, nobody);
  CHECK(has(printed.text(), "处置中"));
  CHECK(has(printed.text(), part.assignment.info.id.text()));
}

TEST_CASE("a road shows what decides: why refused, until when, which result, which round") {
  Road road;
  road.whistle.record.set_refusal_reason(v1::REFUSAL_REASON_NOT_PUBLIC);
  road.whistle.record.set_merged_into(std::string(RecordId::make(DeviceId(1), 8).bytes()));
  v1::WhistleAction& visit = road.actions.emplace_back().record;
  visit.set_type(v1::WHISTLE_ACTION_TYPE_RETURN_VISIT);
  visit.set_return_visit_result(v1::RETURN_VISIT_RESULT_UNRESOLVED);
  visit.set_round(2);
  const auto named = [](KindId, const RecordId&) { return std::string("EAP6-000008-6"); };
  const Printed printed;
  Output(Settings{.chinese = true}).road(road, named);
  CHECK(has(printed.text(), "不予受理原因：非公共事项"));
  CHECK(has(printed.text(), "EAP6-000008-6"));
  CHECK(has(printed.text(), "未解决"));
  const Printed told;
  Output(Settings{.json = true}).road(road, named);
  const auto document = nlohmann::json::parse(told.text());
  CHECK(document["refusal_reason"] == "NOT_PUBLIC");
  CHECK(document["actions"][0]["return_visit_result"] == "UNRESOLVED");
  CHECK(document["actions"][0]["round"] == 2);
}

TEST_CASE("a list that shows the first of more says so, and shows no more than was asked for") {
  const KindSchema& kind = *built_schema().kind("Grid");
  const auto said = [&](std::size_t found, bool chinese) {
    const Printed printed;
    Output(Settings{.chinese = chinese}).records(kind, std::vector<FoundBytes>(found), 2);
    return printed.text();
  };
  CHECK(has(said(2, false), "\n2 records\n"));
  CHECK(has(said(3, false), "\nthe first 2; there are more\n"));
  CHECK(has(said(3, true), "\n只列出前 2 条，还有更多\n"));
  CHECK(std::ranges::count(said(3, true), '\n') == 4);
}

TEST_CASE("an error is told in the language of its reader alone") {
  const auto said = [](const Error& error, bool chinese) {
    return Output(Settings{.chinese = chinese}).words_of(error);
  };
  const Error role{ErrorCode::kForbidden, "角色无此权限 / your role may not write this", ""};
  CHECK(said(role, true) == "您的岗位不能这样做：角色无此权限");
  CHECK(said(role, false) == "this role may not do it: your role may not write this");
  CHECK(said({ErrorCode::kInvalid, "Whistle.title is required", ""}, true) ==
        "填写的内容不符合要求：哨声的标题必须填写");
  CHECK(said({ErrorCode::kProtocol, "frame 7 is odd", ""}, true) == "与服务器的通信出错");
}

TEST_CASE("a table of any kind has columns enough to tell its records apart") {
  for (const KindSchema& kind : built_schema().kinds) {
    INFO(kind.name);
    const Printed printed;
    Output(Settings{.chinese = false}).records(kind, {FoundBytes{}}, 50);
    const std::string heads = printed.text().substr(0, printed.text().find('\n'));
    const auto shown = std::ranges::count_if(
        kind.fields, [&](const FieldSchema& field) { return has(heads, field.name); });
    const auto plain = std::ranges::count_if(kind.fields, [](const FieldSchema& field) {
      return field.number != 1 && field.type != FieldType::kMessage;
    });
    CHECK(shown >= std::min<std::ptrdiff_t>(plain, 3));
  }
}

}  // namespace gridwhistle::cli
