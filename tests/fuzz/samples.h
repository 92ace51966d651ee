#pragma once

#include <string>
#include <vector>

#include "model/operation.h"
#include "model/schema.h"
#include "wire/frames.h"

// Sound values of the real schema to begin from.
namespace gridwhistle::fuzz {

inline constexpr DeviceId kDevice{0x123456789ABCDEF};

/// Of a frame that was refused: the code is one of frames, and it says why. Empty when it is so.
std::string refusal_law(const Error& error);

/// A canonical message of the kind with every field set, repeated ones twice.
std::string full_message(const KindSchema& kind);

/// An operation on each kind that a lane carries, in transactions of two.
std::vector<Operation> operations_of(Lane lane);

/// A row of each kind, and one of each change.
std::vector<Row> rows();

}  // namespace gridwhistle::fuzz
