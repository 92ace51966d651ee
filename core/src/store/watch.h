#pragma once

#include <functional>

#include "gridwhistle/ids.h"

namespace gridwhistle::store {

/// One thing to do when a write touched a kind.
struct WatchEntry {
  KindId kind;
  bool queued = false;
  std::function<void()> run;
};

}  // namespace gridwhistle::store
