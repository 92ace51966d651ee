#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/sqlite_storage.h"

namespace gridwhistle {

using sqlite::Blob;
using sqlite::Statement;

namespace {

constexpr std::string_view kDeviceColumns =
    "SELECT device, worker, public_key, state, short_code, name, software, enrolled_ms, "
    "last_seen_ms, unsent, cursor, call_counter, call_window, predecessor, inherits FROM device";

DeviceRow device_of(const Statement& row) {
  return {.device = DeviceId(row.number(0)),
          .worker = row.record_id(1),
          .public_key = std::string(row.blob(2)),
          .state = static_cast<DeviceState>(row.integer(3)),
          .short_code = std::string(row.text(4)),
          .name = std::string(row.text(5)),
          .software = std::string(row.text(6)),
          .enrolled_ms = row.integer(7),
          .last_seen_ms = row.integer(8),
          .unsent = static_cast<std::uint32_t>(row.integer(9)),
          .cursor = Seq(row.number(10)),
          .call_counter = row.number(11),
          .call_window = row.number(12),
          .predecessor = DeviceId(row.number(13)),
          .inherits = DevSeq(row.number(14))};
}

}  // namespace

Result<std::optional<DeviceRow>> SqliteStorage::device(DeviceId device) {
  std::optional<DeviceRow> found;
  const auto read = sqlite::rows_of(
      connection_, std::string(kDeviceColumns) + " WHERE device=?",
      [&](Statement& row) { found = device_of(row); }, device);
  if (!read) return std::unexpected(read.error());
  return found;
}

Result<void> SqliteStorage::put_device(const DeviceRow& row) {
  const auto known = connection_.number("SELECT 1 FROM device WHERE device=?", 0, row.device);
  if (!known) return std::unexpected(known.error());
  if (*known == 0) grow(Book::kDevices, 1);
  return connection_.run("INSERT OR REPLACE INTO device VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                         row.device, row.worker, Blob{row.public_key}, row.state, row.short_code,
                         row.name, row.software, row.enrolled_ms, row.last_seen_ms, row.unsent,
                         row.cursor, row.call_counter, row.call_window, row.predecessor,
                         row.inherits);
}

Result<std::vector<DeviceRow>> SqliteStorage::devices() {
  std::vector<DeviceRow> all;
  const auto read =
      sqlite::rows_of(connection_, std::string(kDeviceColumns) + " ORDER BY enrolled_ms, device",
                      [&](Statement& row) { all.push_back(device_of(row)); });
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<std::vector<HolderRow>> SqliteStorage::holders(DeviceId device) {
  std::vector<HolderRow> all;
  const auto read = sqlite::rows_of(
      connection_, "SELECT since, worker FROM holder WHERE device=? ORDER BY since",
      [&](Statement& row) { all.push_back({Seq(row.number(0)), row.record_id(1)}); }, device);
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<void> SqliteStorage::add_holder(DeviceId device, const HolderRow& row) {
  return connection_.run("INSERT OR REPLACE INTO holder VALUES(?,?,?)", device, row.since,
                         row.worker);
}

Result<std::vector<GrantRow>> SqliteStorage::grants(RecordId worker) {
  std::vector<GrantRow> all;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT scope, subtree, audiences, roles, roles_inside, granted, ended_ms FROM worker_grant "
      "WHERE worker=? ORDER BY position",
      [&](Statement& row) {
        all.push_back({{.scope = std::string(row.text(0)),
                        .subtree = row.integer(1) != 0,
                        .audiences = static_cast<std::uint32_t>(row.integer(2)),
                        .roles = RoleSet::of_bits(row.number(3)),
                        .roles_inside = RoleSet::of_bits(row.number(4)),
                        .granted = Seq(row.number(5))},
                       row.integer(6)});
      },
      worker);
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<void> SqliteStorage::put_grants(RecordId worker, const std::vector<GrantRow>& rows) {
  if (auto gone = connection_.run("DELETE FROM worker_grant WHERE worker=?", worker); !gone) {
    return gone;
  }
  grow(Book::kGrants, static_cast<std::int64_t>(rows.size()) - connection_.changes());
  std::int64_t position = 0;
  for (const GrantRow& row : rows) {
    if (auto put = connection_.run(
            "INSERT INTO worker_grant(worker, scope, position, subtree, audiences, roles, granted, "
            "ended_ms, roles_inside) VALUES(?,?,?,?,?,?,?,?,?)",
            worker, row.grant.scope, position++, row.grant.subtree ? 1 : 0, row.grant.audiences,
            row.grant.roles.bits(), row.grant.granted, row.ended_ms, row.grant.roles_inside.bits());
        !put) {
      return put;
    }
  }
  return {};
}

Result<std::optional<CodeRow>> SqliteStorage::code(std::string_view lookup) {
  std::optional<CodeRow> found;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT lookup, salt, hash, worker, expires_ms, tries_left, used_by FROM code WHERE lookup=?",
      [&](Statement& row) {
        found = {.lookup = std::string(row.text(0)),
                 .salt = std::string(row.blob(1)),
                 .hash = std::string(row.blob(2)),
                 .worker = row.record_id(3),
                 .expires_ms = row.integer(4),
                 .tries_left = static_cast<std::uint32_t>(row.integer(5)),
                 .used_by = DeviceId(row.number(6))};
      },
      lookup);
  if (!read) return std::unexpected(read.error());
  return found;
}

Result<void> SqliteStorage::put_code(const CodeRow& row) {
  return connection_.run("INSERT OR REPLACE INTO code VALUES(?,?,?,?,?,?,?)", row.lookup,
                         Blob{row.salt}, Blob{row.hash}, row.worker, row.expires_ms, row.tries_left,
                         row.used_by);
}

}  // namespace gridwhistle
