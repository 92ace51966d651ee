#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "county_server.h"

// What a whistle's road takes seldom, played once each with the operators' commands.
namespace gridwhistle::demo {

/// How many whistles `play_rare_turns` needs: reported by workers, in one town, one and the same
/// matter that a rule gives to BM-ZJ, and nobody has touched them.
inline constexpr std::size_t kRareTurns = 4;

/// The first is the same matter as the second: merged with it, taken apart, merged again. The
/// second is extended, then suspended, resumed, closed, and reopened because the reporter was not
/// content. The third is objected to twice, so that a joint meeting decides. The fourth is accepted
/// and then void. `town` is its nine digits' last three, "100". Gives how many actions were taken,
/// all of them accepted.
Result<std::size_t> play_rare_turns(CountyServer& server, const std::string& town,
                                    const std::vector<std::string>& numbers);

}  // namespace gridwhistle::demo
