#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/workflow_words.h"

// What routing knows: the county's lists as plain values. The fields are those of the reference
// kinds of the same names; an empty text or unset condition says nothing. Times are milliseconds
// since 1970, 0 for no limit. `line` is where it stood in the file it came from, 0 if unknown.
namespace gridwhistle::routing {

/// What a grid is; the numbers of v1::GridType.
enum class GridType : std::uint8_t { kUnspecified, kBasic, kDedicated, kMicro };

/// From when until when something holds; the end is no longer part of it.
struct Validity {
  std::int64_t from_ms = 0;
  std::int64_t until_ms = 0;

  bool holds_at(std::int64_t at_ms) const {
    return from_ms <= at_ms && (until_ms == 0 || at_ms < until_ms);
  }
  bool is_over_at(std::int64_t at_ms) const { return until_ms != 0 && until_ms <= at_ms; }
};

/// One line of the responsibility list: who answers for what.
struct ResponsibilityItem {
  std::string code;
  std::string title;
  std::string lead_department_type;
  std::vector<std::string> co_department_types;
  std::vector<Level> levels;            ///< that may have it; empty for any
  std::vector<std::string> categories;  ///< prefixes
  std::string list_version;
  Validity valid;
  std::uint32_t line = 0;
};

/// Which item a whistle falls under.
struct RoutingRule {
  std::string code;
  std::string title;
  std::int64_t priority = 0;
  std::string category_prefix;
  std::string area_prefix;  ///< digits of a code15; a whole code12 stands for the area it names
  std::optional<GridType> grid_type;
  std::optional<Source> source;
  std::optional<WhistleClass> whistle_class;
  std::optional<bool> emergency;
  std::string responsibility_item;
  Level lead_level = Level::kUnspecified;  ///< unspecified: the item's lowest
  std::vector<std::string> co_department_types;
  std::string time_limit_profile;
  std::string pipeline;
  Validity valid;
  std::uint32_t line = 0;
};

/// An organisation that can be called.
struct Organisation {
  RecordId id;
  std::string code;
  std::string name;
  Level level = Level::kUnspecified;
  std::string department_type;
  std::string area12;  ///< the area it serves; empty for the whole county
  Validity valid;
  std::uint32_t line = 0;
};

/// Everything routing goes by.
struct RuleBook {
  std::vector<ResponsibilityItem> items;
  std::vector<RoutingRule> rules;
  std::vector<Organisation> organisations;
  std::vector<std::string> areas;  ///< every code12 of the county
};

/// An area's code without the zeros that stand for "all of it": 440811001000 gives 440811001.
/// Anything but twelve digits that end so stays as it is.
std::string area_prefix_of(const std::string& code);

/// The organisation of this type that serves an area (code12 or code15): of the level asked for, or
/// else of the nearest level above. Among several the one with the smallest area, then with the
/// first code. Null when there is none. Points into the book.
const Organisation* serving(const RuleBook& book, const std::string& department_type,
                            const std::string& area, Level level, std::int64_t at_ms);

}  // namespace gridwhistle::routing
