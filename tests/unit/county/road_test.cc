#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

ActionResult act(World& world, RecordId whistle, RecordId actor, WhistleActionType type,
                 RecordId assignment = {}) {
  const auto done = world.county->act(
      {.whistle = whistle, .assignment = assignment, .type = type, .actor = actor}, "test");
  REQUIRE(done);
  INFO(done->message);
  CHECK(done->status == OutcomeStatus::kAccepted);
  return *done;
}

// As files from before erasing one was refused may hold it.
void erase(World& world, KindId kind, RecordId id) {
  auto stored = world.storage->record({kind, id});
  REQUIRE(stored);
  REQUIRE(*stored);
  StoredRecord gone = **stored;
  gone.state.erased = true;
  gone.state.body.clear();
  REQUIRE(world.storage->begin());
  REQUIRE(world.storage->put_record(*built_schema().kind(kind), id, gone, gone.memberships, {}));
  REQUIRE(world.storage->commit());
}

}  // namespace

TEST_CASE("a whistle is owned by its first receiver until the department has checked in") {
  World world;
  Phone phone = world.phone(world.anna);
  Phone department = world.phone(world.erik);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  REQUIRE(world.sync(phone)->runs().size() == 1);
  v1::Whistle now = whistle_of(world, id);
  CHECK(now.state() == v1::WHISTLE_STATE_REPORTED);
  CHECK(now.owner_org() == world.town_org.bytes());
  CHECK(now.responsibility_item() == "I1");
  CHECK(world.sync(department)->rows_of(kinds::kWhistle).empty());

  act(world, id, world.dora, WhistleActionType::kAccept);
  act(world, id, world.dora, WhistleActionType::kBlow);
  now = whistle_of(world, id);
  CHECK(now.state() == v1::WHISTLE_STATE_ASSIGNED);
  CHECK(now.owner_org() == world.town_org.bytes());
  const auto inbox = world.sync(department);
  CHECK(inbox->rows_of(kinds::kWhistle).size() == 1);
  CHECK(inbox->rows_of(kinds::kWhistleAction).size() == 3);

  const auto items = world.county->inbox(world.road_org);
  REQUIRE(items);
  REQUIRE(items->size() == 1);
  act(world, id, world.erik, WhistleActionType::kCheckIn, items->front().assignment);
  now = whistle_of(world, id);
  CHECK(now.state() == v1::WHISTLE_STATE_CHECKED_IN);
  CHECK(now.owner_org() == world.road_org.bytes());
  const auto story = world.county->explain(id);
  REQUIRE(story);
  CHECK(story->routing_rule == "R1");
  CHECK(story->steps.size() == 4);
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
}

TEST_CASE("a whistle for which no rule finds anybody is in the queue until the county assigns it") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1, "99"), true, world.clock.ms);
  world.sync(phone);
  auto queue = world.county->headless();
  REQUIRE(queue);
  REQUIRE(queue->size() == 1);
  const auto done = world.county->assign_headless(id, world.road_org, {}, "test");
  REQUIRE(done);
  INFO(done->message);
  CHECK(done->status == OutcomeStatus::kAccepted);
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_ASSIGNED);
  CHECK(world.county->headless()->empty());
}

TEST_CASE("an assignment from the queue that is refused leaves the whistle where it was") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1, "99"), true, world.clock.ms);
  world.sync(phone);
  const auto refused = world.county->assign_headless(id, world.road_org, {world.road_org}, "test");
  REQUIRE(refused);
  CHECK(refused->status == OutcomeStatus::kRejected);
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_REPORTED);
  CHECK(world.county->explain(id)->steps.empty());
  CHECK(world.county->verify()->faults.empty());
  CHECK(world.county->assign_headless(id, world.road_org, {}, "test")->status ==
        OutcomeStatus::kAccepted);
}

TEST_CASE(
    "until departments are called a whistle's route and the queue follow what is said of it") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1, "99"), true, world.clock.ms);
  world.sync(phone);
  REQUIRE(world.county->headless()->size() == 1);
  const auto put = [&](const std::string& category) {
    v1::Whistle edit;
    edit.set_category(category);
    phone.record(kinds::kWhistle, id, edit.SerializeAsString(), false, world.clock.ms);
    world.sync(phone);
  };
  put("0101");
  CHECK(world.county->headless()->empty());
  CHECK(world.county->explain(id)->routing_rule == "R1");
  const auto refused = world.county->assign_headless(id, world.road_org, {}, "test");
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  put("99");
  CHECK(world.county->headless()->size() == 1);
  CHECK(world.county->explain(id)->routing_rule.empty());

  // Blown without anybody to call, it is called as soon as a rule knows whom.
  act(world, id, world.dora, WhistleActionType::kAccept);
  act(world, id, world.dora, WhistleActionType::kBlow);
  REQUIRE(whistle_of(world, id).state() == v1::WHISTLE_STATE_WHISTLED);
  put("0101");
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_ASSIGNED);
  CHECK(world.county->headless()->empty());
  CHECK(world.county->inbox(world.road_org)->size() == 1);

  // From then on whoever was called keeps it, and its reasons stand.
  put("99");
  CHECK(world.county->explain(id)->routing_rule == "R1");
  CHECK(world.county->headless()->empty());
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("the class that an acceptor decides on decides the route, too") {
  World world;
  v1::RoutingRule rule;
  rule.set_code("R2");
  rule.set_category_prefix("99");
  rule.set_whistle_class(v1::WHISTLE_CLASS_KEY);
  rule.set_responsibility_item("I3");
  rule.set_lead_level(v1::LEVEL_COUNTY);
  world.import(rule);
  v1::ResponsibilityItem item;
  item.set_code("I3");
  item.set_lead_department_type("road");
  item.add_categories("99");
  world.import(item);
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1, "99"), true, world.clock.ms);
  world.sync(phone);
  REQUIRE(world.county->headless()->size() == 1);
  v1::WhistleAction accept;
  accept.set_whistle_class(v1::WHISTLE_CLASS_KEY);
  const auto done = world.county->act({.whistle = id,
                                       .type = WhistleActionType::kAccept,
                                       .actor = world.dora,
                                       .details = accept.SerializeAsString()},
                                      "test");
  REQUIRE(done);
  REQUIRE(done->status == OutcomeStatus::kAccepted);
  CHECK(world.county->explain(id)->routing_rule == "R2");
  CHECK(world.county->headless()->empty());
}

TEST_CASE("the county's assignment from the queue calls whom it names, or nobody") {
  World world;
  v1::OrgUnit water;
  water.set_code("WATER");
  water.set_level(v1::LEVEL_COUNTY);
  water.set_department_type("water");
  const RecordId water_org = world.import(water);
  world.worker("W9", Role::kDepartment, "", water_org);
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1, "98"), true, world.clock.ms);
  world.sync(phone);
  REQUIRE(world.county->headless()->size() == 1);
  // A rule for it came after it had come into the queue.
  v1::ResponsibilityItem item;
  item.set_code("I2");
  item.set_lead_department_type("road");
  item.add_categories("98");
  world.import(item);
  v1::RoutingRule rule;
  rule.set_code("R2");
  rule.set_category_prefix("98");
  rule.set_responsibility_item("I2");
  rule.set_lead_level(v1::LEVEL_COUNTY);
  REQUIRE(world.county->write(kinds::kRoutingRule, world.county->mint_id(),
                              rule.SerializeAsString(), {}, "test"));
  const auto twice = world.county->assign_headless(id, water_org, {water_org}, "test");
  REQUIRE(twice);
  CHECK(twice->status == OutcomeStatus::kRejected);
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_REPORTED);
  const auto done = world.county->assign_headless(id, water_org, {}, "test");
  REQUIRE(done);
  CHECK(done->status == OutcomeStatus::kAccepted);
  CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_ASSIGNED);
  CHECK(world.county->inbox(water_org)->size() == 1);
  CHECK(world.county->inbox(world.road_org)->empty());
  CHECK(world.county->headless()->empty());
}

TEST_CASE("an import of rules leads out of the queue what they cover now, and says how much") {
  World world;
  Phone phone = world.phone(world.anna);
  std::vector<RecordId> ids;
  for (const char* category : {"98", "98", "99"}) {
    phone.record(kinds::kWhistle, ids.emplace_back(phone.new_id()), whistle(kGrid1, category), true,
                 world.clock.ms);
  }
  world.sync(phone);
  for (const auto type : {WhistleActionType::kAccept, WhistleActionType::kBlow}) {
    REQUIRE(world.county->act({.whistle = ids[0], .type = type, .actor = world.dora}, "test"));
  }
  REQUIRE(world.county->headless()->size() == 3);
  v1::ResponsibilityItem item;
  item.set_code("I2");
  item.set_lead_department_type("road");
  item.add_categories("98");
  v1::RoutingRule rule;
  rule.set_code("R2");
  rule.set_category_prefix("98");
  rule.set_responsibility_item("I2");
  rule.set_lead_level(v1::LEVEL_COUNTY);
  const std::vector<ImportedRecord> rules = {
      {kinds::kResponsibilityItem, world.county->mint_id(), item.SerializeAsString()},
      {kinds::kRoutingRule, world.county->mint_id(), rule.SerializeAsString()}};
  CHECK(world.county->import_records(rules, "test", true)->led == 2);
  CHECK(world.county->headless()->size() == 3);
  CHECK(world.county->import_records(rules, "test")->led == 2);
  CHECK(world.county->headless()->size() == 1);
  CHECK(whistle_of(world, ids[0]).state() == v1::WHISTLE_STATE_ASSIGNED);
  CHECK(whistle_of(world, ids[1]).state() == v1::WHISTLE_STATE_REPORTED);
  CHECK(world.county->inbox(world.road_org)->size() == 1);
  CHECK(world.county->import_records(rules, "test")->led == 0);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("who assigned a whistle from the queue, and for whom, stands in its timeline") {
  World world;
  v1::OrgUnit centre;
  centre.set_code("C1");
  centre.set_level(v1::LEVEL_COUNTY);
  centre.set_area12("440811000000");
  const RecordId county_org = world.import(centre);
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1, "99"), true, world.clock.ms);
  world.sync(phone);
  REQUIRE(world.county->assign_headless(id, world.road_org, {}, "desk 3"));
  const auto story = world.county->explain(id);
  REQUIRE(story);
  REQUIRE(story->steps.size() == 3);
  for (const Explanation::Step& step : story->steps) {
    CHECK(step.organisation == county_org);
    CHECK(step.note == "desk 3");
  }
}

TEST_CASE("an erased whistle does not hide an organisation's other work") {
  World world;
  Phone phone = world.phone(world.anna);
  std::vector<RecordId> ids;
  for (int i = 0; i < 2; ++i) {
    ids.push_back(phone.new_id());
    phone.record(kinds::kWhistle, ids.back(), whistle(kGrid1), true, world.clock.ms);
  }
  world.sync(phone);
  for (const RecordId id : ids) {
    act(world, id, world.dora, WhistleActionType::kAccept);
    act(world, id, world.dora, WhistleActionType::kBlow);
  }
  REQUIRE(world.county->inbox(world.road_org)->size() == 2);
  erase(world, kinds::kWhistle, ids[0]);
  for (const RecordId organisation : {world.road_org, world.town_org}) {
    const auto items = world.county->inbox(organisation);
    REQUIRE(items);
    REQUIRE(items->size() == 1);
    CHECK(items->front().whistle.id == ids[1]);
  }
  CHECK(world.county->explain(ids[0]).error().code == ErrorCode::kNotFound);
  // Three actions and an assignment have lost their whistle, and `verify` says so.
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->orphans.size() == 4);
  for (const Line& orphan : report->orphans) {
    CHECK(orphan.en.ends_with(" names an erased whistle"));
    CHECK(orphan.zh.ends_with(" 所指的记录已删除：whistle"));
  }
}

TEST_CASE(
    "what a whistle says stays as it is once it is closed or void, and who edits it is told") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  world.sync(phone);
  const auto take = [&](WhistleActionType type, RecordId actor) {
    const auto done = world.county->act({.whistle = id, .type = type, .actor = actor}, "test");
    REQUIRE(done);
    REQUIRE(done->status == OutcomeStatus::kAccepted);
  };
  take(WhistleActionType::kAccept, world.dora);
  take(WhistleActionType::kVoid, world.worker("W8", Role::kSupervisor, "county"));
  const std::string before = (*world.county->get(kinds::kWhistle, id))->body;
  v1::Whistle edit;
  edit.set_text("something else");
  phone.record(kinds::kWhistle, id, edit.SerializeAsString(), false, world.clock.ms + 1,
               world.storage->last_seq());
  const auto inbox = world.sync(phone);
  CHECK(inbox->runs().back().status() == static_cast<std::uint32_t>(OutcomeStatus::kRejected));
  CHECK(inbox->rows_of(kinds::kOutcome).size() == 1);
  CHECK((*world.county->get(kinds::kWhistle, id))->body == before);
}

TEST_CASE("an action that nobody of that role may take is rejected and its author told") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  v1::WhistleAction action;
  action.set_whistle(std::string(id.bytes()));
  action.set_type(v1::WHISTLE_ACTION_TYPE_BLOW);
  action.set_round(1);
  const RecordId action_id = phone.new_id();
  phone.record(kinds::kWhistleAction, action_id, action.SerializeAsString(), true, world.clock.ms);
  const auto inbox = world.sync(phone);
  REQUIRE(inbox->runs().size() == 2);
  CHECK(inbox->runs().back().status() == static_cast<std::uint32_t>(OutcomeStatus::kRejected));
  CHECK(inbox->rows_of(kinds::kOutcome).size() == 1);
  CHECK_FALSE(*world.county->get(kinds::kWhistleAction, action_id));
}

TEST_CASE("each picture counts as evidence once, and of the whistle it was taken of alone") {
  World world;
  Phone phone = world.phone(world.anna);
  const auto reported = [&] {
    const RecordId id = phone.new_id();
    phone.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
    world.sync(phone);
    const auto accepted = world.county->act(
        {.whistle = id, .type = WhistleActionType::kAccept, .actor = world.dora}, "test");
    REQUIRE(accepted);
    REQUIRE(accepted->status == OutcomeStatus::kAccepted);
    return id;
  };
  const auto picture = [&](RecordId of, v1::AttachmentStage stage) {
    v1::Attachment taken;
    taken.set_parent(std::string(of.bytes()));
    taken.set_parent_kind(kinds::kWhistle.value);
    taken.set_sha256(sha256("a picture"));
    taken.set_size_bytes(9);
    taken.set_media_type("image/jpeg");
    taken.set_stage(stage);
    const RecordId id = phone.new_id();
    phone.record(kinds::kAttachment, id, taken.SerializeAsString(), true, world.clock.ms);
    world.sync(phone);
    return id;
  };
  const RecordId here = reported();
  const RecordId there = reported();
  const auto handled_with = [&](RecordId first, RecordId second) {
    v1::WhistleAction action;
    action.set_whistle(std::string(here.bytes()));
    action.set_type(v1::WHISTLE_ACTION_TYPE_HANDLE_ON_SPOT);
    action.set_after(whistle_of(world, here).last_action());
    action.set_round(1);
    action.add_evidence(std::string(first.bytes()));
    action.add_evidence(std::string(second.bytes()));
    phone.record(kinds::kWhistleAction, phone.new_id(), action.SerializeAsString(), true,
                 world.clock.ms);
    return answers(*world.sync(phone)).back();
  };
  const RecordId before = picture(here, v1::ATTACHMENT_STAGE_BEFORE);
  const RecordId after = picture(here, v1::ATTACHMENT_STAGE_AFTER);
  const RecordId elsewhere = picture(there, v1::ATTACHMENT_STAGE_AFTER);
  const RecordId on_its_way = phone.new_id();
  CHECK(handled_with(on_its_way, on_its_way) == OutcomeStatus::kRejected);
  CHECK(handled_with(before, elsewhere) == OutcomeStatus::kRejected);
  CHECK(handled_with(before, after) == OutcomeStatus::kAccepted);
}
