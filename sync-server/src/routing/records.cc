#include "routing/records.h"

namespace gridwhistle::routing {

ResponsibilityItem item_of(const v1::ResponsibilityItem& record) {
  ResponsibilityItem item;
  item.code = record.code();
  item.title = record.title();
  item.lead_department_type = record.lead_department_type();
  item.co_department_types = {record.co_department_types().begin(),
                              record.co_department_types().end()};
  for (const int level : record.levels()) item.levels.push_back(static_cast<Level>(level));
  item.categories = {record.categories().begin(), record.categories().end()};
  item.list_version = record.list_version();
  item.valid = {record.valid_from_ms(), record.valid_until_ms()};
  return item;
}

RoutingRule rule_of(const v1::RoutingRule& record) {
  RoutingRule rule;
  rule.code = record.code();
  rule.title = record.title();
  rule.priority = record.priority();
  rule.category_prefix = record.category_prefix();
  rule.area_prefix = record.area_prefix();
  if (record.has_grid_type()) rule.grid_type = static_cast<GridType>(record.grid_type());
  if (record.has_source()) rule.source = static_cast<Source>(record.source());
  if (record.has_whistle_class()) {
    rule.whistle_class = static_cast<WhistleClass>(record.whistle_class());
  }
  if (record.has_emergency()) rule.emergency = record.emergency();
  rule.responsibility_item = record.responsibility_item();
  rule.lead_level = static_cast<Level>(record.lead_level());
  rule.co_department_types = {record.co_department_types().begin(),
                              record.co_department_types().end()};
  rule.time_limit_profile = record.time_limit_profile();
  rule.pipeline = record.pipeline();
  rule.valid = {record.valid_from_ms(), record.valid_until_ms()};
  return rule;
}

Organisation organisation_of(RecordId id, const v1::OrgUnit& record) {
  Organisation organisation;
  organisation.id = id;
  organisation.code = record.code();
  organisation.name = record.name();
  organisation.level = static_cast<Level>(record.level());
  organisation.department_type = record.department_type();
  organisation.area12 = record.area12();
  organisation.valid = {.from_ms = 0, .until_ms = record.valid_until_ms()};
  return organisation;
}

}  // namespace gridwhistle::routing
