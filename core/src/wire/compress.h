#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"

// The content of a frame, packed for the way: a zstd frame, or as it is where that is no
// smaller, or so much smaller that a receiver would suspect harm.
namespace gridwhistle {

struct Packed {
  std::string bytes;
  std::uint32_t raw_size = 0;
  bool zstd = false;
};

/// Any thread; each keeps a context for itself.
Packed pack(std::string raw);

/// The content again. Checks size and ratio before it unpacks anything. kProtocol, kTooLarge.
Result<std::string> unpack(std::string_view packed, std::uint32_t raw_size, bool zstd);

}  // namespace gridwhistle
