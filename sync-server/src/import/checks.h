#pragma once

#include <set>
#include <string_view>

#include "import/problem.h"
#include "import/reference.h"

namespace gridwhistle::import {

/// What must fit together when the files are laid over what the county has: everything that is
/// pointed at exists, codes lie in the county ("440811"), organisations stand over each other
/// without a circle, micro-grids lie in basic ones, and nothing ends before it begins. Nothing is
/// missed in kinds that are in `broken`: what a faulty line should have defined would only look
/// missing elsewhere.
void check(const Reference& reference, std::string_view county, const std::set<KindId>& broken,
           Problems& problems);

}  // namespace gridwhistle::import
