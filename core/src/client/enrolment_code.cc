#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

#include "base/sha256.h"
#include "base/utf8.h"
#include "gridwhistle/client.h"

namespace gridwhistle {

namespace {

constexpr std::string_view kPrefix = "gw1:";
constexpr std::size_t kKeyBytes = 32;

std::unexpected<Error> wrong(std::string what) {
  return fail(ErrorCode::kInvalid,
              "the enrolment code is not complete: " + std::move(what) + "; scan or type it again",
              "enrolment code");
}

bool is_dash(char32_t c) { return (c >= U'\u2010' && c <= U'\u2015') || c == U'\u2212'; }

// What a person typed or pasted, as it was meant: a Chinese keyboard gives full-width letters,
// digits and colons, a messenger breaks the line and turns hyphens into dashes.
std::string as_meant(std::string_view text) {
  constexpr char32_t kFullWidthFirst = U'\uFF01';
  constexpr char32_t kFullWidthLast = U'\uFF5E';
  std::string meant;
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t c = *take_character(text);
    if (is_space(c)) continue;
    if (c >= kFullWidthFirst && c <= kFullWidthLast) {
      meant += static_cast<char>(c - kFullWidthFirst + U'!');
    } else if (is_dash(c)) {
      meant += '-';
    } else if (c == U'\u3002') {
      meant += '.';
    } else {
      meant += before.substr(0, before.size() - text.size());
    }
  }
  return meant;
}

bool begins_with_prefix(std::string_view text) {
  return text.size() >= kPrefix.size() &&
         std::ranges::equal(text.substr(0, kPrefix.size()), kPrefix, {}, [](char c) {
           return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
         });
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

/// What stands behind the last colon; `rest` keeps what stands before it.
std::optional<std::string_view> last_part(std::string_view& rest) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(colon + 1);
  rest = rest.substr(0, colon);
  return part;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<EnrolmentCode> EnrolmentCode::parse(std::string_view text) {
  // Bytes that are no character may become one when a space between them goes.
  if (!is_text(text)) return wrong("it is no text");
  const std::string meant = as_meant(text);
  if (!begins_with_prefix(meant)) return wrong("it does not begin with gw1:");
  std::string_view rest = std::string_view(meant).substr(kPrefix.size());
  const auto code = last_part(rest);
  const auto key = last_part(rest);
  if (!code || code->empty()) return wrong("its last part is missing");
  const auto key_bytes = key ? from_hex(*key) : std::nullopt;
  if (!key_bytes || key_bytes->size() != kKeyBytes) return wrong("the server's key is damaged");
  const std::size_t colon = rest.rfind(':');
  const bool has_host = colon != std::string_view::npos && colon > 0;
  if (!has_host || !is_number(rest.substr(colon + 1))) {
    return wrong("the server's address is damaged");
  }
  if (!is_port(rest.substr(colon + 1))) return wrong("a port is a number from 1 to 65535");
  return EnrolmentCode{{std::string(rest), *key_bytes}, std::string(*code)};
}

std::string EnrolmentCode::text() const {
  return std::string(kPrefix) + server.host_and_port + ":" + to_hex(server.key_sha256) + ":" + code;
}

}  // namespace gridwhistle
