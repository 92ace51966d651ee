#include "real_phone.h"

// Builds of different ages against each other: a phone's real file and session on one side, the
// county on the other, frames between them.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr std::uint32_t kMood = 90;

/// What the schema was, is and will be: it had a kind less, and will have a field more.
enum class Build { kBefore, kNow, kAfter };

Schema without_places(std::vector<KindSchema>& kinds) {
  kinds.assign(built_schema().kinds.begin(), built_schema().kinds.end());
  std::erase_if(kinds, [](const KindSchema& kind) { return kind.id == kinds::kPlace; });
  return {built_schema().version, kinds};
}

Schema with_moods(std::vector<KindSchema>& kinds) {
  kinds.assign(built_schema().kinds.begin(), built_schema().kinds.end());
  static std::vector<FieldSchema> of_visits;
  for (KindSchema& kind : kinds) {
    if (kind.id != kinds::kVisit) continue;
    of_visits.assign(kind.fields.begin(), kind.fields.end());
    of_visits.push_back({.number = kMood, .name = "mood", .name_zh = "心情"});
    kind.fields = of_visits;
  }
  return {built_schema().version + 1, kinds};
}

const Schema& schema_of(Build build) {
  static std::vector<KindSchema> kinds_before;
  static std::vector<KindSchema> kinds_after;
  static const Schema before = without_places(kinds_before);
  static const Schema after = with_moods(kinds_after);
  return build == Build::kBefore ? before : build == Build::kAfter ? after : built_schema();
}

std::string visit_with(const std::string& notes, const std::string& mood = {}) {
  std::string message = visit(kGrid1, notes);
  if (!mood.empty()) append_text(message, kMood, mood);
  return message;
}

std::string shop(const std::string& name) {
  v1::Place place;
  place.set_grid(kGrid1);
  place.set_name(name);
  return place.SerializeAsString();
}

const char* name_of(Build build) {
  return build == Build::kBefore ? "before" : build == Build::kNow ? "now" : "after";
}

constexpr ErrorCode kWell{};

}  // namespace

TEST_CASE("builds of any age work together, and what one of them does not know survives it") {
  const Build author = GENERATE(Build::kBefore, Build::kNow, Build::kAfter);
  const Build server = GENERATE(Build::kBefore, Build::kNow, Build::kAfter);
  const Build colleague = GENERATE(Build::kBefore, Build::kNow, Build::kAfter);
  INFO("author " << name_of(author) << ", server " << name_of(server) << ", colleague "
                 << name_of(colleague));
  World world;
  world.open(schema_of(server));
  RealPhone writes(world, schema_of(author));
  RealPhone edits(world, schema_of(colleague));
  const bool knows_moods = author == Build::kAfter;
  const bool knows_places = author != Build::kBefore;
  REQUIRE(writes.sync() == kWell);
  const RecordId visited =
      writes.put(kinds::kVisit, visit_with("quiet", knows_moods ? "glad" : std::string()));
  RecordId sat;
  if (knows_places) sat = writes.put(kinds::kPlace, shop("by the well"));
  CHECK(writes.sync() == kWell);
  CHECK(edits.sync() == kWell);
  REQUIRE(edits.get(kinds::kVisit, visited) != "");

  // Whoever does not know the field writes another one, and the field goes on.
  v1::Visit other;
  other.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  edits.put(kinds::kVisit, other.SerializeAsString(), visited);
  CHECK(edits.sync() == kWell);
  CHECK(writes.sync() == kWell);

  // One after the other they are brought up to date: the server first.
  world.open(schema_of(Build::kAfter));
  for (RealPhone* phone : {&writes, &edits}) {
    phone->open(schema_of(Build::kAfter));
    CHECK(phone->sync() == kWell);
    CHECK(phone->sync() == kWell);
    CHECK(phone->unsent() == 0);
  }
  std::string expected = visit_with("quiet", knows_moods ? "glad" : std::string());
  v1::Visit whole;
  REQUIRE(whole.ParseFromString(expected));
  whole.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  expected = *canonical(*schema_of(Build::kAfter).kind(kinds::kVisit), whole.SerializeAsString());
  for (RealPhone* phone : {&writes, &edits}) {
    const std::string body = phone->get(kinds::kVisit, visited);
    CHECK(field_of(body, kMood).entries == field_of(expected, kMood).entries);
    v1::Visit shown;
    REQUIRE(shown.ParseFromString(body));
    CHECK(shown.notes() == "quiet");
    CHECK(shown.kind() == v1::VISIT_KIND_HOUSEHOLD);
    if (!knows_places) continue;
    v1::Place place;
    REQUIRE(place.ParseFromString(phone->get(kinds::kPlace, sat)));
    CHECK(place.name() == "by the well");
  }
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
}

TEST_CASE("a phone that speaks too old a protocol brings its work, is told to update, keeps all") {
  World world;
  RealPhone old(world, schema_of(Build::kNow));
  RealPhone colleague(world, schema_of(Build::kNow));
  REQUIRE(old.sync() == kWell);
  const RecordId before = colleague.put(kinds::kVisit, visit_with("before"));
  REQUIRE(colleague.sync() == kWell);
  REQUIRE(old.sync() == kWell);

  world.protocol_min = SyncSession::kProtocol + 1;
  world.open();
  colleague.protocol = SyncSession::kProtocol + 1;
  const RecordId later = colleague.put(kinds::kVisit, visit_with("later"));
  CHECK(colleague.sync() == kWell);
  const RecordId own = old.put(kinds::kVisit, visit_with("own"));
  const RecordId urgent = old.put(kinds::kWhistle, whistle(kGrid1));
  for (int call = 0; call < 2; ++call) {
    CHECK(old.sync() == ErrorCode::kUnsupported);
    CHECK(old.unsent() == 0);
  }
  CHECK(old.get(kinds::kVisit, before) != "");
  CHECK(old.get(kinds::kVisit, later) == "");
  CHECK(colleague.sync() == kWell);
  CHECK(colleague.get(kinds::kVisit, own) != "");
  CHECK(colleague.get(kinds::kWhistle, urgent) != "");

  // Brought up to date it goes on where it was.
  old.protocol = SyncSession::kProtocol + 1;
  CHECK(old.sync() == kWell);
  CHECK(old.get(kinds::kVisit, later) != "");
}

TEST_CASE("a phone that is newer than the server by more than one protocol keeps its work") {
  World world;
  RealPhone phone(world, schema_of(Build::kNow));
  REQUIRE(phone.sync() == kWell);
  phone.put(kinds::kVisit, visit_with("own"));
  phone.protocol = SyncSession::kProtocol + 2;
  CHECK(phone.sync() == ErrorCode::kUnsupported);
  CHECK(phone.unsent() == 1);
  phone.protocol = SyncSession::kProtocol + 1;
  CHECK(phone.sync() == kWell);
  CHECK(phone.unsent() == 0);
}
