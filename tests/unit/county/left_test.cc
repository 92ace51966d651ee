#include "county_world.h"

// What was recorded about something that has left its author's scopes since: a phone without
// network cannot know that it has, so nothing of it is lost.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr auto kAccepted = OutcomeStatus::kAccepted;
constexpr auto kRejected = OutcomeStatus::kRejected;
constexpr auto kSealed = OutcomeStatus::kSealed;
constexpr auto kSuperseded = OutcomeStatus::kSuperseded;

void act(World& world, RecordId whistle, RecordId actor, WhistleActionType type) {
  const auto done = world.county->act({.whistle = whistle, .type = type, .actor = actor}, "test");
  REQUIRE(done);
  INFO(done->message);
  REQUIRE(done->status == kAccepted);
}

// A whistle that the department was called to, and its assignment there.
struct Called {
  RecordId whistle;
  RecordId assignment;
};
Called call(World& world, Phone& reporter) {
  Called called;
  called.whistle = reporter.new_id();
  reporter.record(kinds::kWhistle, called.whistle, whistle(kGrid1), true, world.clock.ms);
  world.sync(reporter);
  act(world, called.whistle, world.dora, WhistleActionType::kAccept);
  act(world, called.whistle, world.dora, WhistleActionType::kBlow);
  const auto items = world.county->inbox(world.road_org);
  REQUIRE(items);
  REQUIRE(items->size() == 1);
  called.assignment = items->front().assignment;
  return called;
}

RecordId decide(World& world, Phone& phone, const Called& called, v1::WhistleActionType type,
                RecordId after = {}, RecordId evidence = {}) {
  v1::WhistleAction action;
  action.set_whistle(std::string(called.whistle.bytes()));
  if (type != v1::WHISTLE_ACTION_TYPE_COMMENT) {
    action.set_assignment(std::string(called.assignment.bytes()));
  }
  action.set_type(type);
  action.set_note("seen to");
  action.set_round(1);
  if (!after.is_nil()) action.set_after(std::string(after.bytes()));
  if (!evidence.is_nil()) action.add_evidence(std::string(evidence.bytes()));
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistleAction, id, action.SerializeAsString(), true, world.clock.ms);
  return id;
}

// In one transaction with what is recorded next.
RecordId picture(World& world, Phone& phone, RecordId whistle) {
  v1::Attachment picture;
  picture.set_parent(std::string(whistle.bytes()));
  picture.set_parent_kind(kinds::kWhistle.value);
  picture.set_sha256(sha256("a picture"));
  picture.set_size_bytes(9);
  picture.set_media_type("image/jpeg");
  picture.set_stage(v1::ATTACHMENT_STAGE_AFTER);
  const RecordId id = phone.new_id();
  auto& op =
      phone.record(kinds::kAttachment, id, picture.SerializeAsString(), true, world.clock.ms);
  Operation moved = op;
  phone.lanes[op.lane].pop_back();
  moved.lane = built_schema().kind(kinds::kWhistleAction)->lane;
  auto& lane = phone.lanes[moved.lane];
  moved.lane_seq = LaneSeq(lane.size() + 1);
  moved.more = true;
  lane.push_back(std::move(moved));
  return id;
}

}  // namespace

TEST_CASE(
    "a department's work on an assignment that was withdrawn is kept with note and evidence") {
  World world;
  const RecordId grete = world.worker("W8", Role::kSupervisor, "county", world.import([] {
    v1::OrgUnit centre;
    centre.set_code("C1");
    centre.set_level(v1::LEVEL_COUNTY);
    centre.set_area12("440811000000");
    return centre;
  }()));
  Phone reporter = world.phone(world.anna);
  Phone department = world.phone(world.erik);
  const Called called = call(world, reporter);
  world.sync(department);

  const RecordId came = decide(world, department, called, v1::WHISTLE_ACTION_TYPE_CHECK_IN);
  const RecordId began = decide(world, department, called, v1::WHISTLE_ACTION_TYPE_START, came);
  const RecordId proof = picture(world, department, called.whistle);
  const RecordId done =
      decide(world, department, called, v1::WHISTLE_ACTION_TYPE_REPORT_BACK, began, proof);
  act(world, called.whistle, grete, WhistleActionType::kVoid);
  if (GENERATE(false, true)) {
    // The phone hears of it before it gets its work out.
    World::note(department, *world.ask(department));
  }

  const auto inbox = world.sync(department);
  CHECK(answers(*inbox) == std::vector{kSuperseded, kSuperseded, kAccepted, kSuperseded});
  CHECK(inbox->rows_of(kinds::kOutcome).size() == 3);
  const auto story = world.county->explain(called.whistle);
  REQUIRE(story);
  std::size_t kept = 0;
  for (const Explanation::Step& step : story->steps) {
    if (step.status != kSuperseded) continue;
    ++kept;
    CHECK(step.note == "seen to");
  }
  CHECK(kept == 3);
  for (const RecordId id : {came, began, done}) {
    CHECK(world.county->get(kinds::kWhistleAction, id)->has_value());
  }
  CHECK(world.county->get(kinds::kAttachment, proof)->has_value());
  CHECK(whistle_of(world, called.whistle).state() == v1::WHISTLE_STATE_VOID);
  CHECK(world.county->review()->sealed.empty());
  CHECK(world.county->verify()->faults.empty());
  CHECK(world.sync(reporter)->rows_of(kinds::kAttachment).size() == 1);
}

TEST_CASE("a remark on what has left its author's scopes goes to the reviewer, who lets it stand") {
  World world;
  const RecordId grete = world.worker("W8", Role::kSupervisor, "county");
  Phone reporter = world.phone(world.anna);
  Phone department = world.phone(world.erik);
  const Called called = call(world, reporter);
  world.sync(department);
  const RecordId remark = decide(world, department, called, v1::WHISTLE_ACTION_TYPE_COMMENT);
  act(world, called.whistle, grete, WhistleActionType::kVoid);
  CHECK(answers(*world.sync(department)) == std::vector{kSealed});
  const auto list = world.county->review();
  REQUIRE(list->sealed.size() == 1);
  CHECK(world.county->accept_sealed(list->sealed[0].number, "test") == kAccepted);
  CHECK(world.county->get(kinds::kWhistleAction, remark)->has_value());
}

TEST_CASE("who was never called does nothing about it, and is told") {
  World world;
  Phone reporter = world.phone(world.anna);
  Phone department = world.phone(world.erik);
  const RecordId id = reporter.new_id();
  reporter.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  world.sync(reporter);
  decide(world, department, {id, {}}, v1::WHISTLE_ACTION_TYPE_COMMENT);
  CHECK(answers(*world.sync(department)) == std::vector{kRejected});
  CHECK(world.county->review()->sealed.empty());
}

TEST_CASE("an edit of what a colleague has moved out of its author's scopes goes to the reviewer") {
  World world;
  Phone author = world.phone(world.anna);
  const RecordId id = author.new_id();
  author.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  world.sync(author);
  Phone colleague = world.phone(world.dora);
  world.sync(colleague);

  v1::Whistle moved;
  moved.set_grid(kGrid2);
  colleague.record(kinds::kWhistle, id, moved.SerializeAsString(), false, world.clock.ms,
                   world.storage->last_seq());
  REQUIRE(answers(*world.sync(colleague)) == std::vector{kAccepted});
  v1::Whistle edit;
  edit.set_text("the cover lies in the ditch");
  author.record(kinds::kWhistle, id, edit.SerializeAsString(), false, world.clock.ms);
  CHECK(answers(*world.sync(author)) == std::vector{kSealed});
  CHECK(whistle_of(world, id).text().empty());

  const auto list = world.county->review();
  REQUIRE(list);
  REQUIRE(list->sealed.size() == 1);
  CHECK(world.county->accept_sealed(list->sealed[0].number, "test") == kAccepted);
  CHECK(whistle_of(world, id).text() == "the cover lies in the ditch");
  CHECK(whistle_of(world, id).grid() == kGrid2);
  CHECK(world.county->verify()->faults.empty());
}
