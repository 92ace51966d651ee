#pragma once

#include <cstdint>
#include <set>

#include "import/problem.h"
#include "import/reference.h"

namespace gridwhistle::import {

/// Whether the rules, the responsibility list and the organisations make a rule book as it will be
/// used at `at_ms`: no two rules contradict each other, every item can be led by somebody
/// everywhere. Comes after everything else: what would only follow from a line that is in
/// `problems` already, or from lines that kinds in `broken` lost, is not told.
void check_rules(const Reference& reference, std::int64_t at_ms, const std::set<KindId>& broken,
                 Problems& problems);

}  // namespace gridwhistle::import
