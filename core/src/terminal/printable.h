#pragma once

#include <string>
#include <string_view>

namespace gridwhistle::terminal {

/// A text as a terminal may show it, whoever wrote it: on one line, and nothing in it that steers.
///
/// A line break becomes ⏎ and a tab a space. Other control characters, and those that turn the
/// direction of writing, become escapes such as \u001b; bytes that are no text become U+FFFD.
std::string printable(std::string_view text);

}  // namespace gridwhistle::terminal
