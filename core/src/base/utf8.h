#pragma once

#include <optional>
#include <string_view>

namespace gridwhistle {

/// Whether the bytes are text: UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF)
/// without NUL.
bool is_text(std::string_view bytes);

/// The first character, taken off the text; of what is no text a byte is taken off, and nothing
/// returned. The text is not empty.
std::optional<char32_t> take_character(std::string_view& text);

/// Whether a character leaves no mark: spaces of every width, the full-width one of a Chinese
/// keyboard too, and control characters.
bool is_space(char32_t character);

/// Whether nothing is in it that can be read: no purpose, no title, no reason.
bool is_blank(std::string_view text);

}  // namespace gridwhistle
