#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/line.h"
#include "model/schema.h"

namespace gridwhistle {

/// The words that a field of an enum may be given, for whoever types them: "patrol, household, …",
/// with the Chinese ones beside them in the Chinese half.
Line choices(const FieldSchema& field);

/// Why one objects, as typed: 1 to 999, a number in a list of the county's own. Nothing where it is
/// none.
std::optional<std::int64_t> objection_reason(std::string_view word);

/// What is said of a word that is none.
Line not_an_objection_reason();

/// What help says of it beside the words of a refusal.
Line objection_reasons();

}  // namespace gridwhistle
