#include "phone.h"

namespace gridwhistle::store {
namespace {

v1::Grid square(std::string_view code, double south, double west, double side,
                v1::GridType type = v1::GRID_TYPE_BASIC) {
  v1::Grid grid;
  grid.set_code15(std::string(code));
  grid.set_name("网格" + std::string(code.substr(12)));
  grid.set_type(type);
  v1::Ring& ring = *grid.mutable_boundary()->add_polygons()->add_rings();
  for (const auto& [north, east] : {std::pair{0.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {1.0, 0.0}}) {
    ring.add_latitudes(south + north * side);
    ring.add_longitudes(west + east * side);
  }
  return grid;
}

void add(Phone& phone, std::uint64_t seq, const v1::Grid& grid) {
  phone.cut(row_of(kinds::kGrid, RecordId::make(DeviceId(0), seq), seq, grid));
}

// Two squares of about a kilometre side by side.
Phone& with_grids(Phone& phone) {
  add(phone, 1, square("440811001001001", 21.20, 110.30, 0.01));
  add(phone, 2, square("440811001001002", 21.20, 110.31, 0.01));
  return phone;
}

TEST_CASE("a point well inside a grid is in that grid") {
  Phone phone;
  const auto location = with_grids(phone)->locate(21.205, 110.305, 30).value();
  CHECK(location.grid == "440811001001001");
  CHECK_FALSE(location.ask);
  REQUIRE(location.candidates.size() == 1);
  CHECK(location.candidates[0].inside);
  CHECK(location.candidates[0].boundary_m == Approx(518).margin(5));
}

TEST_CASE("a point nearer to a boundary than its accuracy asks the worker, likeliest grid first") {
  Phone phone;
  const auto location = with_grids(phone)->locate(21.205, 110.3099, 30).value();
  CHECK_FALSE(location.grid);
  CHECK(location.ask);
  REQUIRE(location.candidates.size() == 2);
  CHECK(location.candidates[0].code15 == "440811001001001");
  CHECK(location.candidates[0].inside);
  CHECK(location.candidates[1].code15 == "440811001001002");
  CHECK_FALSE(location.candidates[1].inside);
  CHECK(location.candidates[1].boundary_m == Approx(10.4).margin(1));
}

TEST_CASE("a point outside every grid has none, and one just outside asks") {
  Phone phone;
  with_grids(phone);
  const auto outside = phone->locate(22, 111, 30).value();
  CHECK_FALSE(outside.grid);
  CHECK_FALSE(outside.ask);
  CHECK(outside.candidates.empty());
  CHECK(phone->locate(21.1999, 110.305, 30).value().ask);
}

TEST_CASE("a hole in a grid is not in it") {
  Phone phone;
  v1::Grid grid = square("440811001001001", 21.20, 110.30, 0.01);
  *grid.mutable_boundary()->mutable_polygons(0)->add_rings() =
      square("440811001001009", 21.204, 110.304, 0.002).boundary().polygons(0).rings(0);
  add(phone, 1, grid);
  CHECK_FALSE(phone->locate(21.205, 110.305, 5).value().grid);
  CHECK(phone->locate(21.202, 110.302, 5).value().grid);
}

TEST_CASE("a dedicated grid is cut out of the basic one, a micro grid is not asked") {
  Phone phone;
  with_grids(phone);
  add(phone, 3, square("440811001001900", 21.204, 110.304, 0.002, v1::GRID_TYPE_DEDICATED));
  add(phone, 4, square("440811001001800", 21.201, 110.301, 0.002, v1::GRID_TYPE_MICRO));
  CHECK(phone->locate(21.205, 110.305, 5).value().grid == "440811001001900");
  CHECK(phone->locate(21.202, 110.302, 5).value().grid == "440811001001001");
}

TEST_CASE("a grid whose time is over is not looked at, and a new boundary counts at once") {
  Phone phone;
  with_grids(phone);
  REQUIRE(phone->locate(21.205, 110.305, 30).value().grid);
  v1::Grid over = square("440811001001001", 21.20, 110.30, 0.01);
  over.set_valid_until_ms(1);
  add(phone, 1, over);
  CHECK_FALSE(phone->locate(21.205, 110.305, 30).value().grid);
}

TEST_CASE("what is no point on earth is refused") {
  Phone phone;
  CHECK(phone->locate(91, 0, 1).error().code == ErrorCode::kInvalid);
  CHECK(phone->locate(0, 181, 1).error().code == ErrorCode::kInvalid);
  CHECK(phone->locate(0, 0, -1).error().code == ErrorCode::kInvalid);
  CHECK(phone->locate(0, 0, std::numeric_limits<double>::quiet_NaN()).error().code ==
        ErrorCode::kInvalid);
}

}  // namespace
}  // namespace gridwhistle::store
