#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gridwhistle::import {

/// One thing that is wrong with a file.
struct Problem {
  std::string file;      ///< as the operator named it; "(imported before)" for what the county has
  std::size_t line = 0;  ///< from 1; 0 when it concerns the whole file
  std::string reason;    ///< for the operator; quotes codes, never names or telephone numbers

  /// "grids.geojson:12: …"
  std::string text() const {
    return file + (line == 0 ? "" : ":" + std::to_string(line)) + ": " + reason;
  }
  bool operator==(const Problem&) const = default;
};

/// Every problem of an import, in the order they are found. After kKept of them it only counts: a
/// file of another kind altogether has one in each line, and nobody reads them all.
class Problems {
 public:
  static constexpr std::size_t kKept = 1000;

  void add(const std::string& file, std::size_t line, std::string reason) {
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
