#include "gridwhistle/status.h"

namespace gridwhistle {

namespace {

struct Entry {
  ErrorCode code;
  std::string_view name;
  Retry retry;
};

constexpr Entry kEntries[] = {
    {ErrorCode::kInvalid, "invalid", Retry::kNever},
    {ErrorCode::kNotFound, "not_found", Retry::kNever},
    {ErrorCode::kOutOfScope, "out_of_scope", Retry::kNever},
    {ErrorCode::kForbidden, "forbidden", Retry::kNever},
    {ErrorCode::kGone, "gone", Retry::kNever},
    {ErrorCode::kTooLarge, "too_large", Retry::kNever},
    {ErrorCode::kTooMany, "too_many", Retry::kNever},
    {ErrorCode::kDiskFull, "disk_full", Retry::kAfterUser},
    {ErrorCode::kReadOnly, "read_only", Retry::kAfterUser},
    {ErrorCode::kIo, "io", Retry::kLater},
    {ErrorCode::kNotADatabase, "not_a_database", Retry::kNever},
    {ErrorCode::kCorrupt, "corrupt", Retry::kNever},
    {ErrorCode::kLocked, "locked", Retry::kLater},
    {ErrorCode::kNewerFile, "newer_file", Retry::kAfterUser},
    {ErrorCode::kClosed, "closed", Retry::kNever},
    {ErrorCode::kPoisoned, "poisoned", Retry::kNever},
    {ErrorCode::kPurposeRequired, "purpose_required", Retry::kAfterUser},
    {ErrorCode::kEncryptionRequired, "encryption_required", Retry::kNever},
    {ErrorCode::kNotEnrolled, "not_enrolled", Retry::kAfterEnrol},
    {ErrorCode::kRevoked, "revoked", Retry::kAfterEnrol},
    {ErrorCode::kDeviceLost, "device_lost", Retry::kAfterEnrol},
    {ErrorCode::kWrongServerKey, "wrong_server_key", Retry::kAfterUser},
    {ErrorCode::kBadSignature, "bad_signature", Retry::kAfterEnrol},
    {ErrorCode::kReplayed, "replayed", Retry::kLater},
    {ErrorCode::kCodeWrong, "code_wrong", Retry::kAfterUser},
    {ErrorCode::kCodeUsed, "code_used", Retry::kAfterUser},
    {ErrorCode::kCodeExpired, "code_expired", Retry::kAfterUser},
    {ErrorCode::kUnavailable, "unavailable", Retry::kLater},
    {ErrorCode::kTimeout, "timeout", Retry::kLater},
    {ErrorCode::kBusy, "busy", Retry::kLater},
    {ErrorCode::kProtocol, "protocol", Retry::kLater},
    {ErrorCode::kUnsupported, "unsupported", Retry::kAfterUser},
    {ErrorCode::kForked, "forked", Retry::kAfterUser},
    {ErrorCode::kParked, "parked", Retry::kLater},
    {ErrorCode::kAlreadyExists, "already_exists", Retry::kNever},
    {ErrorCode::kConflict, "conflict", Retry::kNever},
    {ErrorCode::kNoLocation, "no_location", Retry::kNever},
    {ErrorCode::kInternal, "internal", Retry::kLater},
    {ErrorCode::kCodeSpent, "code_spent", Retry::kAfterUser},
    {ErrorCode::kForgotten, "forgotten", Retry::kNever},
    {ErrorCode::kDamaged, "damaged", Retry::kLater},
};

const Entry* find(ErrorCode code) {
  for (const Entry& entry : kEntries) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace

Retry retry_of(ErrorCode code) {
  const Entry* entry = find(code);
  return entry != nullptr ? entry->retry : Retry::kNever;
}

std::string_view name_of(ErrorCode code) {
  const Entry* entry = find(code);
  return entry != nullptr ? entry->name : "unknown";
}

}  // namespace gridwhistle
