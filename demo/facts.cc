#include "facts.h"

#include <functional>
#include <utility>

#include "sqlite/connection.h"
#include "sqlite/schema_tables.h"

namespace gridwhistle::demo {

namespace {

using sqlite::Connection;
using sqlite::Statement;

Result<Connection> open_to_read(const std::string& path) {
  return Connection::open({.path = path, .read_only = true});
}

Result<void> each_row(Connection& file, const std::string& sql,
                      const std::function<void(const Statement&)>& row) {
  auto statement = file.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  for (;;) {
    const auto more = statement->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    row(*statement);
  }
}

// The server's tables and the phones' have names and bodies in common.
Result<void> read_records(Connection& file, const std::string& condition,
                          std::map<Key, std::string>& records) {
  const auto kinds = sqlite::kinds_in_file(file);
  if (!kinds) return std::unexpected(kinds.error());
  for (const KindId kind : *kinds) {
    const std::string sql =
        "SELECT id, body FROM " + sqlite::table_name(kind) + " WHERE " + condition;
    const auto read = each_row(file, sql, [&](const Statement& row) {
      records.emplace(Key{kind.value, row.record_id(0)}, row.blob(1));
    });
    if (!read) return read;
  }
  return {};
}

Result<void> read_places(Connection& file, ServerFacts& facts) {
  return each_row(
      file,
      "SELECT feed.kind, feed.id, scope.name FROM feed JOIN scope ON scope.no=feed.scope "
      "WHERE feed.held=1",
      [&](const Statement& row) {
        const Key key{static_cast<std::uint32_t>(row.integer(0)), row.record_id(1)};
        facts.places[key].emplace_back(row.text(2));
      });
}

Result<void> read_rights(Connection& file, ServerFacts& facts) {
  auto held = each_row(
      file, "SELECT worker, scope, subtree, audiences, roles FROM worker_grant WHERE ended_ms=0",
      [&](const Statement& row) {
        facts.held[row.record_id(0)].push_back({std::string(row.text(1)), row.integer(2) != 0,
                                                static_cast<std::uint32_t>(row.integer(3)),
                                                static_cast<std::uint32_t>(row.integer(4))});
      });
  if (!held) return held;
  held = each_row(file, "SELECT device, worker FROM device", [&](const Statement& row) {
    facts.worker_of_device.emplace(row.number(0), row.record_id(1));
  });
  if (!held) return held;
  return each_row(file, "SELECT kind, id, writer FROM merge_audit", [&](const Statement& row) {
    facts.lost_merges.push_back(
        {{static_cast<std::uint32_t>(row.integer(0)), row.record_id(1)}, row.number(2)});
  });
}

}  // namespace

Result<ServerFacts> read_server(const std::string& database) {
  auto file = open_to_read(database);
  if (!file) return std::unexpected(file.error());
  ServerFacts facts;
  if (auto read = read_records(*file, "erased=0", facts.records); !read) {
    return std::unexpected(read.error());
  }
  if (auto read = read_places(*file, facts); !read) return std::unexpected(read.error());
  if (auto read = read_rights(*file, facts); !read) return std::unexpected(read.error());
  return facts;
}

Result<PhoneFacts> read_phone(const std::string& folder, const std::string& name) {
  PhoneFacts facts;
  facts.name = name;
  auto file = open_to_read(folder + "/phone.db");
  if (!file) return std::unexpected(file.error());
  auto read = read_records(*file, "body IS NOT NULL AND scopes<>-1", facts.records);
  if (read) {
    read = each_row(*file, "SELECT value FROM meta WHERE key='device'",
                    [&](const Statement& row) { facts.device = row.number(0); });
  }
  if (read) {
    read = each_row(*file, "SELECT count(*) FROM outbox WHERE state=0",
                    [&](const Statement& row) { facts.pending = row.number(0); });
  }
  if (!read) return std::unexpected(read.error());
  auto journal = read_journal(folder + "/journal");
  if (!journal) return std::unexpected(journal.error());
  facts.journal = std::move(*journal);
  return facts;
}

}  // namespace gridwhistle::demo
