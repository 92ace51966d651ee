#pragma once

#include <random>
#include <string>
#include <vector>

namespace gridwhistle::fuzz {

/// One of the seeds, changed in one to eight places: bits flipped, bytes set to telling values,
/// pieces cut out, doubled, put in from another seed, the end cut off.
std::string mutated(const std::vector<std::string>& seeds, std::mt19937_64& random);

}  // namespace gridwhistle::fuzz
