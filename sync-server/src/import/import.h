#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "import/problem.h"

// The operator's files to reference records. Pure: bytes in, records or complaints out.
namespace gridwhistle::import {

struct SourceFile {
  std::string name;  ///< its last part says what is in it: one of file_names()
  std::string bytes;
};

/// A reference record: what the county has, or what it shall have.
struct ReferenceRow {
  KindId kind;
  RecordId id;
  std::string body;  ///< a message of the kind, without its id
  bool operator==(const ReferenceRow&) const = default;
};

/// "areas.csv", "grids.geojson"… in the order they are best read.
std::span<const std::string_view> file_names();

/// The kinds that imports write: whose rows `read` wants to know.
std::span<const KindId> imported_kinds();

/// Reads files that belong together, in any order, and checks them against each other and against
/// what the county has already. All of them or nothing: one problem anywhere and there are no rows.
/// A record that the county has and the files leave out stays as it is, and of one they have the
/// columns that they lack; a rule is taken whole. A record they give a
/// `valid_until` or `left` ends then.
///
/// `county` is "440811". Rules are checked as they will be at `at_ms`. The rows come in the order
/// of file_names().
std::expected<std::vector<ReferenceRow>, Problems> read(std::span<const SourceFile> files,
                                                        std::span<const ReferenceRow> existing,
                                                        std::string_view county,
                                                        std::int64_t at_ms);

}  // namespace gridwhistle::import
