#include "html.h"

#include <array>
#include <cctype>
#include <cstdio>

#include "schema/tables.h"

namespace gridwhistle::demo {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string decimal(double number) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f", number);
  return text.data();
}

Words words_of(KindId kind, std::uint32_t field, std::int64_t value) {
  const KindSchema* schema = built_schema().kind(kind);
  const FieldSchema* declared = schema == nullptr ? nullptr : schema->field(field);
  const EnumValue* known = declared == nullptr ? nullptr : declared->enum_value(value);
  if (known == nullptr || known->number == 0) return {"未知", "unknown"};
  std::string english(known->name);
  for (char& c : english) {
    c = c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return {std::string(known->name_zh), english};
}

}  // namespace gridwhistle::demo
