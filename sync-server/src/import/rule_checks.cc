#include "import/rule_checks.h"

#include <algorithm>

#include "routing/check.h"
#include "routing/records.h"
#include "routing/rule_book.h"
#include "schema/kinds.h"

namespace gridwhistle::import {
namespace {

/// Where lines of the rule book came from; their `line` is a place in here, from 1.
class Places {
 public:
  template <typename Line, typename Message>
  Line placed(Line line, const Entry<Message>& entry) {
    places_.push_back({entry.file, entry.line});
    line.line = static_cast<std::uint32_t>(places_.size());
    return line;
  }

  void complain(const routing::Problem& problem, Problems& problems) const {
    const auto& [file, line] = places_[problem.line - 1];
    problems.add(file, line, problem.text);
  }

 private:
  std::vector<std::pair<std::string, std::size_t>> places_;
};

/// Which findings rest on sound lines alone. It knows the problems that were there before.
class Soundness {
 public:
  Soundness(const Reference& reference, const std::set<KindId>& broken, const Problems& problems)
      : reference_(reference),
        broken_(broken),
        problems_(problems),
        organisations_(whole(reference.organisations)),
        areas_(whole(reference.areas)),
        items_(!broken.contains(kinds::kResponsibilityItem)) {}

  bool holds(const routing::Problem& problem) const {
    using enum routing::ProblemKind;
    switch (problem.kind) {
      case kNoCode:
      case kDuplicateCode:
        return true;
      case kUnknownArea:
        return areas_;
      case kUnknownItem:
        return items_ && !problem.other.empty();
      case kUnknownDepartmentType:
        return organisations_;
      case kItemNotInForce:
      case kCategoryNotListed:
      case kLevelNotAllowed:
        return rule(problem.code);
      case kNoOrganisation:
        return rule(problem.code) && organisations_ && areas_;
      case kContradiction:
        return rule(problem.code) && rule(problem.other);
    }
    return true;
  }

 private:
  template <typename Message>
  bool sound(const Entry<Message>& entry) const {
    const std::size_t last = std::max(entry.line, entry.last_line);
    return !entry.imported() || !problems_.any_in(entry.file, entry.line, last);
  }

  template <typename Message>
  bool whole(const ByCode<Message>& table) const {
    return !broken_.contains(kind_of<Message>) &&
           std::ranges::all_of(table, [&](const auto& one) { return sound(one.second); });
  }

  // The rule, and the item it leads to: of a list that lost lines what the county had may be old.
  bool rule(const std::string& code) const {
    const auto rule = reference_.rules.find(code);
    if (rule == reference_.rules.end() || !sound(rule->second)) return false;
    const auto item = reference_.items.find(rule->second.value.responsibility_item());
    if (item == reference_.items.end()) return items_;
    return sound(item->second) && (items_ || item->second.imported());
  }

  const Reference& reference_;
  const std::set<KindId>& broken_;
  const Problems& problems_;
  bool organisations_;
  bool areas_;
  bool items_;
};

}  // namespace

void check_rules(const Reference& reference, std::int64_t at_ms, const std::set<KindId>& broken,
                 Problems& problems) {
  Places places;
  routing::RuleBook book;
  for (const auto& [code, entry] : reference.items)
    book.items.push_back(places.placed(routing::item_of(entry.value), entry));
  for (const auto& [code, entry] : reference.rules)
    book.rules.push_back(places.placed(routing::rule_of(entry.value), entry));
  for (const auto& [code, entry] : reference.organisations) {
    const RecordId id = reference.id_of(kinds::kOrgUnit, code);
    book.organisations.push_back(places.placed(routing::organisation_of(id, entry.value), entry));
  }
  for (const auto& [code, entry] : reference.areas) book.areas.push_back(code);
  std::vector<routing::Problem> found = routing::check(book, at_ms);
  const Soundness sound(reference, broken, problems);
  std::erase_if(found, [&](const routing::Problem& problem) { return !sound.holds(problem); });
  for (const routing::Problem& problem : found) places.complain(problem, problems);
}

}  // namespace gridwhistle::import
