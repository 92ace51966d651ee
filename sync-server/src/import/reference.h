#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/v1/reference.pb.h"
#include "import/problem.h"
#include "schema/kinds.h"

namespace gridwhistle::import {

/// The id of the reference record of that kind and code, for ever: importing a file again finds the
/// same records, and files may refer to each other in any order. Never an id the server counts out.
RecordId reference_id(KindId kind, std::string_view code);

/// Of a record's message the fields that these columns hold.
std::string parts_of(KindId kind, std::string_view message,
                     const std::vector<std::string>& columns);

/// A reference record and where it was read.
template <typename Message>
struct Entry {
  Message value;
  std::string file;  ///< empty: the county has it already
  std::size_t line = 0;
  std::size_t last_line = 0;  ///< where it takes several and its faults name one of them
  /// Columns that its file does not have: there the record stays as the county has it.
  std::vector<std::string> left_out = {};

  bool imported() const { return !file.empty(); }
};

template <typename Message>
using ByCode = std::map<std::string, Entry<Message>, std::less<>>;

/// What a line points at by name, to be looked up when everything is read. What rules and the
/// responsibility list point at is looked up in the rule book they make (rule_checks.h).
struct Link {
  enum class To { kArea, kGrid, kOrganisation, kCategory, kCategoryPrefix };
  To to;
  std::string name;
  std::string file;
  std::size_t line = 0;
  Line holder = {};  ///< said before what is wrong, where a line may hold several records
};

/// A county's reference data by code: what it has, overlaid by what files say.
struct Reference {
  ByCode<v1::AdminArea> areas;
  ByCode<v1::Grid> grids;
  ByCode<v1::OrgUnit> organisations;
  ByCode<v1::Worker> workers;
  ByCode<v1::Category> categories;
  ByCode<v1::ResponsibilityItem> items;
  ByCode<v1::RoutingRule> rules;
  std::vector<Link> links;
  /// Records that the county has under another id than reference_id gives.
  std::map<std::pair<KindId, std::string>, RecordId> other_ids;

  /// The id a record of that code has, or is going to have.
  RecordId id_of(KindId kind, const std::string& code) const {
    const auto other = other_ids.find({kind, code});
    return other == other_ids.end() ? reference_id(kind, code) : other->second;
  }

  /// Puts an entry of a file in; a code that a file has already is a problem.
  template <typename Message>
  void add(ByCode<Message>& table, const std::string& code, Entry<Message> entry,
           Problems& problems) {
    auto& slot = table[code];
    if (slot.imported()) {
      const std::string first = slot.file + ":" + std::to_string(slot.line);
      problems.add(entry.file, entry.line,
                   {"\"" + code + "\" 重复，已见于 " + first,
                    "\"" + code + "\" stands already in " + first});
      return;
    }
    if (!entry.left_out.empty()) {
      entry.value.MergeFromString(
          parts_of(kind_of<Message>, slot.value.SerializeAsString(), entry.left_out));
    }
    slot = std::move(entry);
  }
};

}  // namespace gridwhistle::import
