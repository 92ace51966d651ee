#include "import/table.h"

#include <algorithm>
#include <utility>

#include "import/limits.h"
#include "import/text.h"

namespace gridwhistle::import {
namespace {

template <typename T>
std::optional<T> checked(const Cell& cell, std::optional<T> value, const Line& expected) {
  if (!value && !cell.empty()) cell.complain(expected);
  return cell.empty() ? std::nullopt : value;
}

}  // namespace

void Cell::complain(const Line& what) const {
  const std::string given = std::string(column) + " \"" + std::string(value) + "\"";
  problems.add(file, line,
               {holder.zh + given + "：" + what.zh, holder.en + given + ": " + what.en});
}

std::optional<std::string> Cell::text() const {
  if (empty()) return std::nullopt;
  return std::string(value);
}

std::string Cell::name() const {
  // Bytes that go on with a character begin with 10.
  const auto characters = static_cast<std::size_t>(
      std::ranges::count_if(value, [](char c) { return (c & 0xC0) != 0x80; }));
  if (characters > limits::kNameCharacters) {
    const std::string most = std::to_string(limits::kNameCharacters);
    const std::string what(column);
    problems.add(file, line,
                 {holder.zh + what + " 超过 " + most + " 个字",
                  holder.en + what + " has more than " + most + " characters"});
  }
  return std::string(value);
}

std::optional<std::string> Cell::code() const {
  const bool good = is_code(value);
  return checked(*this, good ? text() : std::nullopt,
                 {"代码由字母、数字、“-”和“_”组成，最多 32 个字符",
                  "a code is made of at most 32 letters, digits, '-' and '_'"});
}

std::optional<std::string> Cell::digits(std::size_t count) const {
  const bool good = is_digits(value, count);
  const std::string wanted = std::to_string(count);
  return checked(*this, good ? text() : std::nullopt,
                 {"须为 " + wanted + " 位数字", "must have exactly " + wanted + " digits"});
}

std::optional<std::int64_t> Cell::number() const {
  return checked(*this, number_of(value),
                 {"须为整数，不小于零", "must be a whole number, not below zero"});
}

std::optional<bool> Cell::flag() const {
  std::optional<bool> flag;
  if (value == "true" || value == "1" || value == "是") flag = true;
  if (value == "false" || value == "0" || value == "否") flag = false;
  return checked(*this, flag, {"须为 true 或 false", "must be true or false"});
}

std::optional<std::int64_t> Cell::date_ms() const {
  auto date = date_ms_of(value);
  if (value < "1949" || value >= "2101") date.reset();
  return checked(*this, date,
                 {"须为 1949 到 2100 年的日期，如 2026-01-31",
                  "must be a date of the years 1949 to 2100, like 2026-01-31"});
}

std::optional<std::int64_t> Cell::word(const FieldSchema& field) const {
  Line known;
  for (const EnumValue& word : field.enum_values) {
    if (word.number == 0) continue;
    if (value == word.name || value == word.name_zh) return word.number;
    const std::string name(word.name);
    known.zh += (known.zh.empty() ? "" : "、") + name + " " + std::string(word.name_zh);
    known.en += (known.en.empty() ? "" : ", ") + name;
  }
  return checked(*this, std::optional<std::int64_t>(),
                 {"须为其中之一：" + known.zh, "must be one of " + known.en});
}

Table::Table(const std::string& file, std::string_view bytes, std::vector<Column> columns,
             Problems& problems)
    : file_(file), problems_(problems) {
  const std::size_t before = problems.count();
  std::vector<CsvRow> rows = read_csv(file, bytes, problems);
  if (rows.empty()) {
    if (problems.count() == before) problems.add(file, 0, {"文件是空的", "the file is empty"});
    return;
  }
  if (!read_header(rows.front(), columns)) return;
  const std::size_t width = rows.front().values.size();
  for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
    if (row->values.size() != width) {
      const std::string values = std::to_string(row->values.size());
      const std::string heads = std::to_string(width);
      problems.add(file, row->line,
                   {"有 " + values + " 个值，而表头有 " + heads + " 列",
                    "has " + values + " values where the header has " + heads});
    } else if (complete(*row, columns)) {
      rows_.push_back(std::move(*row));
    }
  }
}

bool Table::read_header(const CsvRow& header, const std::vector<Column>& columns) {
  const std::size_t before = problems_.count();
  for (std::size_t i = 0; i < header.values.size(); ++i) {
    const std::string name(trimmed(header.values[i]));
    const bool known =
        std::ranges::any_of(columns, [&](const Column& c) { return c.name == name; });
    if (!known) {
      std::string names;
      for (const Column& column : columns) names += " " + std::string(column.name);
      problems_.add(file_, header.line,
                    {"没有 \"" + name + "\" 这一列；可用的列：" + names,
                     "unknown column \"" + name + "\"; known are:" + names});
    } else if (!place_.emplace(name, i).second) {
      problems_.add(file_, header.line,
                    {"列 \"" + name + "\" 重复", "column \"" + name + "\" stands there twice"});
    }
  }
  for (const Column& column : columns) {
    if (place_.contains(column.name)) continue;
    left_out_.emplace_back(column.name);
    if (!column.required) continue;
    const std::string quoted = "\"" + std::string(column.name) + "\"";
    problems_.add(file_, header.line, {"缺少列 " + quoted, "column " + quoted + " is missing"});
  }
  return problems_.count() == before;
}

bool Table::complete(const CsvRow& row, const std::vector<Column>& columns) const {
  bool complete = true;
  for (const Column& column : columns) {
    if (!column.required || !Row(*this, row)[column.name].empty()) continue;
    const std::string name(column.name);
    problems_.add(file_, row.line, {name + " 不能为空", name + " is empty"});
    complete = false;
  }
  return complete;
}

Cell Table::Row::operator[](std::string_view column) const {
  const auto place = table_.place_.find(column);
  const std::string_view value =
      place == table_.place_.end() ? std::string_view() : trimmed(row_.values[place->second]);
  return Cell{table_.file_, row_.line, column, value, table_.problems_};
}

std::vector<Table::Row> Table::rows() const {
  std::vector<Row> rows;
  rows.reserve(rows_.size());
  for (const CsvRow& row : rows_) rows.emplace_back(*this, row);
  return rows;
}

}  // namespace gridwhistle::import
