#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/check.h"
#include "routing/route.h"

namespace gridwhistle::routing {

inline constexpr std::int64_t kNow = 1'800'000'000'000;
inline constexpr std::int64_t kDay = 86'400'000;

/// A made-up county 990101 with two towns of two villages each, its organisations and its list; it
/// has no rules yet.
RuleBook small_county();

/// A rule that leads to this item and matches every whistle, until it is given conditions.
RoutingRule rule_to(const std::string& code, const std::string& item);

/// A loose manhole cover in the first village of the first town.
Facts a_manhole();

/// The id of the organisation with this code.
RecordId id_of(const RuleBook& book, const std::string& code);

}  // namespace gridwhistle::routing
