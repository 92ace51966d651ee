#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/line.h"
#include "gridwhistle/client.h"
#include "gridwhistle/road.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/schema.h"

// What a person types, as values.
namespace gridwhistle::cli {

/// Why this phone holds no area: it has not synced yet, or its worker left or holds no role any
/// more. Nothing where it holds one, or was never enrolled.
std::optional<Line> why_no_area(const ClientStatus& status);

/// An error about a place outside this worker's areas names those areas.
Error with_areas(Client& client, Error error);

/// A kind by its English or Chinese name, any case, singular or with an s: "whistles", "哨声".
/// Typed wrong where there is none: lists those there are.
Result<const KindSchema*> kind_from(std::string_view word);

/// An id, or the 64 hexadecimal digits of a digest where the field holds one (SHA-256). kInvalid
/// names the field.
Result<std::string> bytes_from(const FieldSchema& field, std::string_view word);

/// A field as it is called: by its name, or by what stands above its values in either language.
/// Null when the kind has none.
const FieldSchema* field_called(const KindSchema& kind, std::string_view word);

/// An enum's number by the value's English or Chinese name or the number itself, of those known.
Result<std::int64_t> enum_from(const FieldSchema& field, std::string_view word);

/// A yes or no, a number, or a time for a field that holds one. kInvalid names the field.
Result<std::int64_t> number_from(const FieldSchema& field, std::string_view word,
                                 std::int64_t now_ms);

/// A time in milliseconds since 1970: "2026-11-22", "2026-11-22 08:30", in China's time like every
/// date of a county, or "2h", "3d" for so long before (with `before`) or after `now_ms`. kInvalid
/// also for a day that no calendar has and a year before 1900 or after 2100.
Result<std::int64_t> time_from(std::string_view word, std::int64_t now_ms, bool before);

/// A position "LAT,LON" or "LAT,LON,ACCURACY_M".
struct Position {
  double latitude = 0;
  double longitude = 0;
  double accuracy_m = 10;
};
Result<Position> position_from(std::string_view word);

/// The grid a point lies in; near a boundary an error that lists the candidates.
Result<std::string> grid_at(Client& client, const Position& at);

/// Those whose records this device made before the others, each in the order they were in.
void own_first(std::vector<Found<v1::Visit>>& visits, DeviceId device);

/// The visits of this worker that have not ended: those begun on this phone, then those begun on
/// another phone of theirs, the latest first.
Result<std::vector<Found<v1::Visit>>> open_visits(Client& client);

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

/// An organisation by its id, its code or its whole name. kNotFound names the option.
Result<RecordId> organisation_from(Client& client, std::string_view option, std::string_view word);

/// The assignment that a grant is about when none is named: the only one not withdrawn. kInvalid
/// with where their ids stand when there are several, or none.
Result<std::string> assignment_to_grant(const Road& road, const std::string& whistle);

/// What people call a record: a worker's or an organisation's name, a whistle's number. The id
/// where this phone does not know it, nothing for no record.
std::string name_of_record(Client& client, KindId kind, const RecordId& id);

}  // namespace gridwhistle::cli
