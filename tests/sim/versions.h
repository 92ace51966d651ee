#pragma once

#include <cstdint>
#include <string_view>

#include "gridwhistle/ids.h"
#include "model/schema.h"

namespace gridwhistle {
struct Build;
}  // namespace gridwhistle

namespace gridwhistle::sim {

/// How old a phone's build is, beside the county's.
enum class Age : std::uint8_t {
  kOlder,  ///< knows no Resident, and of others not every field
  kNow,
  kNewer,  ///< speaks the next protocol, and knows a field more of some kinds
};

/// A text of visits, households and residents that newer builds alone know.
inline constexpr std::uint32_t kMood = 90;

/// What was, is and will be declared. Schemas that came one after the other: `built_schema` has one
/// version only.
const Build& build_of(Age age);
/// The kind of that name as a build has it, or null.
const KindSchema* kind_of(Age age, std::string_view name);
/// What the county knows where there are builds of several ages.
const Schema& county_schema();

}  // namespace gridwhistle::sim
