#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "faults.h"
#include "support/power_cut_vfs.h"
#include "timeline.h"

// What a disk of the run meets.
namespace gridwhistle::sim {

using DiskFault = test::PowerCutDisk::Fault;

/// Whether the process that meets it is over.
bool ends_process(DiskFault fault);
/// "power-cuts: phone records"
std::string mark_of(DiskFault fault, std::string_view phase);
/// What the disk does, for the trace.
std::string_view name_of_strike(DiskFault fault);

/// Arms the faults of disks that a run has, again and again.
class DiskFaults {
 public:
  DiskFaults(Timeline& timeline, Dice& dice, const Faults& faults);

  bool has_any() const { return !drawn_.empty(); }
  /// From now on, until `end`. `operations` is what it does, roughly, in some minutes of work.
  void spoil(test::PowerCutDisk& disk, std::uint64_t operations);
  /// Before something that is seldom done, in about so many operations: perhaps now.
  void perhaps_now(test::PowerCutDisk& disk, std::uint64_t operations);
  /// Nothing new happens to any disk.
  void end() { ended_ = true; }

 private:
  void arm(test::PowerCutDisk& disk, std::uint64_t operations);

  Timeline& timeline_;
  Dice& dice_;
  std::vector<DiskFault> drawn_;  ///< each as often as it is hard
  bool ended_ = false;
};

/// What a side is doing while this lives.
class Phase {
 public:
  Phase(const char*& now, const char* what) : now_(now), before_(now) { now = what; }
  ~Phase() { now_ = before_; }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  const char*& now_;
  const char* before_;
};

}  // namespace gridwhistle::sim
