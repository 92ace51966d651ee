#pragma once

#include <cstdint>

#include "phone.h"

// What staff do at their own phones: centres, departments, return visitors.
namespace gridwhistle::demo {

/// One look at everything this worker may act on: takes every next step that the worker's roles
/// give, several in a row on the same whistle where the road allows it, also offline. Gives how
/// many steps were taken.
Result<std::uint64_t> work_through(Phone& phone);

/// Steps this phone's worker could take on a whistle now; 0 when there is none.
Result<std::uint64_t> work_on(Phone& phone, const RecordId& whistle);

/// Checks in for an open assignment of this worker's organisation that nobody has answered yet, the
/// first one by id, so that two colleagues who are offline choose the same. kNotFound: none is
/// open.
Result<RecordId> check_in_first(Phone& phone);

}  // namespace gridwhistle::demo
