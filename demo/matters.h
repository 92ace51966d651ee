#pragma once

#include <span>
#include <string_view>

#include "gridwhistle/v1/workflow.pb.h"

namespace gridwhistle::demo {

/// Something a worker may come upon.
struct Matter {
  std::string_view category;
  std::string_view title;
  std::string_view text;
  v1::WhistleClass whistle_class;
  bool settled = false;  ///< the worker deals with it alone
};

/// Everyday matters, some of them settled on the spot.
std::span<const Matter> everyday_matters();
/// Matters that cannot wait.
std::span<const Matter> emergencies();
/// What the rarer turns of a road are played on: a rule gives it to the department BM-ZJ alone.
const Matter& road_matter();
/// What no line of the responsibility list covers.
const Matter& headless_matter();

}  // namespace gridwhistle::demo
