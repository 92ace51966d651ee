#pragma once

#include <string>
#include <vector>

#include "gridwhistle/ids.h"

namespace gridwhistle::store {

/// Where each grid lies, roughly; its polygons stay in the file.
struct GridIndex {
  struct Grid {
    RecordId id;
    std::string code15;
    std::string name;
    bool dedicated = false;
    double south = 90, north = -90, west = 180, east = -180;
  };
  std::vector<Grid> grids;
};

}  // namespace gridwhistle::store
