#pragma once

#include <string>

#include "gridwhistle/status.h"

namespace gridwhistle {

/// SHA-256 of a file's bytes, in lower-case hexadecimal, however large it is. kIo, kNotFound.
Result<std::string> sha256_of_file(const std::string& path);

}  // namespace gridwhistle
