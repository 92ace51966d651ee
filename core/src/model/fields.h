#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "model/schema.h"

// What overlay and merge share: how fields belong together, and how their entries are combined.
namespace gridwhistle {

/// A field that this build does not know is merged as a whole.
MergePolicy policy_of(const KindSchema& kind, std::uint32_t number);

/// What stands for a field where stamps are kept: the lowest number of its group, else its own.
std::uint32_t unit_of(const KindSchema& kind, std::uint32_t number);

/// The fields of a unit, ascending.
std::vector<std::uint32_t> members_of(const KindSchema& kind, std::uint32_t unit);

/// The units that an operation names, ascending.
std::vector<std::uint32_t> units_of(const KindSchema& kind, std::string_view set,
                                    const std::vector<std::uint32_t>& clear,
                                    std::string_view remove);

/// The entries of one field, one by one.
std::vector<std::string_view> entries_of(std::string_view message, std::uint32_t number);

/// The entries of a SET field as they stand in a record: each once, ascending by their bytes, so
/// that the same elements are the same bytes whoever added them first.
std::string as_set(std::vector<std::string_view> entries);

/// One field under a change of it.
std::string overlay_field(MergePolicy policy, std::string_view base, std::string_view set,
                          bool cleared, std::string_view remove);

}  // namespace gridwhistle
