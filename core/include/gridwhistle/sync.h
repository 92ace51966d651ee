#pragma once

#include <cstdint>

namespace gridwhistle {

/// Where the line to the server stands.
enum class SyncPhase : std::uint8_t {
  kStopped,     ///< nobody asked for a connection, or a person has to act first
  kConnecting,  ///< a call is open, the server has not answered yet
  kExchanging,  ///< operations go up, rows come down
  kLive,        ///< caught up, the call is kept open
  kWaiting,     ///< the last call failed; there will be another by itself
};

/// What one call has done.
struct SyncReport {
  std::uint64_t sent = 0;          ///< operations
  std::uint64_t acknowledged = 0;  ///< operations
  std::uint64_t rows = 0;          ///< received
  std::uint64_t bytes_up = 0;      ///< of frames
  std::uint64_t bytes_down = 0;    ///< of frames
  std::uint64_t held_back = 0;     ///< operations left for another call, by budget or `metered`
  bool caught_up = false;          ///< the file holds all there was when the call ended
  bool compared = false;           ///< what the file holds was compared with the server's
  std::uint64_t repaired = 0;      ///< rows that differed and were put right
};

struct SyncOptions {
  /// At most so many bytes each way, about; 0: all there is. The most urgent goes first, and what
  /// is left goes with the next call. Up, whistles never wait for it.
  std::uint64_t budget_bytes = 0;
  /// The call ends after so long, with what it has done by then, as a wake-up in the background has
  /// to; the most urgent went first, and the rest goes on from there next time. 0: when all is
  /// done. kTimeout where the server had not even answered by then.
  std::uint64_t budget_ms = 0;
  /// Compare what the file holds with what the server has for it, and put right what differs. It
  /// happens by itself once a week; not with a budget, not while something is unsent (one that is
  /// due follows in a call behind), and not in a call that is open already.
  bool compare = false;
  /// The line costs money: tracks stay for another call, and `kMeteredBytes` are the budget where
  /// none is given. Pictures go with `Client::send_media`, which nobody need call.
  bool metered = false;

  static constexpr std::uint64_t kMeteredBytes = 256 * 1024;
};

}  // namespace gridwhistle
