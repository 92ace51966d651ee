#include "import/reference.h"

#include "base/sha256.h"
#include "model/record.h"
#include "schema/tables.h"

namespace gridwhistle::import {

RecordId reference_id(KindId kind, std::string_view code) {
  const auto digest = sha256(std::to_string(kind.value) + "/" + std::string(code));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(digest[i]);
  // The server counts its own ids from 1, so the upper half of the 62 bits is free.
  constexpr std::uint64_t kUpperHalf = std::uint64_t{1} << 61;
  return RecordId::make(DeviceId(0), number | kUpperHalf);
}

namespace {

// Days are written as days and kept as times, organisations as codes and kept as ids.
const FieldSchema* field_of_column(const KindSchema& kind, const std::string& column) {
  for (const char* suffix : {"", "_ms", "_org"}) {
    if (const FieldSchema* field = kind.field(column + suffix)) return field;
  }
  return nullptr;
}

}  // namespace

std::string parts_of(KindId kind_id, std::string_view message,
                     const std::vector<std::string>& columns) {
  const KindSchema& kind = *built_schema().kind(kind_id);
  const auto body = canonical(kind, message);
  std::string parts;
  if (!body) return parts;
  for (const std::string& column : columns) {
    if (const FieldSchema* field = field_of_column(kind, column)) {
      parts += field_of(*body, field->number).entries;
    }
  }
  return parts;
}

}  // namespace gridwhistle::import
