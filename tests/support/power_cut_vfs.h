#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
    kKill,         ///< everything fails until `restart`, for the process that asks is dead
    kIoError,      ///< writes and syncs fail until `heal`
    kIoErrorOnce,  ///< one write or sync fails, and the disk goes on as if nothing had been
    kNoSpace,      ///< writes behind a file's end fail until `heal`
    kReadError,    ///< reads fail until `heal`
    kReadErrorOnce,
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

  /// The operation after the next `count` ones, and all behind it, meet the fault; of a fault of
  /// reads the read.
  void fail_after(std::uint64_t count, Fault fault);
  void heal();
  /// Whether the fault has struck.
  bool struck() const;
  /// The fault that is on its way, or lasts.
  std::optional<Fault> fault() const;
  /// Operations and reads that failed so far.
  std::uint64_t failures() const;
  /// Calls `told` when a fault strikes, within the operation that meets it. Does nothing to it.
  void on_strike(std::function<void(Fault)> told);

  /// From here on syncs are answered and not done, as by a disk with a cache that lies.
  void ignore_syncs();
  /// Connections opened from here on get this where they ask for `PRAGMA name=...`: a program that
  /// asks for less than it should. Empty: what they ask for.
  void answer_pragma(const std::string& name, const std::string& value);

  /// What a power cut at this moment leaves on the disk; the seed chooses among the unsynced
  /// sectors. The connections that were open know nothing of it and must be closed first.
  void restore_power(std::uint64_t seed);
  /// What a process leaves that is killed at this moment: all that it wrote, synced or not, and no
  /// locks. Its connections must be closed first.
  void restart();

  /// Puts a file in another's place, at once and durably, or takes one away. What was not synced of
  /// a file may still be lost under its new name.
  void rename(const std::string& from, const std::string& to);
  /// Syncs a file, as whoever has no connection to it does. False: the disk does not let it.
  bool sync(const std::string& name);
  void copy(const std::string& from, const std::string& to);
  /// The same from another disk.
  void copy_from(const PowerCutDisk& disk, const std::string& from, const std::string& to);
  void remove(const std::string& name);
  bool has(const std::string& name) const;
  /// What is read of a file that is there, until it is written again.
  std::string_view content(const std::string& name) const;
  /// Writes each file as it is read now into a folder of the system's disk.
  void save_to(const std::string& folder) const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace gridwhistle::test
