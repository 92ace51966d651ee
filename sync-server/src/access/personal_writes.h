#pragma once

#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/operation.h"
#include "model/schema.h"
#include "storage/rows.h"

namespace gridwhistle {

/// One accepted write to a record of a kind that holds personal data.
struct PersonalWrite {
  RecordKey key;
  Seq seq;
  OutcomeStatus status = OutcomeStatus::kAccepted;
  bool erases = false;
};

/// What the audit keeps of the writes that came in one frame: who, which records, where in the log,
/// and what became of them; never a value. Records made one after the other, as in a first upload,
/// share a line: "Household 8… and 11 more at 120".
std::string audit_text(const Schema& schema, const DeviceRow& device,
                       const std::vector<PersonalWrite>& writes);

}  // namespace gridwhistle
