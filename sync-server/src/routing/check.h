#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/route.h"
#include "routing/rule_book.h"

namespace gridwhistle::routing {

/// What is wrong with a line of a rule book.
enum class ProblemKind : std::uint8_t {
  kNoCode,          ///< an item, rule or organisation without a code
  kDuplicateCode,   ///< two items of one list version, two rules or two organisations
  kContradiction,   ///< two rules of equal rank match one whistle and lead to different things
  kUnknownItem,     ///< a rule names an item that is not on the list
  kItemNotInForce,  ///< a rule names an item that is over, or begins after it
  kUnknownDepartmentType,  ///< no organisation has the type
  kNoOrganisation,         ///< somewhere no organisation of the lead's type serves
  kUnknownArea,            ///< a rule's area prefix lies outside the county
  kLevelNotAllowed,        ///< a rule's lead level is none of its item's
  kCategoryNotListed,      ///< a rule is about nothing that its item lists
};

/// One finding; all of them are to be put right before the book is used.
struct Problem {
  ProblemKind kind = ProblemKind::kNoCode;
  std::string code;        ///< of the rule, item or organisation it is about
  std::uint32_t line = 0;  ///< where that stood, 0 if unknown
  std::string other;       ///< what it is at odds with: a code, a type or an area
  Line text;               ///< for people
};

/// Looks through a rule book as it will be at `at_ms`. Rules that are over are only looked at for
/// their codes. In the order of the lists; empty when all is well.
std::vector<Problem> check(const RuleBook& book, std::int64_t at_ms);

}  // namespace gridwhistle::routing
