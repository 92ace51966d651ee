#include "gridwhistle/ids.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

namespace gridwhistle {

TEST_CASE("an id is a UUID of version 8 and variant 10, as RFC 9562 lays it out") {
  const RecordId id = RecordId::make(DeviceId(0x123456789ABCDEF), 0x2A);
  CHECK(id.text() == "12345678-9abc-8def-8000-00000000002a");
  CHECK(id.well_formed());
}

TEST_CASE("an id tells its device and counter") {
  CHECK(rc::check([](std::uint64_t device, std::uint64_t counter) {
    const std::uint64_t device60 = device >> 4;
    const std::uint64_t counter62 = counter >> 2;
    const RecordId id = RecordId::make(DeviceId(device60), counter62);
    RC_ASSERT(id.well_formed());
    RC_ASSERT(id.device() == DeviceId(device60));
    RC_ASSERT(id.counter() == counter62);
    RC_ASSERT(RecordId::from_bytes(id.bytes()) == id);
    RC_ASSERT(RecordId::parse(id.text()) == id);
  }));
}

TEST_CASE("ids of one device sort by their counter") {
  CHECK(RecordId::make(DeviceId(5), 255) < RecordId::make(DeviceId(5), 256));
}

TEST_CASE("what is not an id is not taken for one") {
  CHECK_FALSE(RecordId::from_bytes("short").has_value());
  CHECK_FALSE(RecordId::parse("").has_value());
  CHECK_FALSE(RecordId::parse("123456789abc-8def-8000-00000000002a0000").has_value());
  CHECK_FALSE(RecordId::parse("1234567g-9abc-8def-8000-00000000002a").has_value());
  CHECK(RecordId::parse("12345678-9ABC-8DEF-8000-00000000002A").has_value());
  CHECK_FALSE(RecordId::parse("12345678-9abc-4def-8000-00000000002a")->well_formed());
  CHECK_FALSE(RecordId().well_formed());
  CHECK(RecordId().is_nil());
}

}  // namespace gridwhistle
