#include "model/choices.h"

#include <algorithm>
#include <cctype>

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

}  // namespace gridwhistle
