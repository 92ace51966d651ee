#include <algorithm>

#include "model/fields.h"
#include "model/record.h"

namespace gridwhistle {
namespace {

bool contains(const std::vector<std::uint32_t>& numbers, std::uint32_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// Walks through two canonical messages at once: `visit(number, entries of a, entries of b)`.
template <typename Visit>
void walk(std::string_view a, std::string_view b, Visit visit) {
  const std::vector<FieldView> left = fields_of(a);
  const std::vector<FieldView> right = fields_of(b);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    const bool from_left =
        j == right.size() || (i < left.size() && left[i].number <= right[j].number);
    const bool from_right =
        i == left.size() || (j < right.size() && right[j].number <= left[i].number);
    const std::uint32_t number = from_left ? left[i].number : right[j].number;
    visit(number, from_left ? left[i].entries : std::string_view{},
          from_right ? right[j].entries : std::string_view{});
    i += from_left ? 1 : 0;
    j += from_right ? 1 : 0;
  }
}

// What a record's first content makes of it: as it was given, but for its SET fields.
std::string with_sorted_sets(const KindSchema& kind, std::string_view set) {
  std::string out;
  out.reserve(set.size());
  const char* rest = set.data();
  FieldCursor given(set);
  for (const FieldSchema& field : kind.fields) {
    if (field.merge != MergePolicy::kSet) continue;
    const std::string_view elements = given.entries(field.number);
    if (elements.empty()) continue;
    out.append(rest, elements.data());
    out += overlay_field(MergePolicy::kSet, {}, elements, false, {});
    rest = elements.data() + elements.size();
  }
  out.append(rest, set.data() + set.size());
  return out;
}

}  // namespace

std::string overlay(const KindSchema& kind, std::string_view base, std::string_view set,
                    const std::vector<std::uint32_t>& clear, std::string_view remove) {
  if (base.empty()) return with_sorted_sets(kind, set);
  std::string out;
  out.reserve(base.size() + set.size());
  const std::vector<std::uint32_t> units = units_of(kind, set, clear, {});
  walk(base, set, [&](std::uint32_t number, std::string_view before, std::string_view given) {
    const FieldSchema* field = kind.field(number);
    const bool grouped = field != nullptr && field->group != 0;
    const bool cleared =
        contains(clear, number) || (grouped && contains(units, unit_of(kind, number)));
    out += overlay_field(policy_of(kind, number), before, given, cleared,
                         field_of(remove, number).entries);
  });
  return out;
}

std::string replace_fields(std::string_view base, std::string_view set,
                           const std::vector<std::uint32_t>& clear) {
  std::string out;
  out.reserve(base.size() + set.size());
  walk(base, set, [&](std::uint32_t number, std::string_view before, std::string_view given) {
    if (!given.empty()) {
      out += given;
    } else if (!contains(clear, number)) {
      out += before;
    }
  });
  return out;
}

}  // namespace gridwhistle
