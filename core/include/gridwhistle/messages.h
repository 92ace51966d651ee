#pragma once

#include <string_view>

#include "gridwhistle/status.h"

namespace gridwhistle {

/// One line for people, in the two languages a county's people read.
struct Wording {
  std::string_view zh;
  std::string_view en;
};

/// What a code means and what to do, for whoever does not read `Error::message`, which is English.
/// Names nothing of the case at hand. A general line for a number this build does not know.
Wording message_of(ErrorCode code);

}  // namespace gridwhistle
