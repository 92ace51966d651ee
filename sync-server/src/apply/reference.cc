#include "apply/reference.h"

#include <tuple>

#include "gridwhistle/v1/reference.pb.h"
#include "routing/records.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

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
        reference.book.items.push_back(routing::item_of(record));
      });
  if (read) {
    read = read_kind<v1::RoutingRule>(storage, [&](RecordId, const v1::RoutingRule& record) {
      reference.book.rules.push_back(routing::rule_of(record));
    });
  }
  if (read) {
    read = read_kind<v1::OrgUnit>(storage, [&](RecordId id, const v1::OrgUnit& record) {
      reference.book.organisations.push_back(routing::organisation_of(id, record));
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
  if (read) {
    read = read_kind<v1::Category>(storage, [&](RecordId, const v1::Category& record) {
      if (record.closing_evidence()) reference.closed_with_picture.insert(record.code());
    });
  }
  if (!read) return std::unexpected(read.error());
  return reference;
}

}  // namespace gridwhistle
