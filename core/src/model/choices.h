#pragma once

#include "base/line.h"
#include "model/schema.h"

namespace gridwhistle {

/// The words that a field of an enum may be given, for whoever types them: "patrol, household, …",
/// with the Chinese ones beside them in the Chinese half.
Line choices(const FieldSchema& field);

}  // namespace gridwhistle
