#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "base/utf8.h"
#include "county/impl.h"
#include "model/record.h"

// Records and kept work as lines of JSON, with the field names of the schema.
namespace gridwhistle {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const FieldSchema& field, const ValueView& value, std::string_view entry_body) {
  switch (field.type) {
    case FieldType::kBool:
      return value.scalar != 0;
    case FieldType::kInt:
      return static_cast<std::int64_t>(value.scalar);
    case FieldType::kFixed64:
      return value.scalar;
    case FieldType::kDouble:
      return double_of(entry_body, field.number).value_or(0);
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
      return to_hex(value.bytes);
  }
  return nullptr;
}

Json fields_as_json(const KindSchema& kind, std::string_view body, bool masked) {
  Json out = Json::object();
  for (const FieldView& view : fields_of(body)) {
    const FieldSchema* field = kind.field(view.number);
    if (field == nullptr) {
      out["field_" + std::to_string(view.number)] = to_hex(view.entries);
      continue;
    }
    const std::string name(field->name);
    if (masked && field->sensitivity != Sensitivity::kPublic) {
      out[name] = "***";
      continue;
    }
    Json values = Json::array();
    for (const ValueView& value : values_of(view.entries)) {
      values.push_back(json_of(*field, value, value.entry));
    }
    out[name] = field->repeated ? values : values.back();
  }
  return out;
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

Result<void> County::show_kept(std::uint64_t number, std::string_view purpose, std::string_view by,
                               const std::function<Result<void>(std::string_view)>& line) {
  Impl& impl = *impl_;
  auto kept = waiting_one(*impl.storage, number);
  if (!kept) return std::unexpected(std::move(kept.error()));
  auto operations = operations_of(impl.schema, *kept);
  if (!operations) return std::unexpected(std::move(operations.error()));
  const bool masked = is_blank(purpose);
  if (!masked) {
    const auto noted = impl.in_batch([&] {
      return impl.audit(by, "kept work " + std::to_string(number) +
                                " with personal data for: " + std::string(purpose));
    });
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
    out["fields"] = fields_as_json(*kind, operation.set, masked);
    out["removes"] = fields_as_json(*kind, operation.remove, masked);
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
          out["fields"] = fields_as_json(kind, stored.state.body, masked);
          return line(line_of(out));
        });
    if (!scanned) return scanned;
  }
  return {};
}

}  // namespace gridwhistle
