#include "base/varint.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <limits>

namespace gridwhistle {

TEST_CASE("numbers of every size come back from their bytes") {
  CHECK(rc::check([](std::uint64_t any, std::uint8_t shift, std::int64_t with_sign) {
    const std::uint64_t value = any >> (shift % 64);
    std::string bytes;
    append_varint(bytes, value);
    append_varint(bytes, zigzag(with_sign));
    append_fixed64(bytes, value);
    ByteReader reader(bytes);
    RC_ASSERT(reader.varint() == value);
    RC_ASSERT(unzigzag(reader.varint().value()) == with_sign);
    RC_ASSERT(reader.fixed64() == value);
    RC_ASSERT(reader.at_end());
  }));
}

TEST_CASE("small magnitudes are small numbers, whatever their sign") {
  CHECK(zigzag(0) == 0);
  CHECK(zigzag(-1) == 1);
  CHECK(zigzag(1) == 2);
  CHECK(unzigzag(zigzag(std::numeric_limits<std::int64_t>::min())) ==
        std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("the longest varint has ten bytes") {
  std::string bytes;
  append_varint(bytes, std::numeric_limits<std::uint64_t>::max());
  CHECK(bytes.size() == 10);
  CHECK(ByteReader(bytes).varint() == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(ByteReader(std::string(11, '\x80')).varint().has_value());
}

TEST_CASE("bytes that end early are told, and every further read fails") {
  ByteReader reader("\x80");
  CHECK_FALSE(reader.varint().has_value());
  CHECK_FALSE(reader.take(1).has_value());
  ByteReader short_one("abc");
  CHECK_FALSE(short_one.fixed32().has_value());
  CHECK_FALSE(short_one.take(0).value_or("x") == "x");
}

TEST_CASE("fixed numbers are little-endian") {
  CHECK(ByteReader(std::string("\x01\x02\x00\x00", 4)).fixed32() == 0x201U);
}

}  // namespace gridwhistle
