#include "lint.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "proto_files.h"

namespace gridwhistle::lint {
namespace {

/// A kind that has nothing wrong with it, until `$` placeholders are given something else.
struct Sample {
  std::string kind = R"(number: 1 lane: LANE_RECORDS audience: AUDIENCE_WORK scope_field: "grid"
                        name_zh: "样")";
  std::string field = "// A note.\n optional string note = 3 [(field) = {name_zh: \"备注\"}];";
  std::string more;

  std::string text() const {
    return R"(syntax = "proto3"; package bad; import "gridwhistle/v1/options.proto";
      // A sample.
      message Sample {
        option (gridwhistle.v1.kind) = {)" +
           kind + R"(};
        // The record.
        optional bytes id = 1 [(gridwhistle.v1.field) = {name_zh: "标识"}];
        // The grid.
        optional string grid = 2 [(gridwhistle.v1.field) = {name_zh: "网格"}];
        )" +
           qualified(field) + "\n}\n" + qualified(more);
  }

  static std::string qualified(std::string body) {
    for (const std::string name : {"field", "kind", "zh"}) {
      for (std::size_t at = 0; (at = body.find("(" + name + ")", at)) != std::string::npos; ++at) {
        body.insert(at + 1, "gridwhistle.v1.");
      }
    }
    return body;
  }
};

std::string faults_of(const Sample& sample) {
  ProtoFiles protos({{"gridwhistle/v1/sample.proto", sample.text()}});
  std::string all;
  for (const std::string& fault : faults(protos.read({"sample.proto"}))) all += fault + "\n";
  return all;
}

std::string faults_of_field(const std::string& field) { return faults_of({.field = field}); }

using Catch::Contains;

std::vector<std::string> read_lines(const char* path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

TEST_CASE("The schema has no faults") {
  ProtoFiles protos;
  std::string all;
  for (const std::string& fault : faults(protos.read_all())) all += fault + "\n";
  CHECK(all == "");
}

TEST_CASE("A number that was given out is never changed or reused") {
  ProtoFiles protos;
  const auto golden = read_lines(GRIDWHISTLE_GOLDEN_SCHEMA);
  CHECK(golden.size() > 500);
  CHECK(changed(golden, numbers(protos.read_all())) == std::vector<std::string>{});
}

TEST_CASE("A kind that is new says since when, so that older phones are not sent its rows") {
  ProtoFiles protos;
  const auto golden = read_lines(GRIDWHISTLE_GOLDEN_SCHEMA);
  const auto files = protos.read_all();
  CHECK(newcomers(golden, files) == std::vector<std::string>{});
  auto without_visit = golden;
  std::erase_if(without_visit,
                [](const std::string& line) { return line.starts_with("field Visit "); });
  CHECK(newcomers(without_visit, files) == std::vector<std::string>{"Visit"});
}

// unit_proto "[regenerate]" writes the golden file anew, after additions. A line that disappears
// from it breaks phones in the field.
TEST_CASE("Write the golden schema", "[.regenerate]") {
  ProtoFiles protos;
  std::ofstream out(GRIDWHISTLE_GOLDEN_SCHEMA);
  out << "# Every number of the schema that must never change or be reused.\n"
         "# After additions: build/dev/bin/unit_proto \"[regenerate]\"\n";
  for (const std::string& line : numbers(protos.read_all())) out << line << '\n';
  REQUIRE(out.good());
}

TEST_CASE("The lint accepts a faultless kind") { CHECK(faults_of({}) == ""); }

TEST_CASE("The lint refuses a field without a comment") {
  CHECK_THAT(faults_of_field(R"(optional string note = 3 [(field) = {name_zh: "备注"}];)"),
             Contains("bad.Sample.note: has no comment"));
}

TEST_CASE("The lint refuses a field without presence") {
  CHECK_THAT(faults_of_field("// A note.\n string note = 3 [(field) = {name_zh: \"备注\"}];"),
             Contains("bad.Sample.note: has no presence"));
}

TEST_CASE("The lint refuses presence missing inside a part of a kind") {
  CHECK_THAT(
      faults_of({.field = "// Parts.\n repeated Part parts = 3 [(field) = {name_zh: \"部\"}];",
                 .more = "// A part.\n message Part {\n // Text.\n string text = 1 [(field) = "
                         "{name_zh: \"字\"}];\n}"}),
      Contains("bad.Part.text: has no presence"));
}

TEST_CASE("The lint refuses sensitive fields outside their audience") {
  const std::string audience = GENERATE("PUBLIC", "WORK");
  const std::string level = GENERATE("CONTACT", "PERSONAL", "SENSITIVE");
  Sample sample;
  sample.kind = "number: 1 lane: LANE_RECORDS audience: AUDIENCE_" + audience +
                R"( scope_field: "grid" name_zh: "样")";
  sample.field =
      "// A note.\n optional string note = 3 [(field) = {name_zh: \"备注\", sensitivity: "
      "SENSITIVITY_" +
      level + "}];";
  CHECK_THAT(faults_of(sample), Contains("too sensitive for its kind's audience"));
}

TEST_CASE("The lint refuses care data in a kind that is merely personal") {
  Sample sample;
  sample.kind =
      R"(number: 1 lane: LANE_RECORDS audience: AUDIENCE_PERSONAL scope_field: "grid" name_zh: "样")";
  sample.field =
      "// A note.\n optional string note = 3 [(field) = {name_zh: \"备注\", sensitivity: "
      "SENSITIVITY_SENSITIVE}];";
  CHECK_THAT(faults_of(sample), Contains("too sensitive for its kind's audience"));
}

TEST_CASE("The lint refuses names of personal data that are not marked so") {
  const std::string name = GENERATE("phone", "birth_year", "date_of_birth", "id_number_last4",
                                    "living_alone", "contact_name");
  CHECK_THAT(faults_of_field("// Something.\n optional string " + name +
                             " = 3 [(field) = {name_zh: \"某\"}];"),
             Contains("sounds personal"));
}

TEST_CASE("The lint looks for personal data inside the parts of a kind") {
  CHECK_THAT(
      faults_of({.field = "// People.\n repeated Part people = 3 [(field) = {name_zh: \"人\"}];",
                 .more = "// A part.\n message Part {\n // Phone.\n optional string phone = 1 "
                         "[(field) = {name_zh: \"电话\"}];\n}"}),
      Contains("bad.Sample.people: sounds personal"));
}

TEST_CASE("The lint refuses a mask on what is not sensitive, and a search index on what is most") {
  CHECK_THAT(faults_of_field("// A note.\n optional string note = 3 [(field) = {name_zh: \"备注\", "
                             "mask: MASK_NAME}];"),
             Contains("masked but not marked"));
  CHECK_THAT(faults_of_field("// A note.\n optional string note = 3 [(field) = {name_zh: \"备注\", "
                             "search: true, sensitivity: SENSITIVITY_SENSITIVE}];"),
             Contains("too sensitive for a search index"));
}

TEST_CASE("The lint refuses a kind without lane, audience, scope or Chinese name") {
  CHECK_THAT(faults_of({.kind = R"(number: 1 audience: AUDIENCE_WORK scope_field: "grid")"}),
             Contains("has no lane") && Contains("has no Chinese name"));
  CHECK_THAT(faults_of({.kind = R"(number: 1 lane: LANE_BULK scope_field: "grid")"}),
             Contains("has no audience"));
  CHECK_THAT(faults_of({.kind = "number: 1 lane: LANE_BULK audience: AUDIENCE_WORK"}),
             Contains("exactly one of scope_field"));
  CHECK_THAT(faults_of({.kind = R"(number: 1 lane: LANE_BULK audience: AUDIENCE_WORK
                                   scope_field: "grid" scope: "county")"}),
             Contains("exactly one of scope_field"));
}

TEST_CASE("The lint refuses a kind's number that is 0 or used twice") {
  CHECK_THAT(faults_of({.kind = R"(lane: LANE_BULK audience: AUDIENCE_WORK scope_field: "grid")"}),
             Contains("0 or used twice"));
  Sample twice;
  twice.more = R"(
    // Another.
    message Another {
      option (kind) = {number: 1 lane: LANE_BULK audience: AUDIENCE_WORK scope: "county"};
      // The record.
      optional bytes id = 1 [(field) = {name_zh: "标识"}];
    })";
  CHECK_THAT(faults_of(twice), Contains("0 or used twice"));
}

TEST_CASE("The lint refuses names that point nowhere") {
  CHECK_THAT(faults_of({.kind = R"(number: 1 lane: LANE_BULK audience: AUDIENCE_WORK
                                   scope_field: "village")"}),
             Contains("has no field village"));
  CHECK_THAT(
      faults_of_field("// A place.\n optional bytes place = 3 [(field) = {name_zh: \"场所\", "
                      "refers_to: \"Nowhere\"}];"),
      Contains("there is no kind Nowhere"));
}

TEST_CASE("The lint refuses a parent whose kind nobody says") {
  CHECK_THAT(
      faults_of({.kind = R"(number: 1 lane: LANE_BULK audience: AUDIENCE_WORK
                                   scope_parent: "parent")",
                 .field = "// Parent.\n optional bytes parent = 3 [(field) = {name_zh: \"父\"}];"}),
      Contains("must name its parent's kind"));
}

TEST_CASE("The lint refuses a part that cannot be found by its whole, or would outlive it") {
  const auto part = [](const std::string& rule, const std::string& field) {
    Sample sample;
    sample.more = R"(
      // A part.
      message Part {
        option (kind) = {number: 2 lane: LANE_BULK audience: AUDIENCE_WORK name_zh: "部"
                         scope_parent: "whole" )" +
                  rule + R"(};
        // The record.
        optional bytes id = 1 [(field) = {name_zh: "标识"}];
        // The whole.
        optional bytes whole = 2 [(field) = {name_zh: "整体", refers_to: "Sample" )" +
                  field + R"(}];
      })";
    return faults_of(sample);
  };
  CHECK(part("", "index: true") == "");
  CHECK_THAT(part("", ""), Contains("no index on its parent"));
  CHECK_THAT(part("never_erased: true", "index: true"), Contains("never erased and its parent"));
}

TEST_CASE("The lint refuses a fixed scope that nobody holds") {
  CHECK_THAT(faults_of({.kind = R"(number: 1 lane: LANE_BULK audience: AUDIENCE_WORK
                                   name_zh: "样" scope: "country")"}),
             Contains("nobody holds the scope country"));
}

TEST_CASE("The lint refuses rules that do not suit their field") {
  CHECK_THAT(faults_of_field("// A note.\n optional string note = 3 [(field) = {name_zh: \"备注\", "
                             "merge: MERGE_SET}];"),
             Contains("only a repeated field"));
  CHECK_THAT(faults_of_field("// A note.\n optional int64 note = 3 [(field) = {name_zh: \"备注\", "
                             "search: true}];"),
             Contains("only text is searched"));
  CHECK_THAT(faults_of_field("// Notes.\n repeated string notes = 3 [(field) = {name_zh: \"备注\", "
                             "index: true}];"),
             Contains("no column to index"));
  CHECK_THAT(
      faults_of_field("// A note.\n optional sint64 note = 3 [(field) = {name_zh: \"备注\"}];"),
      Contains("no column holds the type sint64"));
  CHECK_THAT(
      faults_of_field("// One.\n optional double one = 3 [(field) = {name_zh: \"一\", group: "
                      "\"g\"}];\n// Two.\n optional double two = 4 [(field) = {name_zh: "
                      "\"二\", group: \"g\", merge: MERGE_SERVER}];"),
      Contains("group g has different merge policies"));
}

TEST_CASE("The lint refuses what the domain has no place for") {
  const std::string name =
      GENERATE("face_image", "fingerprint", "biometric_hash", "religion", "political_view",
               "criminal_record", "psychiatric_note", "petitioner", "risk_score", "blacklist",
               "watch_list", "licence_plate", "ethnicity", "iris");
  CHECK_THAT(faults_of_field("// Something.\n optional string " + name +
                             " = 3 [(field) = {name_zh: \"某\"}];"),
             Contains("there is no place for this"));
}

TEST_CASE("The lint refuses forbidden names of kinds and enum values too") {
  CHECK_THAT(faults_of({.more = "// A list.\n message WatchList {}"}),
             Contains("there is no place for this"));
  CHECK_THAT(faults_of({.more = "// A mark.\n enum Mark {\n // None.\n MARK_UNSPECIFIED = 0;\n // "
                                "Bad.\n MARK_PETITIONER = 1 [(zh) = \"某\"];\n}"}),
             Contains("there is no place for this"));
}

TEST_CASE("Words that merely contain a forbidden one are allowed") {
  CHECK(faults_of_field("// A surface.\n optional string road_surface = 3 [(field) = {name_zh: "
                        "\"路面\"}];") == "");
  CHECK(faults_of_field("// A template.\n optional string template = 3 [(field) = {name_zh: "
                        "\"模板\"}];") == "");
}

TEST_CASE("The lint refuses enums without zero, prefix, comments or Chinese names") {
  const std::string all = faults_of(
      {.more = "// A mark.\n enum Mark {\n // None.\n MARK_NONE = 0;\n MARK_ONE = 1;\n // "
               "Two.\n TWO = 2 [(zh) = \"二\"];\n}"});
  CHECK_THAT(all, Contains("MARK_NONE: 0, and only 0"));
  CHECK_THAT(all, Contains("MARK_ONE: has no comment"));
  CHECK_THAT(all, Contains("MARK_ONE: has no Chinese name"));
  CHECK_THAT(all, Contains("TWO: does not begin with"));
}

TEST_CASE("The lint refuses a message beside the kinds that no kind uses") {
  CHECK_THAT(faults_of({.more = "// Forgotten.\n message Forgotten {}"}),
             Contains("neither a record kind nor part of one"));
}

TEST_CASE("A renumbered, renamed, retyped or removed field differs from the golden schema") {
  const auto numbers_of = [](const std::string& field) {
    Sample sample;
    sample.field = field;
    ProtoFiles protos({{"gridwhistle/v1/sample.proto", sample.text()}});
    return numbers(protos.read({"sample.proto"}));
  };
  const auto golden = numbers_of("optional string note = 3;");
  CHECK(changed(golden, golden).empty());
  CHECK(changed(golden, numbers_of("optional string note = 3; optional string more = 4;")).empty());
  CHECK(changed(golden, numbers_of("optional string note = 4;")).size() == 1);
  CHECK(changed(golden, numbers_of("optional string text = 3;")).size() == 1);
  CHECK(changed(golden, numbers_of("optional int64 note = 3;")).size() == 1);
  CHECK(changed(golden, numbers_of("repeated string note = 3;")).size() == 1);
  CHECK(changed(golden, numbers_of("")).size() == 1);
}

TEST_CASE("A kind whose number changed differs from the golden schema") {
  ProtoFiles before({{"gridwhistle/v1/sample.proto", Sample{}.text()}});
  Sample renumbered;
  renumbered.kind.replace(renumbered.kind.find('1'), 1, "2");
  ProtoFiles after({{"gridwhistle/v1/sample.proto", renumbered.text()}});
  CHECK(changed(numbers(before.read({"sample.proto"})), numbers(after.read({"sample.proto"}))) ==
        std::vector<std::string>{"kind Sample 1"});
}

}  // namespace
}  // namespace gridwhistle::lint
