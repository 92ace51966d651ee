#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"

namespace gridwhistle {

/// SHA-256 of a file's bytes, in lower-case hexadecimal, however large it is. kIo, kNotFound.
Result<std::string> sha256_of_file(const std::string& path);

/// The bytes that lower-case hexadecimal stands for; nothing where it is something else.
std::optional<std::string> from_hex(std::string_view hex);

}  // namespace gridwhistle
