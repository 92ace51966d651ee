#pragma once

#include <cstddef>

// What an operator's file may hold. A city of 9,108 grids fits several times.
namespace gridwhistle::import::limits {

/// A file: the grids of a large city with detailed boundaries.
inline constexpr std::size_t kFileBytes = 64 * 1024 * 1024;
/// Rows of a table: the grid workers of a province's largest city, ten times.
inline constexpr std::size_t kRows = 100'000;
/// Columns of a table, and the length of one value.
inline constexpr std::size_t kColumns = 64;
inline constexpr std::size_t kValueBytes = 8 * 1024;
/// A code: it stands in scopes, rules and explanations.
inline constexpr std::size_t kCodeBytes = 32;
/// Characters of a name: it stands in lists on a phone.
inline constexpr std::size_t kNameCharacters = 100;
/// Nesting of GeoJSON: a hole in a part of a boundary lies nine deep.
inline constexpr int kJsonDepth = 12;
/// Points of one grid's boundary: they are kept in one field of a record.
inline constexpr std::size_t kBoundaryPoints = 900;

}  // namespace gridwhistle::import::limits
