#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"

namespace gridwhistle {

/// The id in a serialized record of any kind (field 1); nil when there is none. kInvalid: the bytes
/// are no message, or the id does not have 16 bytes.
Result<RecordId> id_in(std::string_view record);

/// The id as a part of a serialized record.
std::string with_id(const RecordId& id);

/// A new whistle with what every new whistle is given where it says nothing: who reports it, when,
/// and that a worker does.
Result<std::string> with_reporter(std::string_view whistle, const RecordId& worker,
                                  std::int64_t now_ms);

/// A new task likewise: who asks, when, and that it is open.
Result<std::string> with_author(std::string_view task, const RecordId& worker, std::int64_t now_ms);

}  // namespace gridwhistle
