#pragma once

#include <map>
#include <set>
#include <string>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "routing/rule_book.h"
#include "storage/storage.h"

namespace gridwhistle {

/// The county's reference records as the rules use them. Read anew when one of them changed.
struct Reference {
  routing::RuleBook book;
  std::map<std::string, routing::GridType, std::less<>> grid_types;  ///< by code15
  std::map<RecordId, routing::Organisation> organisations;
  /// The codes of the categories that are closed only with a picture.
  std::set<std::string, std::less<>> closed_with_picture;

  /// kUnspecified for an organisation that is not there.
  Level level_of(RecordId organisation) const;
  /// Who answers for a place first: the organisation with the smallest area around it; nil if none.
  RecordId centre_of(const std::string& area, std::int64_t at_ms) const;
};

Result<Reference> read_reference(Storage& storage);

}  // namespace gridwhistle
