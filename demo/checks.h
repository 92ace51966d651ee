#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "county_view.h"
#include "facts.h"

namespace gridwhistle::demo {

/// What the end of the day was found to be, and every fault in words.
struct Findings {
  std::uint64_t recorded = 0;    ///< new records that phones acknowledged
  std::uint64_t on_server = 0;   ///< of those, on the server
  std::uint64_t refused = 0;     ///< of those, refused, and their author can see why and what
  std::uint64_t edits = 0;       ///< fields that phones acknowledged to have changed
  std::uint64_t lost = 0;        ///< records and edits that are nowhere
  std::uint64_t duplicated = 0;  ///< records on the server that no phone wrote, or twice the same
  std::uint64_t rows_compared = 0;  ///< on phones, with the server's
  std::uint64_t whistles = 0;
  std::uint64_t routed = 0;
  std::uint64_t headless = 0;
  std::uint64_t on_the_spot = 0;
  std::uint64_t turned_down = 0;
  std::uint64_t waiting = 0;  ///< before acceptance or before being blown
  std::uint64_t closed = 0;
  std::uint64_t conflicts_kept = 0;  ///< values that lost a merge and are kept with their author
  std::uint64_t proposals_answered = 0;  ///< refused or superseded actions their author can see
  std::vector<std::string> faults;
};

/// Judges the day by what the files hold.
Findings examine(const ServerFacts& server, const std::vector<PhoneFacts>& phones,
                 const CountyView& county);

}  // namespace gridwhistle::demo
