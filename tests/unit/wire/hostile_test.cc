#include <rapidcheck.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "samples.h"
#include "thing.h"

namespace gridwhistle {
namespace {

using namespace thing;

std::string up_frame(std::size_t count) {
  std::size_t taken = 0;
  return encode_operations(kSender, sample_operations(count), taken);
}

std::string squeezed(const std::string& raw) {
  std::string out(ZSTD_compressBound(raw.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 3));
  return out;
}

ErrorCode code_of(std::uint32_t raw_size, const std::string& packed) {
  v1::Up up;
  v1::OperationFrame& frame = *up.mutable_operations();
  frame.set_lane(2);
  frame.set_first_lane_seq(1);
  frame.set_count(1);
  frame.set_raw_size(raw_size);
  frame.set_zstd(true);
  frame.set_packed(packed);
  const auto decoded = decode_up(kSchema, kSender, up.SerializeAsString());
  return decoded ? ErrorCode{} : decoded.error().code;
}

}  // namespace

TEST_CASE("a frame that is cut off anywhere is refused") {
  const std::string up = up_frame(3);
  for (std::size_t size = 0; size < up.size(); ++size) {
    REQUIRE_FALSE(decode_up(kSchema, kSender, up.substr(0, size)).has_value());
  }
  const std::string down = encode_cut({"", Seq(5), sample_rows(3)});
  for (std::size_t size = 0; size < down.size(); ++size) {
    REQUIRE_FALSE(decode_down(kSchema, down.substr(0, size)).has_value());
  }
}

TEST_CASE("a flipped bit gives an error or a frame that is sound, never a crash") {
  const std::string up = up_frame(2);
  const std::string down = encode_cut({"", Seq(5), sample_rows(2)});
  for (const std::string& frame : {up, down}) {
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      std::string flipped = frame;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      const auto as_up = decode_up(kSchema, kSender, flipped);
      const auto as_down = decode_down(kSchema, flipped);
      if (!as_up) REQUIRE_FALSE(as_up.error().message.empty());
      if (!as_down) REQUIRE_FALSE(as_down.error().message.empty());
    }
  }
}

TEST_CASE("any bytes at all give an error or a frame") {
  CHECK(rc::check([](const std::vector<std::uint8_t>& bytes) {
    const std::string frame(bytes.begin(), bytes.end());
    static_cast<void>(decode_up(kSchema, kSender, frame));
    static_cast<void>(decode_down(kSchema, frame));
  }));
}

TEST_CASE("a bomb is refused before it is unpacked") {
  const std::string bomb = squeezed(std::string(limits::kFrameRawBytes, 'a'));
  CHECK(code_of(limits::kFrameRawBytes, bomb) == ErrorCode::kTooLarge);
  CHECK(code_of(1000, bomb) == ErrorCode::kProtocol);
  CHECK(code_of(limits::kFrameRawBytes + 1, bomb) == ErrorCode::kTooLarge);
}

TEST_CASE("compression of twenty times passes, of more it does not") {
  // What it holds is no batch: kProtocol says that it was unpacked.
  const std::string raw(100'000, 'a');
  std::string frame = squeezed(raw);
  // A skippable frame of zstd makes up the size without changing the content.
  const auto padded = [&](std::size_t size) {
    const auto rest = static_cast<std::uint32_t>(size - frame.size() - 8);
    std::string out = frame + std::string("\x50\x2A\x4D\x18", 4);
    for (unsigned i = 0; i < 4; ++i) out += static_cast<char>(rest >> (8 * i));
    return out + std::string(rest, '\0');
  };
  CHECK(code_of(100'000, padded(5000)) == ErrorCode::kProtocol);
  CHECK(code_of(100'000, padded(4999)) == ErrorCode::kTooLarge);
  const std::string small(limits::kFrameRatioFreeBytes, 'a');
  CHECK(code_of(limits::kFrameRatioFreeBytes, squeezed(small)) == ErrorCode::kProtocol);
}

TEST_CASE("a content of another size than told is refused") {
  const std::string raw = "some content, hardly compressible";
  CHECK(code_of(5, squeezed(raw)) == ErrorCode::kProtocol);
  CHECK(code_of(0, "") == ErrorCode::kProtocol);
  CHECK(code_of(33, "not zstd") == ErrorCode::kProtocol);
}

TEST_CASE("a frame larger than any transaction is refused unread") {
  const std::string large(limits::kLoneFrameBytes + 1, '\0');
  CHECK(decode_up(kSchema, kSender, large).error().code == ErrorCode::kTooLarge);
  CHECK(decode_down(kSchema, large).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("groups within groups are refused at the depth limit, not followed") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += '\x7B';  // field 15, a group begins
  CHECK(decode_up(kSchema, kSender, deep).error().code == ErrorCode::kProtocol);
  CHECK(decode_down(kSchema, deep).error().code == ErrorCode::kProtocol);
}

}  // namespace gridwhistle
