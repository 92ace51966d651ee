#include "kinds.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace gridwhistle::plugin {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

bool has_field(const Descriptor& message, const std::string& name) {
  return name.empty() || message.FindFieldByName(name) != nullptr;
}

std::string scope_fault(const Kind& kind) {
  const v1::KindRule& rule = kind.rule;
  const int ways =
      !rule.scope_field().empty() + !rule.scope_parent().empty() + !rule.scope().empty();
  if (ways != 1) return "needs exactly one of scope_field, scope_parent and scope";
  if (!has_field(*kind.message, rule.scope_field())) return "has no field " + rule.scope_field();
  if (!has_field(*kind.message, rule.scope_parent())) return "has no field " + rule.scope_parent();
  if (!has_field(*kind.message, rule.scope_parent_kind_field())) {
    return "has no field " + rule.scope_parent_kind_field();
  }
  if (rule.scope_parent().empty()) return {};
  const FieldDescriptor& parent = *kind.message->FindFieldByName(rule.scope_parent());
  if (rule_of(parent).refers_to().empty() == rule.scope_parent_kind_field().empty()) {
    return "must name its parent's kind: refers_to or scope_parent_kind_field";
  }
  return {};
}

std::string field_fault(const FieldDescriptor& field) {
  const v1::FieldRule& rule = rule_of(field);
  const bool collects = rule.merge() == v1::MERGE_SET || rule.merge() == v1::MERGE_APPEND;
  if (collects && !field.is_repeated()) return "only a repeated field is a set or a log";
  if (rule.index() && field.is_repeated()) return "a repeated field has no column to index";
  if (!rule.refers_to().empty() && field.type() != FieldDescriptor::TYPE_BYTES) {
    return "a reference holds an id, so it is bytes";
  }
  if (rule.place_code() != v1::PLACE_CODE_UNSPECIFIED &&
      field.type() != FieldDescriptor::TYPE_STRING) {
    return "a code of digits is text";
  }
  if (rule.search() && field.type() != FieldDescriptor::TYPE_STRING) return "only text is searched";
  switch (field.type()) {
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_SFIXED64:
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_GROUP:
      return std::string("no column holds the type ") + field.type_name();
    default:
      return {};
  }
}

/// A group is merged as a whole, so its fields cannot have different policies.
std::string group_fault(const Descriptor& message) {
  std::map<std::string, v1::MergePolicy> policies;
  for (int i = 0; i < message.field_count(); ++i) {
    const v1::FieldRule& rule = rule_of(*message.field(i));
    if (rule.group().empty()) continue;
    const auto [known, is_new] = policies.emplace(rule.group(), rule.merge());
    if (!is_new && known->second != rule.merge()) {
      return "group " + rule.group() + " has different merge policies";
    }
  }
  return {};
}

std::string kind_fault(const Kind& kind, const std::map<std::string, const Kind*>& by_name) {
  const Descriptor& message = *kind.message;
  const FieldDescriptor* id = message.FindFieldByNumber(1);
  if (id == nullptr || id->name() != "id" || id->type() != FieldDescriptor::TYPE_BYTES) {
    return "field 1 must be `bytes id`";
  }
  if (std::string fault = scope_fault(kind); !fault.empty()) return fault;
  if (std::string fault = group_fault(message); !fault.empty()) return fault;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (std::string fault = field_fault(field); !fault.empty()) return field.name() + ": " + fault;
    const std::string& target = rule_of(field).refers_to();
    if (!target.empty() && !by_name.contains(target)) {
      return field.name() + ": there is no kind " + target;
    }
  }
  return {};
}

}  // namespace

const v1::FieldRule& rule_of(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::field);
}

bool read_kinds(const Files& files, std::vector<Kind>* kinds, std::string* error) {
  for (const auto* file : files) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor* message = file->message_type(i);
      if (!message->options().HasExtension(v1::kind)) continue;
      kinds->push_back({message, message->options().GetExtension(v1::kind)});
    }
  }
  std::ranges::sort(*kinds, {}, [](const Kind& kind) { return kind.rule.number(); });
  std::map<std::string, const Kind*> by_name;
  std::uint32_t previous = 0;
  for (const Kind& kind : *kinds) {
    if (kind.rule.number() == previous) {
      *error = kind.message->name() + ": its number is 0 or used twice";
      return false;
    }
    previous = kind.rule.number();
    by_name.emplace(kind.message->name(), &kind);
  }
  for (const Kind& kind : *kinds) {
    if (std::string fault = kind_fault(kind, by_name); !fault.empty()) {
      *error = kind.message->name() + ": " + fault;
      return false;
    }
  }
  return true;
}

std::string camel(const std::string& snake) {
  std::string out;
  bool upper = true;
  for (const char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out;
}

std::string snake(const std::string& camel) {
  std::string out;
  for (const char c : camel) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (upper && !out.empty()) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace gridwhistle::plugin
