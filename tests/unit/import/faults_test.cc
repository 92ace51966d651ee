#include <catch2/catch.hpp>

#include "county_files.h"

using namespace gridwhistle::import;

namespace {

/// The one problem of the small county with `what` replaced by `by` in one of its files.
std::string fault(const std::string& name, const std::string& what, const std::string& by) {
  for (const SourceFile& file : county_files()) {
    if (file.name != name) continue;
    const auto problems = problems_of(county_with(name, replaced(file.bytes, what, by)));
    return problems.size() == 1 ? problems[0] : std::to_string(problems.size()) + " problems";
  }
  return "no such file";
}

}  // namespace

TEST_CASE("The small county is clean") { CHECK(problems_of(county_files()).empty()); }

TEST_CASE("A problem says in both languages what is wrong, with file and line before it") {
  Problems problems;
  problems.add("areas.csv", 3, {"缺少列 \"name\"", "column \"name\" is missing"});
  problems.add("rules.toml", 0, {"文件是空的", "the file is empty"});
  problems.add("", 0, {"ZX 成了自己的上级", "ZX stands above itself"});
  CHECK(problems.kept()[0].text() == gridwhistle::Line{"areas.csv:3: 缺少列 \"name\"",
                                                       "areas.csv:3: column \"name\" is missing"});
  CHECK(problems.kept()[1].text().zh == "rules.toml: 文件是空的");
  CHECK(problems.kept()[2].text() ==
        gridwhistle::Line{"（此前已导入）: ZX 成了自己的上级",
                          "(imported before): ZX stands above itself"});
}

TEST_CASE("Tables: columns and widths") {
  CHECK(fault("areas.csv", "name", "nmae") == "2 problems");
  CHECK(fault("areas.csv", "parent12", "name") ==
        "areas.csv:1: column \"name\" stands there twice");
  CHECK(fault("areas.csv", "COUNTY,", "COUNTY,,") ==
        "areas.csv:2: has 5 values where the header has 4");
  CHECK(fault("areas.csv", "麻章镇", "") == "areas.csv:3: name is empty");
  CHECK(fault("areas.csv", kAreas, "") == "areas.csv: the file is empty");
}

TEST_CASE("Areas: codes, levels and parents") {
  CHECK(fault("areas.csv", "440811100001,", "44081110000,") ==
        "areas.csv:4: code12 \"44081110000\": must have exactly 12 digits");
  CHECK(fault("areas.csv", "TOWN", "TWON") ==
        "areas.csv:3: level \"TWON\": must be one of VILLAGE, TOWN, COUNTY, CITY");
  CHECK(fault("areas.csv", "TOWN", "VILLAGE") ==
        "areas.csv:3: level \"VILLAGE\": the code 440811100000 is that of another level");
  CHECK(fault("areas.csv", "福民居委会,440811100000", "福民居委会,440811000000") ==
        "areas.csv:4: parent12 \"440811000000\": by its code 440811100001 lies in 440811100000");
  CHECK(fault("areas.csv", "福民居委会,440811100000", "福民居委会,") ==
        "areas.csv:4: parent12 \"\": a town or village needs the area it lies in");
  CHECK(fault("areas.csv", "440811100000,TOWN,麻章镇,440811000000\n", "") ==
        "areas.csv:3: there is no area 440811100000");
  CHECK(fault("areas.csv", "440811100001,VILLAGE", "440811100001,村/社区") == "0 problems");
  CHECK(fault("areas.csv", "440811100001,VILLAGE,福民居委会,440811100000\n",
              "440811100001,VILLAGE,福民居委会,440811100000\n"
              "440811100001,VILLAGE,又一个,440811100000\n") ==
        "areas.csv:5: \"440811100001\" stands already in areas.csv:4");
  CHECK(fault("areas.csv", "440811100001,VILLAGE,福民居委会,440811100000\n",
              "440811100001,VILLAGE,福民居委会,440811100000\n"
              "440812000000,COUNTY,别处,440800000000\n") ==
        "areas.csv:5: 440812000000 does not lie in county 440811");
}

TEST_CASE("Grids: what is not JSON, or not a list of features, or not UTF-8") {
  const auto grids = [](const std::string& bytes) {
    const auto problems = problems_of(county_with("grids.geojson", bytes));
    return problems.empty() ? "" : problems[0];
  };
  CHECK(grids("{\n\n x") == "grids.geojson:3: is not JSON from here on");
  CHECK(grids("") == "grids.geojson:1: is not JSON from here on");
  CHECK(grids("[]") == "grids.geojson: is not a FeatureCollection of Features alone");
  CHECK(grids("{\"type\":\"FeatureCollection\",\"features\":[1]}") ==
        "grids.geojson: is not a FeatureCollection of Features alone");
  CHECK(grids("{\"a\":\"\xFF\"}") == "grids.geojson:1: the text is not UTF-8, or has a NUL in it");
  CHECK(grids(std::string(200'000, '[')).find("is nested too deeply") != std::string::npos);
}

TEST_CASE("Grids: codes, properties and shapes") {
  const char* file = "grids.geojson";
  CHECK(fault(file, "\"440811100001001\"", "\"44081110000100\"") ==
        "grids.geojson:2: feature 1: code15 \"44081110000100\": must have exactly 15 digits");
  CHECK(fault(file, "BASIC", "BASICS") ==
        "grids.geojson:2: grid 440811100001001: type \"BASICS\": must be one of BASIC, DEDICATED, "
        "MICRO");
  CHECK(fault(file, "BASIC", "DEDICATED") ==
        "grids.geojson:2: grid 440811100001001: a dedicated grid needs an owner");
  CHECK(
      fault(file, "BASIC", "MICRO") ==
      "grids.geojson:2: grid 440811100001001: a micro-grid needs the grid it is part of, parent15");
  CHECK(fault(file, "\"name\":\"第一网格\",", "") ==
        "grids.geojson:2: grid 440811100001001: property \"name\" is missing");
  CHECK(fault(file, "\"type\":\"BASIC\"", "\"type\":\"BASIC\",\"Valid-From\":1") ==
        "grids.geojson:2: grid 440811100001001: property \"Valid-From\" is written "
        "\"valid_from\"");
  CHECK(fault(file, "\"type\":\"BASIC\"", "\"type\":\"BASIC\",\"village12\":\"440811100002\"") ==
        "grids.geojson:2: grid 440811100001001: village12 \"440811100002\": by its code "
        "440811100001001 the grid lies in "
        "440811100001");
  CHECK(fault(file, "\"type\":\"BASIC\"", "\"type\":\"BASIC\",\"owner\":\"NN\"") ==
        "grids.geojson:2: grid 440811100001001: there is no organisation NN");
  CHECK(fault(file, "\"Polygon\"", "\"Point\"")
            .starts_with("grids.geojson:2: grid 440811100001001: its geometry is not a Polygon or "
                         "MultiPolygon"));
  CHECK(fault(file, ",[110.30,21.20]]]", "]]")
            .starts_with("grids.geojson:2: grid 440811100001001: a ring needs"));
  const std::string corner = "[110.31,21.20],[110.31,21.21],";
  CHECK(fault(file, corner, "[110.31,21.21],[110.30,21.21],[110.31,21.20],") ==
        "grids.geojson:2: grid 440811100001001: a ring crosses or touches itself");
  CHECK(fault(file, "\"Feature\",\"properties\"", "\"Feature\",\"attributes\"") ==
        "grids.geojson:2: feature 1: is not a Feature with properties");
}

TEST_CASE("Grids: what other programs add to a feature is none of our business") {
  const char* file = "grids.geojson";
  CHECK(fault(file, "\"type\":\"BASIC\"", "\"type\":\"BASIC\",\"fid\":1,\"colour\":{}") ==
        "0 problems");
  CHECK(fault(file, "\"Feature\",\"properties\"",
              "\"Feature\",\"id\":7,\"bbox\":[110,21,111,22],\"properties\"") == "0 problems");
}

TEST_CASE(
    "Grids: coordinates are degrees of WGS 84 or CGCS2000, and a file that says otherwise is "
    "refused") {
  const auto with_crs = [](const std::string& crs) {
    return fault("grids.geojson", "\"features\"", "\n\"crs\":" + crs + ",\"features\"");
  };
  const auto named = [&](const std::string& name) {
    return with_crs("{\"type\":\"name\",\"properties\":{\"name\":\"" + name + "\"}}");
  };
  for (const char* good :
       {"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326", "epsg:4490",
        "http://www.opengis.net/def/crs/EPSG/0/4326"}) {
    CHECK(named(good) == "0 problems");
  }
  CHECK(with_crs("null") == "0 problems");
  for (const char* bad : {"urn:ogc:def:crs:EPSG::3857", "EPSG:4547", "EPSG:14326", "GCJ-02", ""}) {
    INFO(bad);
    CHECK(named(bad).starts_with("grids.geojson:2: its crs is not one of degrees"));
  }
  CHECK(with_crs("{\"type\":\"link\"}").starts_with("grids.geojson:2: its crs is not"));
}

TEST_CASE("Grids: a hole lies within its ring, and no two grids have one boundary at one time") {
  const char* file = "grids.geojson";
  const std::string end = "[110.30,21.20]]]";
  const auto with_hole = [&](const std::string& hole) {
    return fault(file, end, "[110.30,21.20]],[" + hole + "]]");
  };
  CHECK(with_hole("[110.306,21.201],[110.309,21.201],[110.309,21.203],[110.306,21.201]") ==
        "0 problems");
  CHECK(with_hole("[110.40,21.20],[110.41,21.20],[110.41,21.21],[110.40,21.20]") ==
        "grids.geojson:2: grid 440811100001001: a hole lies outside its ring");
  const std::size_t begin = kGrids.find("{\"type\":\"Feature\"");
  const std::string first = kGrids.substr(begin, kGrids.rfind("\n]}") - begin);
  const auto again = [&](const std::string& properties) {
    const std::string other =
        replaced(first, "440811100001001\"", "440811100001002\"" + properties);
    return fault(file, "\n]}", ",\n" + other + "]}");
  };
  CHECK(again("") == "grids.geojson:4: 440811100001002 has the very boundary of 440811100001001");
  CHECK(again(",\"parent15\":\"440811100001001\"") == "0 problems");
}

TEST_CASE("Names that no list shows, and dates long before there were grids, are refused") {
  std::string name;
  for (int i = 0; i < 100; ++i) name += "某";
  CHECK(fault("workers.csv", "赵示例", name) == "0 problems");
  CHECK(fault("workers.csv", "赵示例", name + "某") ==
        "workers.csv:2: name has more than 100 characters");
  CHECK(fault("grids.geojson", "第一网格", name + "某") ==
        "grids.geojson:2: grid 440811100001001: name has more than 100 characters");
  const auto dated = [](const std::string& date) {
    return fault("grids.geojson", "\"type\":\"BASIC\"",
                 "\"type\":\"BASIC\",\"valid_from\":\"" + date + "\"");
  };
  CHECK(dated("2026-01-01") == "0 problems");
  for (const char* date : {"1900-01-01", "2101-01-01", "0026-01-01"}) {
    CHECK(dated(date).find("must be a date of the years 1949 to 2100") != std::string::npos);
  }
}

TEST_CASE("Organisations: levels, areas and who stands above whom") {
  const char* file = "organisations.csv";
  CHECK(fault(file, "BM-CG", "BM CG").find("a code is made of") != std::string::npos);
  CHECK(fault(file, "城管,ZX", "城管,ZZ") == "organisations.csv:3: there is no organisation ZZ");
  CHECK(fault(file, "城管,ZX,440811000000", "城管,ZX,440811200000") ==
        "organisations.csv:3: there is no area 440811200000");
  CHECK(fault(file, "COUNTY,城管", "TOWN,城管") ==
        "organisations.csv:3: BM-CG has another level than its area 440811000000");
  CHECK(problems_of(county_with(file, replaced(kOrganisations, "综治中心,,", "综治中心,BM-CG,")))
            .size() == 2);
}

TEST_CASE("Workers: organisations and roles") {
  const char* file = "workers.csv";
  CHECK(fault(file, ",ZX,", ",ZZ,") == "workers.csv:2: there is no organisation ZZ");
  CHECK(fault(file, "440811100001001", "440811100001002") ==
        "workers.csv:2: there is no grid 440811100001002");
  CHECK(fault(file, "GRID_WORKER@grid:440811100001001", "GRID_WORKER@town:440811100000")
            .find("this role is not held there") != std::string::npos);
  CHECK(fault(file, "GRID_WORKER@", "DEPARTMENT@").find("not held there") != std::string::npos);
  CHECK(fault(file, "GRID_WORKER@", "KING@").find("is not a role") != std::string::npos);
  CHECK(fault(file, "@grid:440811100001001", "").find("is not a role") != std::string::npos);
  CHECK(fault(file, "@grid:440811100001001", "@village:440811100001001").find("has no scope") !=
        std::string::npos);
}

TEST_CASE("Categories, list and rules point at things that are there") {
  CHECK(fault("categories.csv", "垃圾,01", "垃圾,02") ==
        "categories.csv:3: parent \"02\": the code 01001 does not begin with it");
  CHECK(fault("categories.csv", "01,市容,\n", "") == "categories.csv:2: there is no category 01");
  CHECK(fault("responsibility.csv", "城管", "交警") ==
        "responsibility.csv:2: ZR1: there is no organisation of the type 交警");
  CHECK(fault("responsibility.csv", "COUNTY,01001", "COUNTY,07") ==
        "responsibility.csv:2: there is no category that begins with 07");
  CHECK(fault("rules.toml", "\"ZR1\"", "\"ZR9\"") == "rules.toml:1: FP1: the list has no item ZR9");
  CHECK(fault("rules.toml", "\"01\"", "\"08\"") ==
        "rules.toml:1: there is no category that begins with 08");
}

TEST_CASE("Rules: every key is known and of its type") {
  const char* file = "rules.toml";
  CHECK(fault(file, "lead_level", "leed_level") == "rules.toml:5: unknown key \"leed_level\"");
  CHECK(fault(file, "\"COUNTY\"", "3") == "rules.toml:5: lead_level must be a text");
  CHECK(fault(file, "\"COUNTY\"", "\"MOON\"")
            .starts_with("rules.toml:5: lead_level \"MOON\": must be"));
  CHECK(fault(file, "lead_level", "priority = 1.5\nlead_level") ==
        "rules.toml:5: priority must be a whole number");
  CHECK(fault(file, "lead_level", "emergency = 1\nlead_level") ==
        "rules.toml:5: emergency must be true or false");
  CHECK(fault(file, "lead_level", "valid_until = \"soon\"\nlead_level") ==
        "rules.toml:5: valid_until must be a date like 2026-01-31");
  CHECK(fault(file, "lead_level", "valid_until = 2026-12-31\nlead_level") == "0 problems");
  CHECK(fault(file, "[[rule]]", "[[rules]]") ==
        "rules.toml:1: unknown key \"rules\"; each rule begins with [[rule]]");
  CHECK(fault(file, "\"FP1\"", "\"FP1").starts_with("rules.toml:2: "));
  CHECK(fault(file, "responsibility_item = \"ZR1\"\n", "") ==
        "rules.toml:1: responsibility_item is missing");
}

TEST_CASE("Rules that contradict each other, or that nobody can follow, are named") {
  const std::string again =
      "[[rule]]\ncode = \"FP2\"\ncategory_prefix = \"01\"\n"
      "responsibility_item = \"ZR2\"\n";
  auto files = county_with("rules.toml", kRules + again);
  for (SourceFile& file : files) {
    if (file.name == "responsibility.csv") file.bytes += "ZR2,另一项,城管,COUNTY,01001,2026-1\n";
  }
  const auto contradiction = problems_of(files);
  REQUIRE(contradiction.size() == 1);
  CHECK(contradiction[0].starts_with("rules.toml:6: "));
  CHECK(fault("rules.toml", "\"COUNTY\"", "\"TOWN\"").starts_with("rules.toml:1: "));
}

TEST_CASE("What ends before it begins is named, in every list that has both dates") {
  CHECK(fault("rules.toml", "lead_level",
              "valid_from = \"2027-01-01\"\nvalid_until = \"2026-01-01\"\nlead_level") ==
        "rules.toml:1: FP1 ends before it begins: valid_until lies before valid_from");
  CHECK(
      fault("grids.geojson", "\"type\":\"BASIC\"",
            "\"type\":\"BASIC\",\"valid_from\":\"2027-01-01\",\"valid_until\":\"2026-01-01\"") ==
      "grids.geojson:2: 440811100001001 ends before it begins: valid_until lies before valid_from");
  const std::string items =
      "code,title,lead_department_type,levels,categories,list_version,valid_from,valid_until\n"
      "ZR1,清理垃圾,城管,COUNTY,01001,2026-1,,\n"
      "ZR2,另一项,城管,COUNTY,01001,2026-1,2027-01-01,2026-01-01\n"
      "ZR3,从未生效,城管,COUNTY,01001,2026-1,2027-01-01,2027-01-01\n";
  CHECK(fault("responsibility.csv", kResponsibility, items) ==
        "responsibility.csv:3: ZR2 ends before it begins: valid_until lies before valid_from");
  const std::string areas =
      "code12,level,name,parent12,valid_from,valid_until\n"
      "440811000000,COUNTY,麻章区,440800000000,,\n"
      "440811100000,TOWN,麻章镇,440811000000,,\n"
      "440811100001,VILLAGE,福民居委会,440811100000,2027-01-01,2026-12-31\n";
  CHECK(fault("areas.csv", kAreas, areas) ==
        "areas.csv:4: 440811100001 ends before it begins: valid_until lies before valid_from");
}

TEST_CASE("A file whose name says nothing is refused, and the names are told") {
  const auto problems = problems_of({{"people.csv", "a\n"}});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].starts_with(
      "people.csv: its name does not say what it is; known are: areas.csv"));
}

TEST_CASE("A fault in one line hides none in others, and makes nothing look missing") {
  const std::string rules = replaced(kRules, "COUNTY", "CUONTY") +
                            "[[rule]]\ncode = \"FP2\"\ncategory_prefix = \"01\"\n"
                            "responsibility_item = \"NOPE\"\n";
  const auto problems = problems_of(county_with("rules.toml", rules));
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].find("CUONTY") != std::string::npos);
  CHECK(problems[1] == "rules.toml:6: FP2: the list has no item NOPE");
  // The one organisation that the rest of the files name stands in the faulty line.
  CHECK(problems_of(county_with("organisations.csv", replaced(kOrganisations, "ZX,综治中心,COUNTY",
                                                              "ZX,综治中心,CUONTY")))
            .size() == 1);
  CHECK(problems_of({{"orgs.csv", kOrganisations}, {"workers.csv", kWorkers}}).size() == 1);
}

TEST_CASE("Faults of rules are told in the run that finds other faults") {
  const auto rule = [](const std::string& code, const std::string& more) {
    return "[[rule]]\ncode = \"" + code + "\"\ncategory_prefix = \"01001\"\n" + more + "\n";
  };
  const std::string rules =
      kRules + rule("FP2", "responsibility_item = \"ZR1\"\ncolour = 1") +
      rule("FP3", "responsibility_item = \"ZR1\"\narea_prefix = \"999\"") +
      rule("FP4", "responsibility_item = \"ZR999\"\npriority = 1") +
      rule("FP5", "responsibility_item = \"ZR1\"\narea_prefix = \"998\"\nemergency = 3");
  const auto problems = problems_of(county_with("rules.toml", rules));
  REQUIRE(problems.size() == 5);
  CHECK(problems[0] == "rules.toml:10: unknown key \"colour\"");
  CHECK(problems[1] == "rules.toml:26: emergency must be true or false");
  CHECK(problems[2] == "rules.toml:11: FP3: no area begins with 999");
  CHECK(problems[3] == "rules.toml:16: FP4: the list has no item ZR999");
  CHECK(problems[4] == "rules.toml:21: FP5: no area begins with 998");
}

TEST_CASE("A worker's code that stands there twice hides no fault of a rule") {
  auto files = county_with("rules.toml", replaced(kRules, "\"COUNTY\"", "\"TOWN\""));
  for (SourceFile& file : files) {
    if (file.name == "workers.csv") file.bytes += "WG1,钱示例,ZX,\n";
  }
  const auto problems = problems_of(files);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].starts_with("workers.csv:3: \"WG1\" stands already"));
  CHECK(problems[1].starts_with("rules.toml:1: FP1: item ZR1 does not allow"));
}

TEST_CASE("What only follows from a faulty line is not told") {
  const auto lone = [](const std::string& name, const std::string& bytes) {
    return problems_of(county_with(name, bytes)).size() == 1;
  };
  // The only organisation of the type; the item's only level; a rule as like another as was read.
  CHECK(lone("organisations.csv", replaced(kOrganisations, "COUNTY,城管", "CUONTY,城管")));
  CHECK(lone("organisations.csv",
             replaced(kOrganisations, "城管,ZX,440811000000", "城管,ZX,440811200000")));
  CHECK(lone("responsibility.csv", replaced(kResponsibility, "城管,COUNTY", "城管,CUONTY;TOWN")));
  CHECK(lone("responsibility.csv", replaced(kResponsibility, "COUNTY,01001", "COUNTY,07")));
  CHECK(lone("rules.toml",
             kRules + replaced(replaced(kRules, "FP1", "FP2"), "\"COUNTY\"", "\"CUONTY\"")));
  CHECK(lone("rules.toml", kRules + replaced(replaced(kRules, "FP1", "FP2"), "lead_level", "led")));
}

TEST_CASE("A text that is not UTF-8 is one fault, not an empty file as well") {
  CHECK(fault("workers.csv", "赵示例", "\xFF\xFE") ==
        "workers.csv:2: the text is not UTF-8, or has a NUL in it");
  CHECK(fault("workers.csv", "code,", "\"code,") == "workers.csv:1: a quote is not closed");
}
