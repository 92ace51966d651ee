#pragma once

#include <cstdint>
#include <string>

#include "sqlite/connection.h"

namespace gridwhistle::sqlite {

/// How much of a table came over.
struct Rescued {
  std::uint64_t rows = 0;
  bool whole = true;  ///< false: some page in between could not be read
};

/// Copies what can be read of a table in a damaged file into the same table of a sound one, in the
/// columns that both have: from either end of the order of `key`, up to where the damage is. What
/// is there already stays. Errors are those of `to` alone; a table that cannot be read at all gives
/// no rows.
Result<Rescued> rescue_table(Connection& from, Connection& to, const std::string& table,
                             const std::string& key);

}  // namespace gridwhistle::sqlite
