#include "faults.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "timeline.h"

namespace gridwhistle::sim {

namespace {

constexpr std::array<std::string_view, kFaultCount> kNames = {
    "breaks",     "silence", "truncation",      "duplication",    "lingering",    "outages",
    "clocks",     "moves",   "kills",           "reboots",        "server-kills", "restores",
    "power-cuts", "deaths",  "disk-fails-once", "disk-fails",     "disk-full",    "no-memory",
    "compares",   "clones",  "put-backs",       "forgets",        "reads-fail",   "one-way",
    "slow-lines", "sweeps",  "hostile-phone",   "hostile-server", "pictures",     "damage",
    "versions"};

std::uint64_t hardness_in(std::string_view text) {
  std::uint64_t hardness = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hardness);
  const bool read = error == std::errc() && end == text.data() + text.size();
  if (!read || hardness > Faults::kHardest) {
    throw std::invalid_argument("how hard a fault strikes is 0 to 3, not " + std::string(text));
  }
  return hardness;
}

Fault fault_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<Fault>(found - kNames.begin());
  std::string all;
  for (const std::string_view known : kNames) all += " " + std::string(known);
  throw std::invalid_argument("no such fault: " + std::string(name) + "; there are" + all);
}

}  // namespace

std::string_view name_of(Fault fault) { return kNames[static_cast<std::size_t>(fault)]; }

void Faults::set(Fault fault, std::uint64_t hardness) {
  hardness_[index(fault)] = static_cast<std::uint8_t>(hardness);
}

// A restore hides what else may go wrong with acknowledged work, and so do a file put back and what
// is forgotten, so they have fewer seeds; with pictures a run takes longer. A forgetting beside
// copies of files is more than the protocol knows how to tell apart: see docs/testing.md.
Faults Faults::of_seed(std::uint64_t seed) {
  Dice lots(seed ^ 0xFA0175);
  Faults faults;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const Fault fault = static_cast<Fault>(i);
    const bool hides = fault == Fault::kRestores || fault == Fault::kPutBacks ||
                       fault == Fault::kForgets || fault == Fault::kHostileServer ||
                       fault == Fault::kPictures || fault == Fault::kVersions;
    const bool there = lots.chance(hides ? 250 : 700);
    faults.set(fault, there ? lots.between(1, kHardest) : 0);
  }
  const bool copies = faults.has(Fault::kClones) || faults.has(Fault::kPutBacks);
  if (copies) faults.set(Fault::kForgets, 0);
  if (!faults.has(Fault::kPictures)) faults.set(Fault::kDamage, 0);
  if (copies || faults.has(Fault::kRestores)) faults.set(Fault::kHostileServer, 0);
  return faults;
}

Faults Faults::parse(std::string_view text) {
  constexpr std::uint64_t kUnsaid = 2;
  Faults faults;
  if (text == "none") return faults;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t sign = one.find('=');
    const Fault fault = fault_named(one.substr(0, sign));
    faults.set(fault, sign == one.npos ? kUnsaid : hardness_in(one.substr(sign + 1)));
  }
  return faults;
}

std::string Faults::text() const {
  std::string text;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const Fault fault = static_cast<Fault>(i);
    if (!has(fault)) continue;
    if (!text.empty()) text += ',';
    text += std::string(name_of(fault)) + '=' + std::to_string(hardness(fault));
  }
  return text.empty() ? "none" : text;
}

}  // namespace gridwhistle::sim
