#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gridwhistle {

/// A number that is not to be confused with other numbers.
template <typename Tag, typename Int = std::uint64_t>
struct Strong {
  Int value = 0;

  constexpr Strong() = default;
  constexpr explicit Strong(Int v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
};

/// A place in a county's log; every committed change has the next. 0 is before the first.
using Seq = Strong<struct SeqTag>;
/// A device's count of everything it recorded, over all lanes. From 1.
using DevSeq = Strong<struct DevSeqTag>;
/// A device's count of the operations in one lane, without gaps. From 1.
using LaneSeq = Strong<struct LaneSeqTag>;
/// The 60 random bits that name a device. 0 is the server.
using DeviceId = Strong<struct DeviceIdTag>;
/// A record kind's number, for ever.
using KindId = Strong<struct KindIdTag, std::uint32_t>;
/// A hybrid logical clock: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16.
using Hlc = Strong<struct HlcTag>;

/// How urgently operations travel, most urgent first. The numbers are those on the wire.
enum class Lane : std::uint8_t { kWhistles = 1, kRecords = 2, kBulk = 3 };
inline constexpr std::array<Lane, 3> kLanes = {Lane::kWhistles, Lane::kRecords, Lane::kBulk};
inline constexpr std::size_t kLaneCount = kLanes.size();
constexpr std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane) - 1; }

/// A record's identity: a UUID of version 8 (RFC 9562) whose first 60 free bits are the device that
/// made it and whose last 62 are that device's counter.
class RecordId {
 public:
  static constexpr std::size_t kSize = 16;

  constexpr RecordId() = default;

  /// The id number `counter` of `device`. Only the lower 60 and 62 bits count.
  static RecordId make(DeviceId device, std::uint64_t counter);

  /// From 16 bytes; nothing when the length is another.
  static std::optional<RecordId> from_bytes(std::string_view bytes);

  /// From the usual form with hyphens, upper or lower case.
  static std::optional<RecordId> parse(std::string_view text);

  /// The 16 bytes, big-endian. Lives as long as the id.
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

  /// The usual form, lower case.
  std::string text() const;

  /// Whether it is an id of the form above (version 8, variant 10).
  bool well_formed() const;

  /// The device that made it; meaningless unless well formed.
  DeviceId device() const;

  /// That device's counter; meaningless unless well formed.
  std::uint64_t counter() const;

  bool is_nil() const { return bytes_ == std::array<std::uint8_t, kSize>{}; }

  auto operator<=>(const RecordId&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace gridwhistle

template <typename Tag, typename Int>
struct std::hash<gridwhistle::Strong<Tag, Int>> {
  std::size_t operator()(const gridwhistle::Strong<Tag, Int>& v) const noexcept {
    return std::hash<Int>{}(v.value);
  }
};

template <>
struct std::hash<gridwhistle::RecordId> {
  std::size_t operator()(const gridwhistle::RecordId& id) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, id.bytes().data(), 8);
    std::memcpy(&low, id.bytes().data() + 8, 8);
    return std::hash<std::uint64_t>{}(high * 0x9E3779B97F4A7C15ULL ^ low);
  }
};
