#include "import/polygon.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "import/limits.h"

namespace gridwhistle::import {
namespace {

struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

struct Edge {
  Point a;
  Point b;
  int place = 0;
  double west() const { return std::min(a.x, b.x); }
  double east() const { return std::max(a.x, b.x); }
};

std::vector<Point> points_of(const v1::Ring& ring) {
  std::vector<Point> points;
  for (int i = 0; i < ring.longitudes_size(); ++i) {
    points.push_back({ring.longitudes(i), ring.latitudes(i)});
  }
  return points;
}

/// Twice the signed area of the triangle: its sign says on which side of a-b the point lies.
double turn(Point a, Point b, Point c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

bool lies_on(const Edge& e, Point p) {
  return turn(e.a, e.b, p) == 0 && p.x >= e.west() && p.x <= e.east() &&
         p.y >= std::min(e.a.y, e.b.y) && p.y <= std::max(e.a.y, e.b.y);
}

bool touch(const Edge& e, const Edge& f) {
  if (lies_on(e, f.a) || lies_on(e, f.b) || lies_on(f, e.a) || lies_on(f, e.b)) return true;
  return (turn(e.a, e.b, f.a) > 0) != (turn(e.a, e.b, f.b) > 0) &&
         (turn(f.a, f.b, e.a) > 0) != (turn(f.a, f.b, e.b) > 0);
}

/// Edges are looked at from west to east, each against those that overlap it.
bool crosses_itself(const std::vector<Point>& ring) {
  const int count = static_cast<int>(ring.size()) - 1;
  std::vector<Edge> edges;
  for (int i = 0; i < count; ++i) {
    edges.push_back({ring[static_cast<std::size_t>(i)], ring[static_cast<std::size_t>(i) + 1], i});
  }
  std::ranges::sort(edges, {}, &Edge::west);
  for (auto e = edges.begin(); e != edges.end(); ++e) {
    for (auto f = e + 1; f != edges.end() && f->west() <= e->east(); ++f) {
      const int apart = std::abs(e->place - f->place);
      const bool neighbours = apart == 1 || apart == count - 1;
      if (!neighbours && touch(*e, *f)) return true;
    }
  }
  return false;
}

double area_of(const std::vector<Point>& ring) {
  double twice = 0;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) twice += turn(ring[0], ring[i], ring[i + 1]);
  return twice / 2;
}

std::optional<Line> fault_of(const v1::Ring& ring) {
  const std::vector<Point> points = points_of(ring);
  if (points.size() < 4) {
    return Line{"环至少要有三个顶点，并以第一个点结尾",
                "a ring needs at least three corners and its first point again"};
  }
  for (const Point& p : points) {
    const bool on_earth = std::abs(p.x) <= 180 && std::abs(p.y) <= 90;
    if (!on_earth) {
      return Line{"有不在地球上的位置；请写 [经度, 纬度]",
                  "a position is not on earth; it is written [longitude, latitude]"};
    }
  }
  if (points.front() != points.back()) {
    return Line{"环没有闭合，终点须与起点相同", "a ring does not end where it begins"};
  }
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    if (points[i] == points[i + 1]) {
      return Line{"环中有连续两个相同的点", "a ring has the same point twice in a row"};
    }
  }
  if (crosses_itself(points)) {
    return Line{"环与自身相交或相接", "a ring crosses or touches itself"};
  }
  if (area_of(points) == 0) return Line{"环没有围成面积", "a ring encloses nothing"};
  return std::nullopt;
}

/// On its edge counts as within.
bool lies_within(const std::vector<Point>& ring, Point p) {
  bool within = false;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    const Edge e{ring[i], ring[i + 1]};
    if (lies_on(e, p)) return true;
    if ((e.a.y > p.y) == (e.b.y > p.y)) continue;
    // A ray to the east crosses the edge where the point lies on its western side.
    if ((turn(e.a, e.b, p) > 0) == (e.b.y > e.a.y)) within = !within;
  }
  return within;
}

bool has_hole_outside(const v1::Polygon& polygon) {
  const std::vector<Point> outline = points_of(polygon.rings(0));
  for (int i = 1; i < polygon.rings_size(); ++i) {
    const auto hole = points_of(polygon.rings(i));
    if (!std::ranges::all_of(hole, [&](Point p) { return lies_within(outline, p); })) return true;
  }
  return false;
}

Point centroid_of(const std::vector<Point>& ring) {
  Point sum;
  const Point origin = ring.front();
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    const double weight = turn(origin, ring[i], ring[i + 1]);
    sum.x += weight * (origin.x + ring[i].x + ring[i + 1].x) / 3;
    sum.y += weight * (origin.y + ring[i].y + ring[i + 1].y) / 3;
  }
  const double twice_area = 2 * area_of(ring);
  return {sum.x / twice_area, sum.y / twice_area};
}

double rounded(double degrees) { return std::round(degrees * 1e6) / 1e6; }

}  // namespace

std::optional<Line> fault_of(const v1::Boundary& boundary) {
  if (boundary.polygons().empty()) return Line{"没有多边形", "there is no polygon"};
  std::size_t points = 0;
  for (const v1::Polygon& polygon : boundary.polygons()) {
    if (polygon.rings().empty()) return Line{"多边形没有环", "a polygon has no ring"};
    for (const v1::Ring& ring : polygon.rings()) {
      points += static_cast<std::size_t>(ring.longitudes_size());
      if (points > limits::kBoundaryPoints) {
        const std::string most = std::to_string(limits::kBoundaryPoints);
        return Line{"超过 " + most + " 个点，请简化边界",
                    "more than " + most + " points; simplify it"};
      }
      if (const auto fault = fault_of(ring)) return fault;
    }
    if (has_hole_outside(polygon)) {
      return Line{"有洞不在其外环之内", "a hole lies outside its ring"};
    }
  }
  return std::nullopt;
}

Center center_of(const v1::Boundary& boundary) {
  std::vector<Point> largest;
  for (const v1::Polygon& polygon : boundary.polygons()) {
    std::vector<Point> outline = points_of(polygon.rings(0));
    if (largest.empty() || std::abs(area_of(outline)) > std::abs(area_of(largest))) {
      largest = std::move(outline);
    }
  }
  const Point center = centroid_of(largest);
  return {rounded(center.y), rounded(center.x)};
}

}  // namespace gridwhistle::import
