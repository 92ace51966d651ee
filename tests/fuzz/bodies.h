#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// What is done to bytes from outside, once, for the tests and for the coverage fuzzer.
namespace gridwhistle::fuzz {

/// One door that bytes come through, and the laws behind it.
struct Body {
  std::string_view name;  ///< of its folder in corpus/ too
  /// Feeds the bytes to the door. Empty when every law held, else the law that broke.
  std::string (*broken_law)(std::string_view bytes);
  /// Sound inputs, made with the project's own writers, so that mutations of them reach deep.
  std::vector<std::string> (*seeds)();
};

std::span<const Body> bodies();

// The doors, a file each.
extern const Body kUpFrame;
extern const Body kDownFrame;
extern const Body kBundle;
extern const Body kOperationBatch;
extern const Body kRowBatch;
extern const Body kCanonical;
extern const Body kStamps;
extern const Body kEnrolmentCode;
extern const Body kMediaUp;
extern const Body kMediaDown;
extern const Body kPicture;
extern const Body kEnvelope;
extern const Body kAreasCsv;
extern const Body kOrganisationsCsv;
extern const Body kGridsGeojson;
extern const Body kWorkersCsv;
extern const Body kCategoriesCsv;
extern const Body kResponsibilityCsv;
extern const Body kRulesToml;
extern const Body kCounty;
extern const Body kPhone;

}  // namespace gridwhistle::fuzz
