#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include "gridwhistle/status.h"
#include "sqlite/connection.h"

namespace gridwhistle::sqlite {

/// Runs a query and gives each row to `each(Statement&)`, which returns nothing or a Result<void>
/// whose error ends it.
template <typename Each, typename... Values>
Result<void> rows_of(Connection& connection, std::string_view sql, Each&& each,
                     const Values&... values) {
  Result<Statement> statement = connection.prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  statement->borrow(values...);
  for (;;) {
    const Result<bool> row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    if constexpr (std::is_void_v<std::invoke_result_t<Each, Statement&>>) {
      each(*statement);
    } else if (Result<void> done = each(*statement); !done) {
      return done;
    }
  }
}

}  // namespace gridwhistle::sqlite
