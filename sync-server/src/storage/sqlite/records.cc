#include <algorithm>
#include <limits>

#include "base/sha256.h"
#include "base/varint.h"
#include "model/merge.h"
#include "sqlite/schema_tables.h"
#include "storage/sqlite/packed.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/sqlite_storage.h"

namespace gridwhistle {

using sqlite::Blob;
using sqlite::Lifetime;
using sqlite::Statement;

namespace {

// Stands for the table of what is gone, where a kind's stands else.
constexpr KindId kGoneIds(std::numeric_limits<std::uint32_t>::max());

// Some commits' worth of records.
constexpr std::size_t kRecentBytes = std::size_t{4} << 20;

// Columns: stamps, memberships, body.
Result<StoredRecord> stored_of(const Statement& row, int first) {
  Result<RecordState> state = decode_stamps(row.blob(first), std::string(row.blob(first + 2)));
  if (!state) return std::unexpected(std::move(state.error()));
  auto memberships = unpack_memberships(row.blob(first + 1));
  if (!memberships) return std::unexpected(std::move(memberships.error()));
  return StoredRecord{std::move(*state), std::move(*memberships)};
}

// Sixteen bytes tell what was written from what a disk, or a hand, has made of it.
std::string digest_of(RecordId id, std::uint64_t last_seq, bool erased, std::string_view stamps,
                      std::string_view memberships, std::string_view body) {
  constexpr std::size_t kDigestBytes = 16;
  std::string bytes(id.bytes());
  bytes.reserve(64 + stamps.size() + memberships.size() + body.size());
  append_varint(bytes, last_seq);
  append_varint(bytes, erased ? 1 : 0);
  append_varint(bytes, stamps.size());
  bytes += stamps;
  append_varint(bytes, memberships.size());
  bytes += memberships;
  bytes += body;
  std::string digest = sha256(bytes);
  digest.resize(kDigestBytes);
  return digest;
}

bool has_columns(const KindSchema& kind) {
  return std::ranges::any_of(kind.fields, sqlite::has_column);
}

// Finds a row by its id and its index columns together.
std::string find_by_columns_sql(const KindSchema& kind) {
  std::string sql = "SELECT 1 FROM " + sqlite::table_name(kind.id) + " WHERE id=?";
  for (const FieldSchema& field : kind.fields) {
    if (sqlite::has_column(field)) sql += " AND " + sqlite::column_name(field.number) + " IS ?";
  }
  return sql;
}

// Whether a row's index columns are copies of what stands in it.
Result<bool> is_found_by_columns(sqlite::Connection& connection, const KindSchema& kind,
                                 RecordId id, std::string_view body) {
  if (!has_columns(kind)) return true;
  auto find = connection.prepare(find_by_columns_sql(kind));
  if (!find) return std::unexpected(std::move(find.error()));
  find->borrow(id);
  sqlite::bind_fields(*find, 2, kind, body);
  return find->step();
}

void bind_lookup(Statement& statement, int index, const FieldSchema& field,
                 const LookupValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    statement.bind_int(index, *number);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (field.type == FieldType::kBytes) {
      statement.bind_blob(index, *text, Lifetime::kBorrowed);
    } else {
      statement.bind_text(index, *text, Lifetime::kBorrowed);
    }
  } else {
    statement.bind_blob(index, std::get<RecordId>(value).bytes(), Lifetime::kBorrowed);
  }
}

}  // namespace

Result<bool> SqliteStorage::is_beyond_newest(KindId table, RecordId id) {
  if (!id.well_formed()) return false;
  const DeviceId device = id.device();
  auto known = newest_.find({table, device});
  if (known == newest_.end()) {
    if (auto written = write_parts(); !written) return std::unexpected(written.error());
    const std::string column = table ? "id" : "parent";
    const std::string from = !table              ? "child"
                             : table == kGoneIds ? "gone"
                                                 : sqlite::table_name(table);
    RecordId newest;
    const auto read = sqlite::rows_of(
        connection_,
        "SELECT max(" + column + ") FROM " + from + " WHERE " + column + " BETWEEN ? AND ?",
        [&](Statement& row) {
          if (!row.is_null(0)) newest = row.record_id(0);
        },
        RecordId::make(device, 0),
        RecordId::make(device, std::numeric_limits<std::uint64_t>::max()));
    if (!read) return std::unexpected(read.error());
    known = newest_.emplace(std::pair{table, device}, newest).first;
  }
  return id > known->second;
}

void SqliteStorage::note_newest(KindId table, RecordId id) {
  if (!id.well_formed()) return;
  const auto known = newest_.find({table, id.device()});
  if (known != newest_.end()) known->second = std::max(known->second, id);
}

Result<std::shared_ptr<const StoredRecord>> SqliteStorage::record(const RecordKey& key) {
  if (schema_.kind(key.kind) == nullptr) return nullptr;
  const auto recent = recent_.find(key);
  if (recent != recent_.end()) return recent->second;
  const auto beyond = is_beyond_newest(key.kind, key.id);
  if (!beyond) return std::unexpected(beyond.error());
  if (*beyond) return nullptr;
  std::shared_ptr<const StoredRecord> found;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT stamps, memberships, body FROM " + sqlite::table_name(key.kind) + " WHERE id=?",
      [&](Statement& row) -> Result<void> {
        Result<StoredRecord> stored = stored_of(row, 0);
        if (!stored) return std::unexpected(std::move(stored.error()));
        found = std::make_shared<const StoredRecord>(std::move(*stored));
        return {};
      },
      key.id);
  if (!read) return std::unexpected(read.error());
  if (found) keep_recent(key, found);
  return found;
}

void SqliteStorage::keep_recent(const RecordKey& key, std::shared_ptr<const StoredRecord> record) {
  constexpr std::size_t kAround = 512;  // the parts whose size nobody adds up, about
  if (recent_bytes_ > kRecentBytes) forget_recent();
  recent_bytes_ += record->state.body.size() + kAround;
  recent_.insert_or_assign(key, std::move(record));
}

void SqliteStorage::forget_recent() {
  recent_.clear();
  recent_bytes_ = 0;
}

const std::string& SqliteStorage::upsert_of(const KindSchema& kind) {
  std::string& sql = upserts_[kind.id];
  if (sql.empty()) sql = sqlite::upsert_sql(kind.id, schema_.kind(kind.id), kRecordColumnNames);
  return sql;
}

Result<void> SqliteStorage::put_record(const KindSchema& kind, RecordId id, StoredRecord next,
                                       const std::vector<Membership>& before, RecordId new_parent) {
  Result<Statement> upsert = connection_.prepare(upsert_of(kind));
  if (!upsert) return std::unexpected(std::move(upsert.error()));
  const std::string stamps = encode_stamps(next.state);
  const std::string memberships = pack(next.memberships);
  const std::string digest = digest_of(id, next.state.last_seq.value, next.state.erased, stamps,
                                       memberships, next.state.body);
  upsert->borrow(id, next.state.last_seq, next.state.erased ? 1 : 0, Blob{stamps},
                 Blob{memberships}, Blob{digest}, Blob{next.state.body});
  sqlite::bind_fields(*upsert, 8, *schema_.kind(kind.id), next.state.body);
  if (auto put = upsert->run(); !put) return put;
  for (const Membership& old : before) {
    if (std::ranges::find(next.memberships, old) != next.memberships.end()) continue;
    if (auto dropped = drop_line(old); !dropped) return dropped;
  }
  for (const Membership& m : next.memberships) {
    if (std::ranges::find(before, m) != before.end()) continue;
    if (auto put = put_line(m, {kind.id, id}); !put) return put;
  }
  note_newest(kind.id, id);
  keep_recent({kind.id, id}, std::make_shared<const StoredRecord>(std::move(next)));
  if (new_parent.is_nil()) return {};
  note_newest(KindId(), new_parent);
  return put_part(new_parent, {kind.id, id});
}

// What was forgotten has no content, and stays.
Result<void> SqliteStorage::index_tombstones() {
  for (const KindSchema& kind : schema_.schema().kinds) {
    const std::string table = sqlite::table_name(kind.id);
    if (auto made = connection_.script("CREATE INDEX IF NOT EXISTS " + table + "_erased ON " +
                                       table + "(last_seq) WHERE erased=1 AND body!=x''");
        !made) {
      return made;
    }
  }
  return {};
}

Result<std::vector<Tombstone>> SqliteStorage::tombstones(KindId kind, const Tombstone& after,
                                                         Seq upto, std::size_t limit) {
  std::vector<Tombstone> found;
  if (schema_.kind(kind) == nullptr) return found;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT last_seq, id FROM " + sqlite::table_name(kind) +
          " WHERE erased=1 AND body!=x'' AND (last_seq, id)>(?,?) AND last_seq<=? "
          "ORDER BY last_seq, id LIMIT ?",
      [&](Statement& row) { found.push_back({Seq(row.number(0)), row.record_id(1)}); },
      after.last_seq, after.id, upto, limit);
  if (!read) return std::unexpected(read.error());
  return found;
}

Result<void> SqliteStorage::remove_record(const RecordKey& key, const StoredRecord& stored,
                                          RecordId parent) {
  for (const Membership& m : stored.memberships) {
    if (auto dropped = drop_line(m); !dropped) return dropped;
  }
  if (auto written = write_parts(); !written) return written;
  if (auto gone = connection_.run("DELETE FROM child WHERE parent=?", key.id); !gone) return gone;
  if (auto gone = connection_.run("DELETE FROM child WHERE parent=? AND kind=? AND id=?", parent,
                                  key.kind, key.id);
      !gone) {
    return gone;
  }
  recent_.erase(key);
  if (auto gone =
          connection_.run("DELETE FROM " + sqlite::table_name(key.kind) + " WHERE id=?", key.id);
      !gone) {
    return gone;
  }
  return note_gone(key, static_cast<std::int64_t>(stored.state.erasure.hlc.value >> 16));
}

Result<void> SqliteStorage::note_gone(const RecordKey& key, std::int64_t erased_ms) {
  auto put =
      connection_.run("INSERT OR IGNORE INTO gone VALUES(?,?,?)", key.id, key.kind, erased_ms);
  if (put) grow(Book::kGone, connection_.changes());
  note_newest(kGoneIds, key.id);
  return put;
}

Result<bool> SqliteStorage::is_gone(const RecordKey& key) {
  const auto beyond = is_beyond_newest(kGoneIds, key.id);
  if (!beyond) return std::unexpected(beyond.error());
  if (*beyond) return false;
  const auto found =
      connection_.number("SELECT 1 FROM gone WHERE id=? AND kind=?", 0, key.id, key.kind);
  if (!found) return std::unexpected(found.error());
  return *found != 0;
}

Result<void> SqliteStorage::scan_gone(
    KindId kind, const std::function<Result<void>(RecordId, std::int64_t)>& each) {
  return sqlite::rows_of(
      connection_, "SELECT id, erased_ms FROM gone WHERE kind=? ORDER BY id",
      [&](Statement& row) { return each(row.record_id(0), row.integer(1)); }, kind);
}

Result<std::vector<RecordKey>> SqliteStorage::children(RecordId parent) {
  std::vector<RecordKey> keys;
  const auto beyond = is_beyond_newest(KindId(), parent);
  if (!beyond) return std::unexpected(beyond.error());
  if (*beyond) return keys;
  if (auto written = write_parts(); !written) return std::unexpected(written.error());
  const auto read = sqlite::rows_of(
      connection_, "SELECT kind, id FROM child WHERE parent=?",
      [&](Statement& row) {
        keys.push_back({KindId(static_cast<std::uint32_t>(row.integer(0))), row.record_id(1)});
      },
      parent);
  if (!read) return std::unexpected(read.error());
  return keys;
}

Result<std::vector<RecordId>> SqliteStorage::find(const KindSchema& kind, std::uint32_t field,
                                                  const LookupValue& value) {
  const KindSchema* known = schema_.kind(kind.id);
  const FieldSchema* column = known == nullptr ? nullptr : known->field(field);
  if (column == nullptr || !sqlite::has_column(*column)) {
    return fail(ErrorCode::kInternal, "the server has no such index",
                sqlite::table_name(kind.id) + "." + sqlite::column_name(field));
  }
  Result<Statement> statement =
      connection_.prepare("SELECT id FROM " + sqlite::table_name(kind.id) + " WHERE " +
                          sqlite::column_name(field) + "=? AND erased=0 ORDER BY id");
  if (!statement) return std::unexpected(std::move(statement.error()));
  bind_lookup(*statement, 1, *column, value);
  std::vector<RecordId> ids;
  for (;;) {
    const Result<bool> row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return ids;
    ids.push_back(statement->record_id(0));
  }
}

Result<void> SqliteStorage::scan(KindId kind,
                                 const std::function<Result<void>(RecordId, StoredRecord)>& each) {
  if (schema_.kind(kind) == nullptr) return {};
  return sqlite::rows_of(
      connection_,
      "SELECT stamps, memberships, body, id FROM " + sqlite::table_name(kind) + " ORDER BY id",
      [&](Statement& row) -> Result<void> {
        Result<StoredRecord> stored = stored_of(row, 0);
        if (!stored) return std::unexpected(std::move(stored.error()));
        return each(row.record_id(3), std::move(*stored));
      });
}

Result<void> SqliteStorage::scan_digests(KindId kind,
                                         const std::function<Result<void>(RecordId, bool)>& each) {
  if (schema_.kind(kind) == nullptr) return {};
  return sqlite::rows_of(
      connection_,
      "SELECT id, last_seq, erased, stamps, memberships, body, digest FROM " +
          sqlite::table_name(kind) + " ORDER BY id",
      [&](Statement& row) -> Result<void> {
        const std::string_view kept = row.blob(6);
        const bool as_written =
            kept.empty() || kept == digest_of(row.record_id(0), row.number(1), row.integer(2) != 0,
                                              row.blob(3), row.blob(4), row.blob(5));
        auto found =
            is_found_by_columns(connection_, *schema_.kind(kind), row.record_id(0), row.blob(5));
        if (!found) return std::unexpected(std::move(found.error()));
        return each(row.record_id(0), as_written && *found);
      });
}

Result<std::uint64_t> SqliteStorage::count(KindId kind) {
  if (schema_.kind(kind) == nullptr) return 0;
  const auto number =
      connection_.number("SELECT count(*) FROM " + sqlite::table_name(kind) + " WHERE erased=0", 0);
  if (!number) return std::unexpected(number.error());
  return static_cast<std::uint64_t>(*number);
}

}  // namespace gridwhistle
