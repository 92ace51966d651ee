#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "support/power_cut_vfs.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// A bug on purpose: what a phone or a server with such a bug would send or keep, played at the
/// doors of the run. A simulator that doesn't find it would not find the bug either.
struct Plant {
  std::string_view name;
  std::string_view what;  ///< what goes wrong
  std::string_view law;   ///< words of the violation that has to find it
  /// Without which it does nothing, where seeds seldom have them; empty: what each seed chooses.
  std::string_view faults = {};
};

/// All there are; every law has at least one.
std::span<const Plant> plants();
/// Throws std::invalid_argument where there is none of this name.
const Plant& plant_named(std::string_view name);

/// What a planted bug has seen pass.
struct Traffic;

/// One run's planted bug. Strikes now and then, by its own dice, so that a run without one plays as
/// if there were none.
class PlantedBug {
 public:
  /// Throws as `plant_named`.
  PlantedBug(std::string_view name, std::uint64_t seed);
  ~PlantedBug();

  /// What arrives at the server, of one call, in place of a frame.
  std::string up(std::uint64_t call, const std::string& frame);
  /// What arrives at a phone in place of a frame; empty: nothing.
  std::string down(const std::string& frame);
  /// What arrives at the server of a call that carries pictures.
  std::string media_up(const std::string& frame) const;
  /// A picture has just come whole to where the server keeps it.
  void in_picture(const std::string& path);
  /// Whether a restored county is not told what was forgotten since.
  bool loses_journal() const;
  /// A phone asks for a number.
  void asks_to_enrol(const std::string& request);
  /// What opens its files on this disk from here on.
  void on_disk(test::PowerCutDisk& disk) const;
  /// The county's file lies between a server's death and its next start.
  void in_file(const std::string& path, const std::string& vfs);

 private:
  const std::string name_;
  Dice dice_;
  std::unique_ptr<Traffic> traffic_;
};

}  // namespace gridwhistle::sim
