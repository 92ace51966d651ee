#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/status.h"
#include "model/schema.h"

// Records as the rules see them: a protobuf message in canonical form, taken apart by field number.
// Nothing here knows a generated class, so a field that this build has never heard of is kept,
// merged and passed on like any other.
//
// Canonical form: fields in ascending order of their number, the entries of one number together,
// a singular field at most once (the last one given), elements of a repeated scalar unpacked, no
// field number 1 (the id stands beside the record, never in it), no groups.
namespace gridwhistle {

/// One field of a canonical message: all its entries, tags included. Points into the message.
struct FieldView {
  std::uint32_t number = 0;
  std::string_view entries;
};

/// One value of a field, without its tag. Points into the message.
struct ValueView {
  std::uint8_t wire_type = 0;  ///< 0 varint, 1 fixed64, 2 bytes, 5 fixed32
  std::uint64_t scalar = 0;    ///< of wire types 0, 1, 5
  std::string_view bytes;      ///< of wire type 2
  std::string_view entry;      ///< tag and value
};

/// Brings a message from outside into canonical form and checks it: well-formed, no group, known
/// fields of their declared wire type, strings UTF-8 without NUL, enum values as they are (unknown
/// ones are kept), each field within limits::kFieldBytes, the whole within limits::kRecordBytes.
/// A field number 1 is dropped. Errors: kInvalid, kTooLarge; the message names the field.
Result<std::string> canonical(const KindSchema& kind, std::string_view message);

/// The same for a record as a whole: what many wrote may have made a field of it larger than one
/// write may be, so that only the record's own limit counts.
Result<std::string> canonical_record(const KindSchema& kind, std::string_view message);

/// Whether the values of a canonical message are possible as what they measure: times from 1970 to
/// 2200, degrees on the globe, a position with both its halves, an end not before its beginning
/// where one write gives both (a phone's clock may have been set back between two), a place's code
/// in digits alone. For what is newly written; what is stored already is read as it is. kInvalid;
/// the message names the field.
Result<void> check_values(const KindSchema& kind, std::string_view message);

/// Whether `message` is canonical, structure alone. For what this program wrote itself.
bool is_canonical(std::string_view message);

/// The fields of a canonical message, in order.
std::vector<FieldView> fields_of(std::string_view message);

/// The entries of one of them, empty when it is not there.
std::string_view entries_in(const std::vector<FieldView>& fields, std::uint32_t number);

/// One field of a canonical message; empty entries when it is not set.
FieldView field_of(std::string_view message, std::uint32_t number);

/// Reads one field after another of a canonical message, no part of it twice.
class FieldCursor {
 public:
  explicit FieldCursor(std::string_view message) : rest_(message) { look(); }

  /// The entries of a field, empty when it is not set. Numbers are asked for in ascending order,
  /// each once.
  std::string_view entries(std::uint32_t number) {
    return number < next_ ? std::string_view{} : take(number);
  }

 private:
  void look();
  std::string_view take(std::uint32_t wanted);

  std::string_view rest_;
  std::uint32_t next_ = 0;  ///< the field that `rest_` begins with, and how long its entry is
  std::size_t size_ = 0;    ///< 0: nothing is left
};

/// The values in a field's entries, in order.
std::vector<ValueView> values_of(std::string_view entries);
/// The last of them; nothing when there is none.
std::optional<ValueView> last_value_of(std::string_view entries);

/// Reads of a single field of a canonical message; nothing when it is not set or of another type.
std::optional<std::int64_t> int_of(std::string_view message, std::uint32_t number);
std::optional<double> double_of(std::string_view message, std::uint32_t number);
std::optional<std::string_view> text_of(std::string_view message, std::uint32_t number);

/// Appends a field to a message under construction; numbers must come in ascending order.
void append_int(std::string& message, std::uint32_t number, std::int64_t value);
void append_double(std::string& message, std::uint32_t number, double value);
void append_text(std::string& message, std::uint32_t number, std::string_view value);

/// Lays a change over a record: LWW, IMMUTABLE and SERVER fields are replaced (a group as a whole:
/// members of it that `set` leaves out become empty), elements of SET fields are added and removed
/// by value, elements of APPEND fields appended; `clear` empties. All three are canonical, and so
/// is the result. This is what the phone does with its own pending operations.
std::string overlay(const KindSchema& kind, std::string_view base, std::string_view set,
                    const std::vector<std::uint32_t>& clear, std::string_view remove);

/// Replaces whole fields, repeated ones too: what a phone does with a row of the feed.
std::string replace_fields(std::string_view base, std::string_view set,
                           const std::vector<std::uint32_t>& clear);

}  // namespace gridwhistle
