#include "terminal/details.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>

#include "model/record.h"
#include "model/workflow_table.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/times.h"

namespace gridwhistle::terminal {
namespace {

struct Reader {
  bool chinese;
  const NameOf& name_of;

  Detail enum_detail(const FieldSchema& field, const FieldSchema& words,
                     std::int64_t number) const {
    const EnumValue* known = words.enum_value(number);
    if (known == nullptr) return {&field, chinese ? "未知" : "unknown", number};
    return {&field, std::string(chinese ? known->name_zh : known->name), std::string(known->name)};
  }

  Detail detail(const FieldSchema& field, const ValueView& value) const {
    const auto number = static_cast<std::int64_t>(value.scalar);
    if (field.type == FieldType::kEnum) return enum_detail(field, field, number);
    if (field.type == FieldType::kBool) return {&field, chinese ? "是" : "yes", number};
    if (field.type == FieldType::kString) {
      return {&field, std::string(value.bytes), std::string(value.bytes)};
    }
    if (field.type == FieldType::kBytes) {
      const RecordId id = RecordId::from_bytes(value.bytes).value_or(RecordId());
      return {&field, name_of(field.refers_to, id), id.text()};
    }
    const bool is_time = field.name.ends_with("_ms");
    return {&field, is_time ? time_text(number) : std::to_string(number), number};
  }
};

}  // namespace

std::string_view title_of(const FieldSchema& field, bool chinese) {
  if (chinese && !field.name_zh.empty()) return field.name_zh;
  constexpr std::string_view kUnit = "_ms";
  std::string_view name = field.name;
  if (name.ends_with(kUnit)) name.remove_suffix(kUnit.size());
  return name;
}

std::vector<Detail> details_of(const KindSchema& kind, std::string_view record,
                               std::initializer_list<std::string_view> names, bool chinese,
                               const NameOf& name_of) {
  const Reader reader{chinese, name_of};
  std::vector<Detail> details;
  for (const std::string_view name : names) {
    const FieldSchema* field = kind.field(name);
    if (field == nullptr) continue;
    for (const ValueView& value : values_of(field_of(record, field->number).entries)) {
      if (value.scalar == 0 && value.bytes.empty()) continue;
      details.push_back(reader.detail(*field, value));
    }
  }
  return details;
}

std::vector<Detail> action_details(std::string_view action, bool chinese, const NameOf& name_of) {
  const KindSchema& kind = *built_schema().kind(kinds::kWhistleAction);
  auto details =
      details_of(kind, action,
                 {"reason", "lead", "co_departments", "responsibility_item", "other_whistle",
                  "until_ms", "level", "whistle_class", "return_visit_result", "on_site"},
                 chinese, name_of);
  // Why a whistle is not taken in is a word; objections have numbers of the county's own.
  const FieldView type = field_of(action, kind.field(std::string_view("type"))->number);
  const auto all = values_of(type.entries);
  const EnumValue* known = all.empty()
                               ? nullptr
                               : kind.field(std::string_view("type"))
                                     ->enum_value(static_cast<std::int64_t>(all.back().scalar));
  if (known == nullptr || known->name != "REFUSE") return details;
  const FieldSchema* words =
      built_schema().kind(kinds::kWhistle)->field(std::string_view("refusal_reason"));
  for (Detail& one : details) {
    if (one.field->name != "reason") continue;
    one =
        Reader{chinese, name_of}.enum_detail(*one.field, *words, std::get<std::int64_t>(one.value));
  }
  return details;
}

std::vector<Detail> whistle_details(std::string_view whistle, bool chinese, const NameOf& name_of) {
  return details_of(*built_schema().kind(kinds::kWhistle), whistle,
                    {"level", "round", "supervised", "refusal_reason", "merged_into",
                     "suspended_until_ms", "return_visit_result", "closing_reason"},
                    chinese, name_of);
}

Line possible_now(WhistleState state, std::span<const AssignmentState> assignments) {
  const auto leaves = [&](const Transition& row) {
    if (row.subject == Subject::kWhistle) return row.leaves(static_cast<std::uint8_t>(state));
    return std::ranges::any_of(assignments, [&](AssignmentState one) {
      return row.leaves(static_cast<std::uint8_t>(one));
    });
  };
  const FieldSchema& actions =
      *built_schema().kind(kinds::kWhistleAction)->field(std::string_view("type"));
  std::set<WhistleActionType> told;
  Line possible;
  for (const Transition& row : road()) {
    // What the server does alone nobody can do.
    if (row.who == RoleSet{kServerRole} || !leaves(row) || !told.insert(row.action).second)
      continue;
    const EnumValue* word = actions.enum_value(static_cast<std::int64_t>(row.action));
    if (word == nullptr) continue;
    std::string small(word->name);
    std::ranges::transform(small, small.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    possible.zh += (possible.zh.empty() ? "" : "、") + small + " " + std::string(word->name_zh);
    possible.en += (possible.en.empty() ? "" : ", ") + small;
  }
  const EnumValue* now = built_schema()
                             .kind(kinds::kWhistle)
                             ->field(std::string_view("state"))
                             ->enum_value(static_cast<std::int64_t>(state));
  const std::string zh(now == nullptr ? "未知" : now->name_zh);
  const std::string en(now == nullptr ? "unknown" : now->name);
  return {"；现为“" + zh + "”，此时可以：" + possible.zh,
          " It is " + en + "; possible from there: " + possible.en};
}

std::string in_words(const std::vector<Detail>& details, bool chinese) {
  std::string text;
  const FieldSchema* before = nullptr;
  for (const Detail& one : details) {
    if (one.field == before) {
      text += (chinese ? "、" : ", ") + one.text;
      continue;
    }
    if (!text.empty()) text += chinese ? "；" : "; ";
    before = one.field;
    text += std::string(title_of(*one.field, chinese)) + (chinese ? "：" : ": ") + one.text;
  }
  return text;
}

}  // namespace gridwhistle::terminal
