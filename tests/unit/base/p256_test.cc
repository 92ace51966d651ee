#include "base/p256.h"

#include <catch2/catch.hpp>
#include <string>

using namespace gridwhistle;

TEST_CASE("What a key signs its public half verifies, and nothing else") {
  const auto key = P256Key::make().value();
  const auto public_key = key.public_key().value();
  const std::string message("hello\0world", 11);
  auto signature = key.sign(message).value();
  CHECK(verify_p256(public_key, message, signature).value());
  CHECK_FALSE(verify_p256(public_key, "hello", signature).value());
  CHECK_FALSE(verify_p256(P256Key::make()->public_key().value(), message, signature).value());
  for (std::size_t i = 0; i < signature.size(); ++i) {
    auto flipped = signature;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    REQUIRE_FALSE(verify_p256(public_key, message, flipped).value());
    REQUIRE_FALSE(verify_p256(public_key, message, signature.substr(0, i)).value());
  }
  CHECK_FALSE(verify_p256(public_key, message, signature + "x").value());
  CHECK(verify_p256(public_key, "", key.sign("").value()).value());
}

TEST_CASE("A compact signature is 64 bytes and says the same, and nothing else") {
  const auto key = P256Key::make().value();
  const auto public_key = key.public_key().value();
  for (int round = 0; round < 40; ++round) {  // numbers with zeros in front among them
    const std::string message = "hello " + std::to_string(round);
    auto compact = compact_signature(key.sign(message).value());
    REQUIRE(compact.size() == 64);
    REQUIRE(verify_p256(public_key, message, compact).value());
    REQUIRE_FALSE(verify_p256(public_key, message + "!", compact).value());
    const auto at = static_cast<std::size_t>(round);
    compact[at] = static_cast<char>(compact[at] ^ 1);
    REQUIRE_FALSE(verify_p256(public_key, message, compact).value());
  }
  CHECK_FALSE(verify_p256(public_key, "hello", std::string(64, '\0')).value());
  CHECK(compact_signature("no signature") == "no signature");
}

TEST_CASE("What is not a P-256 public key, whole and alone, verifies nothing") {
  const auto key = P256Key::make().value();
  const auto public_key = key.public_key().value();
  const auto signature = key.sign("hello").value();
  CHECK(verify_p256("", "hello", signature).error().code == ErrorCode::kInvalid);
  CHECK(verify_p256(public_key + "x", "hello", signature).error().code == ErrorCode::kInvalid);
  for (std::size_t size = 0; size < public_key.size(); ++size) {
    REQUIRE_FALSE(verify_p256(public_key.substr(0, size), "hello", signature));
  }
  auto off_the_curve = public_key;
  off_the_curve.back() = static_cast<char>(off_the_curve.back() ^ 1);
  CHECK_FALSE(verify_p256(off_the_curve, "hello", signature));
}

TEST_CASE("A key survives being written, and only as what it is") {
  const auto key = P256Key::make().value();
  const auto pem = key.pem().value();
  CHECK(P256Key::from_pem(pem)->public_key().value() == key.public_key().value());
  CHECK(P256Key::from_pem("").error().code == ErrorCode::kInvalid);
  CHECK_FALSE(P256Key::from_pem(pem.substr(0, pem.size() / 2)));
  CHECK_FALSE(P256Key::from_pem(self_signed_certificate(key, "a name").value()));
}

TEST_CASE("A certificate shows its key, whatever name it has") {
  const auto key = P256Key::make().value();
  const auto certificate = self_signed_certificate(key, "gridwhistle").value();
  CHECK(public_key_of_certificate(certificate).value() == key.public_key().value());
  CHECK(public_key_of_certificate(key.pem().value()).error().code == ErrorCode::kInvalid);
  CHECK(public_key_of_certificate("").error().code == ErrorCode::kInvalid);
}
