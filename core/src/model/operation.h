#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/ports.h"

namespace gridwhistle {

/// What an operation does. The numbers travel.
enum class OperationType : std::uint8_t {
  kPut = 0,    ///< writes fields, and creates the record where it does not exist
  kErase = 1,  ///< a worker removes the record; a concurrent edit brings it back whole
};

/// One change of one record, as recorded. Never altered afterwards, whatever happens to its record.
struct Operation {
  KindId kind;
  RecordId id;
  OperationType type = OperationType::kPut;
  /// This device made the record and had no acknowledgement of it when it wrote this.
  bool creates = false;
  /// The next operation of the lane belongs to the same transaction.
  bool more = false;
  Lane lane = Lane::kRecords;
  LaneSeq lane_seq;
  /// Over all lanes: a device's own earlier writes count as seen, but for `own_since`.
  DevSeq dev_seq;
  /// What the feed had delivered of the record. Own acknowledgements do not raise it.
  Seq base_seq;
  /// Own writes up to this one were out of its author's sight, unless the feed has brought them: a
  /// restored server was still to tell of the record. 0 for nearly every operation.
  DevSeq own_since;
  /// Above every clock value its writer had seen.
  Hlc hlc;
  /// The device's clocks at the moment of recording, as claimed.
  ClockReading claimed;
  /// The record's scope as its author saw it, "grid:440811001001001". Empty where a kind follows a
  /// parent: the server knows the parent's scopes.
  std::string scope;
  /// Fields written; elements added to SET fields and appended to APPEND fields. Canonical.
  std::string set;
  /// Fields emptied.
  std::vector<std::uint32_t> clear;
  /// Elements removed from SET fields. Canonical.
  std::string remove;
  /// The hash it had before its content was forgotten; empty for all others. It goes on by that: a
  /// server that got it whole, and whose acknowledgement was lost, knows it again.
  std::string hash_before;
  /// The hash it was recorded with, where what it claims to have seen has changed since: the server
  /// was restored, and is offered it again. Empty for nearly every operation.
  std::string recorded_hash;
  /// Which rule the content breaks; only ever set on what came over the wire. Such an operation
  /// keeps its place in its lane and is refused there: its other parts are as they came.
  std::string fault;

  bool operator==(const Operation&) const = default;
};

/// What became of an operation. The numbers travel and are those of v1::OutcomeStatus.
enum class OutcomeStatus : std::uint8_t {
  kAccepted = 1,    ///< applied, as far as the author can see entirely
  kRejected = 2,    ///< refused whole; the code says why
  kSuperseded = 3,  ///< an action whose assignment had moved on: kept, not applied
  kBeaten = 4,      ///< applied, but a field lost to a concurrent edit; the value is kept
  kRevived = 5,     ///< an erasure met an edit: the whole record came back
  kGone = 6,        ///< the record was erased; the value is kept, unless it was forgotten
  kParked = 7,      ///< kept until the server knows the kind, or the whistle
  kSealed = 8,      ///< accepted for a reviewer: its author no longer holds the scope
};

/// Whether the operation's values entered its record, so that a phone lays them into its base.
constexpr bool was_applied(OutcomeStatus status) {
  return status == OutcomeStatus::kAccepted || status == OutcomeStatus::kBeaten ||
         status == OutcomeStatus::kSuperseded || status == OutcomeStatus::kRevived;
}

/// SHA-256 over everything in the operation, in one fixed order of fields, as it was recorded: of
/// one that was forgotten or is offered again the hash that it had before. The server tells a
/// replayed operation from a forked device by it.
std::string hash_of(const Operation& operation);

}  // namespace gridwhistle
