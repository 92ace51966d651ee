#include "bodies.h"

#include <array>

namespace gridwhistle::fuzz {

std::span<const Body> bodies() {
  static const std::array<Body, 12> kAll = {kUpFrame,  kDownFrame,  kBundle,       kOperationBatch,
                                            kRowBatch, kCanonical,  kStamps,       kEnrolmentCode,
                                            kAreasCsv, kWorkersCsv, kGridsGeojson, kRulesToml};
  return kAll;
}

}  // namespace gridwhistle::fuzz
