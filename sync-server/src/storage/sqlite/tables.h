#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "model/schema.h"
#include "sqlite/schema_tables.h"

namespace gridwhistle {

/// Tells a county's file from all others: "GWC1".
inline constexpr sqlite::FileFormat kCountyFile = {.application_id = 0x47574331, .version = 1};

/// What a kind's table has beside `id`, `body` and the columns to find rows by.
/// `digest` is of all of them and the body; rows of a build that kept none have an empty one.
inline constexpr std::array<std::string_view, 5> kRecordColumns = {
    "last_seq INTEGER NOT NULL", "erased INTEGER NOT NULL", "stamps BLOB NOT NULL",
    "memberships BLOB NOT NULL", "digest BLOB NOT NULL DEFAULT x''"};
inline constexpr std::array<std::string_view, 5> kRecordColumnNames = {
    "last_seq", "erased", "stamps", "memberships", "digest"};

/// Everything that no record kind declares. Run at every opening.
extern const std::string_view kCountyTables;

/// The schema with an index only where the server itself looks something up: people ask phones, the
/// server is asked by its rules. Points into `schema` for the rest.
class ServerSchema {
 public:
  explicit ServerSchema(const Schema& schema);
  ServerSchema(const ServerSchema&) = delete;
  ServerSchema& operator=(const ServerSchema&) = delete;

  const Schema& schema() const { return pruned_; }
  const KindSchema* kind(KindId id) const { return pruned_.kind(id); }

 private:
  std::deque<std::vector<FieldSchema>> fields_;
  std::vector<KindSchema> kinds_;
  Schema pruned_;
};

}  // namespace gridwhistle
