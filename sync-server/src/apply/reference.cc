#include "apply/reference.h"

#include <tuple>

#include "gridwhistle/v1/reference.pb.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

routing::Validity until(std::int64_t until_ms) { return {.from_ms = 0, .until_ms = until_ms}; }

routing::ResponsibilityItem item_of(const v1::ResponsibilityItem& record) {
  routing::ResponsibilityItem item;
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

routing::RoutingRule rule_of(const v1::RoutingRule& record) {
  routing::RoutingRule rule;
  rule.code = record.code();
  rule.title = record.title();
  rule.priority = record.priority();
  rule.category_prefix = record.category_prefix();
  rule.area_prefix = record.area_prefix();
  if (record.has_grid_type()) rule.grid_type = static_cast<routing::GridType>(record.grid_type());
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

routing::Organisation organisation_of(RecordId id, const v1::OrgUnit& record) {
  routing::Organisation organisation;
  organisation.id = id;
  organisation.code = record.code();
  organisation.name = record.name();
  organisation.level = static_cast<Level>(record.level());
  organisation.department_type = record.department_type();
  organisation.area12 = record.area12();
  organisation.valid = until(record.valid_until_ms());
  return organisation;
}

template <typename Message, typename Take>
Result<void> read_kind(Storage& storage, Take take) {
  return storage.scan(kind_of<Message>, [&](RecordId id, StoredRecord record) -> Result<void> {
    Message message;
    if (!record.state.erased && message.ParseFromString(record.state.body)) take(id, message);
    return {};
  });
}

}  // namespace

Level Reference::level_of(RecordId organisation) const {
  const auto found = organisations.find(organisation);
  return found == organisations.end() ? Level::kUnspecified : found->second.level;
}

RecordId Reference::centre_of(const std::string& area, std::int64_t at_ms) const {
  const routing::Organisation* best = nullptr;
  const auto rank = [](const routing::Organisation& o) {
    // Centres before departments: what has no type of its own answers for the whole place.
    return std::tuple(routing::area_prefix_of(o.area12).size(), o.department_type.empty());
  };
  for (const routing::Organisation& o : book.organisations) {
    if (!o.valid.holds_at(at_ms) || !area.starts_with(routing::area_prefix_of(o.area12))) continue;
    if (best == nullptr || rank(o) > rank(*best)) best = &o;
  }
  return best == nullptr ? RecordId{} : best->id;
}

Result<Reference> read_reference(Storage& storage) {
  Reference reference;
  Result<void> read = read_kind<v1::ResponsibilityItem>(
      storage, [&](RecordId, const v1::ResponsibilityItem& record) {
        reference.book.items.push_back(item_of(record));
      });
  if (read) {
    read = read_kind<v1::RoutingRule>(storage, [&](RecordId, const v1::RoutingRule& record) {
      reference.book.rules.push_back(rule_of(record));
    });
  }
  if (read) {
    read = read_kind<v1::OrgUnit>(storage, [&](RecordId id, const v1::OrgUnit& record) {
      reference.book.organisations.push_back(organisation_of(id, record));
      reference.organisations.emplace(id, reference.book.organisations.back());
    });
  }
  if (read) {
    read = read_kind<v1::AdminArea>(storage, [&](RecordId, const v1::AdminArea& record) {
      reference.book.areas.push_back(record.code12());
    });
  }
  if (read) {
    read = read_kind<v1::Grid>(storage, [&](RecordId, const v1::Grid& record) {
      reference.grid_types[record.code15()] = static_cast<routing::GridType>(record.type());
    });
  }
  if (!read) return std::unexpected(read.error());
  return reference;
}

}  // namespace gridwhistle
