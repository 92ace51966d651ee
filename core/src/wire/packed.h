#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/varint.h"

// The wire format of the two messages that travel by the ten thousand, PackedOperation and
// PackedRow, read and written without a class in between.
namespace gridwhistle {

void append_uint(std::string& out, std::uint32_t number, std::uint64_t value);
void append_fixed(std::string& out, std::uint32_t number, std::uint64_t value);
void append_bytes(std::string& out, std::uint32_t number, std::string_view value);
/// A difference as sint64; nothing at all when there is none.
void append_step(std::string& out, std::uint32_t number, std::uint64_t to, std::uint64_t from);

/// One field of such a message.
struct PackedField {
  std::uint32_t number = 0;
  std::uint8_t wire_type = 0;
  std::uint64_t scalar = 0;
  std::string_view bytes;

  bool is_uint() const { return wire_type == 0; }
  bool is_fixed() const { return wire_type == 1; }
  bool is_bytes() const { return wire_type == 2; }
  /// Of a sint64: what `from` becomes by it. Wraps around as the sender's difference did.
  std::uint64_t step(std::uint64_t from) const {
    return from + static_cast<std::uint64_t>(unzigzag(scalar));
  }
};

/// The next field; nothing when there is none or it is malformed, which `reader` tells apart by
/// being at its end before.
std::optional<PackedField> next_field(ByteReader& reader);

}  // namespace gridwhistle
