#include "routing/route.h"

#include <algorithm>
#include <iterator>

namespace gridwhistle::routing {
namespace {

Line words_for(Condition condition) {
  switch (condition) {
    case Condition::kValidity:
      return {"不在有效期内", "not in force"};
    case Condition::kCategory:
      return {"事项分类不符", "another category"};
    case Condition::kArea:
      return {"地区不符", "another area"};
    case Condition::kGridType:
      return {"网格类型不符", "another type of grid"};
    case Condition::kSource:
      return {"来源不符", "another source"};
    case Condition::kClass:
      return {"哨声类别不符", "another class"};
    case Condition::kEmergency:
      return {"紧急程度不符", "emergency or not"};
  }
  return {"条件不符", "a condition"};
}

Line words_for(Level level) {
  switch (level) {
    case Level::kVillage:
      return {"村级", "village"};
    case Level::kTown:
      return {"镇级", "town"};
    case Level::kCounty:
      return {"县级", "county"};
    case Level::kCity:
      return {"市级", "city"};
    case Level::kUnspecified:
      break;
  }
  return {"未定层级", "unspecified"};
}

std::string named(const std::string& code, const std::string& title) {
  return title.empty() ? code : code + " " + title;
}

std::vector<const RoutingRule*> in_order(const RuleBook& book) {
  std::vector<const RoutingRule*> rules;
  rules.reserve(book.rules.size());
  std::ranges::transform(book.rules, std::back_inserter(rules),
                         [](const RoutingRule& rule) { return &rule; });
  std::ranges::sort(rules,
                    [](const RoutingRule* a, const RoutingRule* b) { return goes_before(*a, *b); });
  return rules;
}

Line not_matching(const RoutingRule& rule, const std::vector<Condition>& broken) {
  Line line{"规则 " + named(rule.code, rule.title) + "：不匹配（",
            "Rule " + named(rule.code, rule.title) + ": does not match ("};
  for (std::size_t i = 0; i < broken.size(); ++i) {
    const Line why = words_for(broken[i]);
    line.zh += (i == 0 ? "" : "、") + why.zh;
    line.en += (i == 0 ? "" : ", ") + why.en;
  }
  line.zh += "）";
  line.en += ")";
  return line;
}

Line matching(const RoutingRule& rule, bool decides) {
  const std::string name = named(rule.code, rule.title);
  if (decides) return {"规则 " + name + "：匹配，采用", "Rule " + name + ": matches and decides"};
  return {"规则 " + name + "：匹配，但已有更优先的规则",
          "Rule " + name + ": matches, but an earlier one decides"};
}

const RoutingRule* consider_all(const RuleBook& book, const Facts& facts,
                                std::vector<Line>& explain) {
  const RoutingRule* decides = nullptr;
  for (const RoutingRule* rule : in_order(book)) {
    const std::vector<Condition> broken = broken_conditions(*rule, facts);
    if (!broken.empty()) {
      explain.push_back(not_matching(*rule, broken));
      continue;
    }
    explain.push_back(matching(*rule, !decides));
    if (!decides) decides = rule;
  }
  return decides;
}

// Of several items of one code, the one in force, so that next year's list may be imported early.
const ResponsibilityItem* find_item(const RuleBook& book, const std::string& code,
                                    std::int64_t at_ms) {
  const ResponsibilityItem* found = nullptr;
  for (const ResponsibilityItem& item : book.items) {
    if (item.code != code) continue;
    const bool holds = item.valid.holds_at(at_ms);
    if (!found || (holds && !found->valid.holds_at(at_ms)) ||
        (holds == found->valid.holds_at(at_ms) && item.list_version > found->list_version)) {
      found = &item;
    }
  }
  return found;
}

Level lead_level_for(const RoutingRule& rule, const ResponsibilityItem& item, const Facts& facts) {
  Level level = rule.lead_level;
  if (level == Level::kUnspecified && !item.levels.empty()) level = std::ranges::min(item.levels);
  return std::max(level, facts.level);
}

void headless(Route& route, Headless reason, Line line) {
  route.headless = reason;
  route.reason = line;
  route.explain.push_back(std::move(line));
}

void call(Route& route, const RuleBook& book, const RoutingRule& rule,
          const ResponsibilityItem& item, const Facts& facts) {
  const Level level = lead_level_for(rule, item, facts);
  const Line wanted = words_for(level);
  const Organisation* lead =
      serving(book, item.lead_department_type, facts.area, level, facts.at_ms);
  if (!lead) {
    headless(route, Headless::kNoOrganisation,
             {wanted.zh + "及以上没有服务该地区的“" + item.lead_department_type + "”",
              "No organisation of the type " + item.lead_department_type + " serves the area at " +
                  wanted.en + " level or above"});
    return;
  }
  route.headless = Headless::kNo;
  route.lead = lead->id;
  route.lead_level = lead->level;
  route.reason = {"按规则 " + rule.code + "、责任清单 " + named(item.code, item.title) + "，由" +
                      lead->name + "主办",
                  "By rule " + rule.code + " and item " + named(item.code, item.title) +
                      ", led by " + named(lead->code, lead->name)};
  route.explain.push_back({"主办：" + named(lead->code, lead->name) + "（要求" + wanted.zh +
                               "，实为" + words_for(lead->level).zh + "）",
                           "Lead: " + named(lead->code, lead->name) + " (" + wanted.en +
                               " level asked for, " + words_for(lead->level).en + " found)"});
}

void call_co_departments(Route& route, const RuleBook& book, const RoutingRule& rule,
                         const ResponsibilityItem& item, const Facts& facts) {
  std::vector<std::string> types = item.co_department_types;
  types.insert(types.end(), rule.co_department_types.begin(), rule.co_department_types.end());
  const Level level = lead_level_for(rule, item, facts);
  std::vector<std::string> done;
  for (const std::string& type : types) {
    if (std::ranges::find(done, type) != done.end()) continue;
    done.push_back(type);
    const Organisation* helper = serving(book, type, facts.area, level, facts.at_ms);
    if (!helper) {
      route.explain.push_back({"协办：没有服务该地区的“" + type + "”，略去",
                               "Co-department: none of the type " + type + ", left out"});
      continue;
    }
    if (helper->id == route.lead ||
        std::ranges::find(route.co_departments, helper->id) != route.co_departments.end()) {
      continue;
    }
    route.co_departments.push_back(helper->id);
    route.explain.push_back({"协办：" + named(helper->code, helper->name),
                             "Co-department: " + named(helper->code, helper->name)});
  }
}

}  // namespace

Route route(const RuleBook& book, const Facts& facts) {
  Route route;
  const RoutingRule* rule = consider_all(book, facts, route.explain);
  if (!rule) {
    headless(
        route, Headless::kNoRule,
        {"没有匹配的规则：列为无头事项", "No rule matches: headless, for the county to decide"});
    return route;
  }
  route.rule = rule->code;
  route.time_limit_profile = rule->time_limit_profile;
  route.pipeline = rule->pipeline;
  const ResponsibilityItem* item = find_item(book, rule->responsibility_item, facts.at_ms);
  if (!item) {
    headless(route, Headless::kUnknownItem,
             {"责任清单中没有 " + rule->responsibility_item + "：列为无头事项",
              "The list has no item " + rule->responsibility_item + ": headless"});
    return route;
  }
  route.item = item->code;
  route.list_version = item->list_version;
  if (!item->valid.holds_at(facts.at_ms)) {
    headless(route, Headless::kItemNotValid,
             {"责任清单 " + named(item->code, item->title) + " 不在有效期内：列为无头事项",
              "Item " + named(item->code, item->title) + " is not in force: headless"});
    return route;
  }
  route.explain.push_back(
      {"责任清单 " + named(item->code, item->title) + "（" + item->list_version + "）",
       "Item " + named(item->code, item->title) + " of list " + item->list_version});
  call(route, book, *rule, *item, facts);
  if (!route.is_headless()) call_co_departments(route, book, *rule, *item, facts);
  return route;
}

bool is_on_list(const RuleBook& book, const std::string& category, Level receiver_level,
                std::int64_t at_ms) {
  return std::ranges::any_of(book.items, [&](const ResponsibilityItem& item) {
    const bool may_have =
        item.levels.empty() || std::ranges::find(item.levels, receiver_level) != item.levels.end();
    const bool covers = std::ranges::any_of(
        item.categories, [&](const std::string& prefix) { return category.starts_with(prefix); });
    return may_have && covers && item.valid.holds_at(at_ms);
  });
}

}  // namespace gridwhistle::routing
