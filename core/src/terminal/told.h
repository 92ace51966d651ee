#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gridwhistle::terminal {

/// What a message says to its reader, in that language alone.
///
/// A message is a `both(…)` of ours, or what a server told a phone, "角色无此权限 / your role may
/// not write this", or English alone, as libraries speak. Of the last the Chinese is known here: of
/// fields, which are named as their kind names them, and of lines that people meet. Nothing where a
/// Chinese reader would read English.
std::optional<std::string> told_in(std::string_view message, bool chinese);

}  // namespace gridwhistle::terminal
