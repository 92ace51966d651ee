#include "sqlite/connection.h"
#include "storage/open.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/tables.h"

namespace gridwhistle {

namespace {

Result<sqlite::Connection> look_into(const std::string& path) {
  return sqlite::Connection::open(
      {.path = path, .read_only = true, .application_id = kCountyFile.application_id});
}

}  // namespace

Result<std::string> peek_fact(const std::string& path, std::string_view name) {
  auto connection = look_into(path);
  if (!connection) return std::unexpected(std::move(connection.error()));
  std::string value;
  const auto read = sqlite::rows_of(
      *connection, "SELECT value FROM meta WHERE key=?",
      [&](sqlite::Statement& row) { value = std::string(row.text(0)); }, name);
  if (!read) return std::unexpected(read.error());
  return value;
}

Result<std::set<std::uint64_t>> peek_epochs(const std::string& path) {
  auto connection = look_into(path);
  if (!connection) return std::unexpected(std::move(connection.error()));
  std::set<std::uint64_t> ids;
  const auto read = sqlite::rows_of(*connection, "SELECT id FROM epoch",
                                    [&](sqlite::Statement& row) { ids.insert(row.number(0)); });
  if (!read) return std::unexpected(read.error());
  return ids;
}

Result<std::vector<DeviceRow>> peek_devices(const std::string& path) {
  auto connection = look_into(path);
  if (!connection) return std::unexpected(std::move(connection.error()));
  std::vector<DeviceRow> all;
  const auto read = sqlite::rows_of(
      *connection,
      "SELECT device, worker, state, short_code FROM device ORDER BY enrolled_ms, device",
      [&](sqlite::Statement& row) {
        all.push_back({.device = DeviceId(row.number(0)),
                       .worker = row.record_id(1),
                       .state = static_cast<DeviceState>(row.integer(2)),
                       .short_code = std::string(row.text(3))});
      });
  if (!read) return std::unexpected(read.error());
  return all;
}

}  // namespace gridwhistle
