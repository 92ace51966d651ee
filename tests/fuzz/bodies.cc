#include "bodies.h"

#include <array>

namespace gridwhistle::fuzz {

std::span<const Body> bodies() {
  static const std::array kAll = {kUpFrame,        kDownFrame,        kBundle,
                                  kOperationBatch, kRowBatch,         kCanonical,
                                  kStamps,         kEnrolmentCode,    kMediaUp,
                                  kMediaDown,      kPicture,          kEnvelope,
                                  kAreasCsv,       kOrganisationsCsv, kGridsGeojson,
                                  kWorkersCsv,     kCategoriesCsv,    kResponsibilityCsv,
                                  kRulesToml,      kCounty,           kPhone};
  return kAll;
}

}  // namespace gridwhistle::fuzz
