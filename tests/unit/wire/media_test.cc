#include "wire/media.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/limits.h"
#include "base/sha256.h"
#include "wire/frames.h"

using namespace gridwhistle;

namespace {

const std::string kHash = sha256("a file");

ErrorCode refused_up(const MediaUp& part) {
  const auto decoded = decode_media_up(encode_media_up(part));
  return decoded ? ErrorCode{} : decoded.error().code;
}

v1::MediaPut put(std::uint64_t size, const std::string& hash = kHash) {
  v1::MediaPut wanted;
  wanted.set_sha256(hash);
  wanted.set_size(size);
  return wanted;
}

v1::MediaGet get(std::uint64_t offset, std::uint32_t bytes_max) {
  v1::MediaGet wanted;
  wanted.set_sha256(kHash);
  wanted.set_offset(offset);
  wanted.set_bytes_max(bytes_max);
  return wanted;
}

v1::MediaHello hello() {
  v1::MediaHello greeting;
  greeting.set_protocol(1);
  greeting.set_device(42);
  greeting.set_call_counter(7);
  greeting.set_signature("signature");
  return greeting;
}

}  // namespace

TEST_CASE("Parts of a media call are the same after the way over the wire") {
  const auto chunk = chunk_of(4096, "some bytes");
  const auto decoded = decode_media_up(encode_media_up(MediaUp(chunk)));
  REQUIRE(decoded);
  const auto& again = std::get<v1::MediaChunk>(*decoded);
  CHECK(again.offset() == 4096);
  CHECK(again.content() == "some bytes");
  CHECK(is_intact(again));
  CHECK(refused_up(hello()) == ErrorCode{});
  v1::MediaStored stored;
  stored.set_seq(12);
  const auto down = decode_media_down(encode_media_down(MediaDown(stored)));
  REQUIRE(down);
  CHECK(std::get<v1::MediaStored>(*down).seq() == 12);
}

TEST_CASE("A file is of 1 byte to 64 MB, and named by 32 bytes") {
  CHECK(refused_up(put(0)) == ErrorCode::kInvalid);
  CHECK(refused_up(put(1)) == ErrorCode{});
  CHECK(refused_up(put(limits::kMediaBytes)) == ErrorCode{});
  CHECK(refused_up(put(limits::kMediaBytes + 1)) == ErrorCode::kTooLarge);
  CHECK(refused_up(put(1, kHash.substr(1))) == ErrorCode::kInvalid);
  CHECK(refused_up(put(1, "")) == ErrorCode::kInvalid);
}

TEST_CASE("A chunk is of 1 byte to 256 KB, both ways, and says where it begins") {
  CHECK(refused_up(chunk_of(0, "")) == ErrorCode::kInvalid);
  CHECK(refused_up(chunk_of(0, std::string(limits::kMediaChunkBytes, 'x'))) == ErrorCode{});
  CHECK(refused_up(chunk_of(0, std::string(limits::kMediaChunkBytes + 1, 'x'))) ==
        ErrorCode::kTooLarge);
  CHECK(refused_up(chunk_of(limits::kMediaBytes + 1, "x")) == ErrorCode::kTooLarge);
  CHECK(refused_up(get(0, 0)) == ErrorCode::kTooLarge);
  CHECK(refused_up(get(limits::kMediaBytes, limits::kMediaChunkBytes)) == ErrorCode{});
  CHECK(refused_up(get(0, limits::kMediaChunkBytes + 1)) == ErrorCode::kTooLarge);
  CHECK(refused_up(get(limits::kMediaBytes + 1, 1)) == ErrorCode::kTooLarge);
}

TEST_CASE("A chunk that was damaged on its way is seen by itself") {
  auto chunk = chunk_of(0, "the bytes of a picture");
  (*chunk.mutable_content())[3] ^= 1;
  CHECK_FALSE(is_intact(chunk));
}

TEST_CASE("What is no part of a media call is refused, whichever side it comes from") {
  CHECK(decode_media_up("").error().code == ErrorCode::kProtocol);
  CHECK(decode_media_up("\xFF\xFF").error().code == ErrorCode::kProtocol);
  CHECK(decode_media_down("").error().code == ErrorCode::kProtocol);
  CHECK(decode_media_up(std::string(limits::kLoneFrameBytes + 1, 'x')).error().code ==
        ErrorCode::kTooLarge);
  v1::MediaHas beyond;
  beyond.set_offset(limits::kMediaBytes + 1);
  CHECK(decode_media_down(encode_media_down(MediaDown(beyond))).error().code ==
        ErrorCode::kTooLarge);
  v1::MediaRefused nameless;
  CHECK_FALSE(decode_media_down(encode_media_down(MediaDown(nameless))));
  auto stranger = hello();
  stranger.set_device(std::uint64_t{1} << 60);
  CHECK(refused_up(stranger) == ErrorCode::kInvalid);
}

TEST_CASE("No signature of a media call passes for that of a sync call, nor the other way round") {
  const std::string server(32, 'k');
  v1::Hello same;
  REQUIRE(same.ParseFromString(hello().SerializeAsString()));
  CHECK(media_hello_to_sign(hello(), server) != hello_to_sign(same, server));
  // Behind the fingerprint stand bytes that no Hello can begin with.
  const std::string rest = media_hello_to_sign(hello(), server).substr(32);
  v1::Hello parsed;
  CHECK_FALSE(parsed.ParseFromString(rest));
}
