#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <span>

#include "base/sha256.h"
#include "base/utf8.h"
#include "base/varint.h"
#include "county/impl.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// Records and kept work as lines of JSON, with the field names of the schema.
namespace gridwhistle {

namespace {

using Json = nlohmann::ordered_json;

using Fields = std::span<const FieldSchema>;

Json fields_as_json(Fields fields, std::string_view message, bool masked);

Json json_of(const FieldSchema& field, const ValueView& value, bool masked) {
  switch (field.type) {
    case FieldType::kBool:
      return value.scalar != 0;
    case FieldType::kInt:
      return static_cast<std::int64_t>(value.scalar);
    case FieldType::kFixed64:
      return device_text(DeviceId(value.scalar));
    case FieldType::kDouble:
      return std::bit_cast<double>(value.scalar);
    case FieldType::kEnum: {
      const EnumValue* known = field.enum_value(static_cast<std::int64_t>(value.scalar));
      if (known == nullptr) return static_cast<std::int64_t>(value.scalar);
      return std::string(known->name);
    }
    case FieldType::kString:
      return std::string(value.bytes);
    case FieldType::kBytes:
      if (const auto id = RecordId::from_bytes(value.bytes)) return id->text();
      return to_hex(value.bytes);
    case FieldType::kMessage:
      return fields_as_json(Fields(field.nested, field.nested_count), value.bytes, masked);
  }
  return nullptr;
}

// A list of numbers within a nested message may come as one value.
std::vector<ValueView> unpacked(const FieldSchema& field, const ValueView& value) {
  const bool is_scalar = field.type != FieldType::kString && field.type != FieldType::kBytes &&
                         field.type != FieldType::kMessage;
  constexpr std::uint8_t kBytes = 2;
  if (!is_scalar || value.wire_type != kBytes) return {value};
  const bool is_wide = field.type == FieldType::kDouble || field.type == FieldType::kFixed64;
  std::vector<ValueView> values;
  ByteReader reader(value.bytes);
  while (!reader.at_end()) {
    const auto scalar = is_wide ? reader.fixed64() : reader.varint();
    if (scalar) values.push_back({.scalar = *scalar});
  }
  return values;
}

Json fields_as_json(Fields fields, std::string_view message, bool masked) {
  Json out = Json::object();
  for (const ValueView& value : values_of(message)) {
    const auto number = static_cast<std::uint32_t>(*ByteReader(value.entry).varint() >> 3);
    const auto field = std::ranges::find(fields, number, &FieldSchema::number);
    if (field == fields.end()) {
      Json& unknown = out["field_" + std::to_string(number)];
      unknown = (unknown.is_null() ? "" : unknown.get<std::string>()) + to_hex(value.entry);
      continue;
    }
    Json& shown = out[std::string(field->name)];
    if (masked && field->sensitivity != Sensitivity::kPublic) {
      shown = "***";
      continue;
    }
    for (const ValueView& one : unpacked(*field, value)) {
      if (field->repeated) {
        shown.push_back(json_of(*field, one, masked));
      } else {
        shown = json_of(*field, one, masked);
      }
    }
  }
  return out;
}

// What lost is a part of a record of another kind.
void show_lost(const Schema& schema, std::string_view outcome, Json& fields) {
  const auto lost = text_of(outcome, fields::outcome::kLostSet);
  const KindSchema* kind = schema.kind(KindId(
      static_cast<std::uint32_t>(int_of(outcome, fields::outcome::kRecordKind).value_or(0))));
  if (!lost || kind == nullptr) return;
  fields["lost_set"] = fields_as_json(kind->fields, *lost, false);
}

Json names_of(const KindSchema& kind, const std::vector<std::uint32_t>& numbers) {
  Json names = Json::array();
  for (const std::uint32_t number : numbers) {
    const FieldSchema* field = kind.field(number);
    names.push_back(field ? std::string(field->name) : "field_" + std::to_string(number));
  }
  return names;
}

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string shown_kept_text(std::uint64_t number) {
  return "kept work " + std::to_string(number) + " with personal data for: ";
}

Result<void> County::show_kept(std::uint64_t number, std::string_view purpose, std::string_view by,
                               const std::function<Result<void>(std::string_view)>& line) {
  Impl& impl = *impl_;
  auto kept = waiting_one(*impl.storage, number);
  if (!kept) return std::unexpected(std::move(kept.error()));
  auto operations = operations_of(impl.schema, *kept);
  if (!operations) return std::unexpected(std::move(operations.error()));
  const bool masked = is_blank(purpose);
  if (!masked) {
    const auto noted = impl.in_batch(
        [&] { return impl.audit(by, shown_kept_text(number) + std::string(purpose)); });
    if (!noted) return noted;
  }
  for (const Operation& operation : *operations) {
    const KindSchema* kind = impl.schema.kind(operation.kind);
    if (kind == nullptr) continue;
    Json out;
    out["kind"] = std::string(kind->name);
    out["id"] = operation.id.text();
    out["type"] = operation.type == OperationType::kErase ? "ERASE" : "PUT";
    out["scope"] = operation.scope;
    out["fields"] = fields_as_json(kind->fields, operation.set, masked);
    out["removes"] = fields_as_json(kind->fields, operation.remove, masked);
    out["clears"] = names_of(*kind, operation.clear);
    if (auto told = line(line_of(out)); !told) return told;
  }
  return {};
}

Result<void> County::export_json(std::string_view purpose, std::string_view by,
                                 const std::function<Result<void>(std::string_view)>& line) {
  Impl& impl = *impl_;
  const bool masked = is_blank(purpose);
  if (!masked) {
    const auto noted = impl.in_batch(
        [&] { return impl.audit(by, "export with personal data for: " + std::string(purpose)); });
    if (!noted) return noted;
  }
  for (const KindSchema& kind : impl.schema.kinds) {
    const auto scanned =
        impl.storage->scan(kind.id, [&](RecordId id, StoredRecord stored) -> Result<void> {
          if (stored.state.erased) return {};
          Json out;
          out["kind"] = std::string(kind.name);
          out["id"] = id.text();
          out["seq"] = stored.state.last_seq.value;
          out["fields"] = fields_as_json(kind.fields, stored.state.body, masked);
          if (!masked && kind.id == kinds::kOutcome) {
            show_lost(impl.schema, stored.state.body, out["fields"]);
          }
          return line(line_of(out));
        });
    if (!scanned) return scanned;
  }
  return {};
}

}  // namespace gridwhistle
