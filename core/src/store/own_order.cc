#include "store/own_order.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "model/record.h"

namespace gridwhistle::store {

namespace {

// Of a group, all members are written when one is. Groups get numbers no field has.
std::uint64_t place_of(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  const bool grouped = field != nullptr && field->group != 0;
  return grouped ? std::uint64_t{1} << 32 | field->group : number;
}

bool element_wise(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  return field != nullptr &&
         (field->merge == MergePolicy::kSet || field->merge == MergePolicy::kAppend);
}

std::set<std::uint64_t> places_written(const KindSchema& kind,
                                       const std::vector<Operation>& later) {
  std::set<std::uint64_t> places;
  for (const Operation& operation : later) {
    for (const FieldView& field : fields_of(operation.set)) {
      if (!element_wise(kind, field.number)) places.insert(place_of(kind, field.number));
    }
    for (const std::uint32_t number : operation.clear) places.insert(place_of(kind, number));
  }
  return places;
}

// The elements of SET fields that `message` of any of the operations names.
std::set<std::string_view> elements(const KindSchema& kind, const std::vector<Operation>& later,
                                    std::string Operation::* message) {
  std::set<std::string_view> entries;
  for (const Operation& operation : later) {
    for (const FieldView& field : fields_of(operation.*message)) {
      const FieldSchema* known = kind.field(field.number);
      if (known == nullptr || known->merge != MergePolicy::kSet) continue;
      for (const ValueView& value : values_of(field.entries)) entries.insert(value.entry);
    }
  }
  return entries;
}

std::string kept(std::string_view message, const auto& drops_field, const auto& drops_element) {
  std::string rest;
  for (const FieldView& field : fields_of(message)) {
    if (drops_field(field.number)) continue;
    for (const ValueView& value : values_of(field.entries)) {
      if (!drops_element(value.entry)) rest += value.entry;
    }
  }
  return rest;
}

}  // namespace

Operation without_overwritten(const KindSchema& kind, Operation operation,
                              const std::vector<Operation>& later) {
  if (later.empty()) return operation;
  const std::set<std::uint64_t> written = places_written(kind, later);
  const std::set<std::string_view> removed = elements(kind, later, &Operation::remove);
  const std::set<std::string_view> added = elements(kind, later, &Operation::set);
  const auto overwritten = [&](std::uint32_t number) {
    return written.contains(place_of(kind, number));
  };
  operation.set = kept(operation.set, overwritten,
                       [&](std::string_view entry) { return removed.contains(entry); });
  operation.remove = kept(operation.remove, overwritten,
                          [&](std::string_view entry) { return added.contains(entry); });
  std::erase_if(operation.clear, overwritten);
  return operation;
}

}  // namespace gridwhistle::store
