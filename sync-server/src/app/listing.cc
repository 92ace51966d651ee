#include "app/listing.h"

#include <algorithm>

#include "terminal/columns.h"
#include "terminal/printable.h"

namespace gridwhistle::app {
namespace {

using Json = nlohmann::ordered_json;

std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

Value text_value(std::string_view text) {
  return {text.empty() ? Json() : Json(text), text.empty() ? "-" : std::string(text)};
}

Value number_value(std::uint64_t number) { return {number, std::to_string(number)}; }

Value time_value(std::int64_t ms) { return {ms == 0 ? Json() : Json(ms), time_text(ms)}; }

Value flag_value(bool flag, std::string_view shown) {
  return {flag, std::string(flag ? shown : "")};
}

Value id_value(RecordId id) { return text_value(id.is_nil() ? "" : id.text()); }

Value word_value(const FieldSchema& field, std::int64_t number, Language language) {
  const EnumValue* word = field.enum_value(number);
  if (number == 0) return {Json(), "-"};
  if (!word) return {number, language == Language::kChinese ? "未知" : "unknown"};
  return {word->name, std::string(language == Language::kChinese ? word->name_zh : word->name)};
}

void Listing::add(std::vector<Value> row) {
  for (Value& value : row) value.text = terminal::printable(value.text);
  rows_.push_back(std::move(row));
}

void Listing::print(const Output& output, std::string_view none_english,
                    std::string_view none_chinese) const {
  if (output.json) {
    for (const Json& row : json()) output.out(row.dump() + "\n");
    return;
  }
  if (rows_.empty()) return output.line(none_english, none_chinese);
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(terminal::width_of(output.say(columns_[i].english, columns_[i].chinese)));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], terminal::width_of(row[i].text));
  }
  std::string heading;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    heading += terminal::padded(output.say(columns_[i].english, columns_[i].chinese), widths[i] + 2);
  }
  output.out(without_trailing_spaces(heading));
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) line += terminal::padded(row[i].text, widths[i] + 2);
    output.out(without_trailing_spaces(line));
  }
}

Json Listing::json() const {
  Json rows = Json::array();
  for (const auto& row : rows_) {
    Json object = Json::object();
    for (std::size_t i = 0; i < columns_.size(); ++i) object[columns_[i].key] = row[i].json;
    rows.push_back(std::move(object));
  }
  return rows;
}

void Sheet::add(Listing::Column name, Value value) {
  value.text = terminal::printable(value.text);
  lines_.push_back({name, std::move(value)});
}

void Sheet::print(const Output& output) const {
  if (output.json) return output.out(json().dump() + "\n");
  print_text(output);
}

void Sheet::print_text(const Output& output) const {
  std::size_t width = 0;
  for (const auto& [name, value] : lines_) {
    width = std::max(width, terminal::width_of(output.say(name.english, name.chinese)));
  }
  for (const auto& [name, value] : lines_) {
    output.out(without_trailing_spaces(terminal::padded(output.say(name.english, name.chinese), width + 2) +
                                       value.text));
  }
}

Json Sheet::json() const {
  Json object = Json::object();
  for (const auto& [name, value] : lines_) object[name.key] = value.json;
  return object;
}

}  // namespace gridwhistle::app
