#pragma once

#include <cstdint>

#include "model/schema.h"
#include "model/workflow_words.h"

// Who sees rows of a kind, in a scope that is theirs. Both sides ask here, so that a phone keeps
// what its server sends.
namespace gridwhistle {

/// Those who handle whistles: they see what follows one, personal or not.
inline constexpr RoleSet kCaseStaff = {Role::kVillageAcceptor, Role::kTownAcceptor,
                                       Role::kDispatcher,      Role::kSupervisor,
                                       Role::kDepartment,      Role::kReturnVisitor};

/// Whether a grant with these audiences (1 << Audience) and roles shows rows of a kind: by the
/// kind's audience; what follows a whistle to case staff; disputes to mediators.
bool is_shown(const KindSchema& kind, std::uint32_t audiences, RoleSet roles);

/// Whether rows of a kind are for fewer people than hold the scope: those about persons. They are
/// written only where their writer may read them, and the audit says who wrote them.
bool is_private(const KindSchema& kind);

}  // namespace gridwhistle
