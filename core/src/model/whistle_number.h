#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gridwhistle {

/// "A7K-000123-5", short enough to read out on the telephone: the device's letters, its own count,
/// and a check character over both.
std::string whistle_number(std::string_view short_code, std::uint64_t counter);

/// The device's letters in a number that `whistle_number` could have made; else nothing.
std::optional<std::string_view> short_code_in(std::string_view number);

}  // namespace gridwhistle
