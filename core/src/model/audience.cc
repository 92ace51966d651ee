#include "model/audience.h"

namespace gridwhistle {

bool is_private(const KindSchema& kind) {
  return kind.audience == Audience::kPersonal || kind.audience == Audience::kCare;
}

bool is_shown(const KindSchema& kind, std::uint32_t audiences, RoleSet roles) {
  if ((audiences >> static_cast<unsigned>(kind.audience) & 1U) != 0) return true;
  if (kind.name == "WhistleContact") return roles.meets(kCaseStaff);
  return kind.name == "Dispute" && roles.has(Role::kMediator);
}

}  // namespace gridwhistle
