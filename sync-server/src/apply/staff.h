#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apply/workspace.h"

namespace gridwhistle {

/// Where a worker is known by name: wherever a role is held, in the area of the own organisation,
/// to the worker; and by all of the county's departments (`staff`), who are called to any grid.
/// So a grid's phone has the people of that grid, village, town and county, and no neighbour's.
/// Whoever works in more places than a row can name is known in the whole county.
Result<std::vector<std::string>> places_of_worker(Workspace& workspace, RecordId worker,
                                                  std::string_view body);

}  // namespace gridwhistle
