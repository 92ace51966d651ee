#include "base/envelope.h"

#include <catch2/catch.hpp>
#include <string>

using namespace gridwhistle;

namespace {

const P256Key& reader() {
  static const P256Key key = P256Key::make().value();
  return key;
}

std::string sealed(std::string_view content) {
  return seal(reader().public_key().value(), content).value();
}

}  // namespace

TEST_CASE("What is sealed for a key that key alone opens") {
  for (const std::string& content :
       {std::string(), std::string("\0two\xff", 5), std::string(1 << 20, 'x')}) {
    const std::string envelope = sealed(content);
    std::string_view rest = envelope;
    CHECK(open_envelope(reader(), rest).value() == content);
    CHECK(rest.empty());
  }
  const std::string envelope = sealed("a report");
  CHECK(envelope.find("a report") == std::string::npos);
  std::string_view rest = envelope;
  CHECK(open_envelope(P256Key::make().value(), rest).error().code == ErrorCode::kWrongServerKey);
  CHECK(rest == envelope);
}

TEST_CASE("Two envelopes of one content have nothing in common that tells") {
  const std::string one = sealed("a report"), other = sealed("a report");
  CHECK(one.substr(one.size() - 40) != other.substr(other.size() - 40));
}

TEST_CASE("Envelopes stand behind each other and are opened one by one") {
  const std::string both = sealed("first") + sealed("second");
  std::string_view rest = both;
  CHECK(open_envelope(reader(), rest).value() == "first");
  CHECK(open_envelope(reader(), rest).value() == "second");
  CHECK(rest.empty());
}

TEST_CASE("An envelope that is cut or altered in any byte is not opened as something else") {
  const std::string envelope = sealed("a report");
  for (std::size_t i = 0; i < envelope.size(); ++i) {
    std::string_view cut = std::string_view(envelope).substr(0, i);
    REQUIRE_FALSE(open_envelope(reader(), cut));
    std::string altered = envelope;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    std::string_view rest = altered;
    const auto opened = open_envelope(reader(), rest);
    // What names an algorithm may be written in more than one way; what is opened is the content.
    if (opened) REQUIRE(*opened == "a report");
  }
}

TEST_CASE("Nothing is sealed for what is no P-256 key") {
  CHECK(seal("", "x").error().code == ErrorCode::kInvalid);
  CHECK(seal(std::string(91, '0'), "x").error().code == ErrorCode::kInvalid);
}
