#include "wire/checks.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/utf8.h"
#include "model/digest.h"
#include "model/record.h"

namespace gridwhistle {
namespace {

constexpr std::uint32_t kFieldNumberMax = (1U << 29) - 1;
constexpr std::size_t kSignatureBytes = 80;
constexpr std::size_t kMessageBytes = 1024;

bool is_lane(std::uint32_t lane) { return lane >= 1 && lane <= kLaneCount; }

bool is_label(std::string_view text, std::size_t size_max) {
  return text.size() <= size_max && is_text(text);
}

Result<void> check_lanes(const google::protobuf::RepeatedPtrField<v1::LaneState>& lanes) {
  std::uint32_t seen = 0;
  for (const v1::LaneState& lane : lanes) {
    if (!is_lane(lane.lane()) || (seen >> lane.lane() & 1) != 0) {
      return refuse_frame(ErrorCode::kProtocol,
                          "lane " + std::to_string(lane.lane()) + " is unknown or told twice");
    }
    seen |= 1U << lane.lane();
    if (lane.last() < lane.noted()) {
      return refuse_frame(ErrorCode::kProtocol, "more is noted than was ever recorded");
    }
    if (lane.last() >> 63 != 0 || lane.first() > lane.last() + 1) {
      return refuse_frame(ErrorCode::kProtocol, "more is forgotten than was ever recorded");
    }
  }
  return {};
}

Result<void> check_cursor(const v1::Cursor& cursor) {
  if (std::cmp_greater(cursor.exceptions_size(), limits::kScopesPerDevice)) {
    return refuse_frame(ErrorCode::kTooMany, "a cursor names more than 256 scopes");
  }
  for (const v1::ScopeCursor& scope : cursor.exceptions()) {
    if (!is_scope(scope.scope())) {
      return refuse_frame(ErrorCode::kInvalid, "a scope of the cursor is malformed");
    }
  }
  return {};
}

Result<std::string> of_unknown_kind(std::string_view message) {
  if (message.size() > limits::kRecordBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a record of an unknown kind exceeds 64 KB");
  }
  if (!is_canonical(message)) {
    return refuse_frame(ErrorCode::kInvalid, "a record of an unknown kind is malformed");
  }
  return std::string(message);
}

}  // namespace

std::unexpected<Error> refuse_frame(ErrorCode code, std::string why) {
  return fail(code, why, why);
}

bool is_scope(std::string_view scope) {
  return !scope.empty() && scope.size() <= limits::kScopeBytes &&
         std::all_of(scope.begin(), scope.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

Result<std::string> checked_part(const KindSchema* kind, std::string_view message) {
  if (message.empty()) return std::string();
  return kind != nullptr ? canonical(*kind, message) : of_unknown_kind(message);
}

Result<std::string> checked_record(const KindSchema* kind, std::string_view message) {
  if (message.empty()) return std::string();
  return kind != nullptr ? canonical_record(*kind, message) : of_unknown_kind(message);
}

Result<void> check_clear(const std::vector<std::uint32_t>& clear) {
  if (clear.size() > limits::kClearedFields) {
    return refuse_frame(ErrorCode::kTooMany, "more than 256 fields are emptied");
  }
  const bool sound = std::all_of(clear.begin(), clear.end(), [](std::uint32_t number) {
    return number > 1 && number <= kFieldNumberMax;
  });
  if (!sound) return refuse_frame(ErrorCode::kInvalid, "a field to empty has an impossible number");
  return {};
}

Result<void> check(const v1::Hello& hello) {
  if (hello.device() == 0 || hello.device() >> 60 != 0) {
    return refuse_frame(ErrorCode::kInvalid, "a device's id has 60 bits and is not 0");
  }
  if (hello.call_counter() == 0) {
    return refuse_frame(ErrorCode::kInvalid, "a call's counter begins at 1");
  }
  if (hello.signature().size() > kSignatureBytes) {
    return refuse_frame(ErrorCode::kInvalid, "a signature exceeds 80 bytes");
  }
  if (std::cmp_greater(hello.epochs_size(), limits::kEpochs)) {
    return refuse_frame(ErrorCode::kTooMany, "a phone remembers 16 epochs at most");
  }
  if (!is_label(hello.software(), limits::kLabelBytes)) {
    return refuse_frame(ErrorCode::kInvalid, "the software's name is no text of 64 bytes");
  }
  if (auto sound = check_cursor(hello.cursor()); !sound) return sound;
  return check_lanes(hello.lanes());
}

Result<void> check(const v1::Noted& noted) { return check_lanes(noted.lanes()); }

Result<void> check(const v1::Digests& digests) {
  if (std::cmp_not_equal(digests.ranges_size(), kDigestRanges)) {
    return refuse_frame(ErrorCode::kProtocol, "there are 256 ranges");
  }
  return {};
}

Result<void> check(const v1::RangeContents& contents) {
  if (contents.range() >= kDigestRanges) {
    return refuse_frame(ErrorCode::kProtocol, "there are 256 ranges");
  }
  if (std::cmp_greater(contents.records_size(), limits::kRangeRecords)) {
    return refuse_frame(ErrorCode::kTooMany, "a range has more than 32,768 records");
  }
  for (const v1::RecordDigest& record : contents.records()) {
    const auto id = RecordId::from_bytes(record.id());
    if (!id || record.kind() == 0 || range_of(*id) != contents.range()) {
      return refuse_frame(ErrorCode::kInvalid, "a record of a range is malformed, or of another");
    }
  }
  return {};
}

Result<void> check(const v1::Differences& differences) {
  const bool sound = std::cmp_less_equal(differences.ranges_size(), kDigestRanges) &&
                     std::ranges::all_of(differences.ranges(),
                                         [](std::uint32_t range) { return range < kDigestRanges; });
  return sound ? Result<void>() : refuse_frame(ErrorCode::kProtocol, "there are 256 ranges");
}

Result<void> check(const v1::Welcome& welcome) {
  if (std::cmp_greater(welcome.epochs_size(), limits::kEpochs)) {
    return refuse_frame(ErrorCode::kTooMany, "a server tells 16 epochs at most");
  }
  if (std::cmp_greater(welcome.grants_size(), limits::kScopesPerDevice)) {
    return refuse_frame(ErrorCode::kTooMany, "more than 256 scopes are granted");
  }
  for (const v1::Grant& grant : welcome.grants()) {
    if (!is_scope(grant.scope())) {
      return refuse_frame(ErrorCode::kInvalid, "a granted scope is malformed");
    }
  }
  if (auto lanes = check_lanes(welcome.lanes()); !lanes) return lanes;
  if (!is_label(welcome.county(), limits::kLabelBytes)) {
    return refuse_frame(ErrorCode::kInvalid, "the county's name is no text of 64 bytes");
  }
  if (!welcome.worker().empty() && welcome.worker().size() != RecordId::kSize) {
    return refuse_frame(ErrorCode::kInvalid, "the worker's id has not 16 bytes");
  }
  return {};
}

Result<void> check(const v1::Acks& acks) {
  for (const v1::AckRun& run : acks.runs()) {
    const bool sound = is_lane(run.lane()) && run.first() > 0 && run.count() > 0 &&
                       run.count() <= limits::kPendingOperations &&
                       run.first() + run.count() > run.first() &&
                       run.first_seq() + run.count() > run.first_seq();
    if (!sound) {
      return refuse_frame(ErrorCode::kProtocol, "a run of acknowledgements is impossible");
    }
    // A phone cannot act on an outcome it has never heard of.
    if (run.status() < 1 || run.status() > static_cast<std::uint32_t>(OutcomeStatus::kSealed)) {
      return refuse_frame(ErrorCode::kProtocol,
                          "outcome " + std::to_string(run.status()) + " is unknown");
    }
  }
  return {};
}

Result<void> check(const v1::Refusal& refusal) {
  if (!is_label(refusal.message(), kMessageBytes)) {
    return refuse_frame(ErrorCode::kInvalid, "the text of a refusal is no text of 1 KB");
  }
  return {};
}

}  // namespace gridwhistle
