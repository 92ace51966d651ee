#pragma once

#include <string>
#include <vector>

#include "gridwhistle/status.h"

namespace gridwhistle::demo {

/// Somebody who takes part, with a phone.
struct Player {
  std::string worker;  ///< "WG001"
  std::string grid;    ///< code15; empty for staff
};

/// Who plays the day: grid workers spread over the county, and staff with phones of their own.
struct Cast {
  std::vector<Player> grid_workers;  ///< the second also stands in for the first, in the same grid
  std::vector<Player> staff;
};

/// Chooses them from the county's workers.csv: `grid_workers` of the grid workers, evenly; of the
/// staff the town acceptors, the return visitors, a supervisor, and one of each department, of one
/// department two.
Result<Cast> choose_cast(const std::string& workers_csv, std::size_t grid_workers);

/// Copies the sample county to `to`, with one change: the second grid worker of the cast also holds
/// the first one's grid, so that two people work on the same households (AB 岗).
Result<void> copy_county(const std::string& from, const std::string& to, const Cast& cast);

}  // namespace gridwhistle::demo
