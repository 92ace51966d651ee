#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gridwhistle {

/// Appends `value` as a protobuf varint: 1 to 10 bytes, least significant group first.
void append_varint(std::string& out, std::uint64_t value);

/// Small magnitudes become small numbers, whatever their sign.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
}

/// Reads numbers from bytes it does not own. Once a read has failed every further one fails.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  /// Nothing when the bytes end early or the varint is longer than 10 bytes.
  std::optional<std::uint64_t> varint() {
    if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) >= 0x80) return long_varint();
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  /// The next `size` bytes; nothing when there are fewer.
  std::optional<std::string_view> take(std::uint64_t size) {
    if (size > rest_.size()) {
      rest_ = {};
      return std::nullopt;
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  /// 4 or 8 bytes, little-endian.
  std::optional<std::uint32_t> fixed32();
  std::optional<std::uint64_t> fixed64();

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::optional<std::uint64_t> long_varint();

  std::string_view rest_;
};

/// Appends 8 bytes, little-endian.
void append_fixed64(std::string& out, std::uint64_t value);

}  // namespace gridwhistle
