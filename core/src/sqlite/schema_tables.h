#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/schema.h"
#include "sqlite/connection.h"

// The schema compiler: from the declared kinds to tables. A kind is the table `k<number>`: `id`,
// the columns its side of the wire needs, `body` (the whole record, canonical), and a column
// `f<number>` for each field declared `indexed` that is not repeated, with an index, at once or
// when somebody asks for it. Those columns are copies of what stands in `body`, so a file written
// by any build can be brought up to date from itself.
namespace gridwhistle::sqlite {

/// What a file is, and which form of it this build writes.
struct FileFormat {
  std::uint32_t application_id = 0;  ///< tells a phone's file from a server's and from all others
  std::uint32_t version = 0;         ///< of everything that is not declared in the schema
};

/// The columns of one side, in declaration order, beside `id`, `body` and the fields: "last_seq
/// INTEGER NOT NULL DEFAULT 0". A column added later must have a default or allow NULL.
struct TableLayout {
  std::span<const std::string_view> columns;
  /// Whether every field column has its index from the beginning. Otherwise only the one that finds
  /// a record's parts has, and `index_field` makes the others.
  bool all_indexes = true;
};

/// Checks that the file is ours or empty, and makes it ours; creates the table
/// `meta(key TEXT PRIMARY KEY, value)`. Changes nothing in a read-only file.
///
/// kNotADatabase: it is a database of another program, or empty and read-only. kNewerFile: a newer
/// build has written it in a form that this one does not know. Both leave it untouched.
Result<void> claim_file(Connection& connection, const FileFormat& format);

/// Creates what the schema needs and the file lacks, filling new columns from `body`. What the file
/// has beyond the schema stays: tables and columns of a newer build, which that build will bring up
/// to date by itself. One transaction of its own.
Result<void> build_tables(Connection& connection, const Schema& schema, const TableLayout& layout);

/// Makes a field column's index, unless it is there. Reads the whole table where it has to. Of its
/// own, or within the caller's transaction.
Result<void> index_field(Connection& connection, KindId kind, std::uint32_t field_number);

/// Adds a column, as declared in a TableLayout, to a table that an older build made without it.
Result<void> add_missing_column(Connection& connection, const std::string& table,
                                std::string_view declaration);

/// Whether the file has everything the schema needs, as a read-only opening must find it.
Result<bool> tables_current(Connection& connection, const Schema& schema,
                            const TableLayout& layout);

/// Creates the table of a kind that no schema of this build declares: its rows are kept whole.
Result<void> build_unknown_kind(Connection& connection, KindId kind, const TableLayout& layout);

/// Every kind that has a table in the file, known to this build or not.
Result<std::vector<KindId>> kinds_in_file(Connection& connection);

/// "k12", "f3".
std::string table_name(KindId kind);
std::string column_name(std::uint32_t field_number);

/// Whether the field has a column.
constexpr bool has_column(const FieldSchema& field) { return field.indexed && !field.repeated; }

/// An INSERT that replaces the row of the same id: parameters are id, then `columns`, then body,
/// then the kind's field columns (see `bind_fields`). A null `kind` stands for an undeclared one.
std::string upsert_sql(KindId id, const KindSchema* kind,
                       std::span<const std::string_view> columns);

/// Binds the kind's field columns from a canonical body, starting at parameter `first`. An empty
/// body has no fields.
void bind_fields(Statement& statement, int first, const KindSchema& kind, std::string_view body);

}  // namespace gridwhistle::sqlite
