#pragma once

#include <optional>

#include "base/line.h"
#include "gridwhistle/v1/reference.pb.h"

namespace gridwhistle::import {

/// Why a boundary cannot be one: a ring that is not closed, has fewer than three corners, crosses
/// itself or encloses nothing, a point that is not on earth, too many points. Nothing when it is
/// sound.
std::optional<Line> fault_of(const v1::Boundary& boundary);

struct Center {
  double latitude = 0;
  double longitude = 0;
};

/// The centroid of a sound boundary's largest polygon.
Center center_of(const v1::Boundary& boundary);

}  // namespace gridwhistle::import
