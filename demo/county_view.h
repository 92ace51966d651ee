#pragma once

#include <map>
#include <string>
#include <vector>

#include "facts.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"

namespace gridwhistle::demo {

/// A whistle and everything that was done about it, as the server's database has it.
struct WhistleStory {
  RecordId id;
  v1::Whistle whistle;
  std::vector<v1::WhistleAction> actions;                        ///< by the time they took effect
  std::vector<std::pair<RecordId, v1::Assignment>> assignments;  ///< the lead's first
};

/// The parts of the server's database that the page shows and the checks judge.
struct CountyView {
  std::vector<v1::Grid> grids;
  std::vector<v1::AdminArea> towns;
  std::map<std::string, v1::OrgUnit> organisations;  ///< by the 16 bytes of their id
  std::map<std::string, std::string> categories;     ///< code to name
  std::vector<WhistleStory> whistles;                ///< by the time the server received them
  std::map<std::string, std::uint64_t> records;      ///< how many of each kind phones wrote
};

/// kCorrupt: a stored record cannot be read.
Result<CountyView> view_of(const ServerFacts& facts);

/// Where a whistle stands when the question is whether anybody has it.
enum class Place {
  kBeforeAcceptance,  ///< reported, nobody has looked yet
  kBeforeBlowing,     ///< accepted, still the centre's own
  kOnTheSpot,         ///< the grid worker settled it: nobody had to be called
  kRouted,            ///< a rule, or the county's dispatcher, called an organisation
  kHeadless,          ///< in the 无头事项 queue
  kRefused,           ///< refused, merged or taken back
  kNowhere,           ///< blown, and with nobody: a fault
};
Place place_of(const WhistleStory& story);

}  // namespace gridwhistle::demo
