#include "apply/claims.h"

#include <algorithm>

#include "model/record.h"
#include "model/whistle_number.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::uint32_t kNumber = fields::whistle::kNumber;

Error claim(ErrorCode code, std::string message) { return {code, std::move(message), {}}; }

bool names_another(const KindSchema& kind, const Operation& operation, RecordId worker,
                   std::string_view before) {
  return std::ranges::any_of(kind.fields, [&](const FieldSchema& field) {
    if (!field.by_author) return false;
    const std::string_view given = field_of(operation.set, field.number).entries;
    return !given.empty() && text_of(given, field.number) != worker.bytes() &&
           field_of(before, field.number).entries != given;
  });
}

// Another whistle's already, be it one of the same transaction.
Result<bool> is_taken(Workspace& workspace, std::string_view number, RecordId by) {
  if (!workspace.claim(number, by)) return true;
  auto held = workspace.storage().find(*workspace.schema().kind(kinds::kWhistle), kNumber, number);
  if (!held) return std::unexpected(std::move(held.error()));
  return std::ranges::any_of(*held, [&](RecordId id) { return id != by; });
}

// Letters of no device are let pass: a device that a restore has lost may have got others since,
// and what it numbered before is its worker's work all the same.
Result<bool> is_of_another_device(Workspace& workspace, const DeviceRow& own,
                                  std::string_view short_code) {
  if (short_code == own.short_code) return false;
  auto devices = workspace.storage().devices();
  if (!devices) return std::unexpected(std::move(devices.error()));
  return std::ranges::any_of(
      *devices, [&](const DeviceRow& device) { return device.short_code == short_code; });
}

Result<std::optional<Error>> false_number(Workspace& workspace, const Author& author,
                                          const Operation& operation, std::string_view before) {
  const auto number = text_of(operation.set, kNumber);
  if (operation.kind != kinds::kWhistle || !number || text_of(before, kNumber) == number) {
    return std::nullopt;
  }
  const auto short_code = short_code_in(*number);
  if (!short_code) {
    return claim(ErrorCode::kInvalid, "哨声编号有误 / the whistle's number is not well formed");
  }
  auto foreign = is_of_another_device(workspace, author.device, *short_code);
  if (!foreign) return std::unexpected(std::move(foreign.error()));
  if (*foreign) {
    return claim(ErrorCode::kForbidden,
                 "哨声编号属于其他设备 / the whistle's number is another device's");
  }
  auto taken = is_taken(workspace, *number, operation.id);
  if (!taken) return std::unexpected(std::move(taken.error()));
  if (!*taken) return std::nullopt;
  return claim(ErrorCode::kAlreadyExists, "哨声编号已被使用 / the whistle's number is taken");
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
  return false_number(workspace, author, operation, before);
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
