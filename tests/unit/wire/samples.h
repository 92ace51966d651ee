#pragma once

#include <random>
#include <vector>

#include "wire/frames.h"

namespace gridwhistle {

inline constexpr DeviceId kSender{0x123456789ABCDEF};

/// A day's plausible records of one worker, as operations of one lane: the first is number `first`.
std::vector<Operation> sample_operations(std::size_t count, std::uint64_t first = 1);

/// The same as rows of a feed.
std::vector<Row> sample_rows(std::size_t count);

/// A record as its serialized message would be: with its id.
std::string bare(const Operation& operation);

}  // namespace gridwhistle
