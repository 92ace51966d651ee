#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/line.h"

namespace gridwhistle::import {

/// One thing that is wrong with a file.
struct Problem {
  std::string file;      ///< as the operator named it; empty: it is what the county has already
  std::size_t line = 0;  ///< from 1; 0 when it concerns the whole file
  Line reason;           ///< for the operator; quotes codes, never names or telephone numbers

  /// "grids.geojson:12: …"
  Line text() const {
    const std::string place = file + (line == 0 ? "" : ":" + std::to_string(line));
    return {(file.empty() ? "（此前已导入）" : place) + ": " + reason.zh,
            (file.empty() ? "(imported before)" : place) + ": " + reason.en};
  }
  bool operator==(const Problem&) const = default;
};

/// Every problem of an import, in the order they are found. After kKept of them it only counts: a
/// file of another kind altogether has one in each line, and nobody reads them all.
class Problems {
 public:
  static constexpr std::size_t kKept = 1000;

  void add(const std::string& file, std::size_t line, Line reason) {
    if (++count_ <= kKept) kept_.push_back({file, line, std::move(reason)});
    lines_[file].insert(line);
  }
  /// Whether something is wrong with one of these lines, told or only counted.
  bool any_in(const std::string& file, std::size_t first, std::size_t last) const {
    const auto lines = lines_.find(file);
    if (lines == lines_.end()) return false;
    const auto found = lines->second.lower_bound(first);
    return found != lines->second.end() && *found <= last;
  }
  bool none() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  const std::vector<Problem>& kept() const { return kept_; }

 private:
  std::vector<Problem> kept_;
  std::map<std::string, std::set<std::size_t>> lines_;
  std::size_t count_ = 0;
};

}  // namespace gridwhistle::import
