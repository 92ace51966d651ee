#pragma once

#include <string_view>

namespace gridwhistle {

/// Whether the bytes are text: UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF)
/// without NUL.
bool is_text(std::string_view bytes);

}  // namespace gridwhistle
