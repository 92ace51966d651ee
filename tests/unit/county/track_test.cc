#include "county_world.h"

// domain.md: "Workers' positions are recorded only between check-in and check-out of their own
// patrol." A phone refuses to record others; the server does not rely on the phone.
namespace gridwhistle {
namespace {

using namespace test;

/// Whether the server keeps a batch of positions that were recorded at these times.
bool keeps(World& world, Phone& phone, RecordId visit,
           std::initializer_list<std::int64_t> times_ms) {
  v1::TrackBatch batch;
  batch.set_visit(std::string(visit.bytes()));
  for (const std::int64_t time_ms : times_ms) batch.add_points()->set_at_ms(time_ms);
  const RecordId id = phone.new_id();
  phone.record(kinds::kTrackBatch, id, batch.SerializeAsString(), true, world.clock.ms);
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

TEST_CASE("the server keeps no track of a visit to a household, nor of a patrol it never got") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId call = check_in(world, anna, world.anna, v1::VISIT_KIND_HOUSEHOLD);
  CHECK_FALSE(keeps(world, anna, call, {world.clock.ms}));
  CHECK_FALSE(keeps(world, anna, anna.new_id(), {world.clock.ms}));
}

}  // namespace gridwhistle
