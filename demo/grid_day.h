#pragma once

#include <functional>
#include <string>

#include "phone.h"

// What a grid worker does in a day, recorded as a phone's app would.
namespace gridwhistle::demo {

/// A round through the grid: on duty, a patrol with its track, visits to new households with their
/// residents, things seen, whistles, the end of the patrol. `hour` of the story's day.
Result<void> walk(Phone& phone, int hour, int visits, int whistles);

/// Two or three whistles' worth of emergency: somebody must come now.
Result<RecordId> blow_emergency(Phone& phone);

/// A matter on which the rarer turns of a road are played; its number.
Result<std::string> blow_for_a_road(Phone& phone);

/// Writes down a call of the 12345 hotline as such, which is not for a grid worker to do: the phone
/// keeps it, and the server refuses it.
Result<RecordId> blow_as_hotline(Phone& phone);

/// A matter that no line of the responsibility list covers.
Result<RecordId> blow_headless(Phone& phone);

/// Changes one household of a grid as `who` (0 or 1) of two workers: both write how the dwelling is
/// used (one must lose), each adds a need (both stay) and writes a field of their own.
Result<RecordId> edit_household(Phone& phone, const std::string& grid, int who);

}  // namespace gridwhistle::demo
