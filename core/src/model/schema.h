#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gridwhistle/ids.h"

namespace gridwhistle {

/// Who may see a row, as the wire numbers it (`Grant.audiences` has a bit each).
enum class Audience : std::uint8_t {
  kPublic = 1,    ///< whoever holds the scope
  kWork = 2,      ///< staff who hold the scope
  kPersonal = 3,  ///< workers of that very grid; case staff where the kind follows a whistle
  kCare = 4,      ///< care workers of that very grid, in an encrypted file
};

/// What becomes of concurrent writes to a field.
enum class MergePolicy : std::uint8_t {
  kLww = 0,     ///< the last writer by the hybrid clock wins; a repeated field goes as a whole list
  kSet = 1,     ///< a repeated field; an addition beats a removal that had not seen it
  kAppend = 2,  ///< a repeated field; everything appended stays
  kImmutable = 3,  ///< written at creation, never again; a repeated field as a whole list
  kServer = 4,     ///< written by the server alone; a repeated field as a whole list
};

/// How sensitive a field is: L0 to L3.
enum class Sensitivity : std::uint8_t { kPublic = 0, kContact = 1, kPersonal = 2, kSensitive = 3 };

/// How a masked reader sees a field.
enum class Mask : std::uint8_t {
  kDefault = 0,  ///< nothing of it when it is sensitive, else all of it
  kPhone = 1,    ///< 138****1234
  kName = 2,     ///< surname and one asterisk
  kLast4 = 3,    ///< the last four characters
  kAddress = 4,  ///< what stands before the first digit
};

/// The shape of a field's value; it decides the wire format and the column.
enum class FieldType : std::uint8_t {
  kInt,      ///< int32, int64, uint32, uint64: a varint that fits a signed 64-bit number
  kBool,     ///< a varint, 0 or 1
  kDouble,   ///< 64 bits, IEEE 754
  kString,   ///< UTF-8
  kBytes,    ///< anything
  kEnum,     ///< a varint; a number outside `enum_values` is kept and shown as unknown
  kMessage,  ///< a nested message; merged as one value, checked as `nested` says
  kFixed64,  ///< 64 bits, unsigned: device ids
};

/// What a number measures, and so between which bounds it lies.
enum class Measure : std::uint8_t {
  kNone,       ///< any number
  kTime,       ///< milliseconds since 1970, 0 to `limits::kClockMaxMs`
  kLatitude,   ///< degrees north, -90 to 90
  kLongitude,  ///< degrees east, -180 to 180
  kAccuracy,   ///< metres, at least 0
};

/// The code that a text holds, in digits alone: routing and queries read it as it stands.
enum class PlaceCode : std::uint8_t {
  kUnspecified = 0,  ///< any text
  kGrid = 1,         ///< a grid's 15 digits
  kGridOrArea = 2,   ///< a grid's 15 digits, or an area's 12
};

/// One value of an enum that this build knows.
struct EnumValue {
  std::int32_t number = 0;
  std::string_view name;     ///< without the enum's prefix: "REPORTED"
  std::string_view name_zh;  ///< "已上报"; empty for 0
};

/// One field of a kind: a column on the phone and on the server.
struct FieldSchema {
  std::uint32_t number = 0;  ///< identifies the column for ever; the name may change
  std::string_view name;
  std::string_view name_zh;
  FieldType type = FieldType::kString;
  bool repeated = false;
  MergePolicy merge = MergePolicy::kLww;
  /// Fields with the same number here are written and merged as a whole; 0 stands alone.
  std::uint16_t group = 0;
  Sensitivity sensitivity = Sensitivity::kPublic;
  Mask mask = Mask::kDefault;
  bool indexed = false;
  bool searchable = false;
  bool required = false;   ///< a creation without it is refused, and it cannot be cleared
  bool by_author = false;  ///< a device names its own worker here, or nobody
  PlaceCode place_code = PlaceCode::kUnspecified;
  Measure measure = Measure::kNone;
  std::uint32_t beside = 0;      ///< the other half of a position: both are there, or neither
  std::uint32_t not_before = 0;  ///< the time that this one does not precede
  KindId refers_to{};            ///< holds the 16-byte id of a record of that kind; 0: no reference
  std::span<const EnumValue> enum_values{};  ///< for kEnum
  const FieldSchema* nested = nullptr;       ///< for kMessage: its fields, by number
  std::size_t nested_count = 0;

  /// The field of a nested message with that number, or null.
  constexpr const FieldSchema* nested_field(std::uint32_t wanted) const {
    for (std::size_t i = 0; i < nested_count; ++i) {
      if (nested[i].number == wanted) return &nested[i];
    }
    return nullptr;
  }

  /// The value with that number, or null.
  constexpr const EnumValue* enum_value(std::int64_t value) const {
    for (const EnumValue& known : enum_values) {
      if (known.number == value) return &known;
    }
    return nullptr;
  }
};

/// What has this number among things in ascending order of their numbers (at least 1, each once),
/// or null. Numbers are nearly dense, so the place is guessed, and never lies behind the guess.
template <typename T, typename NumberOf>
constexpr const T* find_numbered(std::span<const T> ascending, std::uint32_t number,
                                 NumberOf number_of) {
  std::size_t at = number < ascending.size() ? number : ascending.size();
  while (at > 0 && number_of(ascending[at - 1]) > number) --at;
  return at > 0 && number_of(ascending[at - 1]) == number ? &ascending[at - 1] : nullptr;
}

/// One record kind. Field 1 of every kind is its id (16 bytes) and is not merged.
struct KindSchema {
  KindId id{};
  std::string_view name;  ///< "Visit"
  std::string_view name_zh;
  Lane lane = Lane::kRecords;
  Audience audience = Audience::kWork;
  /// Exactly one of `scope_field`, `scope_parent` and `fixed_scope` is given.
  std::uint32_t scope_field = 0;   ///< holds a code15, a code12 or a full prefixed scope
  std::uint32_t scope_parent = 0;  ///< holds the id of the record whose scopes this kind follows
  KindId scope_parent_kind{};      ///< that record's kind; 0 when `scope_parent_kind_field` says it
  std::uint32_t scope_parent_kind_field = 0;  ///< holds the number of that record's kind
  std::string_view fixed_scope{};             ///< "county": everybody of the county
  bool server_written = false;                ///< devices only read it
  bool reference = false;                     ///< imported by the operator
  bool never_erased = false;                  ///< no device erases its records
  std::uint32_t since = 0;                ///< version of the schema that brought it; 0: the first
  std::span<const FieldSchema> fields{};  ///< in the order of their numbers

  /// The field with that number, or null when this build does not know it.
  constexpr const FieldSchema* field(std::uint32_t number) const {
    return find_numbered(fields, number, [](const FieldSchema& known) { return known.number; });
  }

  /// The field of that name, or null.
  constexpr const FieldSchema* field(std::string_view field_name) const {
    for (const FieldSchema& known : fields) {
      if (known.name == field_name) return &known;
    }
    return nullptr;
  }
};

/// Everything a build knows about records. A plain value: tests write older and newer ones by hand.
/// What it points at outlives it.
struct Schema {
  std::uint32_t version = 0;
  std::span<const KindSchema> kinds{};  ///< in the order of their numbers

  /// The kind with that number, or null when this build does not know it.
  constexpr const KindSchema* kind(KindId id) const {
    return find_numbered(kinds, id.value, [](const KindSchema& known) { return known.id.value; });
  }

  /// The kind of that name, or null.
  constexpr const KindSchema* kind(std::string_view name) const {
    for (const KindSchema& known : kinds) {
      if (known.name == name) return &known;
    }
    return nullptr;
  }
};

}  // namespace gridwhistle
