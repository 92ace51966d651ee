#include "base/utf8.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace gridwhistle {
namespace {

// How many bytes a sequence that begins so has, and what its second byte may be (RFC 3629,
// section 4). Length 0: nothing begins so.
struct Lead {
  int length;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

constexpr Lead lead_of(std::uint8_t byte) {
  if (byte >= 0x01 && byte <= 0x7F) return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes the character at the front has; 0 where none begins.
std::size_t character_size(std::string_view bytes) {
  const Lead lead = lead_of(static_cast<std::uint8_t>(bytes[0]));
  const auto length = static_cast<std::size_t>(lead.length);
  if (bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    if (byte < (i == 1 ? lead.second_min : 0x80) || byte > (i == 1 ? lead.second_max : 0xBF)) {
      return 0;
    }
  }
  return length;
}

// Whether the next 8 bytes are all 0x01 to 0x7F.
bool plain_ascii(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, 8);
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  return ((word | (word - kOnes)) & kHighs) == 0;
}

// Whether two Chinese characters stand in the next 8 bytes: three bytes each, of which the first
// leaves the second all its values (neither 0xE0 nor 0xED).
bool two_usual_threes(const char* from) {
  using Bytes = std::array<std::uint8_t, 8>;
  constexpr auto kMask = std::bit_cast<std::uint64_t>(Bytes{0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0});
  constexpr auto kForm = std::bit_cast<std::uint64_t>(Bytes{0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80});
  constexpr auto kLow = std::bit_cast<std::uint64_t>(Bytes{0x0F, 0, 0, 0x0F});
  constexpr auto kNotD = std::bit_cast<std::uint64_t>(Bytes{0x0D, 0, 0, 0x0D});
  constexpr auto kCarry = std::bit_cast<std::uint64_t>(Bytes{0x10, 0, 0, 0x10});
  std::uint64_t word = 0;
  std::memcpy(&word, from, 8);
  const std::uint64_t low = word & kLow;  // adding 0x0F carries, unless it is 0
  return (word & kMask) == kForm && ((low + kLow) & ((low ^ kNotD) + kLow) & kCarry) == kCarry;
}

}  // namespace

bool is_text(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= 8) {
      if (two_usual_threes(bytes.data() + at)) {
        at += 6;
        continue;
      }
      if (plain_ascii(bytes.data() + at)) {
        at += 8;
        continue;
      }
    }
    const std::size_t length = character_size(bytes.substr(at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::optional<char32_t> take_character(std::string_view& text) {
  const std::size_t length = character_size(text);
  if (length == 0) {
    text.remove_prefix(1);
    return std::nullopt;
  }
  const auto lead = static_cast<std::uint8_t>(text[0]);
  char32_t character = length == 1 ? lead : lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    character = character << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3F);
  }
  text.remove_prefix(length);
  return character;
}

bool is_space(char32_t c) {
  return c <= U' ' || (c >= U'\u007F' && c <= U'\u00A0') || (c >= U'\u2000' && c <= U'\u200F') ||
         (c >= U'\u2028' && c <= U'\u202F') || (c >= U'\u205F' && c <= U'\u206F') ||
         c == U'\u3000' || c == U'\uFEFF';
}

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const auto character = take_character(text);
    if (!character || !is_space(*character)) return false;
  }
  return true;
}

}  // namespace gridwhistle
