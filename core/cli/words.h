#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/client.h"
#include "gridwhistle/status.h"
#include "model/schema.h"

// What a person types, as values.
namespace gridwhistle::cli {

/// A kind by its English or Chinese name, any case, singular or with an s: "whistles", "哨声".
/// kNotFound lists what there is.
Result<const KindSchema*> kind_from(std::string_view word);

/// An enum's number by the value's English or Chinese name or the number itself.
Result<std::int64_t> enum_from(const FieldSchema& field, std::string_view word);

/// A time in milliseconds since 1970: "2026-11-22", "2026-11-22 08:30", in the phone's zone, or
/// "2h", "3d" for so long before (with `before`) or after `now_ms`.
Result<std::int64_t> time_from(std::string_view word, std::int64_t now_ms, bool before);

/// "2026-11-22 08:30" in the phone's zone.
std::string time_text(std::int64_t ms);

/// A position "LAT,LON" or "LAT,LON,ACCURACY_M".
struct Position {
  double latitude = 0;
  double longitude = 0;
  double accuracy_m = 10;
};
Result<Position> position_from(std::string_view word);

/// "field=value" pairs as a part of a record's message; "field=" clears. The values of repeated
/// fields of words are separated by commas.
Result<Change> change_from(const KindSchema& kind, const std::vector<std::string>& pairs,
                           std::int64_t now_ms);

/// A record by its id, or a whistle by its number.
struct Named {
  const KindSchema* kind = nullptr;
  RecordId id;
};
Result<Named> record_from(Client& client, std::string_view word);

}  // namespace gridwhistle::cli
