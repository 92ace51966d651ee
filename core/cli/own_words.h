#pragma once

#include <string>
#include <string_view>

#include "base/line.h"

namespace gridwhistle::cli {

inline std::string not_an_id(std::string_view word) {
  const std::string text(word);
  return both("不是标识 " + text, "not an id: " + text);
}

}  // namespace gridwhistle::cli
