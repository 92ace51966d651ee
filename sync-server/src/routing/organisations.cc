#include "routing/rule_book.h"

namespace gridwhistle::routing {

std::string area_prefix_of(const std::string& code) {
  constexpr std::size_t kCode12 = 12;
  constexpr std::size_t kTown = 9;
  constexpr std::size_t kCounty = 6;
  constexpr std::size_t kCity = 4;
  if (code.size() != kCode12) return code;
  for (const std::size_t length : {kCity, kCounty, kTown}) {
    if (code.find_first_not_of('0', length) == std::string::npos) return code.substr(0, length);
  }
  return code;
}

const Organisation* serving(const RuleBook& book, const std::string& department_type,
                            const std::string& area, Level level, std::int64_t at_ms) {
  const Organisation* best = nullptr;
  std::size_t best_length = 0;
  for (const Organisation& candidate : book.organisations) {
    if (candidate.department_type != department_type || candidate.level < level) continue;
    if (!candidate.valid.holds_at(at_ms)) continue;
    const std::string prefix = area_prefix_of(candidate.area12);
    if (!area.starts_with(prefix)) continue;
    const auto better = [&] {
      if (candidate.level != best->level) return candidate.level < best->level;
      if (prefix.size() != best_length) return prefix.size() > best_length;
      return candidate.code < best->code;
    };
    if (best && !better()) continue;
    best = &candidate;
    best_length = prefix.size();
  }
  return best;
}

}  // namespace gridwhistle::routing
