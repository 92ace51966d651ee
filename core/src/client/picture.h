#pragma once

#include <string>
#include <string_view>

#include "gridwhistle/status.h"

namespace gridwhistle {

/// A JPEG without what stands beside its picture: where and when it was taken and by which camera,
/// previews, remarks, whatever follows its end. How it is turned and its colours' profile stay.
/// kInvalid: it is no sound JPEG.
Result<std::string> without_metadata(std::string_view jpeg);

}  // namespace gridwhistle
