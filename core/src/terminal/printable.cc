#include "terminal/printable.h"

#include <array>
#include <cstdio>

#include "base/utf8.h"

namespace gridwhistle::terminal {
namespace {

/// C0, DEL and C1; marks, embeddings, overrides and isolates of direction (Unicode TR 9); the line
/// and paragraph separators.
bool steers(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string shown(char32_t c) {
  if (c == '\n') return "⏎";
  if (c == '\t') return " ";
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
  return escape.data();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const std::string_view from = text;
    const auto character = take_character(text);
    if (!character) {
      printable += "\uFFFD";
    } else if (steers(*character)) {
      printable += shown(*character);
    } else {
      printable += from.substr(0, from.size() - text.size());
    }
  }
  return printable;
}

}  // namespace gridwhistle::terminal
