#include "disk_faults.h"

#include <array>
#include <utility>

namespace gridwhistle::sim {

namespace {

struct Kind {
  DiskFault disk;
  Fault fault;
  std::string_view does;
};

constexpr std::array kKinds = {
    Kind{DiskFault::kPower, Fault::kPowerCuts, "loses power"},
    Kind{DiskFault::kKill, Fault::kDeaths, "is asked no more: the process is killed"},
    Kind{DiskFault::kIoErrorOnce, Fault::kDiskFailsOnce, "fails once"},
    Kind{DiskFault::kIoError, Fault::kDiskFails, "fails"},
    Kind{DiskFault::kNoSpace, Fault::kDiskFull, "is full"},
    Kind{DiskFault::kReadErrorOnce, Fault::kReadsFail, "cannot be read once"},
    Kind{DiskFault::kReadError, Fault::kReadsFail, "cannot be read"},
};

const Kind& kind_of(DiskFault fault) {
  for (const Kind& kind : kKinds) {
    if (kind.disk == fault) return kind;
  }
  std::unreachable();
}

}  // namespace

bool ends_process(DiskFault fault) {
  return fault == DiskFault::kPower || fault == DiskFault::kKill;
}

std::string mark_of(DiskFault fault, std::string_view phase) {
  return std::string(name_of(kind_of(fault).fault)) + ": " + std::string(phase);
}

std::string_view name_of_strike(DiskFault fault) { return kind_of(fault).does; }

DiskFaults::DiskFaults(Timeline& timeline, Dice& dice, const Faults& faults)
    : timeline_(timeline), dice_(dice) {
  for (const Kind& kind : kKinds)
    drawn_.insert(drawn_.end(), faults.hardness(kind.fault), kind.disk);
}

void DiskFaults::spoil(test::PowerCutDisk& disk, std::uint64_t operations) {
  if (drawn_.empty()) return;
  constexpr std::uint64_t kMinute = 60'000;
  // The harder the faults, the sooner.
  const std::uint64_t wait_max = 200 * kMinute / (2 + drawn_.size());
  timeline_.after(dice_.between(kMinute, wait_max), [this, &disk, operations] {
    if (ended_) return;
    if (!disk.fault()) arm(disk, operations);
    spoil(disk, operations);
  });
}

void DiskFaults::perhaps_now(test::PowerCutDisk& disk, std::uint64_t operations) {
  if (drawn_.empty() || ended_ || disk.struck() || !dice_.chance(60 * drawn_.size())) return;
  arm(disk, operations);
}

void DiskFaults::arm(test::PowerCutDisk& disk, std::uint64_t operations) {
  const DiskFault fault = drawn_[dice_.below(drawn_.size())];
  const std::uint64_t after = dice_.below(operations);
  // Not every write needs room, so a full disk is so at once.
  disk.fail_after(fault == DiskFault::kNoSpace ? 0 : after, fault);
  const bool once = fault == DiskFault::kIoErrorOnce || fault == DiskFault::kReadErrorOnce;
  if (ends_process(fault) || once) return;
  constexpr std::uint64_t kLastsMax = 40 * 60'000;
  timeline_.after(dice_.between(1'000, kLastsMax), [&disk, fault] {
    if (disk.fault() == fault) disk.heal();
  });
}

}  // namespace gridwhistle::sim
