#include "store/geo.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "store/geodesy.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::int64_t kDedicated = 2;
constexpr std::int64_t kMicro = 3;

// The fields of a Grid that place it; null where a schema has no such kind.
struct GridFields {
  explicit GridFields(const Schema& schema) : kind(schema.kind("Grid")) {}

  std::uint32_t operator[](std::string_view name) const {
    const FieldSchema* field = kind->field(name);
    return field != nullptr ? field->number : 0;
  }

  const KindSchema* kind;
};

v1::Boundary boundary_of(const GridFields& fields, std::string_view body) {
  v1::Boundary boundary;
  const std::string_view bytes = text_of(body, fields["boundary"]).value_or("");
  if (!boundary.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) boundary.Clear();
  return boundary;
}

Point corner(const v1::Ring& ring, int index) {
  return {ring.latitudes(index), ring.longitudes(index)};
}

int corners(const v1::Ring& ring) {
  return std::min(ring.latitudes_size(), ring.longitudes_size());
}

void enclose(GridIndex::Grid& grid, const v1::Boundary& boundary) {
  for (const v1::Polygon& polygon : boundary.polygons()) {
    for (const v1::Ring& ring : polygon.rings()) {
      for (int index = 0; index < corners(ring); ++index) {
        const Point point = corner(ring, index);
        grid.south = std::min(grid.south, point.latitude);
        grid.north = std::max(grid.north, point.latitude);
        grid.west = std::min(grid.west, point.longitude);
        grid.east = std::max(grid.east, point.longitude);
      }
    }
  }
}

// Micro grids lie inside basic ones, which answer for them.
bool counts(const GridFields& fields, std::string_view body, std::int64_t now_ms) {
  if (int_of(body, fields["type"]).value_or(0) == kMicro) return false;
  if (int_of(body, fields["valid_from_ms"]).value_or(now_ms) > now_ms) return false;
  return int_of(body, fields["valid_until_ms"]).value_or(now_ms + 1) > now_ms;
}

Result<void> load_grids(StoreState& state, const GridFields& fields) {
  if (state.grids != nullptr) return {};
  auto index = std::make_unique<GridIndex>();
  const std::int64_t now_ms = state.options.clock->now().wall_ms;
  GW_TRY_LET(query, state.connection.prepare("SELECT id, body FROM " +
                                             table_of(state, fields.kind->id)->name +
                                             " WHERE body IS NOT NULL"));
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) break;
    const std::string_view body = query.blob(1);
    if (!counts(fields, body, now_ms)) continue;
    GridIndex::Grid grid;
    grid.id = query.record_id(0);
    grid.code15 = text_of(body, fields["code15"]).value_or("");
    grid.name = text_of(body, fields["name"]).value_or("");
    grid.dedicated = int_of(body, fields["type"]).value_or(0) == kDedicated;
    enclose(grid, boundary_of(fields, body));
    index->grids.push_back(std::move(grid));
  }
  state.grids = std::move(index);
  return {};
}

// How a point lies to a line that closes: whether inside, and how far from it.
struct Relation {
  bool inside = false;
  double boundary_m = std::numeric_limits<double>::infinity();
};

void relate(const v1::Ring& ring, const Point& point, Relation& relation) {
  const int count = corners(ring);
  for (int index = 0; index < count; ++index) {
    const Offset from = offset_from(point, corner(ring, index));
    const Offset to = offset_from(point, corner(ring, (index + 1) % count));
    relation.boundary_m = std::min(relation.boundary_m, distance_to_line_m(from, to));
    if ((from.north_m > 0) == (to.north_m > 0)) continue;
    const double crossing =
        from.east_m + (to.east_m - from.east_m) * from.north_m / (from.north_m - to.north_m);
    if (crossing > 0) relation.inside = !relation.inside;
  }
}

Relation relate(const v1::Boundary& boundary, const Point& point) {
  Relation whole;
  for (const v1::Polygon& polygon : boundary.polygons()) {
    Relation part;
    for (const v1::Ring& ring : polygon.rings()) relate(ring, point, part);
    whole.inside |= part.inside;
    whole.boundary_m = std::min(whole.boundary_m, part.boundary_m);
  }
  return whole;
}

bool may_reach(const GridIndex::Grid& grid, const Point& point, double accuracy_m) {
  constexpr double kMetresPerDegree = 111'000;
  const double north = accuracy_m / kMetresPerDegree * 1.1;
  const double east = north / std::max(std::cos(point.latitude * 3.14159265 / 180), 0.01);
  return point.latitude >= grid.south - north && point.latitude <= grid.north + north &&
         point.longitude >= grid.west - east && point.longitude <= grid.east + east;
}

struct Judged {
  Location::Candidate candidate;
  bool dedicated = false;
};

// A dedicated grid is cut out of the basic ones around it, even where their outlines overlap.
bool likelier(const Judged& one, const Judged& other) {
  if (one.candidate.inside != other.candidate.inside) return one.candidate.inside;
  if (one.dedicated != other.dedicated) return one.dedicated;
  return one.candidate.inside ? one.candidate.boundary_m > other.candidate.boundary_m
                              : one.candidate.boundary_m < other.candidate.boundary_m;
}

Location decide(const std::vector<Judged>& judged, double accuracy_m) {
  Location location;
  for (const Judged& one : judged) location.candidates.push_back(one.candidate);
  if (judged.empty()) return location;
  const Judged& best = judged.front();
  const bool alone =
      std::ranges::all_of(judged.begin() + 1, judged.end(),
                          [&](const Judged& other) { return best.dedicated && !other.dedicated; });
  if (best.candidate.inside && best.candidate.boundary_m > accuracy_m && alone) {
    location.grid = best.candidate.code15;
  } else {
    location.ask = true;
  }
  return location;
}

}  // namespace

void forget_grids(StoreState& state) { state.grids.reset(); }

Result<Location> Store::locate(double latitude, double longitude, double accuracy_m) {
  const Point point{latitude, longitude};
  if (!on_earth(point) || !(accuracy_m >= 0)) {
    return fail(ErrorCode::kInvalid, "that is no point on earth", "locate");
  }
  const GridFields fields(state_->schema);
  if (fields.kind == nullptr) return Location{};
  GW_TRY(load_grids(*state_, fields));
  std::vector<Judged> judged;
  for (const GridIndex::Grid& grid : state_->grids->grids) {
    if (!may_reach(grid, point, accuracy_m)) continue;
    GW_TRY_LET(row, load_row(*state_, *table_of(*state_, fields.kind->id), grid.id));
    if (!row || !row->body) continue;
    const Relation relation = relate(boundary_of(fields, *row->body), point);
    if (!relation.inside && !(relation.boundary_m <= accuracy_m)) continue;
    judged.push_back(
        {{grid.code15, grid.name, relation.boundary_m, relation.inside}, grid.dedicated});
  }
  std::ranges::sort(judged, likelier);
  return decide(judged, accuracy_m);
}

}  // namespace gridwhistle::store
