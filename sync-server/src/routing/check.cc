#include "routing/check.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace gridwhistle::routing {
namespace {

constexpr std::size_t kVillageCode = 12;

/// Looks things up in a book and collects what is wrong with it.
class Checker {
 public:
  Checker(const RuleBook& book, std::int64_t at_ms) : book_(book), at_ms_(at_ms) {
    for (const Organisation& organisation : book.organisations) {
      if (organisation.valid.is_over_at(at_ms)) continue;
      types_.insert(organisation.department_type);
    }
    for (const ResponsibilityItem& item : book.items) items_[item.code].push_back(&item);
  }

  std::vector<Problem> run() {
    check_item_codes();
    check_codes(book_.rules, "规则", "Rule");
    check_codes(book_.organisations, "机构", "Organisation");
    for (const ResponsibilityItem& item : book_.items) check_item(item);
    for (const RoutingRule& rule : book_.rules) {
      if (!rule.valid.is_over_at(at_ms_)) check_rule(rule);
    }
    check_contradictions();
    return std::move(problems_);
  }

 private:
  template <typename Entry>
  void report(ProblemKind kind, const Entry& entry, std::string other, Line text) {
    problems_.push_back({kind, entry.code, entry.line, std::move(other), std::move(text)});
  }

  template <typename Entry>
  void check_codes(const std::vector<Entry>& entries, std::string_view zh, std::string_view en) {
    std::set<std::string> seen;
    for (const Entry& entry : entries) note_code(entry, entry.code, seen, zh, en);
  }

  // A code may come back in another version of the list.
  void check_item_codes() {
    std::set<std::string> seen;
    for (const ResponsibilityItem& item : book_.items) {
      note_code(item, item.code + '\n' + item.list_version, seen, "责任清单", "Item");
    }
  }

  template <typename Entry>
  void note_code(const Entry& entry, const std::string& key, std::set<std::string>& seen,
                 std::string_view zh, std::string_view en) {
    const std::string line = std::to_string(entry.line);
    if (entry.code.empty()) {
      report(ProblemKind::kNoCode, entry, "",
             {std::string(zh) + "没有代码（第" + line + "行）",
              std::string(en) + " without a code, line " + line});
    } else if (!seen.insert(key).second) {
      report(ProblemKind::kDuplicateCode, entry, entry.code,
             {std::string(zh) + " " + entry.code + " 重复",
              std::string(en) + " " + entry.code + " is there twice"});
    }
  }

  template <typename Entry>
  void check_type(const Entry& entry, const std::string& type) {
    if (types_.contains(type)) return;
    report(ProblemKind::kUnknownDepartmentType, entry, type,
           {entry.code + "：没有“" + type + "”类机构",
            entry.code + ": there is no organisation of the type " + type});
  }

  void check_item(const ResponsibilityItem& item) {
    if (item.valid.is_over_at(at_ms_)) return;
    check_type(item, item.lead_department_type);
    for (const std::string& type : item.co_department_types) check_type(item, type);
  }

  void check_rule(const RoutingRule& rule) {
    for (const std::string& type : rule.co_department_types) check_type(rule, type);
    const std::vector<std::string> areas = areas_of(rule);
    if (areas.empty() && !book_.areas.empty()) {
      report(ProblemKind::kUnknownArea, rule, rule.area_prefix,
             {rule.code + "：没有以 " + rule.area_prefix + " 开头的地区",
              rule.code + ": no area begins with " + rule.area_prefix});
    }
    const ResponsibilityItem* item = item_of(rule);
    if (!item) return;
    check_category(rule, *item);
    check_level(rule, *item);
    check_organisations(rule, *item, areas);
  }

  // From when on a rule is used.
  std::int64_t start_of(const RoutingRule& rule) const {
    return std::max(at_ms_, rule.valid.from_ms);
  }

  const ResponsibilityItem* item_in_force(const RoutingRule& rule) const {
    const auto found = items_.find(rule.responsibility_item);
    if (found == items_.end()) return nullptr;
    for (const ResponsibilityItem* item : found->second) {
      if (item->valid.holds_at(start_of(rule))) return item;
    }
    return nullptr;
  }

  // The item a rule leads to; where it is not there or not in force, that is reported.
  const ResponsibilityItem* item_of(const RoutingRule& rule) {
    if (const ResponsibilityItem* item = item_in_force(rule)) return item;
    if (!items_.contains(rule.responsibility_item)) {
      report(ProblemKind::kUnknownItem, rule, rule.responsibility_item,
             {rule.code + "：责任清单中没有 " + rule.responsibility_item,
              rule.code + ": the list has no item " + rule.responsibility_item});
      return nullptr;
    }
    report(ProblemKind::kItemNotInForce, rule, rule.responsibility_item,
           {rule.code + "：责任清单 " + rule.responsibility_item + " 不在有效期内",
            rule.code + ": item " + rule.responsibility_item + " is not in force"});
    return nullptr;
  }

  // A rule may be about more than its item lists: it takes what nothing more specific is about.
  void check_category(const RoutingRule& rule, const ResponsibilityItem& item) {
    const bool listed = std::ranges::any_of(item.categories, [&](const std::string& prefix) {
      return rule.category_prefix.starts_with(prefix) || prefix.starts_with(rule.category_prefix);
    });
    if (listed || item.categories.empty()) return;
    report(ProblemKind::kCategoryNotListed, rule, item.code,
           {rule.code + "：责任清单 " + item.code + " 不含分类 " + rule.category_prefix,
            rule.code + ": item " + item.code + " does not list the category " +
                rule.category_prefix});
  }

  void check_level(const RoutingRule& rule, const ResponsibilityItem& item) {
    if (rule.lead_level == Level::kUnspecified || item.levels.empty()) return;
    if (std::ranges::find(item.levels, rule.lead_level) != item.levels.end()) return;
    report(ProblemKind::kLevelNotAllowed, rule, item.code,
           {rule.code + "：责任清单 " + item.code + " 不含该主办层级",
            rule.code + ": item " + item.code + " does not allow the rule's lead level"});
  }

  void check_organisations(const RoutingRule& rule, const ResponsibilityItem& item,
                           const std::vector<std::string>& areas) {
    if (!types_.contains(item.lead_department_type)) return;
    const Level level = lead_level_of(rule, item);
    std::size_t missing = 0;
    std::string first;
    for (const std::string& area : areas) {
      if (serving(book_, item.lead_department_type, area, level, start_of(rule))) continue;
      if (missing++ == 0) first = area;
    }
    if (missing == 0) return;
    const std::string count = std::to_string(missing);
    report(ProblemKind::kNoOrganisation, rule, first,
           {rule.code + "：“" + item.lead_department_type + "”不覆盖 " + count + " 个地区，如 " +
                first,
            rule.code + ": no " + item.lead_department_type + " for " + count + " areas, " + first +
                " for one"});
  }

  // The villages a rule is about, or, where the book goes no deeper, the areas.
  std::vector<std::string> areas_of(const RoutingRule& rule) const {
    const std::string wanted = area_prefix_of(rule.area_prefix);
    std::vector<std::string> areas;
    for (const std::string& area : book_.areas) {
      const std::string prefix = area_prefix_of(area);
      const bool is_leaf = prefix.size() == kVillageCode || !has_parts(area, prefix);
      if (is_leaf && (area.starts_with(wanted) || wanted.starts_with(prefix))) {
        areas.push_back(area);
      }
    }
    return areas;
  }

  bool has_parts(const std::string& area, const std::string& prefix) const {
    return std::ranges::any_of(book_.areas, [&](const std::string& other) {
      return other != area && other.starts_with(prefix);
    });
  }

  template <typename Value>
  static bool can_agree(const std::optional<Value>& a, const std::optional<Value>& b) {
    return !a || !b || *a == *b;
  }

  static bool last_together(const Validity& a, const Validity& b) {
    const bool a_first = a.until_ms != 0 && a.until_ms <= b.from_ms;
    const bool b_first = b.until_ms != 0 && b.until_ms <= a.from_ms;
    return !a_first && !b_first;
  }

  // Equal rank and both may match: nothing but the order of their codes would decide.
  static bool rival(const RoutingRule& a, const RoutingRule& b) {
    return a.priority == b.priority && specificity_of(a) == specificity_of(b) &&
           a.category_prefix == b.category_prefix &&
           area_prefix_of(a.area_prefix) == area_prefix_of(b.area_prefix) &&
           can_agree(a.grid_type, b.grid_type) && can_agree(a.source, b.source) &&
           can_agree(a.whistle_class, b.whistle_class) && can_agree(a.emergency, b.emergency) &&
           last_together(a.valid, b.valid);
  }

  // Who leads, whether the rule says so or leaves it to its item.
  Level lead_level_of(const RoutingRule& rule) const {
    const ResponsibilityItem* item = item_in_force(rule);
    return item ? lead_level_of(rule, *item) : rule.lead_level;
  }

  static Level lead_level_of(const RoutingRule& rule, const ResponsibilityItem& item) {
    if (rule.lead_level != Level::kUnspecified || item.levels.empty()) return rule.lead_level;
    return std::ranges::min(item.levels);
  }

  // The keys that lead one of two rivals elsewhere than the other; empty when both lead alike.
  std::string difference(const RoutingRule& a, const RoutingRule& b) const {
    if (a.responsibility_item != b.responsibility_item) return "responsibility_item";
    const auto types = [](const RoutingRule& rule) {
      return std::set<std::string>(rule.co_department_types.begin(),
                                   rule.co_department_types.end());
    };
    std::string keys;
    const auto note = [&](bool differs, const char* key) {
      if (differs) keys += (keys.empty() ? "" : ", ") + std::string(key);
    };
    note(lead_level_of(a) != lead_level_of(b), "lead_level");
    note(types(a) != types(b), "co_department_types");
    note(a.time_limit_profile != b.time_limit_profile, "time_limit_profile");
    note(a.pipeline != b.pipeline, "pipeline");
    return keys;
  }

  void check_contradictions() {
    for (std::size_t i = 0; i < book_.rules.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const RoutingRule& rule = book_.rules[i];
        const RoutingRule& earlier = book_.rules[j];
        if (rule.valid.is_over_at(at_ms_) || earlier.valid.is_over_at(at_ms_)) continue;
        if (!rival(rule, earlier)) continue;
        const std::string keys = difference(rule, earlier);
        if (keys.empty()) continue;
        report(ProblemKind::kContradiction, rule, earlier.code,
               {rule.code + " 与 " + earlier.code + " 条件和优先级相同，结果不同：" + keys,
                rule.code + " and " + earlier.code +
                    " match alike with one priority and differ in: " + keys});
      }
    }
  }

  const RuleBook& book_;
  std::int64_t at_ms_;
  std::set<std::string> types_;
  std::map<std::string, std::vector<const ResponsibilityItem*>> items_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check(const RuleBook& book, std::int64_t at_ms) {
  return Checker(book, at_ms).run();
}

}  // namespace gridwhistle::routing
