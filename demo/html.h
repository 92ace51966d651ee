#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gridwhistle/ids.h"

// Small pieces of the page.
namespace gridwhistle::demo {

/// Text as HTML and SVG want it.
std::string escaped(std::string_view text);

/// One decimal.
std::string decimal(double number);

/// An enum value's two names, "已结案" and "closed"; 未知, "unknown" for one this build does not
/// know.
struct Words {
  std::string chinese;
  std::string english;
};
Words words_of(KindId kind, std::uint32_t field, std::int64_t value);

}  // namespace gridwhistle::demo
