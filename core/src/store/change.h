#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/operation.h"

namespace gridwhistle::store {

/// One change of one record, as somebody wants it.
struct Change {
  KindId kind;
  /// Nil: a new record. An id of this device that no record here has, and all required fields: a
  /// new record too.
  RecordId id;
  OperationType type = OperationType::kPut;
  /// A message of the kind: fields to write, elements to add to SET and append to APPEND fields.
  /// Any valid form; its field 1 is not looked at. What the record says already is not
  /// written again.
  std::string set;
  /// Fields to empty.
  std::vector<std::uint32_t> clear;
  /// Of SET fields, elements to remove.
  std::string remove;
};

/// Recorded, applied and refused as a whole.
using Changes = std::vector<Change>;

/// An operation that the server has not taken into its record, with what it holds.
struct Refused {
  Operation operation;
  OutcomeStatus status = OutcomeStatus::kRejected;
  std::uint32_t code = 0;  ///< an ErrorCode, or a code of the workflow
  Seq seq;                 ///< of the refusal
};

}  // namespace gridwhistle::store
