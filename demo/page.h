#pragma once

#include <string>

#include "checks.h"
#include "county_view.h"

namespace gridwhistle::demo {

struct DayNumbers {
  Findings findings;
  std::uint64_t phones = 0;
  std::uint64_t calls = 0;
  std::uint64_t failed_calls = 0;
  std::uint64_t kills = 0;
  double seconds = 0;
};

/// Writes the day as one HTML file that needs nothing else: the numbers, the map of the grids with
/// the whistles, and a dozen whistles' roads as pictures. No personal data: areas, categories,
/// states, organisations.
Result<void> write_page(const std::string& path, const CountyView& county,
                        const DayNumbers& numbers);

}  // namespace gridwhistle::demo
