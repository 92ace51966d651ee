#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "faults.h"
#include "marks.h"

namespace gridwhistle::sim {

struct RunResult {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;      ///< of everything that happened
  std::string violation;       ///< empty: every law held
  std::uint64_t acts = 0;      ///< things that persons did, or tried to
  std::uint64_t promises = 0;  ///< changes acknowledged by a commit
  std::uint64_t frames = 0;
  std::uint64_t calls = 0;
  std::uint64_t kills = 0;
  Marks marks;
};

struct RunOptions {
  bool trace = false;            ///< prints what happens
  std::optional<Faults> faults;  ///< none: what the seed chooses
  std::set<std::string> idle;  ///< phones with which nobody does anything, and that meet no faults
  std::uint64_t operations = 0;  ///< persons do no more than so many things; 0: no such end
  std::string plant;             ///< a bug on purpose, as in plants.h; empty: none
  std::string keep;  ///< a new folder for the files and the history; empty: none is kept
};

/// A county's hours, played from one seed: phones record, lines break, disks fail, processes die,
/// clocks lie, workers move; then all is healed, and every law is checked.
RunResult run(std::uint64_t seed, const RunOptions& options = {});

}  // namespace gridwhistle::sim
