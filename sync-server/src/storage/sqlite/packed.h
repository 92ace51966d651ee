#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/status.h"
#include "storage/rows.h"

// Lists of small numbers as bytes. What cannot be read again is kCorrupt.
namespace gridwhistle {

std::string pack(const std::vector<Membership>& memberships);
Result<std::vector<Membership>> unpack_memberships(std::string_view bytes);

std::string pack(const std::vector<AckedRun>& runs);
Result<std::vector<AckedRun>> unpack_runs(std::string_view bytes);

std::string pack(const std::vector<std::uint32_t>& numbers);
Result<std::vector<std::uint32_t>> unpack_numbers(std::string_view bytes);

}  // namespace gridwhistle
