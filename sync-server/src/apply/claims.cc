#include "apply/claims.h"

#include <algorithm>

#include "model/record.h"

namespace gridwhistle {

namespace {

Error claim(ErrorCode code, std::string message) { return {code, std::move(message), {}}; }

bool names_another(const KindSchema& kind, const Operation& operation, RecordId worker,
                   std::string_view before) {
  return std::ranges::any_of(fields_of(operation.set), [&](const FieldView& field) {
    const FieldSchema* known = kind.field(field.number);
    return known != nullptr && known->by_author &&
           text_of(operation.set, field.number) != worker.bytes() &&
           field_of(before, field.number).entries != field.entries;
  });
}

}  // namespace

Result<std::optional<Error>> false_claim(Workspace& workspace, const Author& author,
                                         const Operation& operation) {
  auto page = workspace.open({operation.kind, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  const std::string& before = (*page)->record.state.body;
  if (names_another(*(*page)->kind, operation, author.device.worker, before)) {
    return claim(ErrorCode::kForbidden, "只能以本人名义记录 / a record is made in one's own name");
  }
  return std::nullopt;
}

bool may_report_from(Source source, RoleSet roles) {
  constexpr RoleSet kCentre = {Role::kVillageAcceptor, Role::kTownAcceptor, Role::kDispatcher,
                               Role::kSupervisor};
  constexpr RoleSet kGrid = {Role::kGridWorker, Role::kCareWorker};
  constexpr RoleSet kPassersBy = {Role::kVolunteer, Role::kMicroContact};
  switch (source) {
    case Source::kWorker:
    case Source::kUnspecified:
      return true;
    case Source::kResident:
      return roles.meets(kCentre) || roles.meets(kGrid);
    case Source::kVolunteer:
      return roles.meets(kCentre) || roles.meets(kPassersBy);
    case Source::kHotline:
    case Source::kPlatform:
      return roles.meets(kCentre);
  }
  return roles.meets(kCentre);
}

}  // namespace gridwhistle
