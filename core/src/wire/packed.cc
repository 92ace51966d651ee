#include "wire/packed.h"

namespace gridwhistle {

void append_uint(std::string& out, std::uint32_t number, std::uint64_t value) {
  append_varint(out, std::uint64_t{number} << 3);
  append_varint(out, value);
}

void append_fixed(std::string& out, std::uint32_t number, std::uint64_t value) {
  append_varint(out, std::uint64_t{number} << 3 | 1);
  append_fixed64(out, value);
}

void append_bytes(std::string& out, std::uint32_t number, std::string_view value) {
  append_varint(out, std::uint64_t{number} << 3 | 2);
  append_varint(out, value.size());
  out += value;
}

void append_step(std::string& out, std::uint32_t number, std::uint64_t to, std::uint64_t from) {
  if (to != from) append_uint(out, number, zigzag(static_cast<std::int64_t>(to - from)));
}

std::optional<PackedField> next_field(ByteReader& reader) {
  const auto tag = reader.varint();
  if (!tag || *tag >> 3 == 0 || *tag >> 32 != 0) return std::nullopt;
  PackedField field;
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  field.wire_type = static_cast<std::uint8_t>(*tag & 7);
  const auto keep = [&](auto value) {
    field.scalar = value.value_or(0);
    return value.has_value();
  };
  bool sound = false;
  if (field.is_uint()) {
    sound = keep(reader.varint());
  } else if (field.is_fixed()) {
    sound = keep(reader.fixed64());
  } else if (field.wire_type == 5) {
    sound = keep(reader.fixed32());
  } else if (field.is_bytes()) {
    const auto size = reader.varint();
    const auto bytes = size ? reader.take(*size) : std::nullopt;
    field.bytes = bytes.value_or(std::string_view{});
    sound = bytes.has_value();
  }
  if (!sound) return std::nullopt;
  return field;
}

}  // namespace gridwhistle
