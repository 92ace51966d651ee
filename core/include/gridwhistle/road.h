#pragma once

#include <vector>

#include "gridwhistle/query.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/workflow.pb.h"

namespace gridwhistle {

/// One organisation's part of a whistle.
struct RoadPart {
  Found<v1::Assignment> assignment;
  /// What the assignment will be when the server accepts this phone's pending actions; the state
  /// itself when nothing is pending.
  v1::AssignmentState proposed = v1::ASSIGNMENT_STATE_UNSPECIFIED;
};

/// Everything this phone knows of a whistle's way.
struct Road {
  Found<v1::Whistle> whistle;
  std::vector<Found<v1::WhistleAction>> actions;  ///< the timeline, oldest first
  std::vector<RoadPart> parts;
  v1::WhistleState proposed = v1::WHISTLE_STATE_UNSPECIFIED;  ///< as `RoadPart::proposed`
};

}  // namespace gridwhistle
