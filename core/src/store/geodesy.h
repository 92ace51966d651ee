#pragma once

namespace gridwhistle::store {

struct Point {
  double latitude = 0;   ///< degrees
  double longitude = 0;  ///< degrees
};

/// Whether it is a point on earth.
bool on_earth(const Point& point);

/// Metres between two points, along the great circle of a sphere: right to half a percent.
double distance_m(const Point& one, const Point& other);

/// Metres east and north of an origin, in its plane; good for some tens of kilometres.
struct Offset {
  double east_m = 0;
  double north_m = 0;
};
Offset offset_from(const Point& origin, const Point& point);

/// Metres from the origin to the line between two offsets.
double distance_to_line_m(const Offset& from, const Offset& to);

}  // namespace gridwhistle::store
