#include "sqlite/rescue.h"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "sqlite/internal.h"

namespace gridwhistle::sqlite {

namespace {

using OwnedStatement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Result<OwnedStatement> prepared(Connection& connection, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection.native(), sql.c_str(), -1, &statement, nullptr);
  OwnedStatement owned(statement, &sqlite3_finalize);
  if (code != SQLITE_OK) return error_of(code, connection.native());
  return owned;
}

// Empty where the schema cannot be read.
std::vector<std::string> columns_of(Connection& connection, const std::string& table) {
  std::vector<std::string> columns;
  auto query = prepared(connection, "SELECT name FROM pragma_table_info('" + table + "')");
  while (query && sqlite3_step(query->get()) == SQLITE_ROW) {
    columns.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(query->get(), 0)));
  }
  return columns;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

}  // namespace

Result<Rescued> rescue_table(Connection& from, Connection& to, const std::string& table,
                             const std::string& key) {
  Rescued rescued;
  const std::vector<std::string> here = columns_of(to, table);
  std::vector<std::string> columns = columns_of(from, table);
  std::erase_if(columns, [&](const std::string& column) {
    return std::ranges::find(here, column) == here.end();
  });
  if (columns.empty()) return Rescued{.whole = false};
  const std::vector<std::string> places(columns.size(), "?");
  auto insert = prepared(to, "INSERT OR IGNORE INTO " + table + "(" + joined(columns) +
                                 ") VALUES(" + joined(places) + ")");
  if (!insert) return std::unexpected(std::move(insert.error()));
  for (const char* order : {"", " DESC"}) {
    auto query = prepared(from, "SELECT " + joined(columns) + " FROM " + table + " ORDER BY " +
                                    key + std::string(order));
    if (!query) return Rescued{.rows = rescued.rows, .whole = false};
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(query->get())) == SQLITE_ROW) {
      for (int column = 0; column < static_cast<int>(columns.size()); ++column) {
        sqlite3_bind_value(insert->get(), column + 1, sqlite3_column_value(query->get(), column));
      }
      const int written = sqlite3_step(insert->get());
      sqlite3_reset(insert->get());
      if (written != SQLITE_DONE) return error_of(written, to.native());
      rescued.rows += static_cast<std::uint64_t>(to.changes());
    }
    if (code == SQLITE_DONE) break;
    rescued.whole = false;
  }
  return rescued;
}

}  // namespace gridwhistle::sqlite
