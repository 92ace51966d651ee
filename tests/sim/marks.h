#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gridwhistle::sim {

/// What a run has come through: each fault in each phase that it can strike in. A count of seeds
/// means as much as the marks that they hit.
class Marks {
 public:
  /// Throws std::logic_error for one that `all` does not have.
  void hit(std::string_view mark);
  std::uint64_t count(std::string_view mark) const;
  void add(const Marks& others);

  /// Every mark there is.
  static const std::vector<std::string>& all();

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace gridwhistle::sim
