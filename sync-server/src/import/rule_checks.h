#pragma once

#include <cstdint>

#include "import/problem.h"
#include "import/reference.h"

namespace gridwhistle::import {

/// Whether the rules, the responsibility list and the organisations make a rule book as it will be
/// used at `at_ms`: no two rules contradict each other, every item can be led by somebody
/// everywhere.
void check_rules(const Reference& reference, std::int64_t at_ms, Problems& problems);

}  // namespace gridwhistle::import
