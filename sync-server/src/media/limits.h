#pragma once

#include <cstddef>
#include <cstdint>

// What one phone, and all of them, may have open of attachments' bytes.
namespace gridwhistle::limits {

/// Calls at a time, of all phones; one a phone. Each holds a file open and a chunk in memory.
inline constexpr std::size_t kMediaCalls = 256;
/// A call in which nothing comes ends, so that it takes nobody's place.
inline constexpr std::int64_t kMediaIdleMs = 60'000;
/// Bytes of files that a phone has begun to bring and not brought to an end: four of the largest.
inline constexpr std::uint64_t kMediaUnfinishedBytes = std::uint64_t{256} * 1024 * 1024;
/// A file that was begun and not gone on with for so long is dropped: a phone begins it anew.
inline constexpr std::int64_t kMediaUnfinishedMs = std::int64_t{14} * 24 * 3600 * 1000;
/// When to come back: to a server that is full of calls or whose disk takes nothing, and with a
/// file that has to wait for another to be dropped.
inline constexpr std::uint32_t kMediaBusyMs = 30'000;
inline constexpr std::uint32_t kMediaFileBusyMs = 3'600'000;

}  // namespace gridwhistle::limits
