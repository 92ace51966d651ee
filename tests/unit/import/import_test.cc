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
