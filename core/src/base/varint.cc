#include "base/varint.h"

namespace gridwhistle {

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void append_fixed64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i, value >>= 8) out += static_cast<char>(value);
}

std::optional<std::uint64_t> ByteReader::long_varint() {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 10 && i < rest_.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(rest_[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  rest_ = {};
  return std::nullopt;
}

std::optional<std::uint32_t> ByteReader::fixed32() {
  const auto bytes = take(4);
  if (!bytes) return std::nullopt;
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>((*bytes)[i]);
  return value;
}

std::optional<std::uint64_t> ByteReader::fixed64() {
  const auto bytes = take(8);
  if (!bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>((*bytes)[i]);
  return value;
}

}  // namespace gridwhistle
