#include <algorithm>
#include <cmath>

#include "model/record.h"
#include "store/geodesy.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::size_t kValuesMax = 500;

std::unexpected<Error> invalid(const KindSchema& kind, std::string_view field,
                               std::string_view why) {
  const std::string name = std::string(kind.name) + "." + std::string(field);
  return fail(ErrorCode::kInvalid, name + " " + std::string(why), name);
}

bool fits(FieldType type, const Value& value) {
  switch (type) {
    case FieldType::kInt:
    case FieldType::kBool:
    case FieldType::kEnum:
    case FieldType::kFixed64:
      return std::holds_alternative<std::int64_t>(value);
    case FieldType::kDouble:
      return !std::holds_alternative<std::string>(value);
    case FieldType::kString:
    case FieldType::kBytes:
      return std::holds_alternative<std::string>(value);
    case FieldType::kMessage:
      return false;
  }
  return false;
}

// The least text that is above everything beginning with `prefix`; nothing when there is none.
std::optional<std::string> above(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// A query as SQL and its parameters.
class Compiled {
 public:
  static Result<Compiled> make(const KindTable& table, const Query& query, const Purpose& purpose) {
    if (table.schema == nullptr) {
      return fail(ErrorCode::kInvalid, "no such kind of record", "query");
    }
    Compiled compiled(table, purpose);
    for (const Condition& condition : query.where) GW_TRY(compiled.add(condition));
    for (const OrderBy& order : query.order) GW_TRY(compiled.add(order));
    if (query.near) GW_TRY(compiled.check_near(*query.near));
    return compiled;
  }

  std::string select(std::string_view columns) const {
    return "SELECT " + std::string(columns) + " FROM " + table_.name + where_;
  }
  std::string order() const { return " ORDER BY " + order_ + "id"; }

  void bind(sqlite::Statement& statement) const {
    int index = 0;
    for (const auto& [type, value] : values_) bind_one(statement, ++index, type, value);
  }
  /// Those whose index the query can use.
  const std::vector<std::uint32_t>& fields() const { return fields_; }
  int parameters() const { return static_cast<int>(values_.size()); }

 private:
  Compiled(const KindTable& table, const Purpose& purpose) : table_(table), purpose_(purpose) {}

  static void bind_one(sqlite::Statement& statement, int index, FieldType type,
                       const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      statement.bind_int(index, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      statement.bind_double(index, *real);
    } else if (type == FieldType::kString) {
      statement.bind_text(index, std::get<std::string>(value));
    } else {
      statement.bind_blob(index, std::get<std::string>(value));
    }
  }

  Result<const FieldSchema*> field(std::string_view name) const {
    const FieldSchema* field = table_.schema->field(name);
    if (field == nullptr) return invalid(*table_.schema, name, "does not exist");
    if (!sqlite::has_column(*field)) return invalid(*table_.schema, name, "has no index");
    GW_TRY(may_ask(*field));
    return field;
  }

  // What one may not see one may not find out by asking for it either.
  Result<void> may_ask(const FieldSchema& field) const {
    if (field.sensitivity > Sensitivity::kPublic && purpose_.text.empty()) {
      return fail(ErrorCode::kPurposeRequired, "name a purpose to ask for personal data",
                  std::string(table_.schema->name));
    }
    return {};
  }

  Result<void> add(const Condition& condition) {
    GW_TRY_LET(known, field(condition.field));
    for (const Value& value : condition.values) {
      if (!fits(known->type, value)) {
        return invalid(*table_.schema, condition.field, "is compared with a value of another type");
      }
    }
    const bool none = condition.compare == Compare::kUnset || condition.compare == Compare::kSet;
    const bool any = condition.compare == Compare::kIn;
    if (!none && !any && condition.values.size() != 1) {
      return invalid(*table_.schema, condition.field, "is compared with one value");
    }
    if (condition.values.size() > kValuesMax) {
      return invalid(*table_.schema, condition.field, "is compared with too many values");
    }
    where_ += " AND ";
    if (condition.compare != Compare::kNotEqual && condition.compare != Compare::kUnset) {
      fields_.push_back(known->number);
    }
    return compare(*known, condition);
  }

  Result<void> compare(const FieldSchema& known, const Condition& condition) {
    const std::string column = sqlite::column_name(known.number);
    const auto one = [&](std::string_view operation) {
      where_ += column + std::string(operation) + "?";
      values_.emplace_back(known.type, condition.values.front());
    };
    switch (condition.compare) {
      case Compare::kEqual:
        one("=");
        break;
      case Compare::kNotEqual:
        where_ += "(" + column + " IS NULL OR ";
        one("<>");
        where_ += ")";
        break;
      case Compare::kLess:
        one("<");
        break;
      case Compare::kAtMost:
        one("<=");
        break;
      case Compare::kGreater:
        one(">");
        break;
      case Compare::kAtLeast:
        one(">=");
        break;
      case Compare::kStartsWith:
        return starts_with(known, column, condition.values.front());
      case Compare::kIn:
        is_in(known, column, condition.values);
        break;
      case Compare::kUnset:
        where_ += column + " IS NULL";
        break;
      case Compare::kSet:
        where_ += column + " IS NOT NULL";
        break;
    }
    return {};
  }

  Result<void> starts_with(const FieldSchema& known, const std::string& column,
                           const Value& value) {
    const auto* prefix = std::get_if<std::string>(&value);
    if (prefix == nullptr) return invalid(*table_.schema, known.name, "has no beginning");
    where_ += column + ">=?";
    values_.emplace_back(known.type, value);
    if (const std::optional<std::string> end = above(*prefix)) {
      where_ += " AND " + column + "<?";
      values_.emplace_back(known.type, *end);
    }
    return {};
  }

  void is_in(const FieldSchema& known, const std::string& column,
             const std::vector<Value>& values) {
    where_ += column + " IN (";
    for (const Value& value : values) {
      where_ += where_.back() == '(' ? "?" : ",?";
      values_.emplace_back(known.type, value);
    }
    where_ += ")";
  }

  Result<void> add(const OrderBy& order) {
    GW_TRY_LET(known, field(order.field));
    order_ += sqlite::column_name(known->number) + (order.descending ? " DESC," : ",");
    return {};
  }

  Result<void> check_near(const Near& near) const {
    for (const std::string_view name : {"latitude", "longitude"}) {
      const FieldSchema* field = table_.schema->field(name);
      if (field == nullptr) return invalid(*table_.schema, name, "does not exist");
      GW_TRY(may_ask(*field));
    }
    if (!on_earth({near.latitude, near.longitude}) || !(near.radius_m >= 0)) {
      return fail(ErrorCode::kInvalid, "that is no point on earth", "near");
    }
    return {};
  }

  const KindTable& table_;
  const Purpose& purpose_;
  std::string where_ = " WHERE body IS NOT NULL";
  std::string order_;
  std::vector<std::uint32_t> fields_;
  std::vector<std::pair<FieldType, Value>> values_;
};

// An index is made for whoever asks: an app asks for few of the fields that it could ask for, and
// each index costs every record a write. Whoever asks a file that takes no index waits longer.
void index_asked(StoreState& state, const KindTable& table, const Compiled& compiled) {
  if (state.options.read_only) return;
  for (const std::uint32_t field : compiled.fields()) {
    if (!state.asked_fields.emplace(table.id, field).second) continue;
    static_cast<void>(sqlite::index_field(state.connection, table.id, field));
  }
}

struct Candidate {
  RecordId id;
  RecordRow row;
  double distance_m = 0;
  std::size_t place = 0;  // in the order asked for
};

Candidate read_candidate(const sqlite::Statement& statement) {
  Candidate candidate;
  candidate.id = statement.record_id(0);
  candidate.row.body = std::string(statement.blob(1));
  candidate.row.pending = statement.blob(2);
  candidate.row.base_seq = Seq(statement.number(3));
  candidate.row.last_seq = Seq(statement.number(4));
  return candidate;
}

constexpr std::string_view kCandidateColumns = "id,body,pending,base_seq,last_seq";

Result<std::vector<Candidate>> select(StoreState& state, const Compiled& compiled,
                                      const Query& query) {
  GW_TRY_LET(statement, state.connection.prepare(compiled.select(kCandidateColumns) +
                                                 compiled.order() + " LIMIT ? OFFSET ?"));
  compiled.bind(statement);
  constexpr std::size_t kMost = std::size_t{1} << 62;
  statement.bind_int(compiled.parameters() + 1,
                     static_cast<std::int64_t>(std::min(query.limit, kMost)));
  statement.bind_int(compiled.parameters() + 2,
                     static_cast<std::int64_t>(std::min(query.offset, kMost)));
  std::vector<Candidate> candidates;
  for (;;) {
    GW_TRY_LET(row, statement.step());
    if (!row) return candidates;
    candidates.push_back(read_candidate(statement));
  }
}

// All that lie within the circle, nearest first; ties in the order asked for.
Result<std::vector<Candidate>> select_near(StoreState& state, const KindTable& table,
                                           const Compiled& compiled, const Near& near) {
  const std::uint32_t latitude = table.schema->field("latitude")->number;
  const std::uint32_t longitude = table.schema->field("longitude")->number;
  GW_TRY_LET(statement,
             state.connection.prepare(compiled.select(kCandidateColumns) + compiled.order()));
  compiled.bind(statement);
  std::vector<Candidate> candidates;
  for (;;) {
    GW_TRY_LET(row, statement.step());
    if (!row) break;
    const auto north = double_of(statement.blob(1), latitude);
    const auto east = double_of(statement.blob(1), longitude);
    if (!north || !east) continue;
    const double away = distance_m({near.latitude, near.longitude}, {*north, *east});
    if (!(away <= near.radius_m)) continue;
    candidates.push_back(read_candidate(statement));
    candidates.back().distance_m = away;
    candidates.back().place = candidates.size();
  }
  std::ranges::sort(candidates, {}, [](const Candidate& candidate) {
    return std::pair(candidate.distance_m, candidate.place);
  });
  return candidates;
}

void cut_out(std::vector<Candidate>& candidates, const Query& query) {
  const std::size_t skipped = std::min(query.offset, candidates.size());
  candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(skipped));
  if (candidates.size() > query.limit) candidates.resize(query.limit);
}

}  // namespace

Result<std::vector<FoundBytes>> query_records(StoreState& state, KindId kind, const Query& query,
                                              const Purpose& purpose) {
  GW_TRY(check_purpose(state, purpose));
  const KindTable* table = table_of(state, kind);
  if (table == nullptr) return fail(ErrorCode::kInvalid, "no such kind of record", "query");
  GW_TRY_LET(compiled, Compiled::make(*table, query, purpose));
  index_asked(state, *table, compiled);
  auto selected = query.near ? select_near(state, *table, compiled, *query.near)
                             : select(state, compiled, query);
  if (!selected) return std::unexpected(std::move(selected.error()));
  if (query.near) cut_out(*selected, query);
  std::vector<FoundBytes> found;
  for (const Candidate& candidate : *selected) {
    found.push_back(found_of(state, *table, candidate.id, candidate.row, purpose));
  }
  return found;
}

Result<void> log_found(StoreState& state, KindId kind, const std::vector<FoundBytes>& found,
                       const Purpose& purpose) {
  std::vector<RecordId> ids;
  for (const FoundBytes& one : found) ids.push_back(one.info.id);
  return log_reads(state, *table_of(state, kind), ids, purpose);
}

Result<std::vector<FoundBytes>> Store::query(KindId kind, const Query& query,
                                             const Purpose& purpose) {
  GW_TRY_LET(found, query_records(*state_, kind, query, purpose));
  GW_TRY(log_found(*state_, kind, found, purpose));
  return std::move(found);
}

Result<std::uint64_t> Store::count(KindId kind, const Query& query, const Purpose& purpose) {
  GW_TRY(check_purpose(*state_, purpose));
  const KindTable* table = table_of(*state_, kind);
  if (table == nullptr) return fail(ErrorCode::kInvalid, "no such kind of record", "query");
  GW_TRY_LET(compiled, Compiled::make(*table, query, purpose));
  index_asked(*state_, *table, compiled);
  if (query.near) {
    GW_TRY_LET(near, select_near(*state_, *table, compiled, *query.near));
    return near.size();
  }
  GW_TRY_LET(statement, state_->connection.prepare(compiled.select("count(*)")));
  compiled.bind(statement);
  GW_TRY_LET(row, statement.step());
  return row ? statement.number(0) : 0;
}

}  // namespace gridwhistle::store
