#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "marks.h"
#include "timeline.h"
#include "wire/frames.h"

namespace gridwhistle::sim {

/// What a phone hears of somebody who speaks with the county's key and means harm: beside what the
/// county says, now and then, what no county says. It gives no word for work that nobody took, and
/// neither shows what it made up nor hides what there is: against these no phone can do anything.
class HostileServer {
 public:
  HostileServer(Dice& dice, Marks& marks) : dice_(dice), marks_(marks) {}

  /// From now on at `per_mille` of frames; at first it only listens.
  void strike(std::uint64_t per_mille) { per_mille_ = per_mille; }

  /// What a phone hears in place of a frame of the county's.
  std::vector<std::string> down(const std::string& phone, const std::string& frame);

 private:
  std::optional<std::string> another_welcome(const std::string& phone, const std::string& frame);
  std::string something();

  Dice& dice_;
  Marks& marks_;
  std::uint64_t per_mille_ = 0;
  std::map<std::string, v1::Welcome> told_;  ///< each phone, when it was last told all
};

}  // namespace gridwhistle::sim
