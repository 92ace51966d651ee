#pragma once

#include <string>

#include "kinds.h"

namespace gridwhistle::plugin {

/// The header that declares `file_descriptor_set()`.
std::string descriptors_header();

/// The annotated files, with everything they import, embedded as bytes.
std::string descriptors_source(const Files& files);

}  // namespace gridwhistle::plugin
