#pragma once

#include <string>
#include <vector>

#include "bench/figure.h"
#include "bench/workload.h"

// The scenarios S1 to S9. Each runs the library and the floor in turn, in the same run, on the same
// records. Files lie in `folder`, which is emptied between scenarios.
namespace gridwhistle::bench {

struct Setting {
  std::string server_program;  ///< gridwhistle-server
  std::string own_program;     ///< gw-bench itself, for the floor's server
  std::string folder;
  bool quick = false;
  std::size_t devices = 1'000;  ///< of `many`
  double seconds = 240;         ///< how long `county` may take
};

/// S1, S1b: capture on the device.
Figures capture(const Setting& setting, const std::vector<Item>& items);
/// S2, S3, S4, S7: first upload, first download, an edit of 100 records, nothing new; with bytes.
Figures exchange(const Setting& setting, const std::vector<Item>& items);
/// S5: two devices edit the same 100 records.
Figures conflict(const Setting& setting, const std::vector<Item>& items);
/// S6: 50 devices push 200 records each at once.
Figures crowd(const Setting& setting, const std::vector<Item>& items);
/// S8: S2, S3, S4, S7 with 25 ms added each way; and the round trips of S4 and S7.
Figures distance(const Setting& setting, const std::vector<Item>& items);
/// S9: S2, S3, S7 at the whole and at a tenth of the records. Also opening a file, and memory.
Figures growth(const Setting& setting, const std::vector<Item>& items);

/// Reports, without bars. Many devices push at once and stay connected: what the server's time and
/// memory come to, a record and a stream. `devices`, at most.
Figures many(const Setting& setting, const std::vector<Item>& items);
/// A county grows to a million records, or as far as `seconds` reach: what a record costs the
/// server to take over, and to pass on, at the beginning and at the end.
Figures county(const Setting& setting, const std::vector<Item>& items);

/// The items as a worker of that one grid would have recorded them.
std::vector<Item> moved_to(std::vector<Item> items, const std::string& grid);

}  // namespace gridwhistle::bench
