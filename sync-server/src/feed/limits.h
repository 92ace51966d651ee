#pragma once

#include <cstddef>

// How much of the feed is taken at once, beside the limits both sides share.
namespace gridwhistle::limits {

/// A cut before it is compressed: Chinese text and numbers pack to about a quarter, so the frame
/// comes to kCutTargetBytes, and uncompressed it still fits one frame.
inline constexpr std::size_t kCutRawBytes = 128 * 1024;
/// The largest, for a phone whose line is quick: it writes a cut at once, and many small
/// transactions would write the same pages of its indexes again and again.
inline constexpr std::size_t kCutRawBytesMax = 1024 * 1024;
/// What a row costs beside its fields.
inline constexpr std::size_t kRowOverheadBytes = 32;
/// Lines of one scope that are read at a time.
inline constexpr std::size_t kFeedLinesRead = 256;

}  // namespace gridwhistle::limits
