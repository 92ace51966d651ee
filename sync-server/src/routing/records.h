#pragma once

#include "gridwhistle/v1/reference.pb.h"
#include "routing/rule_book.h"

// The rule book's entries as the records and the lists of an import write them.
namespace gridwhistle::routing {

ResponsibilityItem item_of(const v1::ResponsibilityItem& record);
RoutingRule rule_of(const v1::RoutingRule& record);
Organisation organisation_of(RecordId id, const v1::OrgUnit& record);

}  // namespace gridwhistle::routing
