#include "model/choices.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace gridwhistle {

Line choices(const FieldSchema& field) {
  Line known;
  for (const EnumValue& value : field.enum_values) {
    if (value.number == 0) continue;
    std::string small(value.name);
    std::ranges::transform(small, small.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    known.zh += (known.zh.empty() ? "" : "、") + small + " " + std::string(value.name_zh);
    known.en += (known.en.empty() ? "" : ", ") + small;
  }
  return known;
}

std::optional<std::int64_t> objection_reason(std::string_view word) {
  constexpr std::int64_t kMax = 999;
  std::int64_t number = 0;
  const char* end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end && number > 0 && number <= kMax) return number;
  return std::nullopt;
}

Line not_an_objection_reason() {
  return {"派单异议的 --reason 须为 1 到 999 的数字",
          "--reason of an objection must be a number from 1 to 999"};
}

Line objection_reasons() {
  return {"；object 派单异议：1 到 999，本县自定的理由编号；或写 --note",
          "; object: 1 to 999, the number of a reason in the county's own list; or say --note"};
}

}  // namespace gridwhistle
