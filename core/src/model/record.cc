#include "model/record.h"

#include <bit>
#include <limits>

#include "base/varint.h"

namespace gridwhistle {
namespace {

constexpr std::size_t kUsualFields = 16;

// The next value of a message, wire types 3 and 4 (groups) and malformed ones excluded.
std::optional<ValueView> next_value(ByteReader& reader, std::uint32_t& number) {
  const std::string_view from = reader.rest();
  const auto tag = reader.varint();
  if (!tag) return std::nullopt;
  ValueView value;
  value.wire_type = static_cast<std::uint8_t>(*tag & 7);
  number = static_cast<std::uint32_t>(*tag >> 3);
  switch (value.wire_type) {
    case 0:
      value.scalar = reader.varint().value_or(0);
      break;
    case 1:
      value.scalar = reader.fixed64().value_or(0);
      break;
    case 2:
      value.bytes = reader.take(reader.varint().value_or(0)).value_or(std::string_view{});
      break;
    case 5:
      value.scalar = reader.fixed32().value_or(0);
      break;
    default:
      return std::nullopt;
  }
  value.entry = from.substr(0, from.size() - reader.rest().size());
  return value;
}

// The number of the next field and how long its entry is, without a look at the value; a length of
// 0 where next_value() would find nothing. What is damaged ends with the message.
struct NextEntry {
  std::uint32_t number = 0;
  std::size_t size = 0;
};

NextEntry next_entry(std::string_view message) {
  ByteReader reader(message);
  const auto tag = reader.varint();
  if (!tag) return {};
  switch (*tag & 7) {
    case 0:
      reader.varint();
      break;
    case 1:
      reader.take(8);
      break;
    case 2:
      reader.take(reader.varint().value_or(0));
      break;
    case 5:
      reader.take(4);
      break;
    default:
      return {};
  }
  return {static_cast<std::uint32_t>(*tag >> 3), message.size() - reader.rest().size()};
}

std::optional<ValueView> single_of(std::string_view message, std::uint32_t number, int wire_type) {
  ByteReader reader(field_of(message, number).entries);
  std::uint32_t found = 0;
  const auto value = next_value(reader, found);
  if (!value || value->wire_type != wire_type) return std::nullopt;
  return value;
}

}  // namespace

std::vector<FieldView> fields_of(std::string_view message) {
  std::vector<FieldView> fields;
  fields.reserve(kUsualFields);
  while (!message.empty()) {
    const auto [number, size] = next_entry(message);
    if (size == 0) break;
    if (fields.empty() || fields.back().number != number) {
      fields.push_back({number, message.substr(0, size)});
    } else {
      std::string_view& entries = fields.back().entries;
      entries = {entries.data(), entries.size() + size};
    }
    message.remove_prefix(size);
  }
  return fields;
}

std::string_view entries_in(const std::vector<FieldView>& fields, std::uint32_t number) {
  for (const FieldView& field : fields) {
    if (field.number == number) return field.entries;
  }
  return {};
}

FieldView field_of(std::string_view message, std::uint32_t number) {
  return {number, FieldCursor(message).entries(number)};
}

void FieldCursor::look() {
  const auto [number, size] = next_entry(rest_);
  next_ = size == 0 ? std::numeric_limits<std::uint32_t>::max() : number;
  size_ = size;
}

std::string_view FieldCursor::take(std::uint32_t wanted) {
  std::string_view found;
  while (size_ != 0 && next_ <= wanted) {
    if (next_ == wanted) {
      const char* from = found.empty() ? rest_.data() : found.data();
      found = {from, found.size() + size_};
    }
    rest_.remove_prefix(size_);
    look();
  }
  return found;
}

std::vector<ValueView> values_of(std::string_view entries) {
  std::vector<ValueView> values;
  ByteReader reader(entries);
  std::uint32_t number = 0;
  while (!reader.at_end()) {
    const auto value = next_value(reader, number);
    if (!value) break;
    values.push_back(*value);
  }
  return values;
}

std::optional<ValueView> last_value_of(std::string_view entries) {
  std::optional<ValueView> last;
  ByteReader reader(entries);
  std::uint32_t number = 0;
  while (!reader.at_end()) {
    const auto value = next_value(reader, number);
    if (!value) break;
    last = value;
  }
  return last;
}

std::optional<std::int64_t> int_of(std::string_view message, std::uint32_t number) {
  const auto value = single_of(message, number, 0);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(value->scalar);
}

std::optional<double> double_of(std::string_view message, std::uint32_t number) {
  const auto value = single_of(message, number, 1);
  if (!value) return std::nullopt;
  return std::bit_cast<double>(value->scalar);
}

std::optional<std::string_view> text_of(std::string_view message, std::uint32_t number) {
  const auto value = single_of(message, number, 2);
  if (!value) return std::nullopt;
  return value->bytes;
}

void append_int(std::string& message, std::uint32_t number, std::int64_t value) {
  append_varint(message, std::uint64_t{number} << 3);
  append_varint(message, static_cast<std::uint64_t>(value));
}

void append_double(std::string& message, std::uint32_t number, double value) {
  append_varint(message, std::uint64_t{number} << 3 | 1);
  append_fixed64(message, std::bit_cast<std::uint64_t>(value));
}

void append_text(std::string& message, std::uint32_t number, std::string_view value) {
  append_varint(message, std::uint64_t{number} << 3 | 2);
  append_varint(message, value.size());
  message += value;
}

}  // namespace gridwhistle
