#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "import/limits.h"
#include "import/polygon.h"
#include "import/readers.h"
#include "import/table.h"
#include "import/text.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::import {
namespace {

using Json = nlohmann::json;

/// Counts lines while the parser reads, so that complaints can name one.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t& line) : at_(at), line_(&line) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_++ == '\n') ++*line_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* line_;
};

struct Document {
  Json json;
  std::vector<std::size_t> lines;  ///< where each feature begins
  std::size_t crs_line = 0;
};

std::optional<Document> parse(const std::string& file, std::string_view bytes, Problems& problems) {
  const std::string_view text = without_bom(bytes);
  if (const auto line = unsound_line(text)) {
    problems.add(file, *line, not_text());
    return std::nullopt;
  }
  Document document;
  std::size_t line = 1;
  bool too_deep = false;
  std::string member;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& read) {
    using Event = Json::parse_event_t;
    if (event == Event::key && depth == 1) {
      member = read.get<std::string>();
      if (member == "crs") document.crs_line = line;
    }
    if (event != Event::object_start && event != Event::array_start) return true;
    if (event == Event::object_start && depth == 2 && member == "features") {
      document.lines.push_back(line);
    }
    if (depth <= limits::kJsonDepth) return true;
    if (!too_deep) problems.add(file, line, {"嵌套过深", "is nested too deeply"});
    too_deep = true;
    return false;
  };
  try {
    document.json = Json::parse(CountingIterator(text.data(), line),
                                CountingIterator(text.data() + text.size(), line), watch);
  } catch (const Json::exception&) {
    problems.add(file, line, {"从这里起不是 JSON", "is not JSON from here on"});
    return std::nullopt;
  }
  if (too_deep) return std::nullopt;
  return document;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// The coordinates are degrees of WGS 84 or CGCS2000, which agree within a metre. RFC 7946 leaves
/// `crs` out; what wrote it before that says CRS84 or a number of EPSG's, as a word, a URN or a
/// URL.
bool is_in_degrees(const Json& crs) {
  if (crs.is_null()) return true;
  if (!crs.is_object() || !crs.contains("properties") || !crs["properties"].is_object()) {
    return false;
  }
  const Json name = crs["properties"].value("name", Json());
  if (!name.is_string()) return false;
  const std::string word = upper(name.get<std::string>());
  const bool epsg = word.find("EPSG") != std::string::npos;
  return word.ends_with("CRS84") || (epsg && (word.ends_with(":4326") || word.ends_with("/4326") ||
                                              word.ends_with(":4490") || word.ends_with("/4490")));
}

/// Whether a foreign property may have been meant for one of ours: "valid-from", "Households".
bool is_nearly(std::string_view given, std::string_view known) {
  const auto plain = [](std::string_view name) {
    std::string letters = upper(std::string(name));
    std::erase_if(letters, [](char c) { return c == '_' || c == '-' || c == ' '; });
    if (letters.ends_with('S')) letters.pop_back();
    return letters;
  };
  return plain(given) == plain(known);
}

/// One feature: its properties as cells, and its geometry.
class Feature {
 public:
  Feature(const std::string& file, std::size_t line, std::size_t number, const Json& json,
          Problems& problems)
      : file_(file), line_(line), json_(json), problems_(problems) {
    const std::string count = std::to_string(number);
    holder_ = {"第 " + count + " 个要素：", "feature " + count + ": "};
  }

  bool sound() {
    const bool object = json_.is_object() && json_.value("type", Json()) == "Feature";
    if (!object || !json_.contains("properties") || !json_["properties"].is_object()) {
      complain({"不是带有 properties 的 Feature", "is not a Feature with properties"});
      return false;
    }
    const std::string code = value("code15");
    if (is_digits(code, 15)) holder_ = {"网格 " + code + "：", "grid " + code + ": "};
    return known_properties();
  }

  /// A property's value as an operator would write it in a table.
  std::string value(const char* name) const {
    const auto found = json_["properties"].find(name);
    if (found == json_["properties"].end() || found->is_null()) return {};
    if (found->is_string()) return found->get<std::string>();
    return found->dump();
  }

  std::vector<std::string> words(const char* name) {
    const auto found = json_["properties"].find(name);
    std::vector<std::string> words;
    if (found == json_["properties"].end() || found->is_null()) return words;
    if (found->is_string()) return list_of(found->get<std::string>());
    for (const Json& word : *found) {
      if (word.is_string()) words.push_back(word.get<std::string>());
    }
    if (!found->is_array() || words.size() != found->size()) {
      complain(
          {std::string(name) + " 须为文字的列表", std::string(name) + " must be a list of texts"});
    }
    return words;
  }

  std::optional<v1::Boundary> boundary() {
    const Json geometry = json_.value("geometry", Json());
    const Json type = geometry.is_object() ? geometry.value("type", Json()) : Json();
    const Json coordinates = geometry.is_object() ? geometry.value("coordinates", Json()) : Json();
    v1::Boundary boundary;
    bool read = false;
    if (type == "Polygon") read = read_polygon(coordinates, *boundary.add_polygons());
    if (type == "MultiPolygon" && coordinates.is_array()) {
      read = true;
      for (const Json& part : coordinates)
        read = read && read_polygon(part, *boundary.add_polygons());
    }
    if (!read) {
      complain(
          {"geometry 须为由 [经度, 纬度] 构成的 Polygon 或 MultiPolygon",
           "its geometry is not a Polygon or MultiPolygon of [longitude, latitude] positions"});
      return std::nullopt;
    }
    if (const auto fault = fault_of(boundary)) {
      complain(*fault);
      return std::nullopt;
    }
    return boundary;
  }

  Cell cell(const char* name, const std::string& value) const {
    return Cell{file_, line_, name, trimmed(value), problems_, holder_};
  }

  void complain(const Line& what) {
    problems_.add(file_, line_, {holder_.zh + what.zh, holder_.en + what.en});
  }

  std::size_t line() const { return line_; }
  const Line& holder() const { return holder_; }

  /// The properties that could be there and are not.
  std::vector<std::string> left_out() const {
    std::vector<std::string> names;
    for (const std::string_view name : kKnown) {
      if (!json_["properties"].contains(name)) names.emplace_back(name);
    }
    return names;
  }

 private:
  static constexpr std::string_view kKnown[] = {
      "code15",     "name",          "type",       "village12",   "owner",       "parent15",
      "households", "function_tags", "valid_from", "valid_until", "predecessors"};

  bool known_properties() {
    const std::size_t before = problems_.count();
    for (const auto& [name, value] : json_["properties"].items()) {
      if (std::ranges::find(kKnown, name) != std::end(kKnown)) continue;
      const auto meant = std::ranges::find_if(
          kKnown, [&](std::string_view known) { return is_nearly(name, known); });
      if (meant == std::end(kKnown)) continue;
      const std::string right(*meant);
      complain({"属性 \"" + name + "\" 应写作 \"" + right + "\"",
                "property \"" + name + "\" is written \"" + right + "\""});
    }
    for (const char* needed : {"code15", "name", "type"}) {
      if (!value(needed).empty()) continue;
      const std::string quoted = "\"" + std::string(needed) + "\"";
      complain({"缺少属性 " + quoted, "property " + quoted + " is missing"});
    }
    return problems_.count() == before;
  }

  static bool read_polygon(const Json& json, v1::Polygon& polygon) {
    if (!json.is_array()) return false;
    for (const Json& positions : json) {
      if (!positions.is_array()) return false;
      v1::Ring& ring = *polygon.add_rings();
      for (const Json& position : positions) {
        const bool pair = position.is_array() && position.size() >= 2 && position[0].is_number() &&
                          position[1].is_number();
        if (!pair) return false;
        ring.add_longitudes(position[0].get<double>());
        ring.add_latitudes(position[1].get<double>());
      }
    }
    return true;
  }

  const std::string& file_;
  std::size_t line_;
  const Json& json_;
  Problems& problems_;
  Line holder_;  ///< the grid's code, or which feature of the file it is
};

void read_relations(Feature& feature, const std::string& code15, v1::Grid& grid, Reference& into) {
  const auto link = [&](Link::To to, const std::string& name) {
    into.links.push_back({to, name, feature.cell("", "").file, feature.line(), feature.holder()});
  };
  link(Link::To::kArea, grid.village12());
  const std::string village = feature.value("village12");
  if (!village.empty() && village != grid.village12()) {
    feature.cell("village12", village)
        .complain({"按代码 " + code15 + "，网格属于 " + grid.village12(),
                   "by its code " + code15 + " the grid lies in " + grid.village12()});
  }
  const std::string owner = feature.value("owner");
  if (const auto code = feature.cell("owner", owner).code()) {
    grid.set_owner_org(std::string(into.id_of(kinds::kOrgUnit, *code).bytes()));
    link(Link::To::kOrganisation, *code);
  } else if (grid.type() == v1::GRID_TYPE_DEDICATED) {
    feature.complain({"专属网格要写明责任机构 owner", "a dedicated grid needs an owner"});
  }
  const std::string parent = feature.value("parent15");
  if (const auto code = feature.cell("parent15", parent).digits(15)) {
    grid.set_parent15(*code);
    link(Link::To::kGrid, *code);
    if (*code == code15 || !code->starts_with(grid.village12())) {
      feature.complain({"parent15 \"" + *code + "\" 不是同村的另一网格",
                        "parent15 \"" + *code + "\" is not another grid of the same village"});
    }
  } else if (grid.type() == v1::GRID_TYPE_MICRO) {
    feature.complain(
        {"微网格要写明所属的网格 parent15", "a micro-grid needs the grid it is part of, parent15"});
  }
}

void read_details(Feature& feature, v1::Grid& grid) {
  const std::string households = feature.value("households");
  if (const auto v = feature.cell("households", households).number()) grid.set_households(*v);
  for (const std::string& tag : feature.words("function_tags")) grid.add_function_tags(tag);
  for (const std::string& code : feature.words("predecessors")) {
    if (feature.cell("predecessors", code).digits(15)) grid.add_predecessors(code);
  }
  const std::string from = feature.value("valid_from");
  if (const auto v = feature.cell("valid_from", from).date_ms()) grid.set_valid_from_ms(*v);
  const std::string until = feature.value("valid_until");
  if (const auto v = feature.cell("valid_until", until).date_ms()) grid.set_valid_until_ms(*v);
}

std::optional<v1::Grid> read_grid(Feature& feature, Reference& into) {
  if (!feature.sound()) return std::nullopt;
  const KindSchema& kind = *built_schema().kind(kinds::kGrid);
  const std::string code_text = feature.value("code15");
  const std::string type_text = feature.value("type");
  const auto code = feature.cell("code15", code_text).digits(15);
  const auto type = feature.cell("type", type_text).word(*kind.field("type"));
  auto boundary = feature.boundary();
  if (!code || !type || !boundary) return std::nullopt;
  v1::Grid grid;
  grid.set_code15(*code);
  grid.set_name(feature.cell("name", feature.value("name")).name());
  grid.set_type(static_cast<v1::GridType>(*type));
  grid.set_village12(code->substr(0, 12));
  read_relations(feature, *code, grid, into);
  read_details(feature, grid);
  const Center center = center_of(*boundary);
  grid.set_center_latitude(center.latitude);
  grid.set_center_longitude(center.longitude);
  *grid.mutable_boundary() = std::move(*boundary);
  return grid;
}

}  // namespace

void read_grids(const std::string& file, std::string_view bytes, Reference& into,
                Problems& problems) {
  const auto document = parse(file, bytes, problems);
  if (!document) return;
  const Json& json = document->json;
  const bool collection = json.is_object() && json.value("type", Json()) == "FeatureCollection" &&
                          json.contains("features") && json["features"].is_array();
  const bool plain = collection && json["features"].size() == document->lines.size();
  if (!plain) {
    problems.add(
        file, 0,
        {"不是只含 Feature 的 FeatureCollection", "is not a FeatureCollection of Features alone"});
    return;
  }
  if (!is_in_degrees(json.value("crs", Json()))) {
    problems.add(file, document->crs_line,
                 {"坐标须为 WGS 84 或 CGCS2000 的经纬度（CRS84、EPSG:4326、EPSG:4490）；投影坐标和 "
                  "GCJ-02、BD-09 坐标请先转换",
                  "its crs is not one of degrees of WGS 84 or CGCS2000 (CRS84, EPSG:4326, "
                  "EPSG:4490); convert projected, GCJ-02 and BD-09 coordinates first"});
    return;
  }
  for (std::size_t i = 0; i < document->lines.size(); ++i) {
    Feature feature(file, document->lines[i], i + 1, json["features"][i], problems);
    if (auto grid = read_grid(feature, into)) {
      const std::string code = grid->code15();
      into.add(into.grids, code, {std::move(*grid), file, feature.line(), 0, feature.left_out()},
               problems);
    }
  }
}

}  // namespace gridwhistle::import
