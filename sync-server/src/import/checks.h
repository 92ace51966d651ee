#pragma once

#include <string_view>

#include "import/problem.h"
#include "import/reference.h"

namespace gridwhistle::import {

/// What must fit together when the files are laid over what the county has: everything that is
/// pointed at exists, codes lie in the county ("440811"), organisations stand over each other
/// without a circle, and micro-grids lie in basic ones.
void check(const Reference& reference, std::string_view county, Problems& problems);

}  // namespace gridwhistle::import
