#include "lint.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string_view>

namespace gridwhistle::lint {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::SourceLocation;
using plugin::Files;
using plugin::Kind;
using plugin::rule_of;
using Faults = std::vector<std::string>;

namespace {

// Beginnings of words that this project has no field for, whatever they would hold.
constexpr std::array<std::string_view, 18> kForbiddenWords = {
    "face",      "fingerprint", "biometr",  "iris",  "voiceprint", "dna",
    "religio",   "politic",     "criminal", "score", "psychiatr",  "petition",
    "blacklist", "watchlist",   "plate",    "race",  "ethnic",     "gait"};
constexpr std::array<std::string_view, 2> kForbiddenPhrases = {"watch_list", "black_list"};

// Names that only personal data has. Staff in reference kinds are named by their work.
constexpr std::array<std::string_view, 9> kPersonalPhrases = {
    "phone",        "birth",       "guardian",    "id_number",    "living_alone",
    "contact_name", "person_name", "parent_name", "reporter_name"};

template <typename Described>
bool has_comment(const Described& item) {
  SourceLocation location;
  if (!item.GetSourceLocation(&location)) return false;
  return !location.leading_comments.empty() || !location.trailing_comments.empty();
}

template <typename Described>
void check_comment(const Described& item, Faults* faults) {
  if (!has_comment(item)) faults->push_back(item.full_name() + ": has no comment");
}

void check_name(const std::string& full_name, const std::string& name, Faults* faults) {
  std::stringstream words(name);
  std::string word;
  bool forbidden = std::ranges::any_of(
      kForbiddenPhrases, [&](auto phrase) { return name.find(phrase) != std::string::npos; });
  while (std::getline(words, word, '_')) {
    forbidden |= std::ranges::any_of(kForbiddenWords, [&](auto w) { return word.starts_with(w); });
  }
  if (forbidden) faults->push_back(full_name + ": there is no place for this in the domain");
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

void check_enum(const EnumDescriptor& type, bool shown, Faults* faults) {
  check_comment(type, faults);
  check_name(type.full_name(), plugin::snake(type.name()), faults);
  const std::string prefix = plugin::snake(type.name()) + "_";
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    const std::string name = lower(value.name());
    check_comment(value, faults);
    check_name(value.full_name(), name, faults);
    if (!name.starts_with(prefix)) {
      faults->push_back(value.full_name() + ": does not begin with its enum's name");
    }
    if ((value.number() == 0) != (name == prefix + "unspecified")) {
      faults->push_back(value.full_name() + ": 0, and only 0, is unspecified");
    }
    if (shown && value.number() != 0 && value.options().GetExtension(v1::zh).empty()) {
      faults->push_back(value.full_name() + ": has no Chinese name");
    }
  }
}

/// `shown`: part of a record, so that people read it and merges need presence.
void check_message(const Descriptor& message, bool shown, Faults* faults) {
  check_comment(message, faults);
  check_name(message.full_name(), plugin::snake(message.name()), faults);
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    check_comment(field, faults);
    check_name(field.full_name(), field.name(), faults);
    if (!shown) continue;
    if (!field.is_repeated() && !field.has_presence()) {
      faults->push_back(field.full_name() + ": has no presence, so it cannot say \"empty\"");
    }
    if (rule_of(field).name_zh().empty()) {
      faults->push_back(field.full_name() + ": has no Chinese name");
    }
  }
  for (int i = 0; i < message.enum_type_count(); ++i) {
    check_enum(*message.enum_type(i), shown, faults);
  }
  for (int i = 0; i < message.nested_type_count(); ++i) {
    const Descriptor& nested = *message.nested_type(i);
    if (!nested.options().map_entry()) check_message(nested, shown, faults);
  }
}

bool sounds_personal(const FieldDescriptor& field, bool personal_kind) {
  // In a kind about people, a name is somebody's.
  if (personal_kind && field.name() == "name") return true;
  if (std::ranges::any_of(kPersonalPhrases, [&](auto phrase) {
        return field.name().find(phrase) != std::string::npos;
      })) {
    return true;
  }
  if (field.type() != FieldDescriptor::TYPE_MESSAGE) return false;
  const Descriptor& inner = *field.message_type();
  for (int i = 0; i < inner.field_count(); ++i) {
    const bool recursive = inner.field(i)->message_type() == &inner;
    if (!recursive && sounds_personal(*inner.field(i), personal_kind)) return true;
  }
  return false;
}

v1::Audience audience_needed(v1::Sensitivity sensitivity) {
  switch (sensitivity) {
    case v1::SENSITIVITY_CONTACT:
    case v1::SENSITIVITY_PERSONAL:
      return v1::AUDIENCE_PERSONAL;
    case v1::SENSITIVITY_SENSITIVE:
      return v1::AUDIENCE_CARE;
    default:
      return v1::AUDIENCE_UNSPECIFIED;
  }
}

void check_privacy(const Kind& kind, const FieldDescriptor& field, Faults* faults) {
  const v1::FieldRule& rule = rule_of(field);
  const bool about_people = kind.rule.audience() >= v1::AUDIENCE_PERSONAL;
  if (kind.rule.audience() < audience_needed(rule.sensitivity())) {
    faults->push_back(field.full_name() + ": is too sensitive for its kind's audience");
  }
  if (rule.sensitivity() == v1::SENSITIVITY_PUBLIC) {
    if (!kind.rule.reference() && sounds_personal(field, about_people)) {
      faults->push_back(field.full_name() + ": sounds personal and is not marked so");
    }
    if (rule.mask() != v1::MASK_DEFAULT) {
      faults->push_back(field.full_name() + ": is masked but not marked as sensitive");
    }
  }
  if (rule.sensitivity() == v1::SENSITIVITY_SENSITIVE && rule.search()) {
    faults->push_back(field.full_name() + ": is too sensitive for a search index");
  }
}

void check_kind(const Kind& kind, Faults* faults) {
  const std::string& name = kind.message->full_name();
  if (kind.rule.lane() == v1::LANE_UNSPECIFIED) faults->push_back(name + ": has no lane");
  if (kind.rule.audience() == v1::AUDIENCE_UNSPECIFIED) {
    faults->push_back(name + ": has no audience");
  }
  if (kind.rule.name_zh().empty()) faults->push_back(name + ": has no Chinese name");
  if (kind.rule.reference() && !kind.rule.server_written()) {
    faults->push_back(name + ": reference data must be read-only on devices");
  }
  for (int i = 0; i < kind.message->field_count(); ++i) {
    check_privacy(kind, *kind.message->field(i), faults);
  }
}

// A part goes with its whole, so it is looked for by it; and a timeline has nothing that it could
// be left without.
void check_part(const Kind& kind, const std::vector<Kind>& kinds, Faults* faults) {
  const std::string& name = kind.message->full_name();
  const FieldDescriptor* parent = kind.message->FindFieldByName(kind.rule.scope_parent());
  if (parent == nullptr) return;
  if (!rule_of(*parent).index()) faults->push_back(name + ": has no index on its parent");
  const auto whole = std::ranges::find_if(kinds, [&](const Kind& other) {
    return other.message->name() == rule_of(*parent).refers_to();
  });
  if (whole != kinds.end() && kind.rule.never_erased() && !whole->rule.never_erased()) {
    faults->push_back(name + ": is never erased and its parent may be");
  }
}

void check_fixed_scope(const Kind& kind, Faults* faults) {
  constexpr std::array<std::string_view, 4> kKnown = {"", "county", "centre", "staff"};
  if (std::ranges::find(kKnown, kind.rule.scope()) == kKnown.end()) {
    faults->push_back(kind.message->full_name() + ": nobody holds the scope " + kind.rule.scope());
  }
}

void collect_parts(const Descriptor& message, std::set<const Descriptor*>* parts) {
  if (!parts->insert(&message).second) return;
  for (int i = 0; i < message.field_count(); ++i) {
    if (const Descriptor* inner = message.field(i)->message_type()) collect_parts(*inner, parts);
  }
}

bool holds_kinds(const FileDescriptor& file) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    if (file.message_type(i)->options().HasExtension(v1::kind)) return true;
  }
  return false;
}

void check_file(const FileDescriptor& file, const std::set<const Descriptor*>& parts,
                Faults* faults) {
  const bool records = holds_kinds(file);
  for (int i = 0; i < file.message_type_count(); ++i) {
    const Descriptor& message = *file.message_type(i);
    check_message(message, parts.contains(&message), faults);
    if (records && !parts.contains(&message)) {
      faults->push_back(message.full_name() + ": is neither a record kind nor part of one");
    }
  }
  for (int i = 0; i < file.enum_type_count(); ++i) check_enum(*file.enum_type(i), true, faults);
}

std::string type_name(const FieldDescriptor& field) {
  std::string type = field.is_repeated() ? "repeated " : "";
  if (field.message_type() != nullptr) return type + field.message_type()->name();
  if (field.enum_type() != nullptr) return type + field.enum_type()->name();
  return type + field.type_name();
}

void add_numbers(const Descriptor& message, std::vector<std::string>* lines) {
  if (message.options().HasExtension(v1::kind)) {
    const auto& rule = message.options().GetExtension(v1::kind);
    lines->push_back("kind " + message.name() + " " + std::to_string(rule.number()));
  }
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    lines->push_back("field " + message.name() + " " + std::to_string(field.number()) + " " +
                     field.name() + " " + type_name(field));
  }
}

void add_numbers(const EnumDescriptor& type, std::vector<std::string>* lines) {
  for (int i = 0; i < type.value_count(); ++i) {
    lines->push_back("value " + type.name() + " " + std::to_string(type.value(i)->number()) + " " +
                     type.value(i)->name());
  }
}

}  // namespace

Faults faults(const Files& files) {
  Faults faults;
  std::vector<Kind> kinds;
  std::string contradiction;
  if (!plugin::read_kinds(files, &kinds, &contradiction)) faults.push_back(contradiction);
  std::set<const Descriptor*> parts;
  for (const Kind& kind : kinds) {
    check_kind(kind, &faults);
    check_part(kind, kinds, &faults);
    check_fixed_scope(kind, &faults);
    collect_parts(*kind.message, &parts);
  }
  for (const FileDescriptor* file : files) check_file(*file, parts, &faults);
  return faults;
}

std::vector<std::string> newcomers(const std::vector<std::string>& golden, const Files& files) {
  std::vector<Kind> kinds;
  std::string contradiction;
  std::vector<std::string> unsaid;
  if (!plugin::read_kinds(files, &kinds, &contradiction)) return {contradiction};
  for (const Kind& kind : kinds) {
    const std::string id = "field " + kind.message->name() + " 1 ";
    const bool known =
        std::ranges::any_of(golden, [&](const std::string& line) { return line.starts_with(id); });
    if (!known && kind.rule.since() < 2) unsaid.push_back(kind.message->name());
  }
  return unsaid;
}

std::vector<std::string> numbers(const Files& files) {
  std::vector<std::string> lines;
  for (const FileDescriptor* file : files) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      add_numbers(*file->message_type(i), &lines);
    }
    for (int i = 0; i < file->enum_type_count(); ++i) add_numbers(*file->enum_type(i), &lines);
  }
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> changed(const std::vector<std::string>& golden,
                                 const std::vector<std::string>& now) {
  const std::set<std::string> present(now.begin(), now.end());
  std::vector<std::string> missing;
  std::ranges::copy_if(golden, std::back_inserter(missing),
                       [&](const std::string& line) { return !present.contains(line); });
  return missing;
}

}  // namespace gridwhistle::lint
