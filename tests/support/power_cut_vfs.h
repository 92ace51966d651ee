#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gridwhistle::test {

/// A disk in memory, as an SQLite VFS, that loses power. What was written and not synced when the
/// power goes is lost in part: each sector of 512 bytes of it may or may not have arrived, whatever
/// the order it was written in. A sync that fails leaves the same uncertainty, and no later sync
/// brings what it did not: systems call such pages clean. One writing connection at a time; every
/// connection is gone before the disk is. One thread.
class PowerCutDisk {
 public:
  enum class Fault : std::uint8_t {
    kPower,        ///< everything fails until `restore_power`
    kIoError,      ///< writes and syncs fail until `heal`
    kIoErrorOnce,  ///< one write or sync fails, and the disk goes on as if nothing had been
    kNoSpace,      ///< writes behind a file's end fail until `heal`
  };

  /// Registers a VFS of that name.
  explicit PowerCutDisk(std::string name);
  ~PowerCutDisk();
  PowerCutDisk(const PowerCutDisk&) = delete;
  PowerCutDisk& operator=(const PowerCutDisk&) = delete;

  const std::string& name() const;

  /// Writes, truncations and syncs so far.
  std::uint64_t operations() const;
  std::uint64_t syncs() const;

  /// The operation after the next `count` ones, and all behind it, meet the fault.
  void fail_after(std::uint64_t count, Fault fault);
  void heal();
  /// Whether the fault has struck.
  bool struck() const;

  /// From here on syncs are answered and not done, as by a disk with a cache that lies.
  void ignore_syncs();

  /// What a power cut at this moment leaves on the disk; the seed chooses among the unsynced
  /// sectors. The connections that were open know nothing of it and must be closed first.
  void restore_power(std::uint64_t seed);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace gridwhistle::test
