#include "import/import.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/sha256.h"
#include "county_files.h"
#include "gridwhistle/v1/reference.pb.h"
#include "import/reference.h"
#include "schema/kinds.h"

using namespace gridwhistle;
using namespace gridwhistle::import;

namespace {

std::vector<ReferenceRow> rows_of(const std::vector<SourceFile>& files,
                                  const std::vector<ReferenceRow>& existing = {}) {
  const auto rows = read(files, existing, "440811", kNow);
  if (!rows) FAIL(rows.error().kept()[0].text().en);
  return *rows;
}

template <typename Message>
Message first(const std::vector<ReferenceRow>& rows) {
  Message message;
  for (const ReferenceRow& row : rows) {
    if (row.kind == kind_of<Message> && message.ParseFromString(row.body)) return message;
  }
  FAIL("no such record");
  return message;
}

}  // namespace

TEST_CASE("One problem in one file keeps back every row of every file") {
  const auto rows =
      read(county_with("workers.csv", replaced(kWorkers, ",ZX,", ",ZZ,")), {}, "440811", kNow);
  REQUIRE(!rows);
  CHECK(rows.error().count() == 1);
}

TEST_CASE("All problems of all files are told at once") {
  auto files = county_with("areas.csv", replaced(kAreas, "TOWN", "X"));
  for (SourceFile& file : files) {
    if (file.name == "workers.csv") file.bytes = replaced(kWorkers, "GRID_WORKER", "X");
  }
  CHECK(problems_of(files).size() == 2);
}

TEST_CASE("Importing the same files again gives the same rows with the same ids") {
  const auto rows = rows_of(county_files());
  CHECK(rows.size() == 11);
  CHECK(rows_of(county_files(), rows) == rows);
}

TEST_CASE("A file alone is checked against what the county has") {
  const auto existing = rows_of(county_files());
  CHECK(rows_of({{"workers.csv", kWorkers}}, existing).size() == 1);
  CHECK(!read(std::vector<SourceFile>{{"workers.csv", kWorkers}}, {}, "440811", kNow));
}

TEST_CASE("A record that the county has under another id keeps it, and others refer to that id") {
  auto existing = rows_of(county_files());
  const RecordId other = RecordId::make(DeviceId(0), 7);
  for (ReferenceRow& row : existing) {
    v1::OrgUnit unit;
    if (row.kind == kinds::kOrgUnit && unit.ParseFromString(row.body) && unit.code() == "ZX")
      row.id = other;
  }
  const auto rows = rows_of(county_files(), existing);
  CHECK(first<v1::Worker>(rows).organisation() == other.bytes());
  CHECK(std::ranges::count(rows, other, &ReferenceRow::id) == 1);
}

TEST_CASE("A column that a file leaves out stays as it is, one that it leaves empty is emptied") {
  const std::string workers =
      "code,name,organisation,roles,duty_phone,left\n"
      "WG1,赵示例,ZX,GRID_WORKER@grid:440811100001001,00000000001,2027-01-31\n";
  const auto existing = rows_of(county_with("workers.csv", workers));
  const auto before = first<v1::Worker>(existing);
  const auto named = first<v1::Worker>(
      rows_of({{"workers.csv", "code,name,organisation\nWG1,钱示例,ZX\n"}}, existing));
  CHECK(named.name() == "钱示例");
  REQUIRE(named.roles_size() == 1);
  CHECK(named.roles(0).scope() == before.roles(0).scope());
  CHECK(named.duty_phone() == before.duty_phone());
  CHECK(named.left_ms() == before.left_ms());
  const auto emptied = first<v1::Worker>(
      rows_of({{"workers.csv", "code,name,organisation,roles,left\nWG1,钱示例,ZX,,\n"}}, existing));
  CHECK(emptied.roles_size() == 0);
  CHECK_FALSE(emptied.has_left_ms());
  CHECK(emptied.duty_phone() == before.duty_phone());
}

TEST_CASE("A property that a grid leaves out stays as it is, one that is null is emptied") {
  const std::string type = "\"type\":\"BASIC\"";
  const std::string households = type + ",\"households\":280,\"valid_from\":\"2026-01-31\"";
  const auto existing = rows_of(county_with("grids.geojson", replaced(kGrids, type, households)));
  const auto left_out = first<v1::Grid>(rows_of({{"grids.geojson", kGrids}}, existing));
  CHECK(left_out.households() == 280);
  CHECK(left_out.has_valid_from_ms());
  const auto emptied = first<v1::Grid>(rows_of(
      {{"grids.geojson", replaced(kGrids, type, type + ",\"households\":null")}}, existing));
  CHECK_FALSE(emptied.has_households());
  CHECK(emptied.has_valid_from_ms());
}

TEST_CASE("A rule is taken whole: a condition that is left out is none") {
  const auto existing = rows_of(county_files());
  const auto rule = first<v1::RoutingRule>(
      rows_of({{"rules.toml", replaced(kRules, "category_prefix = \"01\"\n", "")}}, existing));
  CHECK_FALSE(rule.has_category_prefix());
}

TEST_CASE("A county of another code takes none of it") {
  CHECK(!read(county_files(), {}, "440812", kNow));
}

TEST_CASE("Dates are days in China") {
  const auto files =
      county_with("workers.csv", "code,name,organisation,left\nWG1,赵示例,ZX,2026-01-01\n");
  CHECK(first<v1::Worker>(rows_of(files)).left_ms() == 1'767'196'800'000);
}

TEST_CASE("A role in an organisation is held in the scope of its id") {
  const auto files = county_with(
      "workers.csv", "code,name,organisation,roles\nBM1,钱示例,BM-CG,DEPARTMENT@org:BM-CG\n");
  const std::string id(reference_id(kinds::kOrgUnit, "BM-CG").bytes());
  CHECK(first<v1::Worker>(rows_of(files)).roles(0).scope() == "org:" + to_hex(id));
}

TEST_CASE("A grid knows its village and its centre") {
  const auto grid = first<v1::Grid>(rows_of(county_files()));
  CHECK(grid.village12() == "440811100001");
  CHECK(grid.center_longitude() == Approx(110.306667));
  CHECK(grid.center_latitude() == Approx(21.203333));
}

TEST_CASE("Files may come in any order and from any folder") {
  auto files = county_files();
  std::ranges::reverse(files);
  for (SourceFile& file : files) file.name = "some/folder/" + file.name;
  CHECK(rows_of(files) == rows_of(county_files()));
}
