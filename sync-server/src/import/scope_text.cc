#include "import/scope_text.h"

#include "import/text.h"

namespace gridwhistle::import {

std::string scope_of_area(std::string_view code12) {
  const std::string code(code12);
  if (code12.ends_with("000000")) return "county:" + code;
  return (code12.ends_with("000") ? "town:" : "village:") + code;
}

std::optional<ReadScope> read_scope(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = colon == std::string_view::npos ? text : text.substr(colon + 1);
  ReadScope read{.scope = {}, .name = std::string(name)};
  if (text.starts_with("org:")) {
    if (!is_code(name)) return std::nullopt;
    read.to = Link::To::kOrganisation;
    read.scope = text;
  } else if (is_digits(name, 15)) {
    read.to = Link::To::kGrid;
    read.scope = "grid:" + read.name;
  } else if (is_digits(name, 12)) {
    read.to = Link::To::kArea;
    read.scope = scope_of_area(name);
  } else {
    return std::nullopt;
  }
  if (colon != std::string_view::npos && read.scope != text) return std::nullopt;
  return read;
}

}  // namespace gridwhistle::import
