#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gridwhistle::terminal {

/// Columns a text takes on a terminal: Chinese characters take two.
std::size_t width_of(std::string_view text);

/// The text with spaces behind it, until it takes `columns`; a longer one as it is.
std::string padded(std::string_view text, std::size_t columns);

/// The first `columns` of a text, with an ellipsis where it was longer.
std::string shortened(std::string_view text, std::size_t columns);

}  // namespace gridwhistle::terminal
