#pragma once

#include <optional>

#include "app/log.h"
#include "base/line.h"
#include "county/operator.h"

namespace gridwhistle::app {

/// What is wrong with the county's storage and what to do about it; none while it works.
std::optional<Line> storage_warning(const StorageHealth& health);

/// A line for each thing that has changed between the two.
void log_storage_changes(const StorageHealth& before, const StorageHealth& now, const Log& log);

}  // namespace gridwhistle::app
