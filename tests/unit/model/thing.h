#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "model/record.h"
#include "model/schema.h"

namespace gridwhistle {

/// A kind with a field of every policy, for tests of the rules.
namespace thing {

inline constexpr std::uint32_t kGrid = 2;
inline constexpr std::uint32_t kTitle = 3;
inline constexpr std::uint32_t kCount = 4;
inline constexpr std::uint32_t kX = 5;  // a group of three, one of them far off
inline constexpr std::uint32_t kY = 6;
inline constexpr std::uint32_t kTags = 7;
inline constexpr std::uint32_t kLog = 8;
inline constexpr std::uint32_t kState = 9;
inline constexpr std::uint32_t kZ = 10;
inline constexpr std::uint32_t kCode = 11;
inline constexpr std::uint32_t kOwner = 12;
inline constexpr std::uint32_t kOpen = 13;
inline constexpr std::uint32_t kDegrees = 14;
inline constexpr std::uint32_t kPart = 15;
inline constexpr std::uint32_t kNumbers = 16;
inline constexpr std::uint32_t kDevice = 17;
inline constexpr std::uint32_t kUnknown = 40;

inline constexpr FieldSchema kPartFields[] = {
    {.number = 1, .name = "name"},
    {.number = 2, .name = "weight", .type = FieldType::kInt},
};

inline constexpr FieldSchema kFields[] = {
    {.number = kGrid, .name = "grid", .merge = MergePolicy::kImmutable, .required = true},
    {.number = kTitle, .name = "title"},
    {.number = kCount, .name = "count", .type = FieldType::kInt},
    {.number = kX, .name = "x", .type = FieldType::kInt, .group = 1},
    {.number = kY, .name = "y", .type = FieldType::kInt, .group = 1},
    {.number = kTags, .name = "tags", .repeated = true, .merge = MergePolicy::kSet},
    {.number = kLog, .name = "log", .repeated = true, .merge = MergePolicy::kAppend},
    {.number = kState, .name = "state", .type = FieldType::kInt, .merge = MergePolicy::kServer},
    {.number = kZ, .name = "z", .type = FieldType::kInt, .group = 1},
    {.number = kCode, .name = "code", .type = FieldType::kEnum},
    {.number = kOwner, .name = "owner", .type = FieldType::kBytes, .refers_to = KindId(7)},
    {.number = kOpen, .name = "open", .type = FieldType::kBool},
    {.number = kDegrees, .name = "degrees", .type = FieldType::kDouble},
    {.number = kPart,
     .name = "part",
     .type = FieldType::kMessage,
     .nested = kPartFields,
     .nested_count = std::size(kPartFields)},
    {.number = kNumbers, .name = "numbers", .type = FieldType::kInt, .repeated = true},
    {.number = kDevice, .name = "device", .type = FieldType::kFixed64},
};

inline constexpr KindSchema kKinds[] = {
    {.id = KindId(7), .name = "Thing", .scope_field = kGrid, .fields = kFields},
};
inline constexpr const KindSchema& kThing = kKinds[0];
inline constexpr Schema kSchema{.version = 1, .kinds = kKinds};

}  // namespace thing

/// One field as a message.
inline std::string text_field(std::uint32_t number, std::string_view value) {
  std::string message;
  append_text(message, number, value);
  return message;
}
inline std::string int_field(std::uint32_t number, std::int64_t value) {
  std::string message;
  append_int(message, number, value);
  return message;
}

/// The texts of a repeated field.
inline std::vector<std::string> texts_of(std::string_view message, std::uint32_t number) {
  std::vector<std::string> texts;
  for (const ValueView& value : values_of(field_of(message, number).entries)) {
    texts.emplace_back(value.bytes);
  }
  return texts;
}

}  // namespace gridwhistle
