#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/records.pb.h"

// The records that benchmarks write: half visits, a fifth whistles, three tenths households with
// three to six members. Either made here, the same on every machine, or read from a file of JSON
// lines of the same form.
namespace gridwhistle::bench {

/// One line of a workload: one visit, one whistle, or one household with its members.
struct Item {
  v1::Visit visit;
  v1::Whistle whistle;
  v1::Household household;
  std::vector<v1::Resident> members;
  enum class Kind : std::uint8_t { kVisit, kWhistle, kHousehold } kind = Kind::kVisit;
};

/// `count` items from `seed`; fewer items are a prefix of more.
std::vector<Item> make_workload(std::size_t count, std::uint64_t seed);

/// The first `count` items of a file, or all there are. Errors: kNotFound, kInvalid with the line.
Result<std::vector<Item>> read_workload(const std::string& path, std::size_t count);

/// The bare records of an item, serialized, ids included: what a floor sends and stores.
std::vector<std::string> bare_records(const Item& item, RecordId first_id);

/// The grids that the workload's records lie in, each once.
std::vector<std::string> grids_of(const std::vector<Item>& items);

}  // namespace gridwhistle::bench
