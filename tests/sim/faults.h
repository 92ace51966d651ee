#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gridwhistle::sim {

/// What can go wrong in a run.
enum class Fault : std::uint8_t {
  kBreaks,       ///< a frame takes its call with it
  kSilence,      ///< a call is half open: nothing passes, nobody is told
  kTruncation,   ///< a frame arrives in part
  kDuplication,  ///< a frame arrives twice
  kLingering,    ///< what was under way on a broken call arrives all the same
  kOutages,      ///< a phone has no network for hours
  kClocks,       ///< a phone's clock is wrong, and jumps
  kMoves,        ///< a worker has another grid from now on
  kKills,        ///< a phone's process dies between two events
  kReboots,      ///< a phone loses power between two events
  kServerKills,  ///< the same of the server's process
  kRestores,     ///< a server that died comes back from one of its last backups
  kPowerCuts,    ///< the power goes at any write or sync, on either side
  kDeaths,       ///< the process dies at any write or sync, on either side
  kDiskFailsOnce,
  kDiskFails,      ///< for some minutes
  kDiskFull,       ///< for some minutes
  kNoMemory,       ///< an allocation of SQLite's fails, on either side
  kCompares,       ///< phones compare what they hold, whatever goes on
  kClones,         ///< a phone's file is copied, and both go on
  kPutBacks,       ///< a phone's file is put back to an older state of its own
  kForgets,        ///< the county forgets what persons recorded
  kReadsFail,      ///< reads of a disk fail, once or for some minutes
  kOneWay,         ///< for minutes or hours a line carries nothing in one direction, nobody is told
  kSlowLines,      ///< a line carries some hundred bytes a second, after seconds
  kSweeps,         ///< tombstones go soon, whoever has not heard of them
  kHostilePhone,   ///< an enrolled phone says what is meant to harm
  kHostileServer,  ///< somebody with the county's key says, now and then, what no county says
  kPictures,       ///< persons take pictures, which go on calls of their own
  kDamage,         ///< a byte of a picture is another when it arrives
  kVersions,       ///< phones are of older and newer builds, and are updated
};
inline constexpr std::size_t kFaultCount = static_cast<std::size_t>(Fault::kVersions) + 1;

/// The faults of one run, each with how hard it strikes: 0 not at all, 1 seldom, 2, 3 often.
class Faults {
 public:
  static constexpr std::uint64_t kHardest = 3;

  /// None.
  Faults() = default;
  /// What a seed chooses, by dice of its own.
  static Faults of_seed(std::uint64_t seed);
  /// As `text` writes it: "breaks=2,moves=1"; without a number 2. "none". Throws
  /// std::invalid_argument with what there is.
  static Faults parse(std::string_view text);

  std::uint64_t hardness(Fault fault) const { return hardness_[index(fault)]; }
  bool has(Fault fault) const { return hardness(fault) > 0; }
  void set(Fault fault, std::uint64_t hardness);
  std::string text() const;

 private:
  static std::size_t index(Fault fault) { return static_cast<std::size_t>(fault); }
  std::array<std::uint8_t, kFaultCount> hardness_{};
};

std::string_view name_of(Fault fault);

}  // namespace gridwhistle::sim
