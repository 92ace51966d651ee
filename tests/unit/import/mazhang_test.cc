#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "county_files.h"
#include "gridwhistle/v1/reference.pb.h"
#include "import/import.h"
#include "schema/kinds.h"

using namespace gridwhistle;
using namespace gridwhistle::import;

namespace {

std::vector<SourceFile> sample_files() {
  std::vector<SourceFile> files;
  for (const std::string_view name : file_names()) {
    const std::string path = std::string(GRIDWHISTLE_SAMPLE_DATA) + "/" + std::string(name);
    std::ifstream in(path, std::ios::binary);
    files.push_back({path, {std::istreambuf_iterator<char>(in), {}}});
    REQUIRE(!files.back().bytes.empty());
  }
  return files;
}

std::vector<ReferenceRow> sample_rows() {
  const auto rows = read(sample_files(), {}, "440811", kNow);
  if (!rows) {
    for (const Problem& problem : rows.error().kept()) UNSCOPED_INFO(problem.text().en);
    FAIL("the sample data has problems");
  }
  return *rows;
}

template <typename Message>
std::vector<Message> all(const std::vector<ReferenceRow>& rows) {
  std::vector<Message> messages;
  for (const ReferenceRow& row : rows) {
    if (row.kind == kind_of<Message>) REQUIRE(messages.emplace_back().ParseFromString(row.body));
  }
  return messages;
}

using Corner = std::pair<double, double>;

}  // namespace

TEST_CASE("The sample county imports clean and is as large as its README says") {
  const auto rows = sample_rows();
  std::map<KindId, std::size_t> count;
  for (const ReferenceRow& row : rows) ++count[row.kind];
  CHECK(count[kinds::kAdminArea] == 1 + 3 + 101);
  CHECK(count[kinds::kGrid] == 508);
  CHECK(count[kinds::kResponsibilityItem] == 62);
  CHECK(count[kinds::kRoutingRule] == 72);
  CHECK(count[kinds::kCategory] == 73);
  CHECK(count[kinds::kOrgUnit] == 120);
  CHECK(count[kinds::kWorker] == 661);
}

TEST_CASE("Each of the 508 grids has a worker of its own") {
  const auto rows = sample_rows();
  std::set<std::string> walked;
  for (const auto& worker : all<v1::Worker>(rows)) {
    for (const auto& role : worker.roles()) {
      if (role.role() == v1::ROLE_GRID_WORKER) CHECK(walked.insert(role.scope()).second);
    }
  }
  CHECK(walked.size() == 508);
}

TEST_CASE("The sample's grids tile their county: a side belongs to two grids, or lies outside") {
  std::map<std::pair<Corner, Corner>, int> sides;
  for (const auto& grid : all<v1::Grid>(sample_rows())) {
    REQUIRE(grid.boundary().polygons_size() == 1);
    const v1::Ring& ring = grid.boundary().polygons(0).rings(0);
    for (int i = 0; i + 1 < ring.longitudes_size(); ++i) {
      const Corner a{ring.longitudes(i), ring.latitudes(i)};
      const Corner b{ring.longitudes(i + 1), ring.latitudes(i + 1)};
      CHECK(++sides[{a, b}] == 1);
    }
    CHECK(std::abs(grid.center_latitude() - 21.15) < 0.2);
    CHECK(std::abs(grid.center_longitude() - 110.33) < 0.12);
  }
  std::size_t outer = 0;
  for (const auto& [side, times] : sides) {
    if (!sides.contains({side.second, side.first})) ++outer;
  }
  // Twenty full rows of villages, fifteen cells wide, and one village below; two sides a cell.
  CHECK(outer == 2 * (2 * (15 + 40) + 2 * 2));
}
