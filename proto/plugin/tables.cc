#include "tables.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace gridwhistle::plugin {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

namespace {

constexpr char kBanner[] =
    "// Written by protoc-gen-gridwhistle from the annotated protos. Not edited by hand.\n";

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// "LANE_RECORDS" without "LANE_", as a constant's name: "kRecords".
std::string constant(const std::string& value, const std::string& prefix) {
  std::string rest = value.substr(prefix.size());
  std::ranges::transform(rest, rest.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return "k" + camel(rest);
}

std::string enum_prefix(const EnumDescriptor& type) {
  std::string prefix = snake(type.name()) + "_";
  std::ranges::transform(prefix, prefix.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return prefix;
}

std::string short_name(const std::string& value, const EnumDescriptor& type) {
  const std::string prefix = enum_prefix(type);
  return value.starts_with(prefix) ? value.substr(prefix.size()) : value;
}

std::string field_type(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return "kBool";
    case FieldDescriptor::TYPE_DOUBLE:
      return "kDouble";
    case FieldDescriptor::TYPE_STRING:
      return "kString";
    case FieldDescriptor::TYPE_BYTES:
      return "kBytes";
    case FieldDescriptor::TYPE_ENUM:
      return "kEnum";
    case FieldDescriptor::TYPE_MESSAGE:
      return "kMessage";
    case FieldDescriptor::TYPE_FIXED64:
      return "kFixed64";
    default:
      return "kInt";
  }
}

std::vector<const FieldDescriptor*> fields_by_number(const Descriptor& message) {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < message.field_count(); ++i) fields.push_back(message.field(i));
  std::ranges::sort(fields, {}, [](const FieldDescriptor* field) { return field->number(); });
  return fields;
}

std::string enum_table(const EnumDescriptor& type) {
  std::string out = "constexpr EnumValue k" + type.name() + "Values[] = {\n";
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    out += "    {" + std::to_string(value.number()) + ", " +
           quoted(short_name(value.name(), type)) + ", " +
           quoted(value.options().GetExtension(v1::zh)) + "},\n";
  }
  return out + "};\n\n";
}

/// The field of the same message whose name ends otherwise; 0: there is none.
std::uint32_t sibling(const FieldDescriptor& field, const std::string& ending,
                      const std::string& other) {
  const std::string& name = field.name();
  if (!name.ends_with(ending)) return 0;
  const auto* found =
      field.containing_type()->FindFieldByName(name.substr(0, name.size() - ending.size()) + other);
  return found == nullptr ? 0 : static_cast<std::uint32_t>(found->number());
}

/// What a number measures stands in its name.
std::string measure_of(const FieldDescriptor& field) {
  const std::string& name = field.name();
  if (field.type() == FieldDescriptor::TYPE_INT64 && name.ends_with("_ms")) return "kTime";
  if (field.type() != FieldDescriptor::TYPE_DOUBLE) return {};
  if (name.ends_with("latitude")) return "kLatitude";
  if (name.ends_with("longitude")) return "kLongitude";
  if (name.ends_with("accuracy_m")) return "kAccuracy";
  return {};
}

std::string measure_columns(const FieldDescriptor& field) {
  std::string out;
  if (const std::string measure = measure_of(field); !measure.empty()) {
    out += ", .measure = Measure::" + measure;
  }
  const std::uint32_t beside =
      sibling(field, "latitude", "longitude") + sibling(field, "longitude", "latitude");
  if (beside != 0) out += ", .beside = " + std::to_string(beside);
  const std::uint32_t before =
      sibling(field, "ended_ms", "started_ms") + sibling(field, "ends_ms", "starts_ms");
  if (before != 0) out += ", .not_before = " + std::to_string(before);
  return out;
}

std::string field_row(const FieldDescriptor& field, const std::map<std::string, int>& groups,
                      const std::map<std::string, std::uint32_t>& numbers) {
  const v1::FieldRule& rule = rule_of(field);
  std::string out = "    {.number = " + std::to_string(field.number()) +
                    ", .name = " + quoted(field.name()) + ", .name_zh = " + quoted(rule.name_zh()) +
                    ", .type = FieldType::" + field_type(field);
  if (field.is_repeated()) out += ", .repeated = true";
  if (rule.merge() != v1::MERGE_LWW) {
    out += ", .merge = MergePolicy::" + constant(v1::MergePolicy_Name(rule.merge()), "MERGE_");
  }
  if (!rule.group().empty()) out += ", .group = " + std::to_string(groups.at(rule.group()));
  if (rule.sensitivity() != v1::SENSITIVITY_PUBLIC) {
    out += ", .sensitivity = Sensitivity::" +
           constant(v1::Sensitivity_Name(rule.sensitivity()), "SENSITIVITY_");
  }
  if (rule.mask() != v1::MASK_DEFAULT) {
    out += ", .mask = Mask::" + constant(v1::Mask_Name(rule.mask()), "MASK_");
  }
  if (rule.index()) out += ", .indexed = true";
  if (rule.search()) out += ", .searchable = true";
  if (rule.required()) out += ", .required = true";
  if (rule.by_author()) out += ", .by_author = true";
  if (rule.place_code() != v1::PLACE_CODE_UNSPECIFIED) {
    out += ", .place_code = PlaceCode::" +
           constant(v1::PlaceCode_Name(rule.place_code()), "PLACE_CODE_");
  }
  out += measure_columns(field);
  if (!rule.refers_to().empty()) {
    out += ", .refers_to = KindId{" + std::to_string(numbers.at(rule.refers_to())) + "}";
  }
  if (field.type() == FieldDescriptor::TYPE_ENUM) {
    out += ", .enum_values = k" + field.enum_type()->name() + "Values";
  }
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    const std::string& nested = field.message_type()->name();
    out += ", .nested = k" + nested + "Fields, .nested_count = std::size(k" + nested + "Fields)";
  }
  return out + "},\n";
}

std::string field_table(const Descriptor& message,
                        const std::map<std::string, std::uint32_t>& numbers) {
  std::map<std::string, int> groups;
  std::string out = "constexpr FieldSchema k" + message.name() + "Fields[] = {\n";
  for (const FieldDescriptor* field : fields_by_number(message)) {
    const std::string& group = rule_of(*field).group();
    if (!group.empty()) groups.emplace(group, static_cast<int>(groups.size()) + 1);
    out += field_row(*field, groups, numbers);
  }
  return out + "};\n\n";
}

std::string number_of(const Descriptor& message, const std::string& field) {
  return std::to_string(message.FindFieldByName(field)->number());
}

std::string kind_row(const Kind& kind, const std::map<std::string, std::uint32_t>& numbers) {
  const v1::KindRule& rule = kind.rule;
  const Descriptor& message = *kind.message;
  std::string out =
      "    {.id = KindId{" + std::to_string(rule.number()) +
      "}, .name = " + quoted(message.name()) + ", .name_zh = " + quoted(rule.name_zh()) +
      ", .lane = Lane::" + constant(v1::Lane_Name(rule.lane()), "LANE_") +
      ", .audience = Audience::" + constant(v1::Audience_Name(rule.audience()), "AUDIENCE_");
  if (!rule.scope_field().empty()) {
    out += ", .scope_field = " + number_of(message, rule.scope_field());
  }
  if (!rule.scope_parent().empty()) {
    const FieldDescriptor& parent = *message.FindFieldByName(rule.scope_parent());
    out += ", .scope_parent = " + std::to_string(parent.number());
    const std::string& target = rule_of(parent).refers_to();
    if (!target.empty()) {
      out += ", .scope_parent_kind = KindId{" + std::to_string(numbers.at(target)) + "}";
    }
  }
  if (!rule.scope_parent_kind_field().empty()) {
    out += ", .scope_parent_kind_field = " + number_of(message, rule.scope_parent_kind_field());
  }
  if (!rule.scope().empty()) out += ", .fixed_scope = " + quoted(rule.scope());
  if (rule.server_written()) out += ", .server_written = true";
  if (rule.reference()) out += ", .reference = true";
  if (rule.never_erased()) out += ", .never_erased = true";
  if (rule.since() != 0) out += ", .since = " + std::to_string(rule.since());
  return out + ", .fields = k" + message.name() + "Fields},\n";
}

/// A message behind the messages it holds, each once.
void add_message(const Descriptor& message, std::vector<const Descriptor*>& messages) {
  if (std::ranges::find(messages, &message) != messages.end()) return;
  for (const FieldDescriptor* field : fields_by_number(message)) {
    if (field->type() == FieldDescriptor::TYPE_MESSAGE)
      add_message(*field->message_type(), messages);
  }
  messages.push_back(&message);
}

std::string enum_tables(const std::vector<const Descriptor*>& messages) {
  std::set<std::string> done;
  std::string out;
  for (const Descriptor* message : messages) {
    for (const FieldDescriptor* field : fields_by_number(*message)) {
      if (field->type() != FieldDescriptor::TYPE_ENUM) continue;
      if (done.insert(field->enum_type()->name()).second) out += enum_table(*field->enum_type());
    }
  }
  return out;
}

}  // namespace

std::string tables_header() {
  return std::string(kBanner) +
         "#pragma once\n\n#include \"model/schema.h\"\n\nnamespace gridwhistle {\n\n"
         "/// The schema this build was made with. Constant; any thread.\n"
         "const Schema& built_schema();\n\n}  // namespace gridwhistle\n";
}

std::string tables_source(const std::vector<Kind>& kinds, std::uint32_t schema_version) {
  std::map<std::string, std::uint32_t> numbers;
  for (const Kind& kind : kinds) numbers.emplace(kind.message->name(), kind.rule.number());
  std::vector<const Descriptor*> messages;
  for (const Kind& kind : kinds) add_message(*kind.message, messages);
  std::string out = std::string(kBanner) +
                    "#include \"schema/tables.h\"\n\n#include <iterator>\n\n"
                    "namespace gridwhistle {\n\nnamespace {\n\n" +
                    enum_tables(messages);
  for (const Descriptor* message : messages) out += field_table(*message, numbers);
  out += "constexpr KindSchema kKinds[] = {\n";
  for (const Kind& kind : kinds) out += kind_row(kind, numbers);
  out += "};\n\nconstexpr Schema kSchema = {" + std::to_string(schema_version) + ", kKinds};\n\n" +
         "}  // namespace\n\nconst Schema& built_schema() { return kSchema; }\n\n" +
         "}  // namespace gridwhistle\n";
  return out;
}

std::string kinds_header(const std::vector<Kind>& kinds) {
  std::string out = std::string(kBanner) +
                    "#pragma once\n\n#include \"gridwhistle/ids.h\"\n\n"
                    "namespace gridwhistle::v1 {\n";
  for (const Kind& kind : kinds) out += "class " + kind.message->name() + ";\n";
  out += "}  // namespace gridwhistle::v1\n\nnamespace gridwhistle {\n\nnamespace kinds {\n";
  for (const Kind& kind : kinds) {
    out += "inline constexpr KindId k" + kind.message->name() + "{" +
           std::to_string(kind.rule.number()) + "};\n";
  }
  out +=
      "}  // namespace kinds\n\n/// The kind of a generated class; 0 for a class that is none.\n"
      "template <typename Message>\ninline constexpr KindId kind_of{};\n";
  for (const Kind& kind : kinds) {
    out += "template <>\ninline constexpr KindId kind_of<v1::" + kind.message->name() +
           "> = kinds::k" + kind.message->name() + ";\n";
  }
  out +=
      "\n/// A generated class that is a record kind.\ntemplate <typename Message>\n"
      "concept RecordMessage = kind_of<Message> != KindId{};\n\n}  // namespace gridwhistle\n";
  return out;
}

std::string fields_header(const std::vector<Kind>& kinds) {
  std::string out = std::string(kBanner) + "#pragma once\n\n#include <cstdint>\n\n";
  for (const Kind& kind : kinds) {
    const std::string space = "gridwhistle::fields::" + snake(kind.message->name());
    out += "namespace " + space + " {\n";
    for (const FieldDescriptor* field : fields_by_number(*kind.message)) {
      out += "inline constexpr std::uint32_t k" + camel(field->name()) + " = " +
             std::to_string(field->number()) + ";\n";
    }
    out += "}  // namespace " + space + "\n\n";
  }
  out.pop_back();
  return out;
}

}  // namespace gridwhistle::plugin
