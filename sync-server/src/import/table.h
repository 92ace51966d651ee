#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/csv.h"
#include "import/problem.h"
#include "model/schema.h"

namespace gridwhistle::import {

/// Where a value stands, and where to complain about it.
struct Cell {
  const std::string& file;
  std::size_t line;
  std::string_view column;
  std::string_view value;  ///< trimmed; empty when the column is absent
  Problems& problems;
  Line holder = {};  ///< said before the column, where a line may hold several records

  bool empty() const { return value.empty(); }
  /// "code12 \"123\": <what>"
  void complain(const Line& what) const;

  // Each takes the value as what it names, complains when it is not that, and gives nothing for an
  // empty one.
  std::optional<std::string> text() const;
  /// What somebody or something is called. Complains of one that no list shows, without saying it.
  std::string name() const;
  std::optional<std::string> code() const;
  std::optional<std::string> digits(std::size_t count) const;
  std::optional<std::int64_t> number() const;
  std::optional<bool> flag() const;             ///< true, false; 是, 否; 1, 0
  std::optional<std::int64_t> date_ms() const;  ///< of the years 1949 to 2100
  /// One of the field's values by its name in either language.
  std::optional<std::int64_t> word(const FieldSchema& field) const;
};

/// One column of a table.
struct Column {
  std::string_view name;
  bool required = false;  ///< the column must be there and no row may leave it empty
};

/// Rows under the names of their columns.
class Table {
 public:
  /// Complains of unknown, repeated and missing columns and of rows that are shorter or longer than
  /// the header; such rows are left out.
  Table(const std::string& file, std::string_view bytes, std::vector<Column> columns,
        Problems& problems);

  class Row {
   public:
    Row(const Table& table, const CsvRow& row) : table_(table), row_(row) {}
    std::size_t line() const { return row_.line; }
    Cell operator[](std::string_view column) const;

   private:
    const Table& table_;
    const CsvRow& row_;
  };

  /// Rows whose required values are all there.
  std::vector<Row> rows() const;
  const std::string& file() const { return file_; }
  /// The columns that could be there and are not.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  bool read_header(const CsvRow& header, const std::vector<Column>& columns);
  bool complete(const CsvRow& row, const std::vector<Column>& columns) const;

  std::string file_;
  Problems& problems_;
  std::map<std::string, std::size_t, std::less<>> place_;
  std::vector<CsvRow> rows_;
  std::vector<std::string> left_out_;
};

}  // namespace gridwhistle::import
