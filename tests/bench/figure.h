#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace gridwhistle::bench {

/// One measured figure. `limit` is what the floor reached in the same run, `ratio` value ÷ limit.
struct Figure {
  std::string scenario;
  std::size_t n = 0;
  double value = 0;
  std::string unit;
  std::optional<double> limit;
  /// What is asked of it: the ratio where there is a limit, else the value.
  std::optional<double> bar;
  bool at_least = false;      ///< the bar is a lower one
  bool bar_of_value = false;  ///< the value is asked for though there is a limit

  std::optional<double> ratio() const {
    if (!limit || *limit == 0) return std::nullopt;
    return value / *limit;
  }
  bool holds() const {
    if (!bar) return true;
    const double judged = bar_of_value ? value : ratio().value_or(value);
    return at_least ? judged >= *bar : judged <= *bar;
  }
};

using Figures = std::vector<Figure>;

}  // namespace gridwhistle::bench
