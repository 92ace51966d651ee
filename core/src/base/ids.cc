#include "gridwhistle/ids.h"

namespace gridwhistle {

namespace {

constexpr std::uint64_t kDeviceMask = (1ULL << 60) - 1;
constexpr std::uint64_t kCounterMask = (1ULL << 62) - 1;
constexpr std::uint64_t kVersion = 8;
constexpr std::uint64_t kVariant = 2;

std::uint64_t load(const std::uint8_t* from) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | from[i];
  return value;
}

void store(std::uint64_t value, std::uint8_t* to) {
  for (int i = 7; i >= 0; --i, value >>= 8) to[i] = static_cast<std::uint8_t>(value);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// RFC 9562, section 5.8: 48 free bits, 4 bits of version, 12 free bits, 2 bits of variant, 62 free.
RecordId RecordId::make(DeviceId device, std::uint64_t counter) {
  const std::uint64_t free = device.value & kDeviceMask;
  RecordId id;
  store((free >> 12) << 16 | kVersion << 12 | (free & 0xFFF), id.bytes_.data());
  store(kVariant << 62 | (counter & kCounterMask), id.bytes_.data() + 8);
  return id;
}

std::optional<RecordId> RecordId::from_bytes(std::string_view bytes) {
  if (bytes.size() != kSize) return std::nullopt;
  RecordId id;
  std::memcpy(id.bytes_.data(), bytes.data(), kSize);
  return id;
}

std::optional<RecordId> RecordId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  RecordId id;
  std::size_t at = 0;
  for (std::size_t byte = 0; byte < kSize; ++byte) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at++] != '-') return std::nullopt;
    }
    const int high = hex_value(text[at++]);
    const int low = hex_value(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes_[byte] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

std::string RecordId::text() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t byte = 0; byte < kSize; ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) out += '-';
    out += kDigits[bytes_[byte] >> 4];
    out += kDigits[bytes_[byte] & 15];
  }
  return out;
}

bool RecordId::well_formed() const { return bytes_[6] >> 4 == kVersion && bytes_[8] >> 6 == kVariant; }

DeviceId RecordId::device() const {
  const std::uint64_t high = load(bytes_.data());
  return DeviceId(high >> 16 << 12 | (high & 0xFFF));
}

std::uint64_t RecordId::counter() const { return load(bytes_.data() + 8) & kCounterMask; }

}  // namespace gridwhistle
