#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "import/problem.h"

namespace gridwhistle::import {

/// One line of a table, or several where a quoted value has line ends in it.
struct CsvRow {
  std::size_t line = 0;  ///< its first
  std::vector<std::string> values;
};

/// Reads comma-separated values as RFC 4180 has them: values in double quotes may hold commas, line
/// ends and doubled quotes; lines end in LF or CRLF; a byte order mark is skipped, and so are empty
/// lines. Text that is not UTF-8 or has a NUL, a quote that is not closed or stands inside a bare
/// value, and what exceeds limits.h goes to `problems` with its line.
std::vector<CsvRow> read_csv(const std::string& file, std::string_view bytes, Problems& problems);

}  // namespace gridwhistle::import
