#include "marks.h"

#include <algorithm>
#include <stdexcept>

namespace gridwhistle::sim {

namespace {

std::vector<std::string> make_all() {
  std::vector<std::string> all = {"breaks: up",
                                  "breaks: down",
                                  "silence: the whole call",
                                  "truncation: up",
                                  "truncation: down",
                                  "duplication: up",
                                  "duplication: down",
                                  "lingering: up",
                                  "outages: at rest",
                                  "outages: in a call",
                                  "clocks: behind",
                                  "clocks: ahead",
                                  "moves: with unsent work",
                                  "moves: with all sent",
                                  "kills: at rest",
                                  "kills: in a call",
                                  "reboots: at rest",
                                  "reboots: in a call",
                                  "server-kills: at rest",
                                  "server-kills: in a call",
                                  "restores: the newest backup",
                                  "restores: an older backup",
                                  "compares: amid all that",
                                  "clones: at rest",
                                  "clones: in a call",
                                  "clones: of a copy",
                                  "clones: one goes on under another number",
                                  "clones: what both had unsent is there twice",
                                  "put-backs: with unsent work",
                                  "put-backs: with all sent",
                                  "hostile-phone: another's name",
                                  "hostile-phone: another's scopes",
                                  "hostile-phone: another's record",
                                  "hostile-phone: another's id",
                                  "hostile-phone: what only the server writes",
                                  "hostile-phone: a foreign lane",
                                  "hostile-phone: absurd numbers",
                                  "hostile-phone: a replayed frame",
                                  "hostile-phone: an altered frame",
                                  "hostile-phone: bytes of chance",
                                  "hostile-phone: what is no frame",
                                  "hostile-phone: its call is refused",
                                  "hostile-phone: what it may write is taken",
                                  "hostile-phone: what it may not write is refused",
                                  "hostile-server: another history",
                                  "hostile-server: bytes of chance",
                                  "hostile-server: a second welcome",
                                  "hostile-server: thanks for what was never sent",
                                  "hostile-server: a row beyond its cut",
                                  "hostile-server: a scope that is not granted",
                                  "hostile-server: differences that nobody asked for",
                                  "hostile-server: come back in a year",
                                  "one-way: up",
                                  "one-way: down",
                                  "slow-lines: up",
                                  "slow-lines: down",
                                  "forgets: a household or a resident",
                                  "forgets: a report",
                                  "forgets: a visit",
                                  "forgets: in a call",
                                  "forgets: what a phone has not sent",
                                  "forgets: again, when the county starts",
                                  "sweeps: what all have passed",
                                  "sweeps: what a phone has not passed",
                                  "pictures: with a report",
                                  "pictures: of what was there",
                                  "pictures: one is brought",
                                  "pictures: one goes on where it stopped",
                                  "pictures: one is shown, not brought again",
                                  "pictures: a line breaks under one",
                                  "pictures: somebody else's is seen",
                                  "pictures: brought back from beside a backup",
                                  "pictures: reports go without them",
                                  "kills: under a picture",
                                  "reboots: under a picture",
                                  "server-kills: under a picture",
                                  "outages: under a picture",
                                  "truncation: of a picture",
                                  "duplication: of a picture",
                                  "disk-fails: under a picture",
                                  "disk-full: under a picture",
                                  "reads-fail: under a picture",
                                  "damage: up",
                                  "damage: down",
                                  "versions: what others do not know is written",
                                  "versions: what a phone knows in part is edited",
                                  "versions: updated at rest",
                                  "versions: updated in a call",
                                  "versions: updated with unsent work",
                                  "versions: too old, brings its work and is told"};
  for (const char* fault : {"power-cuts", "deaths", "disk-fails-once", "disk-fails", "disk-full",
                            "no-memory", "reads-fail"}) {
    for (const char* phase :
         {"phone opens", "phone records", "phone syncs", "phone closes", "server starts",
          "server applies", "server backs up", "server imports", "server stops"}) {
      all.push_back(std::string(fault) + ": " + phase);
    }
  }
  return all;
}

}  // namespace

const std::vector<std::string>& Marks::all() {
  static const std::vector<std::string> marks = make_all();
  return marks;
}

void Marks::hit(std::string_view mark) {
  const auto known = counts_.find(mark);
  if (known != counts_.end()) {
    ++known->second;
    return;
  }
  if (std::ranges::find(all(), mark) == all().end()) {
    throw std::logic_error("no such mark: " + std::string(mark));
  }
  counts_.emplace(mark, 1);
}

std::uint64_t Marks::count(std::string_view mark) const {
  const auto known = counts_.find(mark);
  return known != counts_.end() ? known->second : 0;
}

void Marks::add(const Marks& others) {
  for (const auto& [mark, count] : others.counts_) counts_[mark] += count;
}

}  // namespace gridwhistle::sim
