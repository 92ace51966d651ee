#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/operation.h"
#include "model/schema.h"

// Frames to values and back. Whatever comes from outside is checked here, once, against limits.h
// and the schema; behind this door everything is well formed. Refusals are kProtocol, kTooLarge,
// kTooMany or kInvalid with a message that names the part.
namespace gridwhistle {

/// Operations of one lane, contiguous.
struct OperationsUp {
  Lane lane = Lane::kRecords;
  std::vector<Operation> operations;
};

using Up =
    std::variant<v1::Hello, OperationsUp, v1::Noted, v1::UpEnd, v1::Digests, v1::RangeContents>;

/// How a row of the feed changes what a phone has. The numbers travel.
enum class RowChange : std::uint8_t {
  kFields = 0,  ///< lay these fields over it
  kWhole = 1,   ///< replace it
  kLeft = 2,    ///< it left the device's scopes
  kErased = 3,  ///< it was erased
};

/// A row of the feed.
struct Row {
  KindId kind;
  RecordId id;
  Seq last_seq;
  Hlc hlc;
  RowChange change = RowChange::kFields;
  bool forgotten = false;  ///< with kLeft or kErased: nothing of it is kept, own writes neither
  std::vector<std::string> scopes;
  std::string set;  ///< canonical; whole fields
  std::vector<std::uint32_t> clear;
  bool operator==(const Row&) const = default;
};

/// Rows as of one moment, visible in one transaction.
struct CutDown {
  std::string scope;  ///< empty: all scopes at the cursor
  Seq upto;
  std::vector<Row> rows;
  bool repairs = false;  ///< what a comparison found; `upto` is where the phone stands
  bool urgent = false;   ///< ahead of the rest: of these kinds alone the phone has read up to `upto`
};

using Down =
    std::variant<v1::Welcome, v1::Acks, CutDown, v1::DownEnd, v1::Refusal, v1::Differences>;

/// Whether a frame that a device sent brings operations. Of one that cannot be read: yes.
bool brings_operations(std::string_view frame);

/// A frame that a device sent. Operations of kinds the schema does not know are let through with
/// their structure checked, to be parked; those whose content is at fault are let through with
/// their fault, to be refused one by one. `device` is who the call belongs to (0 while unknown:
/// operations before a Hello are refused).
Result<Up> decode_up(const Schema& schema, DeviceId device, std::string_view frame);

/// A frame that a server sent. Rows of unknown kinds are let through, to be kept.
Result<Down> decode_down(const Schema& schema, std::string_view frame);

std::string encode(const v1::Hello& hello);
std::string encode(const v1::Noted& noted);
std::string encode(const v1::UpEnd& end);
std::string encode(const v1::Digests& digests);
std::string encode(const v1::RangeContents& contents);
std::string encode(const v1::Differences& differences);
std::string encode(const v1::Welcome& welcome);
std::string encode(const v1::Acks& acks);
std::string encode(const v1::DownEnd& end);
std::string encode(const v1::Refusal& refusal);

/// As many of the operations as fit one frame, whole transactions only, at least one transaction.
/// They are contiguous in one lane. `taken` says how many.
std::string encode_operations(DeviceId device, std::span<const Operation> operations,
                              std::size_t& taken);

/// A cut as one frame. The caller has kept it to about limits::kCutTargetBytes, or, for a line that
/// is quick, below limits::kLoneFrameBytes.
std::string encode_cut(const CutDown& cut);

/// A part of a bundle, as it was sealed: well formed but for its frames, which `decode_up` judges.
Result<v1::Bundle> decode_bundle(std::string_view part);

/// What the device's key signs in a Hello: everything in it but the signature, behind the server's
/// key fingerprint (32 bytes), so that no other server can use it.
std::string hello_to_sign(const v1::Hello& hello, std::string_view server_key_sha256);
/// The same for a part of a bundle.
std::string bundle_to_sign(const v1::Bundle& bundle, std::string_view server_key_sha256);
/// The same for an enrolment.
std::string enrol_to_sign(const v1::EnrolRequest& request, std::string_view server_key_sha256);
/// What the key of its predecessor signs of a successor's enrolment.
std::string succession_to_sign(v1::EnrolRequest request, std::string_view server_key_sha256);

}  // namespace gridwhistle
