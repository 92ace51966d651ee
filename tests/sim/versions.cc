#include "versions.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "client/build.h"
#include "gridwhistle/v1/records.pb.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::sim {

namespace {

/// A schema, and what it points at.
struct Declared {
  std::deque<std::vector<FieldSchema>> fields;
  std::vector<KindSchema> kinds{built_schema().kinds.begin(), built_schema().kinds.end()};
  Schema schema;

  /// Of that kind, to be altered.
  std::vector<FieldSchema>& fields_of(KindId id) {
    KindSchema& kind = *std::ranges::find(kinds, id, &KindSchema::id);
    return fields.emplace_back(kind.fields.begin(), kind.fields.end());
  }
  void alter(KindId id, std::vector<FieldSchema>& altered) {
    std::ranges::find(kinds, id, &KindSchema::id)->fields = altered;
  }
  void drop(KindId id, std::uint32_t number) {
    std::vector<FieldSchema>& altered = fields_of(id);
    std::erase_if(altered, [&](const FieldSchema& field) { return field.number == number; });
    alter(id, altered);
  }
  void add_mood(KindId id) {
    std::vector<FieldSchema>& altered = fields_of(id);
    altered.push_back({.number = kMood, .name = "mood", .name_zh = "心情"});
    alter(id, altered);
  }
  void done(std::uint32_t version) { schema = {version, kinds}; }
};

const Schema& schema_of(Age age) {
  static constexpr KindId kLater = kinds::kResident;
  static const Declared* const all = [] {
    static Declared ages[3];
    const std::uint32_t first = built_schema().version;
    Declared& older = ages[static_cast<std::size_t>(Age::kOlder)];
    std::erase_if(older.kinds, [](const KindSchema& kind) { return kind.id == kLater; });
    older.drop(kinds::kHousehold, v1::Household::kServiceNeedsFieldNumber);
    older.drop(kinds::kWhistle, v1::Whistle::kRouteReasonFieldNumber);
    older.drop(kinds::kWhistle, v1::Whistle::kRoutingRuleFieldNumber);
    older.done(first);
    for (const Age has_residents : {Age::kNow, Age::kNewer}) {
      Declared& declared = ages[static_cast<std::size_t>(has_residents)];
      std::ranges::find(declared.kinds, kLater, &KindSchema::id)->since = first + 1;
    }
    ages[static_cast<std::size_t>(Age::kNow)].done(first + 1);
    Declared& newer = ages[static_cast<std::size_t>(Age::kNewer)];
    for (const KindId kind : {kinds::kVisit, kinds::kHousehold, kinds::kResident}) {
      newer.add_mood(kind);
    }
    newer.done(first + 2);
    return ages;
  }();
  return all[static_cast<std::size_t>(age)].schema;
}

}  // namespace

const Build& build_of(Age age) {
  static const Build older{.schema = &schema_of(Age::kOlder)};
  static const Build now{.schema = &schema_of(Age::kNow)};
  static const Build newer{.schema = &schema_of(Age::kNewer),
                           .protocol = SyncSession::kProtocol + 1};
  return age == Age::kOlder ? older : age == Age::kNow ? now : newer;
}

const KindSchema* kind_of(Age age, std::string_view name) { return schema_of(age).kind(name); }

const Schema& county_schema() { return schema_of(Age::kNow); }

}  // namespace gridwhistle::sim
