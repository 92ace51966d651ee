#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gridwhistle::fuzz {

/// Bytes as decisions: a script that any input is, so that mutations of it stay sensible. At its
/// end every answer is 0.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  bool left() const { return at_ < bytes_.size(); }
  std::uint8_t next() { return left() ? static_cast<std::uint8_t>(bytes_[at_++]) : 0; }
  /// Below `limit`, which is 256 at most.
  std::size_t below(std::size_t limit) { return next() % limit; }
  bool yes() { return (next() & 1) != 0; }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | next();
    return value;
  }
  /// So many bytes as they are, fewer at the end.
  std::string_view raw(std::size_t size) {
    const std::string_view some = bytes_.substr(at_, size);
    at_ += some.size();
    return some;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace gridwhistle::fuzz
