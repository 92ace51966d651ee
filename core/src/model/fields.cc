#include "model/fields.h"

#include <algorithm>

namespace gridwhistle {
namespace {

std::vector<std::string_view> split(std::string_view entries) {
  std::vector<std::string_view> out;
  for (const ValueView& value : values_of(entries)) out.push_back(value.entry);
  return out;
}

}  // namespace

MergePolicy policy_of(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  return field != nullptr ? field->merge : MergePolicy::kLww;
}

std::uint32_t unit_of(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  if (field == nullptr || field->group == 0) return number;
  const auto first = std::find_if(kind.fields.begin(), kind.fields.end(),
                                  [&](const FieldSchema& f) { return f.group == field->group; });
  return first->number;
}

std::vector<std::uint32_t> members_of(const KindSchema& kind, std::uint32_t unit) {
  const FieldSchema* field = kind.field(unit);
  if (field == nullptr || field->group == 0) return {unit};
  std::vector<std::uint32_t> members;
  for (const FieldSchema& other : kind.fields) {
    if (other.group == field->group) members.push_back(other.number);
  }
  return members;
}

std::vector<std::uint32_t> units_of(const KindSchema& kind, std::string_view set,
                                    const std::vector<std::uint32_t>& clear,
                                    std::string_view remove) {
  std::vector<std::uint32_t> units;
  for (const FieldView& field : fields_of(set)) units.push_back(unit_of(kind, field.number));
  for (const std::uint32_t number : clear) units.push_back(unit_of(kind, number));
  for (const FieldView& field : fields_of(remove)) units.push_back(unit_of(kind, field.number));
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
  return units;
}

std::vector<std::string_view> entries_of(std::string_view message, std::uint32_t number) {
  return split(field_of(message, number).entries);
}

std::string as_set(std::vector<std::string_view> entries) {
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  std::string out;
  for (const std::string_view entry : entries) out += entry;
  return out;
}

std::string overlay_field(MergePolicy policy, std::string_view base, std::string_view set,
                          bool cleared, std::string_view remove) {
  if (cleared) base = {};
  if (policy == MergePolicy::kAppend) return std::string(base) + std::string(set);
  if (policy != MergePolicy::kSet) return std::string(cleared || !set.empty() ? set : base);
  std::vector<std::string_view> elements = split(base);
  for (const std::string_view removed : split(remove)) std::erase(elements, removed);
  for (const std::string_view added : split(set)) elements.push_back(added);
  return as_set(std::move(elements));
}

}  // namespace gridwhistle
