#pragma once

#include <memory>
#include <vector>

#include "county/county.h"
#include "oracle.h"
#include "phone.h"
#include "server.h"

namespace gridwhistle::sim {

/// The laws that hold when everything has been sent and received: nothing promised is lost, each
/// phone has exactly the rows of its scopes as the server has them, the server's books agree.
/// Throws a Violation.
void check_end(County& county, Oracle& oracle, const std::vector<std::unique_ptr<Phone>>& phones);

/// What was forgotten is nowhere: no record of it stands, and nothing that anybody wrote on it is
/// in a byte of the county's file or of a phone's, whatever was restored. Throws a Violation.
void check_forgotten(Server& server, const Oracle& oracle,
                     const std::vector<std::unique_ptr<Phone>>& phones);

}  // namespace gridwhistle::sim
