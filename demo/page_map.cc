#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "html.h"
#include "page_parts.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle::demo {

namespace {

constexpr double kWidth = 1000;

// Degrees to the picture: a county is small enough for a plane.
class Projection {
 public:
  explicit Projection(const std::vector<v1::Grid>& grids) {
    for (const v1::Grid& grid : grids) {
      for (const v1::Polygon& polygon : grid.boundary().polygons()) {
        for (const v1::Ring& ring : polygon.rings()) take(ring);
      }
    }
    const double squeeze = std::cos((south_ + north_) / 2 * std::numbers::pi / 180);
    scale_x_ = kWidth / std::max(east_ - west_, 1e-9);
    scale_y_ = scale_x_ / squeeze;
  }

  double x(double longitude) const { return (longitude - west_) * scale_x_; }
  double y(double latitude) const { return (north_ - latitude) * scale_y_; }
  double height() const { return std::max(1.0, (north_ - south_) * scale_y_); }

 private:
  void take(const v1::Ring& ring) {
    for (const double longitude : ring.longitudes()) {
      west_ = std::min(west_, longitude);
      east_ = std::max(east_, longitude);
    }
    for (const double latitude : ring.latitudes()) {
      south_ = std::min(south_, latitude);
      north_ = std::max(north_, latitude);
    }
  }

  double west_ = 180, east_ = -180, south_ = 90, north_ = -90;
  double scale_x_ = 1, scale_y_ = 1;
};

std::string path_of(const v1::Grid& grid, const Projection& projection) {
  std::string path;
  for (const v1::Polygon& polygon : grid.boundary().polygons()) {
    for (const v1::Ring& ring : polygon.rings()) {
      for (int i = 0; i < std::min(ring.longitudes_size(), ring.latitudes_size()); ++i) {
        path += (i == 0 ? "M" : "L") + decimal(projection.x(ring.longitudes(i))) + " " +
                decimal(projection.y(ring.latitudes(i)));
      }
      path += "Z";
    }
  }
  return path;
}

// Towns differ in tint, neighbours within a town a little.
std::string tint_of(const v1::Grid& grid) {
  static constexpr const char* kTints[] = {"#eef3f8", "#f6f1e7", "#ecf5ee", "#f4eef6"};
  const std::string& code = grid.code15();
  const std::size_t town = code.size() > 8 ? static_cast<std::size_t>(code[8] - '0') : 0;
  if (grid.type() == v1::GRID_TYPE_DEDICATED) return "#dfe3ea";
  return kTints[town % 4];
}

std::string dots(const CountyView& county, const Projection& projection) {
  std::string svg;
  for (const WhistleStory& story : county.whistles) {
    const v1::Whistle& whistle = story.whistle;
    if (!whistle.has_latitude()) continue;
    const Words state = words_of(kinds::kWhistle, fields::whistle::kState, whistle.state());
    const auto category = county.categories.find(whistle.category());
    std::string title = category == county.categories.end() ? whistle.category() : category->second;
    title += " · " + state.chinese + " " + state.english;
    if (whistle.headless()) title += " · 无头事项 nobody's";
    const std::string ring = whistle.emergency()  ? " stroke=\"#d4351c\" stroke-width=\"3\""
                             : whistle.headless() ? " stroke=\"#111\" stroke-width=\"2.4\""
                                                  : " stroke=\"#fff\" stroke-width=\"1.2\"";
    svg += "<circle cx=\"" + decimal(projection.x(whistle.longitude())) + "\" cy=\"" +
           decimal(projection.y(whistle.latitude())) + "\" r=\"" +
           (whistle.emergency() ? "12" : "9") + "\" fill=\"" +
           std::string(colour_of(whistle.state())) + "\"" + ring + "><title>" + escaped(title) +
           "</title></circle>\n";
  }
  return svg;
}

std::string bar(const std::string& name, std::uint64_t count, std::uint64_t most,
                std::string_view colour) {
  const double share =
      100.0 * static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(most, 1));
  return "<li><span>" + name + "</span><b>" + std::to_string(count) +
         "</b><em style=\"width:" + decimal(share) + "%;background:" + std::string(colour) +
         "\"></em></li>\n";
}

// How many whistles stand where, in the map's colours.
std::string by_state(const CountyView& county) {
  std::map<v1::WhistleState, std::uint64_t> states;
  for (const WhistleStory& story : county.whistles) ++states[story.whistle.state()];
  std::string html = "<h4>状态 <i>state</i></h4><ul class=\"bars\">\n";
  for (const auto& [state, count] : states) {
    const Words words = words_of(kinds::kWhistle, fields::whistle::kState, state);
    html += bar("<s style=\"background:" + std::string(colour_of(state)) + "\"></s>" +
                    words.chinese + " <i>" + words.english + "</i>",
                count, county.whistles.size(), colour_of(state));
  }
  return html +
         "</ul><p class=\"rings\"><s style=\"border:3px solid #d4351c\"></s>紧急 <i>emergency</i> "
         "<s style=\"border:3px solid #111\"></s>无头事项 <i>nobody's</i></p>\n";
}

// What they are about.
std::string by_category(const CountyView& county) {
  std::map<std::string, std::uint64_t> counts;
  for (const WhistleStory& story : county.whistles) {
    const auto category = county.categories.find(story.whistle.category());
    ++counts[category == county.categories.end() ? story.whistle.category() : category->second];
  }
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  for (const auto& [name, count] : counts) sorted.emplace_back(count, name);
  std::ranges::sort(sorted, std::greater<>());
  std::string html = "<h4>事项 <i>matter</i></h4><ul class=\"bars\">\n";
  for (const auto& [count, name] : sorted) {
    html += bar(escaped(name), count, sorted.front().first, "#7d97b5");
  }
  return html + "</ul>\n";
}

// The town's name in the middle of its grids.
std::string town_names(const CountyView& county, const Projection& projection) {
  std::string svg;
  for (const v1::AdminArea& town : county.towns) {
    const std::string digits = town.code12().substr(0, 9);
    double x = 0, y = 0, count = 0;
    for (const v1::Grid& grid : county.grids) {
      if (!grid.code15().starts_with(digits)) continue;
      x += projection.x(grid.center_longitude());
      y += projection.y(grid.center_latitude());
      ++count;
    }
    if (count == 0) continue;
    svg += "<text class=\"town\" x=\"" + decimal(x / count) + "\" y=\"" + decimal(y / count) +
           "\">" + escaped(town.name()) + "</text>\n";
  }
  return svg;
}

}  // namespace

std::string_view colour_of(v1::WhistleState state) {
  switch (state) {
    case v1::WHISTLE_STATE_REPORTED:
    case v1::WHISTLE_STATE_VERIFYING:
      return "#8a94a3";
    case v1::WHISTLE_STATE_ACCEPTED:
    case v1::WHISTLE_STATE_WHISTLED:
      return "#3f7fd0";
    case v1::WHISTLE_STATE_ASSIGNED:
      return "#e8833a";
    case v1::WHISTLE_STATE_CHECKED_IN:
    case v1::WHISTLE_STATE_HANDLING:
    case v1::WHISTLE_STATE_EXTENDED:
    case v1::WHISTLE_STATE_SUSPENDED:
      return "#e6b422";
    case v1::WHISTLE_STATE_REPORTED_BACK:
    case v1::WHISTLE_STATE_CHECKING:
    case v1::WHISTLE_STATE_RETURN_VISIT:
      return "#8a63d2";
    case v1::WHISTLE_STATE_CLOSED:
      return "#2a9d63";
    case v1::WHISTLE_STATE_HANDLED_ON_SPOT:
      return "#86cfa8";
    default:
      return "#b04a4a";
  }
}

std::string map_part(const CountyView& county) {
  const Projection projection(county.grids);
  std::string html =
      "<section><h2>网格与哨声 <i>The grids and the whistles</i></h2>\n<div class=\"mapbox\"><div>";
  html += "<svg class=\"map\" viewBox=\"-4 -4 " + decimal(kWidth + 8) + " " +
          decimal(projection.height() + 8) + "\" role=\"img\">\n";
  for (const v1::Grid& grid : county.grids) {
    html += "<path d=\"" + path_of(grid, projection) + "\" fill=\"" + tint_of(grid) + "\"><title>" +
            escaped(grid.name()) + "</title></path>\n";
  }
  html += town_names(county, projection) + dots(county, projection);
  return html + "</svg></div><div>\n" + by_state(county) + by_category(county) +
         "<p class=\"note\">" + std::to_string(county.grids.size()) +
         " 个网格，边界为虚构；深色为专属网格 grids with made-up outlines, the darker ones "
         "dedicated; " +
         std::to_string(county.whistles.size()) + " 声哨 whistles</p></div></div></section>\n";
}

}  // namespace gridwhistle::demo
