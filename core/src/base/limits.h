#pragma once

#include <cstddef>
#include <cstdint>

// What is too much, and why. Both sides check what comes from outside against these, and neither
// sends more. A server may be stricter in its configuration, never laxer.
namespace gridwhistle::limits {

/// A record: a page of text, a checklist and its places. Larger things are attachments.
inline constexpr std::size_t kRecordBytes = 64 * 1024;
/// A field of a record: five pages of Chinese text.
inline constexpr std::size_t kFieldBytes = 16 * 1024;
/// Operations of a transaction, which is applied whole: a household with all its members, often; a
/// village's list of households when it is taken over from elsewhere.
inline constexpr std::size_t kTransactionOperations = 1024;
inline constexpr std::size_t kTransactionBytes = 1024 * 1024;
/// A frame as sent: a 2G phone needs some ten seconds for it.
inline constexpr std::size_t kFrameBytes = 256 * 1024;
/// A frame's content when not compressed, and how many times its size: zstd reaches 20 on text only
/// when somebody means harm. The content always fits one transaction.
inline constexpr std::size_t kFrameRawBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kFrameRatio = 20;
/// Small frames may compress better than that: up to here the ratio is not looked at.
inline constexpr std::size_t kFrameRatioFreeBytes = 64 * 1024;
/// A frame that holds a single transaction, or a cut that holds a row larger than the target: as
/// large as that takes when nothing of it can be compressed.
inline constexpr std::size_t kLoneFrameBytes = kTransactionBytes + 256 * 1024;
/// A part of a bundle before it is sealed, and the file of all its parts: a million operations.
inline constexpr std::size_t kBundlePartBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kBundleFileBytes = 200 * 1024 * 1024;
/// Operations of a frame.
inline constexpr std::size_t kFrameOperations = 4096;
/// Rows of a cut, and the size aimed at on a line not known to be quick; a single row may exceed
/// it.
inline constexpr std::size_t kCutRows = 4096;
inline constexpr std::size_t kCutTargetBytes = 32 * 1024;
/// Fields an operation or a row empties: more than any kind has.
inline constexpr std::size_t kClearedFields = 256;
/// Records of one range whose contents a phone tells: it holds some two hundred times as many.
inline constexpr std::size_t kRangeRecords = 32 * 1024;
/// Scopes of one row: its area's, and those of all organisations that were ever called.
inline constexpr std::size_t kScopesPerRow = 64;
/// Nesting of a message: no record kind needs more than two.
inline constexpr int kMessageDepth = 8;
/// A scope's name: "org:" and a UUID, or an area's code.
inline constexpr std::size_t kScopeBytes = 64;
/// Scopes a device may hold: a town's acceptor holds one, a floating worker some dozens.
inline constexpr std::size_t kScopesPerDevice = 256;
/// Epochs a phone remembers: as many restores as anybody will survive.
inline constexpr std::size_t kEpochs = 16;
/// Operations a phone holds that the server does not have: years of work.
inline constexpr std::uint64_t kPendingOperations = 1'000'000;
/// Names and versions that end up in an operator's list, in bytes.
inline constexpr std::size_t kLabelBytes = 64;
/// Operations of a lane whose hashes a server keeps behind what the phone has noted, and a phone
/// asks about when its file turns out to be a copy: a month of a busy worker.
inline constexpr std::size_t kUnsettledOperations = 8192;
/// So much of each hash: enough to tell a phone's own operations apart.
inline constexpr std::size_t kUnsettledHashBytes = 8;
/// A file that belongs to an attachment: a minute of film. It travels in chunks that a phone on 2G
/// need not send twice when the line breaks.
inline constexpr std::uint64_t kMediaBytes = std::uint64_t{64} * 1024 * 1024;
inline constexpr std::size_t kMediaChunkBytes = 256 * 1024;
/// Files that the server has safely and a phone keeps to look at again.
inline constexpr std::uint64_t kMediaCacheBytes = std::uint64_t{256} * 1024 * 1024;
/// A media type as a record names it, "application/vnd.ms-excel".
inline constexpr std::size_t kMediaTypeBytes = 128;
/// A device's clock beyond these is kept as claimed, and never reckoned with: 1970 to 2200.
inline constexpr std::int64_t kClockMaxMs = 7'258'118'400'000;

}  // namespace gridwhistle::limits
