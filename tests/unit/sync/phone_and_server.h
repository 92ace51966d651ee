#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "seeded_random.h"
#include "sync/session.h"

// A session with a file and a server in memory: the smallest world in which a session can live. The
// file keeps what a store keeps; the server acknowledges, once, what it gets.
namespace gridwhistle {

struct MemoryFile {
  std::array<std::vector<Operation>, kLaneCount> recorded;
  std::array<std::uint64_t, kLaneCount> acknowledged{};
  Seq cursor;
  std::uint64_t dev_seq = 0;
  std::uint64_t compared = 0;

  LaneSeq record(Lane lane, bool more = false);
  SyncState state() const;
  std::vector<Operation> read(Lane lane, LaneSeq after, std::size_t bytes_max) const;
  bool all_acknowledged() const;
};

struct MemoryServer {
  std::array<std::vector<std::string>, kLaneCount> taken;  ///< hashes of operations, in order
  std::uint64_t seq = 0;
  std::uint64_t twice = 0;  ///< operations that came again with other content

  v1::Acks take(const OperationsUp& up);
};

/// Carries out a session's actions, frame by frame. A test pulls what is in the pipes.
struct World {
  explicit World(std::uint64_t seed);

  void run(SyncActions actions);
  /// One frame from the phone reaches the server, whose answers stand in `down`.
  bool deliver_up();
  /// One frame reaches the phone.
  bool deliver_down();
  /// Everything in the pipes, until nothing moves.
  void deliver_all();
  void break_call(ErrorCode code = ErrorCode::kUnavailable);

  SeededRandom random;
  SyncSession session;
  MemoryFile file;
  MemoryServer server;
  std::uint64_t now_ms = 1'000'000;

  bool call = false;
  bool live = false;
  bool half_closed = false;
  bool dead = false;  ///< nothing passes any more, and nobody is told
  std::deque<std::string> up;
  std::deque<Down> down;
  std::optional<Result<void>> end;  ///< comes after `down`
  bool fail_store = false;

  std::vector<Result<void>> finished;
  std::vector<Lane> lanes_received;
  std::uint64_t calls = 0;
};

}  // namespace gridwhistle
