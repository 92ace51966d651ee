#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "import/reference.h"

namespace gridwhistle::import {

/// A scope as an operator may write it ("grid:440811001001001", "440811001001001", "org:BM-GA") in
/// its full form, and what must exist for it. Nothing when it has no such form.
struct ReadScope {
  std::string scope;
  Link::To to = Link::To::kArea;
  std::string name;
};
std::optional<ReadScope> read_scope(std::string_view text);

/// The scope of an area's code: "village:440811001001".
std::string scope_of_area(std::string_view code12);

}  // namespace gridwhistle::import
