#include "store/geodesy.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gridwhistle::store {

namespace {

constexpr double kEarthRadius_m = 6'371'008.8;

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

}  // namespace

bool on_earth(const Point& point) {
  return std::abs(point.latitude) <= 90 && std::abs(point.longitude) <= 180;
}

double distance_m(const Point& one, const Point& other) {
  const double half_latitude = std::sin(radians(other.latitude - one.latitude) / 2);
  const double half_longitude = std::sin(radians(other.longitude - one.longitude) / 2);
  const double chord = half_latitude * half_latitude + std::cos(radians(one.latitude)) *
                                                           std::cos(radians(other.latitude)) *
                                                           half_longitude * half_longitude;
  return 2 * kEarthRadius_m * std::asin(std::sqrt(std::min(chord, 1.0)));
}

Offset offset_from(const Point& origin, const Point& point) {
  return {radians(point.longitude - origin.longitude) * kEarthRadius_m *
              std::cos(radians(origin.latitude)),
          radians(point.latitude - origin.latitude) * kEarthRadius_m};
}

double distance_to_line_m(const Offset& from, const Offset& to) {
  const double east = to.east_m - from.east_m;
  const double north = to.north_m - from.north_m;
  const double length_squared = east * east + north * north;
  const double along =
      length_squared > 0
          ? std::clamp(-(from.east_m * east + from.north_m * north) / length_squared, 0.0, 1.0)
          : 0;
  return std::hypot(from.east_m + along * east, from.north_m + along * north);
}

}  // namespace gridwhistle::store
