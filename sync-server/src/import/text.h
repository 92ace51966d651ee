#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/line.h"

namespace gridwhistle::import {

/// The first line, from 1, that has a NUL in it or is not UTF-8; nothing when the text is sound.
std::optional<std::size_t> unsound_line(std::string_view text);

/// What there is to say of such a line.
Line not_text();

/// Without a UTF-8 byte order mark at its beginning.
std::string_view without_bom(std::string_view text);

std::string_view trimmed(std::string_view text);

/// The parts between semicolons, trimmed, empty ones left out.
std::vector<std::string> list_of(std::string_view text);

/// A non-negative decimal number of at most 15 digits.
std::optional<std::int64_t> number_of(std::string_view text);

/// "2026-01-01" as the beginning of that day in China, in milliseconds since 1970.
std::optional<std::int64_t> date_ms_of(std::string_view text);

/// Letters, digits, '-' and '_', at most limits::kCodeBytes: what may name a thing.
bool is_code(std::string_view text);

/// So many digits, and nothing else.
bool is_digits(std::string_view text, std::size_t count);

}  // namespace gridwhistle::import
