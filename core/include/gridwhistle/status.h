#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace gridwhistle {

/// What went wrong. The numbers are stable: they travel on the wire, through every binding and into
/// the programs of others. New ones are added at the end.
enum class ErrorCode : std::uint16_t {
  kInvalid = 1,              ///< a value breaks its declared rule; the message names it
  kNotFound = 2,             ///< no such record, or not in this device's scopes
  kOutOfScope = 3,           ///< no scope of this worker holds the record
  kForbidden = 4,            ///< the role does not allow it
  kGone = 5,                 ///< the record was erased; the value is kept with its author
  kTooLarge = 6,             ///< a record, field, frame or file exceeds its limit
  kTooMany = 7,              ///< a count exceeds its limit
  kDiskFull = 8,             ///< nothing was written; free space and try again
  kReadOnly = 9,             ///< the file or its folder cannot be written
  kIo = 10,                  ///< the disk failed
  kNotADatabase = 11,        ///< the file is something else, or the key is wrong
  kCorrupt = 12,             ///< the file is damaged; it is left as it is
  kLocked = 13,              ///< another process has the file
  kNewerFile = 14,           ///< the file needs a newer build
  kClosed = 15,              ///< the object was closed
  kPoisoned = 16,            ///< an invariant broke; everything stays readable, nothing is written
  kPurposeRequired = 17,     ///< personal data is read for a purpose, and none was named
  kEncryptionRequired = 18,  ///< sensitive data is kept in encrypted files only
  kNotEnrolled = 19,         ///< this device is not enrolled, or no longer
  kRevoked = 20,         ///< given by nobody: who left may call, and holds no scope (kOutOfScope)
  kDeviceLost = 21,      ///< this device was reported lost
  kWrongServerKey = 22,  ///< the server's key is not the pinned one
  kBadSignature = 23,    ///< the call is not signed by the device's key
  kReplayed = 24,        ///< the call's counter was used before
  kCodeWrong = 25,       ///< no such enrolment code
  kCodeUsed = 26,        ///< the enrolment code was used
  kCodeExpired = 27,     ///< the enrolment code has expired
  kUnavailable = 28,     ///< the server cannot be reached
  kTimeout = 29,         ///< no answer in time
  kBusy = 30,            ///< over a quota; the error says when to come back
  kProtocol = 31,        ///< the other side broke the protocol
  kUnsupported = 32,     ///< the other side speaks another version
  kForked = 33,          ///< this device's operations differ from those the server has
  kParked = 34,          ///< the server does not know the kind; kept there until its upgrade
  kAlreadyExists = 35,   ///< there is such a thing already
  kConflict = 36,        ///< the thing is not in the state this needs
  kNoLocation = 37,      ///< a position outside a patrol is not recorded
  kInternal = 38,        ///< a fault of this software
  kCodeSpent = 39,       ///< wrong tries have used the enrolment code up
  kForgotten = 40,       ///< the record was deleted for good; nothing of what was written is kept
  kDamaged = 41,         ///< bytes are not those that their SHA-256 names; the file begins anew
};

/// When trying again makes sense.
enum class Retry : std::uint8_t {
  kNever,       ///< the same call fails for ever
  kLater,       ///< the same call may succeed by itself
  kAfterEnrol,  ///< after the device is enrolled again
  kAfterUser,   ///< after a person did something: freed space, confirmed, asked the operator
};

/// The retry class of a code; it follows from the code alone.
Retry retry_of(ErrorCode code);

/// The code's stable name, "out_of_scope". "unknown" for a number this build does not know.
std::string_view name_of(ErrorCode code);

/// Why a call failed.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  /// For people, in English: what is wrong and what to do. May quote what the caller gave; it is
  /// shown, never logged.
  std::string message;
  /// Safe to log: names of kinds, fields, codes and numbers, never what a person wrote.
  std::string detail;

  Retry retry() const { return retry_of(code); }
};

/// A value, or why there is none. No exception leaves a module.
template <typename T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::kInvalid, "…")` in any function that returns a Result.
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string detail = {}) {
  return std::unexpected<Error>(Error{code, std::move(message), std::move(detail)});
}

}  // namespace gridwhistle
