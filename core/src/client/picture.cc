#include "client/picture.h"

#include <cstdint>

// The segments of JPEG (ITU-T T.81, annex B) and of Exif's TIFF, as far as that takes.
namespace gridwhistle {

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::uint8_t kStart = 0xD8;
constexpr std::uint8_t kEnd = 0xD9;
constexpr std::uint8_t kScan = 0xDA;
constexpr std::uint8_t kApp0 = 0xE0;
constexpr std::uint8_t kApp1 = 0xE1;
constexpr std::uint8_t kApp2 = 0xE2;
constexpr std::uint8_t kApp14 = 0xEE;
constexpr std::uint8_t kApp15 = 0xEF;
constexpr std::uint8_t kComment = 0xFE;
/// Of a JFIF segment, up to the size of the preview that follows.
constexpr std::size_t kJfifBytes = 12;
constexpr std::uint16_t kOrientation = 0x0112;
constexpr std::uint16_t kShort = 3;

bool is_restart(std::uint8_t marker) { return marker >= 0xD0 && marker <= 0xD7; }
bool stands_alone(std::uint8_t marker) { return is_restart(marker) || marker == 0x01; }

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::unexpected<Error> unsound() {
  return fail(ErrorCode::kInvalid,
              "the picture is no sound JPEG; take it again, or keep it as it is", "jpeg");
}

/// Numbers of a TIFF, in the order of bytes that it says of itself.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes)
      : bytes_(bytes), big_endian_(bytes.starts_with("MM\0*"sv)) {}

  bool is_one() const { return big_endian_ || bytes_.starts_with("II*\0"sv); }
  bool has(std::size_t at, std::size_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }
  std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | byte_at(bytes_, at + (big_endian_ ? i : size - 1 - i));
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

/// 1 to 8; 1, the right way up, also where it is not said.
std::uint8_t orientation_of(std::string_view exif) {
  const Tiff tiff(exif);
  if (!tiff.is_one() || !tiff.has(4, 4)) return 1;
  const std::size_t directory = tiff.number(4, 4);
  if (!tiff.has(directory, 2)) return 1;
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * 12;
    if (!tiff.has(entry, 12)) return 1;
    if (tiff.number(entry, 2) != kOrientation || tiff.number(entry + 2, 2) != kShort) continue;
    const std::uint32_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<std::uint8_t>(value) : 1;
  }
  return 1;
}

std::string exif_that_says(std::uint8_t orientation) {
  std::string segment =
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s;
  segment += static_cast<char>(orientation);
  segment.append(6, '\0');
  return segment;
}

bool is_jfif(std::uint8_t marker, std::string_view content) {
  return marker == kApp0 && content.starts_with("JFIF\0"sv) && content.size() >= kJfifBytes;
}

bool stays(std::uint8_t marker, std::string_view content) {
  if (marker == kApp2) return content.starts_with("ICC_PROFILE\0"sv);
  if (marker == kApp14) return content.starts_with("Adobe"sv);
  return (marker < kApp0 || marker > kApp15) && marker != kComment;
}

/// Where the data of a scan end: at the next marker that is none of its own.
std::size_t end_of_scan(std::string_view jpeg, std::size_t at) {
  while (at + 1 < jpeg.size()) {
    const std::uint8_t next = byte_at(jpeg, at + 1);
    if (byte_at(jpeg, at) == 0xFF && next != 0 && next != 0xFF && !is_restart(next)) return at;
    ++at;
  }
  return jpeg.size();
}

}  // namespace

Result<std::string> without_metadata(std::string_view jpeg) {
  if (!jpeg.starts_with("\xFF\xD8"sv)) return unsound();
  std::string out(jpeg.substr(0, 2));
  bool turned = false;
  std::size_t at = 2;
  while (at < jpeg.size()) {
    if (byte_at(jpeg, at) != 0xFF) return unsound();
    while (at < jpeg.size() && byte_at(jpeg, at) == 0xFF) ++at;
    if (at == jpeg.size()) return unsound();
    const std::uint8_t marker = byte_at(jpeg, at++);
    if (marker == kEnd) return out += "\xFF\xD9"sv;
    if (marker == 0 || marker == kStart) return unsound();
    if (stands_alone(marker)) {
      out += '\xFF';
      out += static_cast<char>(marker);
      continue;
    }
    if (jpeg.size() - at < 2) return unsound();
    const std::size_t length = byte_at(jpeg, at) * std::size_t{256} + byte_at(jpeg, at + 1);
    if (length < 2 || length > jpeg.size() - at) return unsound();
    const std::string_view content = jpeg.substr(at + 2, length - 2);
    if (marker == kApp1 && content.starts_with("Exif\0\0"sv) && !turned) {
      const std::uint8_t orientation = orientation_of(content.substr(6));
      if (orientation != 1) out += exif_that_says(orientation);
      turned = true;
    } else if (is_jfif(marker, content)) {
      out += "\xFF\xE0\0\x10"sv;
      out += content.substr(0, kJfifBytes);
      out += "\0\0"sv;  // a preview of no size
    } else if (stays(marker, content)) {
      out += '\xFF';
      out += static_cast<char>(marker);
      out += jpeg.substr(at, length);
    }
    at += length;
    if (marker != kScan) continue;
    const std::size_t end = end_of_scan(jpeg, at);
    out += jpeg.substr(at, end - at);
    at = end;
  }
  // Cut off while it was taken: what there is of it can be looked at.
  return out;
}

}  // namespace gridwhistle
