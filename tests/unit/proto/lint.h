#pragma once

#include <string>
#include <vector>

#include "plugin/kinds.h"

namespace gridwhistle::lint {

/// What is wrong with the annotated files, a sentence a fault; empty when nothing is. Needs files
/// that were read with their comments.
std::vector<std::string> faults(const plugin::Files& files);

/// Every number that must never change, a line each, sorted: kinds, fields, enum values.
std::vector<std::string> numbers(const plugin::Files& files);

/// What `golden` pins and `now` no longer holds. Additions are no fault.
std::vector<std::string> changed(const std::vector<std::string>& golden,
                                 const std::vector<std::string>& now);

/// Kinds that `golden` does not hold and that do not say since which version of the schema they are
/// there: phones that were built before would be sent their rows.
std::vector<std::string> newcomers(const std::vector<std::string>& golden,
                                   const plugin::Files& files);

}  // namespace gridwhistle::lint
