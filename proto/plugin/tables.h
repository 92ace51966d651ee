#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kinds.h"

namespace gridwhistle::plugin {

/// The header that declares `built_schema()`.
std::string tables_header();

/// The constant tables behind `built_schema()`, as core/src/model/schema.h shapes them.
std::string tables_source(const std::vector<Kind>& kinds, std::uint32_t schema_version);

/// `kinds::kVisit` and `kind_of<v1::Visit>`, without including any generated class.
std::string kinds_header(const std::vector<Kind>& kinds);

/// `fields::visit::kGrid`.
std::string fields_header(const std::vector<Kind>& kinds);

}  // namespace gridwhistle::plugin
