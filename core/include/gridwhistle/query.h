#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gridwhistle/ids.h"

// What one asks of the phone's file, and what stands beside each answer.
namespace gridwhistle {

/// A field's value: integers, enums, booleans and times as numbers; strings, ids (16 bytes) and
/// other bytes as text.
using Value = std::variant<std::int64_t, double, std::string>;

enum class Compare : std::uint8_t {
  kEqual,
  kNotEqual,  ///< also where the field is not set
  kLess,
  kAtMost,
  kGreater,
  kAtLeast,
  kStartsWith,  ///< text only
  kIn,          ///< any of the values
  kUnset,       ///< no value is looked at
  kSet,         ///< no value is looked at
};

/// One thing that must be true of a record. The field is an indexed one of its kind, by its name in
/// the proto. Its index is made when the first query asks by it, and kept: on a file that holds
/// records already that query reads them all, 100,000 in some tenths of a second.
struct Condition {
  std::string field;
  Compare compare = Compare::kEqual;
  std::vector<Value> values;
};

/// Records whose position lies within `radius_m` of a point, nearest first. For kinds with
/// `latitude` and `longitude`.
struct Near {
  double latitude = 0;
  double longitude = 0;
  double radius_m = 0;
};

struct OrderBy {
  std::string field;  ///< an indexed one
  bool descending = false;
};

/// Which records of one kind, in what order. All conditions hold together; none finds everything.
/// Without order or `near`, records come in the order of their ids.
struct Query {
  std::vector<Condition> where;
  std::optional<Near> near;
  std::vector<OrderBy> order;
  std::size_t offset = 0;
  std::size_t limit = 1000;

  Query& is(std::string field, Value value) {
    where.push_back({std::move(field), Compare::kEqual, {std::move(value)}});
    return *this;
  }
  Query& that(std::string field, Compare compare, std::vector<Value> values = {}) {
    where.push_back({std::move(field), compare, std::move(values)});
    return *this;
  }
  Query& within(Near circle) {
    near = circle;
    return *this;
  }
  Query& by(std::string field, bool descending = false) {
    order.push_back({std::move(field), descending});
    return *this;
  }
  Query& first(std::size_t count) {
    limit = count;
    return *this;
  }
};

/// What became of the changes this device made to a record.
enum class Delivery : std::uint8_t {
  kNone,       ///< this device changed nothing, or long ago
  kUnsent,     ///< 未发送: some change is on this phone alone
  kDelivered,  ///< 已送达: the server has them all, durably
  kRefused,    ///< 已退回: at least one was not applied; an outcome says why
};

/// What stands beside a record.
struct RecordInfo {
  KindId kind;
  RecordId id;
  Delivery delivery = Delivery::kNone;
  bool masked = false;  ///< personal values are shown in part, because no purpose was named
  Seq last_seq;         ///< the record's last change that this phone knows; 0: only here so far
};

/// A record of a generated class with what stands beside it.
template <typename T>
struct Found {
  T record;
  RecordInfo info;
};

/// A record as a serialized message of its kind, for bindings and generic programs.
struct FoundBytes {
  std::string record;
  RecordInfo info;
};

/// Why personal data is read. Reads of kinds with personal fields are masked without one; with one
/// they are shown in full and logged, offline too. "return visit 2026-…", at most 16 KB; one that
/// says nothing, spaces alone, is refused with kPurposeRequired.
struct Purpose {
  std::string text;
};

/// One record that full-text search found.
struct Hit {
  RecordInfo info;
  std::string title;    ///< the record's first searchable field, masked like the record
  std::string snippet;  ///< around the first match; empty where the match itself is masked
};

struct Search {
  std::string text;                ///< words of one character and more; all of them must occur
  std::vector<std::string> kinds;  ///< by name; empty: every kind
  std::size_t limit = 50;
};

/// Where a point lies.
struct Location {
  struct Candidate {
    std::string code15;
    std::string name;
    double boundary_m = 0;  ///< from the point to the grid's boundary; 0 when on it
    bool inside = false;
  };
  /// The grid, when it is certain: inside it, and farther from its boundary than the accuracy.
  std::optional<std::string> grid;
  /// A boundary lies within the accuracy: the worker must choose among the candidates.
  bool ask = false;
  /// Grids the point may lie in, likeliest first. Empty: outside every grid this phone knows.
  std::vector<Candidate> candidates;
};

}  // namespace gridwhistle
