#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gridwhistle::terminal {

/// The words of `known` that `word` may have been meant for: those it begins, or that are two
/// letters away at most; the closest first.
std::vector<std::string> closest(std::string_view word, const std::vector<std::string>& known);

}  // namespace gridwhistle::terminal
