#include "county_world.h"

// domain.md: "Workers' positions are recorded only between check-in and check-out of their own
// patrol." A phone refuses to record others; the server does not rely on the phone.
namespace gridwhistle {
namespace {

using namespace test;

/// Records positions of these times, now.
RecordId walk(World& world, Phone& phone, RecordId visit,
              std::initializer_list<std::int64_t> times_ms) {
  v1::TrackBatch batch;
  batch.set_visit(std::string(visit.bytes()));
  for (const std::int64_t time_ms : times_ms) batch.add_points()->set_at_ms(time_ms);
  const RecordId id = phone.new_id();
  phone.record(kinds::kTrackBatch, id, batch.SerializeAsString(), true, world.clock.ms);
  return id;
}

/// Whether the server keeps a batch of positions that were recorded at these times.
bool keeps(World& world, Phone& phone, RecordId visit,
           std::initializer_list<std::int64_t> times_ms) {
  const RecordId id = walk(world, phone, visit, times_ms);
  const bool accepted = answers(*world.sync(phone)).back() == OutcomeStatus::kAccepted;
  const auto record = world.storage->record({kinds::kTrackBatch, id});
  REQUIRE(record);
  REQUIRE((*record != nullptr) == accepted);
  return accepted;
}

RecordId check_in(World& world, Phone& phone, RecordId worker, v1::VisitKind kind) {
  v1::Visit walk;
  walk.set_grid(kGrid1);
  walk.set_kind(kind);
  walk.set_started_ms(world.clock.ms);
  walk.set_worker(std::string(worker.bytes()));
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, walk.SerializeAsString(), true, world.clock.ms);
  world.sync(phone);
  return id;
}

}  // namespace

TEST_CASE("the server keeps a track between check-in and check-out of its worker's own patrol") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone hugo = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  for (const v1::VisitKind kind : {v1::VISIT_KIND_PATROL, v1::VISIT_KIND_NIGHT}) {
    const std::int64_t in_ms = world.clock.ms;
    const RecordId patrol = check_in(world, anna, world.anna, kind);
    world.clock.ms += 3'600'000;
    const std::int64_t out_ms = world.clock.ms;
    CHECK(keeps(world, anna, patrol, {in_ms, out_ms}));
    CHECK_FALSE(keeps(world, anna, patrol, {in_ms - 1, out_ms}));
    CHECK_FALSE(keeps(world, hugo, patrol, {in_ms, out_ms}));
    v1::Visit ended;
    ended.set_ended_ms(out_ms);
    anna.record(kinds::kVisit, patrol, ended.SerializeAsString(), false, out_ms);
    CHECK(keeps(world, anna, patrol, {in_ms, out_ms}));
    CHECK_FALSE(keeps(world, anna, patrol, {in_ms, out_ms + 1}));
  }
}

TEST_CASE("a clock that is set back during a patrol costs nothing of its track") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId patrol = check_in(world, anna, world.anna, v1::VISIT_KIND_PATROL);
  const std::int64_t in_ms = world.clock.ms;
  world.clock.ms = in_ms + 3'600'000;
  walk(world, anna, patrol, {in_ms + 1'000, in_ms + 3'600'000});
  walk(world, anna, patrol, {in_ms + 4'600'001});  // after the check-out: no phone records it
  world.clock.ms = in_ms + 4'600'000;
  std::vector kept{OutcomeStatus::kAccepted, OutcomeStatus::kAccepted, OutcomeStatus::kRejected};
  SECTION("to before the last position") { anna.wall_off_ms = -1'000'500; }
  SECTION("to before the check-in") {
    anna.wall_off_ms = -4'700'000;
    walk(world, anna, patrol, {in_ms - 150'000, in_ms - 100'000});
    kept.push_back(OutcomeStatus::kAccepted);
  }
  v1::Visit ended;
  ended.set_ended_ms(world.clock.ms + anna.wall_off_ms);
  anna.record(kinds::kVisit, patrol, ended.SerializeAsString(), false, world.clock.ms);
  CHECK(answers(*world.sync(anna)) == kept);
}

TEST_CASE("the server keeps no track of a visit to a household, nor of a patrol it never got") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId call = check_in(world, anna, world.anna, v1::VISIT_KIND_HOUSEHOLD);
  CHECK_FALSE(keeps(world, anna, call, {world.clock.ms}));
  CHECK_FALSE(keeps(world, anna, anna.new_id(), {world.clock.ms}));
}

}  // namespace gridwhistle
