#include "sqlite/schema_tables.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <set>
#include <utility>

#include "model/record.h"
#include "sqlite/transaction.h"

namespace gridwhistle::sqlite {

namespace {

std::string_view column_type(FieldType type) {
  switch (type) {
    case FieldType::kInt:
    case FieldType::kBool:
    case FieldType::kEnum:
    case FieldType::kFixed64:
      return "INTEGER";
    case FieldType::kDouble:
      return "REAL";
    case FieldType::kString:
      return "TEXT";
    case FieldType::kBytes:
    case FieldType::kMessage:
      return "BLOB";
  }
  return "BLOB";
}

void bind_field(Statement& statement, int index, const FieldSchema& field,
                std::string_view entries) {
  const std::optional<ValueView> value = last_value_of(entries);
  if (!value) return statement.bind_null(index);
  const std::string_view type = column_type(field.type);
  if (type == "INTEGER") return statement.bind_int(index, static_cast<std::int64_t>(value->scalar));
  if (type == "TEXT") return statement.bind_text(index, value->bytes, Lifetime::kBorrowed);
  if (type == "BLOB") return statement.bind_blob(index, value->bytes, Lifetime::kBorrowed);
  statement.bind_double(index, std::bit_cast<double>(value->scalar));
}

Result<std::set<std::string, std::less<>>> columns_in_file(Connection& connection,
                                                           const std::string& table) {
  Result<Statement> info = connection.prepare("SELECT name FROM pragma_table_info(?)");
  if (!info) return std::unexpected(std::move(info.error()));
  info->bind(table);
  std::set<std::string, std::less<>> names;
  for (;;) {
    const Result<bool> row = info->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return names;
    names.emplace(info->text(0));
  }
}

std::string_view name_in(std::string_view declaration) {
  return declaration.substr(0, declaration.find(' '));
}

Result<void> add_column(Connection& connection, const std::string& table,
                        std::string_view declaration) {
  return connection.script("ALTER TABLE " + table + " ADD COLUMN " + std::string(declaration));
}

// Builds one kind's table. `fill` collects the fields whose columns do not say what `body` says.
class TableBuilder {
 public:
  TableBuilder(Connection& connection, KindId id, const KindSchema* kind, const TableLayout& layout)
      : connection_(connection), id_(id), kind_(kind), layout_(layout), table_(table_name(id)) {}

  Result<void> build() {
    Result<std::set<std::string, std::less<>>> present = columns_in_file(connection_, table_);
    if (!present) return std::unexpected(std::move(present.error()));
    if (present->empty()) {
      if (auto made = create(); !made) return made;
    } else if (auto added = add_missing(*present); !added) {
      return added;
    }
    if (kind_ == nullptr) return {};
    if (auto filled = fill(); !filled) return filled;
    return index_all();
  }

 private:
  // Rows are found by id and by nothing else that is unique, and a row without a number of its own
  // needs no second tree: measured in docs/decisions/0003-records-stored-whole.md.
  Result<void> create() {
    std::string sql = "CREATE TABLE " + table_ + "(id BLOB NOT NULL PRIMARY KEY";
    for (const std::string_view column : layout_.columns) sql.append(", ").append(column);
    sql += ", body BLOB";
    if (kind_ != nullptr) {
      for (const FieldSchema& field : kind_->fields) {
        if (!has_column(field)) continue;
        sql.append(", ").append(column_name(field.number)).append(" ");
        sql.append(column_type(field.type));
        if (auto noted = note_current(field.number); !noted) return noted;
      }
    }
    return connection_.script(sql + ") WITHOUT ROWID");
  }

  Result<void> add_missing(const std::set<std::string, std::less<>>& present) {
    for (const std::string_view column : layout_.columns) {
      if (present.contains(name_in(column))) continue;
      if (auto added = add_column(connection_, table_, column); !added) return added;
    }
    if (kind_ == nullptr) return {};
    for (const FieldSchema& field : kind_->fields) {
      const std::string name = column_name(field.number);
      if (!has_column(field) || present.contains(name)) continue;
      const std::string declaration = name + " " + std::string(column_type(field.type));
      if (auto added = add_column(connection_, table_, declaration); !added) return added;
    }
    return {};
  }

  Result<void> fill() {
    std::vector<const FieldSchema*> stale;
    for (const FieldSchema& field : kind_->fields) {
      if (!has_column(field)) continue;
      const auto current = connection_.number(
          "SELECT 1 FROM current_columns WHERE kind=? AND field=?", 0, id_, field.number);
      if (!current) return std::unexpected(current.error());
      if (*current == 0) stale.push_back(&field);
    }
    if (stale.empty()) return {};
    if (auto filled = fill(stale); !filled) return filled;
    for (const FieldSchema* field : stale) {
      if (auto noted = note_current(field->number); !noted) return noted;
    }
    return {};
  }

  Result<void> fill(const std::vector<const FieldSchema*>& stale) {
    std::string sql = "UPDATE " + table_ + " SET ";
    for (const FieldSchema* field : stale) sql += column_name(field->number) + "=?,";
    sql.back() = ' ';
    Result<Statement> update = connection_.prepare(sql + "WHERE id=?");
    if (!update) return std::unexpected(std::move(update.error()));
    // Step by step along the ids, because a cursor over a table that changes promises nothing.
    Result<Statement> next =
        connection_.prepare("SELECT id, body FROM " + table_ + " WHERE id>? ORDER BY id LIMIT 1");
    if (!next) return std::unexpected(std::move(next.error()));
    std::string id;
    for (;;) {
      next->reset();
      next->bind(Blob{id});
      const Result<bool> row = next->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) return {};
      id = next->blob(0);
      const std::string body(next->blob(1));
      int index = 0;
      for (const FieldSchema* field : stale)
        bind_field(*update, ++index, *field, field_of(body, field->number).entries);
      update->bind_blob(++index, id);
      if (auto updated = update->run(); !updated) return updated;
    }
  }

  Result<void> index_all() {
    for (const FieldSchema& field : kind_->fields) {
      const bool at_once = layout_.all_indexes || field.number == kind_->scope_parent;
      if (!has_column(field) || !at_once) continue;
      if (auto made = index_field(connection_, id_, field.number); !made) return made;
    }
    return {};
  }

  Result<void> note_current(std::uint32_t field) {
    return connection_.run("INSERT OR IGNORE INTO current_columns VALUES(?, ?)", id_, field);
  }

  Connection& connection_;
  KindId id_;
  const KindSchema* kind_;
  const TableLayout& layout_;
  std::string table_;
};

// Columns of a newer build are not kept up to date by this one: they lose their mark, and that
// build fills them again. The kinds themselves stay.
Result<void> unmark_undeclared(Connection& connection, const Schema& schema) {
  std::vector<std::pair<KindId, std::uint32_t>> marked;
  {
    Result<Statement> all = connection.prepare("SELECT kind, field FROM current_columns");
    if (!all) return std::unexpected(std::move(all.error()));
    for (;;) {
      const Result<bool> row = all->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      marked.emplace_back(KindId(static_cast<std::uint32_t>(all->integer(0))),
                          static_cast<std::uint32_t>(all->integer(1)));
    }
  }
  for (const auto& [id, number] : marked) {
    const KindSchema* kind = schema.kind(id);
    const FieldSchema* field = kind != nullptr ? kind->field(number) : nullptr;
    if (field != nullptr && has_column(*field)) continue;
    if (auto gone =
            connection.run("DELETE FROM current_columns WHERE kind=? AND field=?", id, number);
        !gone) {
      return gone;
    }
  }
  return {};
}

}  // namespace

std::string table_name(KindId kind) { return "k" + std::to_string(kind.value); }

std::string column_name(std::uint32_t field_number) { return "f" + std::to_string(field_number); }

Result<void> claim_file(Connection& connection, const FileFormat& format) {
  const auto tables = connection.number("SELECT count(*) FROM sqlite_schema", 0);
  if (!tables) return std::unexpected(tables.error());
  const auto application = connection.number("PRAGMA application_id", 0);
  if (!application) return std::unexpected(application.error());
  const auto version = connection.number("PRAGMA user_version", 0);
  if (!version) return std::unexpected(version.error());
  const bool read_only = connection.is_read_only();
  if (*tables == 0 && *application == 0 && !read_only) {
    return connection.script(
        "BEGIN IMMEDIATE; PRAGMA application_id=" + std::to_string(format.application_id) +
        "; PRAGMA user_version=" + std::to_string(format.version) +
        "; CREATE TABLE IF NOT EXISTS meta(key TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS current_columns(kind INTEGER NOT NULL, field INTEGER NOT NULL,"
        " PRIMARY KEY(kind, field)) WITHOUT ROWID; COMMIT");
  }
  if (*application != format.application_id) {
    return fail(ErrorCode::kNotADatabase, "the file is a database of something else", "file");
  }
  if (*version > format.version) {
    return fail(ErrorCode::kNewerFile, "the file was written by a newer version; update first",
                "format " + std::to_string(*version));
  }
  if (*version < format.version && !read_only) {
    return connection.script("PRAGMA user_version=" + std::to_string(format.version));
  }
  return {};
}

Result<void> build_tables(Connection& connection, const Schema& schema, const TableLayout& layout) {
  Result<Transaction> transaction = Transaction::begin(connection);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  if (auto unmarked = unmark_undeclared(connection, schema); !unmarked) return unmarked;
  for (const KindSchema& kind : schema.kinds) {
    if (auto built = TableBuilder(connection, kind.id, &kind, layout).build(); !built) return built;
  }
  const auto kinds = kinds_in_file(connection);
  if (!kinds) return std::unexpected(kinds.error());
  for (const KindId kind : *kinds) {
    if (schema.kind(kind) != nullptr) continue;
    if (auto built = build_unknown_kind(connection, kind, layout); !built) return built;
  }
  // The newest schema that ever wrote here, for people and for support.
  if (auto noted = connection.run(
          "INSERT INTO meta VALUES('schema', ?1) ON CONFLICT(key) DO UPDATE SET value=?1 "
          "WHERE value<?1",
          schema.version);
      !noted) {
    return noted;
  }
  return transaction->commit();
}

Result<void> index_field(Connection& connection, KindId kind, std::uint32_t field_number) {
  const std::string table = table_name(kind);
  const std::string column = column_name(field_number);
  return connection.script("CREATE INDEX IF NOT EXISTS " + table + "_" + column + " ON " + table +
                           "(" + column + ") WHERE " + column + " IS NOT NULL");
}

Result<void> add_missing_column(Connection& connection, const std::string& table,
                                std::string_view declaration) {
  const auto present = columns_in_file(connection, table);
  if (!present) return std::unexpected(present.error());
  if (present->contains(name_in(declaration))) return {};
  return add_column(connection, table, declaration);
}

Result<bool> tables_current(Connection& connection, const Schema& schema,
                            const TableLayout& layout) {
  for (const KindSchema& kind : schema.kinds) {
    const auto present = columns_in_file(connection, table_name(kind.id));
    if (!present) return std::unexpected(present.error());
    const bool whole = std::ranges::all_of(layout.columns, [&](std::string_view column) {
      return present->contains(name_in(column));
    });
    if (!whole) return false;
    for (const FieldSchema& field : kind.fields) {
      if (!has_column(field)) continue;
      const auto current = connection.number(
          "SELECT 1 FROM current_columns WHERE kind=? AND field=?", 0, kind.id, field.number);
      if (!current) return std::unexpected(current.error());
      if (*current == 0) return false;
    }
  }
  return true;
}

Result<void> build_unknown_kind(Connection& connection, KindId kind, const TableLayout& layout) {
  return TableBuilder(connection, kind, nullptr, layout).build();
}

Result<std::vector<KindId>> kinds_in_file(Connection& connection) {
  Result<Statement> tables = connection.prepare(
      "SELECT name FROM sqlite_schema WHERE type='table' AND name GLOB 'k[0-9]*'");
  if (!tables) return std::unexpected(std::move(tables.error()));
  std::vector<KindId> kinds;
  for (;;) {
    const Result<bool> row = tables->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return kinds;
    const std::string_view digits = tables->text(0).substr(1);
    std::uint32_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    kinds.emplace_back(number);
  }
}

std::string upsert_sql(KindId id, const KindSchema* kind,
                       std::span<const std::string_view> columns) {
  std::string names = "id";
  std::string places = "?";
  std::string updates;
  const auto add = [&](std::string_view name) {
    names.append(",").append(name);
    places += ",?";
    updates.append(updates.empty() ? "" : ",").append(name).append("=excluded.").append(name);
  };
  for (const std::string_view column : columns) add(column);
  add("body");
  if (kind != nullptr) {
    for (const FieldSchema& field : kind->fields) {
      if (has_column(field)) add(column_name(field.number));
    }
  }
  return "INSERT INTO " + table_name(id) + "(" + names + ") VALUES(" + places +
         ") ON CONFLICT(id) DO UPDATE SET " + updates;
}

void bind_fields(Statement& statement, int first, const KindSchema& kind, std::string_view body) {
  FieldCursor present(body);
  for (const FieldSchema& field : kind.fields) {
    if (has_column(field)) bind_field(statement, first++, field, present.entries(field.number));
  }
}

}  // namespace gridwhistle::sqlite
