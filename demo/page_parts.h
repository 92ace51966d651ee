#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "page.h"

// The parts of the page, each as HTML.
namespace gridwhistle::demo {

/// What a whistle's state is drawn in.
std::string_view colour_of(v1::WhistleState state);

/// The day's figures, each with its numerator and denominator.
std::string numbers_part(const CountyView& county, const DayNumbers& numbers);

/// The grids, and the whistles as dots coloured by state.
std::string map_part(const CountyView& county);

/// Some whistles' roads, chosen so that they differ.
std::string roads_part(const CountyView& county);

}  // namespace gridwhistle::demo
