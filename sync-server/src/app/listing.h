#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/output.h"
#include "gridwhistle/ids.h"
#include "model/schema.h"

namespace gridwhistle::app {

/// A value as a program and as a person read it.
struct Value {
  nlohmann::ordered_json json;
  std::string text;
};

Value text_value(std::string_view text);
Value number_value(std::uint64_t number);
Value time_value(std::int64_t ms);  ///< 0: none
Value flag_value(bool flag, std::string_view shown);
Value id_value(RecordId id);  ///< nil: none
/// An enum's value: its name, or in Chinese its Chinese name; 未知 for one this build does not
/// know.
Value word_value(const FieldSchema& field, std::int64_t number, Language language);

/// A table: for people with a heading and aligned columns, as JSON an object a line. People's rows
/// stay rows, and nothing in them steers the terminal, whoever wrote it.
class Listing {
 public:
  struct Column {
    std::string_view key;
    std::string_view english;
    std::string_view chinese;
  };

  explicit Listing(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many values as there are columns.
  void add(std::vector<Value> row);
  std::size_t size() const { return rows_.size(); }

  /// With no rows people read `none`, and programs nothing.
  void print(const Output& output, std::string_view none_english,
             std::string_view none_chinese) const;
  /// The rows as an array, for a part of a larger answer.
  nlohmann::ordered_json json() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Value>> rows_;
};

/// One thing's properties: for people a line each, as JSON one object.
class Sheet {
 public:
  void add(Listing::Column name, Value value);
  void print(const Output& output) const;
  nlohmann::ordered_json json() const;
  void print_text(const Output& output) const;

 private:
  std::vector<std::pair<Listing::Column, Value>> lines_;
};

}  // namespace gridwhistle::app
