#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/rule_book.h"

namespace gridwhistle::routing {

/// What routing asks of a whistle.
struct Facts {
  std::string category;
  std::string area;  ///< the grid's code15, or a code12 while the grid is not known
  GridType grid_type = GridType::kUnspecified;
  Source source = Source::kUnspecified;
  WhistleClass whistle_class = WhistleClass::kUnspecified;
  bool emergency = false;
  /// The level that has it: a lead stands at least as high.
  Level level = Level::kVillage;
  std::int64_t at_ms = 0;

  bool operator==(const Facts&) const = default;
};

/// A condition of a rule.
enum class Condition : std::uint8_t {
  kValidity,
  kCategory,
  kArea,
  kGridType,
  kSource,
  kClass,
  kEmergency,
};

/// The conditions that do not hold; none when the rule matches.
std::vector<Condition> broken_conditions(const RoutingRule& rule, const Facts& facts);

/// How particular a rule is, greater is more: first the length of its category prefix, then that of
/// its area prefix (of a code12 the digits that say something), then how many of its other
/// conditions (grid type, source, class, emergency) are set.
struct Specificity {
  std::size_t category_length = 0;
  std::size_t area_length = 0;
  std::size_t other_conditions = 0;

  auto operator<=>(const Specificity&) const = default;
};
Specificity specificity_of(const RoutingRule& rule);

/// Whether `a` is tried before `b`: the more specific, then the higher priority, then the code that
/// comes first, so that the order is one and the same everywhere.
bool goes_before(const RoutingRule& a, const RoutingRule& b);

}  // namespace gridwhistle::routing
