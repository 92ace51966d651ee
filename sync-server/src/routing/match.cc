#include "routing/match.h"

namespace gridwhistle::routing {

std::vector<Condition> broken_conditions(const RoutingRule& rule, const Facts& facts) {
  std::vector<Condition> broken;
  const auto need = [&](bool holds, Condition condition) {
    if (!holds) broken.push_back(condition);
  };
  need(rule.valid.holds_at(facts.at_ms), Condition::kValidity);
  need(facts.category.starts_with(rule.category_prefix), Condition::kCategory);
  need(facts.area.starts_with(area_prefix_of(rule.area_prefix)), Condition::kArea);
  need(!rule.grid_type || *rule.grid_type == facts.grid_type, Condition::kGridType);
  need(!rule.source || *rule.source == facts.source, Condition::kSource);
  need(!rule.whistle_class || *rule.whistle_class == facts.whistle_class, Condition::kClass);
  need(!rule.emergency || *rule.emergency == facts.emergency, Condition::kEmergency);
  return broken;
}

Specificity specificity_of(const RoutingRule& rule) {
  std::size_t others = 0;
  if (rule.grid_type) ++others;
  if (rule.source) ++others;
  if (rule.whistle_class) ++others;
  if (rule.emergency) ++others;
  return {rule.category_prefix.size(), area_prefix_of(rule.area_prefix).size(), others};
}

bool goes_before(const RoutingRule& a, const RoutingRule& b) {
  const Specificity of_a = specificity_of(a);
  const Specificity of_b = specificity_of(b);
  if (of_a != of_b) return of_a > of_b;
  if (a.priority != b.priority) return a.priority > b.priority;
  return a.code < b.code;
}

}  // namespace gridwhistle::routing
