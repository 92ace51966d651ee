#pragma once

#include <string>
#include <vector>

#include "base/line.h"
#include "routing/match.h"
#include "routing/rule_book.h"

namespace gridwhistle::routing {

/// Why a whistle has no head (无头事项), so that the county must decide.
enum class Headless : std::uint8_t {
  kNo,              ///< it has one
  kNoRule,          ///< no rule matches
  kUnknownItem,     ///< the rule names an item that is not on the list
  kItemNotValid,    ///< the item is not in force
  kNoOrganisation,  ///< no organisation of the item's type serves the area
};

/// Where a whistle goes, and why.
struct Route {
  Headless headless = Headless::kNoRule;
  std::string rule;          ///< the rule that decided; empty when none matched
  std::string item;          ///< the responsibility item's code
  std::string list_version;  ///< of the list the item stands in
  RecordId lead;             ///< nil when headless
  Level lead_level = Level::kUnspecified;
  std::vector<RecordId> co_departments;  ///< each once, never the lead
  std::string time_limit_profile;
  std::string pipeline;
  /// In one line, for the whistle itself: the rule, the item, the lead, or why there is none.
  Line reason;
  /// Every rule that was considered, in the order of trying, then what came of it.
  std::vector<Line> explain;

  bool is_headless() const { return headless != Headless::kNo; }
};

/// Finds who answers for a whistle. The first rule that matches decides, in the order of
/// `goes_before`; where it leads nowhere the whistle is headless and no other rule is tried,
/// because a less specific rule would send it to somebody it was not meant for.
///
/// The lead is the organisation of the item's type that serves the area at the rule's level, or the
/// whistle's own if that is higher, else at the nearest level above. A co-department that nobody
/// stands for is left out and said so. Pure: equal arguments, equal results, whatever the order of
/// the lists.
Route route(const RuleBook& book, const Facts& facts);

/// Whether a receiver of this level has the category on its responsibility list: an item in force
/// that covers it and that this level may have. A whistle is pushed down only then.
bool is_on_list(const RuleBook& book, const std::string& category, Level receiver_level,
                std::int64_t at_ms);

}  // namespace gridwhistle::routing
