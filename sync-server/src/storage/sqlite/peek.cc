#include "sqlite/connection.h"
#include "storage/open.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/tables.h"

namespace gridwhistle {

Result<std::string> peek_fact(const std::string& path, std::string_view name) {
  auto connection = sqlite::Connection::open(
      {.path = path, .read_only = true, .application_id = kCountyFile.application_id});
  if (!connection) return std::unexpected(std::move(connection.error()));
  std::string value;
  const auto read = sqlite::rows_of(
      *connection, "SELECT value FROM meta WHERE key=?",
      [&](sqlite::Statement& row) { value = std::string(row.text(0)); }, name);
  if (!read) return std::unexpected(read.error());
  return value;
}

}  // namespace gridwhistle
