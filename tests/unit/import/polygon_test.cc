#include "import/polygon.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <limits>
#include <utility>

#include "import/limits.h"

using namespace gridwhistle;
using gridwhistle::import::center_of;
using gridwhistle::import::fault_of;

namespace {

using Points = std::vector<std::pair<double, double>>;

v1::Boundary ring(const Points& points) {
  v1::Boundary boundary;
  v1::Ring& ring = *boundary.add_polygons()->add_rings();
  for (const auto& [x, y] : points) {
    ring.add_longitudes(x);
    ring.add_latitudes(y);
  }
  return boundary;
}

}  // namespace

TEST_CASE("A closed ring of three corners or more is a boundary") {
  CHECK(!fault_of(ring({{0, 0}, {1, 0}, {0, 1}, {0, 0}})));
  CHECK(!fault_of(ring({{0, 0}, {2, 0}, {2, 2}, {1, 1}, {0, 2}, {0, 0}})));
}

TEST_CASE("What is no boundary is refused with its reason") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(fault_of(v1::Boundary())->en == "there is no polygon");
  CHECK(fault_of(ring({{0, 0}, {1, 0}, {0, 0}}))->en.starts_with("a ring needs at least three"));
  CHECK(fault_of(ring({{0, 0}, {1, 0}, {0, 1}, {1, 1}}))->en ==
        "a ring does not end where it begins");
  CHECK(fault_of(ring({{0, 0}, {181, 0}, {0, 1}, {0, 0}}))
            ->en.starts_with("a position is not on earth"));
  CHECK(fault_of(ring({{21, 110}, {22, 110}, {21, 111}, {21, 110}}))
            ->en.starts_with("a position is not"));
  CHECK(fault_of(ring({{nan, 0}, {1, 0}, {0, 1}, {nan, 0}}))->en.starts_with("a position is not"));
  CHECK(fault_of(ring({{0, 0}, {2, 2}, {2, 0}, {0, 2}, {0, 0}}))->en.starts_with("a ring crosses"));
  CHECK(fault_of(ring({{0, 0}, {1, 0}, {1, 0}, {0, 1}, {0, 0}}))
            ->en.starts_with("a ring has the same"));
  CHECK(fault_of(ring({{0, 0}, {1, 0}, {2, 0}, {0, 0}})).has_value());
}

TEST_CASE("A boundary of one point more than allowed is refused") {
  const auto stairs = [](std::size_t points) {
    Points outline = {{0, 0}};
    for (std::size_t i = 1; i + 2 < points; ++i) {
      outline.emplace_back(static_cast<double>(i) * 0.001, 1 + (i % 2 == 0 ? 0.1 : 0.0));
    }
    outline.emplace_back(10, 0);
    outline.emplace_back(0, 0);
    return ring(outline);
  };
  CHECK(!fault_of(stairs(gridwhistle::import::limits::kBoundaryPoints)));
  CHECK(fault_of(stairs(gridwhistle::import::limits::kBoundaryPoints + 1))
            ->en.starts_with("more than"));
}

TEST_CASE("The centre is that of the area, not of the corners") {
  const auto center = center_of(ring({{0, 0}, {3, 0}, {3, 1}, {3, 2}, {3, 3}, {0, 3}, {0, 0}}));
  CHECK(center.longitude == Approx(1.5));
  CHECK(center.latitude == Approx(1.5));
}
