#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

// Volunteers and couriers may report and no more. They do not see what lies in the grid, but they
// learn what became of what they said.

namespace {

constexpr auto kAccepted = OutcomeStatus::kAccepted;
constexpr auto kRejected = OutcomeStatus::kRejected;

OutcomeStatus last_answer(World& world, Phone& phone) {
  const auto all = answers(*world.sync(phone));
  REQUIRE_FALSE(all.empty());
  return all.back();
}

RecordId report(World& world, Phone& phone, RecordId who) {
  v1::Whistle content;
  REQUIRE(content.ParseFromString(whistle(kGrid1)));
  content.set_reporter(std::string(who.bytes()));
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistle, id, content.SerializeAsString(), true, world.clock.ms);
  return id;
}

RecordId act(World& world, Phone& phone, RecordId whistle, v1::WhistleActionType type) {
  v1::WhistleAction action;
  action.set_whistle(std::string(whistle.bytes()));
  action.set_type(type);
  action.set_round(1);
  const RecordId id = phone.new_id();
  phone.record(kinds::kWhistleAction, id, action.SerializeAsString(), true, world.clock.ms);
  return id;
}

void staff(World& world, RecordId whistle, WhistleActionType type, RecordId who) {
  REQUIRE(world.county->act({.whistle = whistle, .type = type, .actor = who}, "test"));
}

v1::Whistle seen(const std::vector<Row>& rows, RecordId id) {
  v1::Whistle all;
  for (const Row& row : rows) {
    if (row.id == id) REQUIRE(all.MergeFromString(row.set));
  }
  return all;
}

}  // namespace

TEST_CASE("a volunteer learns what became of the own report, and of nobody else's") {
  World world;
  const RecordId who = world.worker("V1", Role::kVolunteer, kGrid1);
  Phone courier = world.phone(who);
  Phone other = world.phone(world.worker("V2", Role::kVolunteer, kGrid1));
  const RecordId own = report(world, courier, who);
  CHECK(seen(world.sync(courier)->rows_of(kinds::kWhistle), own).state() ==
        v1::WHISTLE_STATE_VERIFYING);
  staff(world, own, WhistleActionType::kAccept, world.dora);
  const auto rows = world.sync(courier)->rows_of(kinds::kWhistle);
  CHECK(seen(rows, own).state() == v1::WHISTLE_STATE_ACCEPTED);
  CHECK(seen(rows, own).accepted_ms() > 0);
  CHECK(world.sync(other)->rows_of(kinds::kWhistle).empty());

  // A new phone of the same person has it whole.
  Phone again = world.phone(who);
  const auto whole = world.sync(again)->rows_of(kinds::kWhistle);
  REQUIRE(whole.size() == 1);
  CHECK(seen(whole, own).title() == "broken cover");
}

TEST_CASE("what a volunteer reports comes from a volunteer, whatever the phone says") {
  World world;
  const RecordId who = world.worker("V1", Role::kVolunteer, kGrid1);
  Phone courier = world.phone(who);
  const RecordId claimed = report(world, courier, who);
  v1::Whistle silent;
  silent.ParseFromString(whistle(kGrid1));
  silent.clear_source();
  const RecordId unsaid = courier.new_id();
  courier.record(kinds::kWhistle, unsaid, silent.SerializeAsString(), true, world.clock.ms);
  const auto rows = world.sync(courier)->rows_of(kinds::kWhistle);
  for (const RecordId id : {claimed, unsaid}) {
    CHECK(whistle_of(world, id).source() == v1::SOURCE_VOLUNTEER);
    CHECK(whistle_of(world, id).state() == v1::WHISTLE_STATE_VERIFYING);
    CHECK(seen(rows, id).source() == v1::SOURCE_VOLUNTEER);
  }
  // A grid worker who helps out in another grid is still a worker in the own one.
  Phone anna = world.phone(world.anna);
  const RecordId hers = report(world, anna, world.anna);
  world.sync(anna);
  CHECK(whistle_of(world, hers).source() == v1::SOURCE_WORKER);
}

TEST_CASE("a volunteer makes the own report void until it is accepted, and nobody else's") {
  World world;
  const RecordId who = world.worker("V1", Role::kVolunteer, kGrid1);
  Phone courier = world.phone(who);
  Phone other = world.phone(world.worker("V2", Role::kVolunteer, kGrid1));
  const RecordId first = report(world, courier, who);
  const RecordId second = report(world, courier, who);
  world.sync(courier);

  act(world, other, first, v1::WHISTLE_ACTION_TYPE_VOID);
  CHECK(last_answer(world, other) == kRejected);
  CHECK(whistle_of(world, first).state() == v1::WHISTLE_STATE_VERIFYING);

  const RecordId taken_back = act(world, courier, first, v1::WHISTLE_ACTION_TYPE_VOID);
  const auto inbox = world.sync(courier);
  CHECK(answers(*inbox).back() == kAccepted);
  CHECK(seen(inbox->rows_of(kinds::kWhistle), first).state() == v1::WHISTLE_STATE_VOID);
  // The own action comes back decided.
  const auto actions = inbox->rows_of(kinds::kWhistleAction);
  REQUIRE(actions.size() == 1);
  CHECK(actions.front().id == taken_back);

  staff(world, second, WhistleActionType::kAccept, world.dora);
  act(world, courier, second, v1::WHISTLE_ACTION_TYPE_VOID);
  CHECK(last_answer(world, courier) == OutcomeStatus::kSuperseded);
  CHECK(whistle_of(world, second).state() == v1::WHISTLE_STATE_ACCEPTED);
}

TEST_CASE("a volunteer says more of the own report, and changes nobody else's") {
  World world;
  const RecordId who = world.worker("V1", Role::kVolunteer, kGrid1);
  Phone courier = world.phone(who);
  Phone other = world.phone(world.worker("V2", Role::kVolunteer, kGrid1));
  const RecordId own = report(world, courier, who);
  world.sync(courier);
  const auto says = [&](Phone& phone, const std::string& text) {
    v1::Whistle more;
    more.set_text(text);
    phone.record(kinds::kWhistle, own, more.SerializeAsString(), false, world.clock.ms + 1,
                 world.storage->last_seq());
    return last_answer(world, phone);
  };
  CHECK(says(courier, "beside the bridge") == kAccepted);
  CHECK(says(other, "rewritten") == kRejected);
  act(world, other, own, v1::WHISTLE_ACTION_TYPE_COMMENT);
  CHECK(last_answer(world, other) == kRejected);
  CHECK(whistle_of(world, own).text() == "beside the bridge");
}

TEST_CASE(
    "of an own report a volunteer sees the whistle and the own words, not what others wrote") {
  World world;
  const RecordId who = world.worker("V1", Role::kVolunteer, kGrid1);
  Phone courier = world.phone(who);
  Phone anna = world.phone(world.anna);
  const RecordId own = report(world, courier, who);
  world.sync(courier);
  v1::Attachment picture;
  picture.set_parent(std::string(own.bytes()));
  picture.set_parent_kind(kinds::kWhistle.value);
  picture.set_sha256(std::string(32, 'p'));
  picture.set_size_bytes(10);
  picture.set_media_type("image/jpeg");
  const RecordId shown = courier.new_id();
  courier.record(kinds::kAttachment, shown, picture.SerializeAsString(), true, world.clock.ms);
  CHECK(last_answer(world, courier) == kAccepted);

  v1::WhistleContact caller;
  caller.set_whistle(std::string(own.bytes()));
  caller.set_name("甲");
  anna.record(kinds::kWhistleContact, anna.new_id(), caller.SerializeAsString(), true,
              world.clock.ms);
  const RecordId hers = anna.new_id();
  anna.record(kinds::kAttachment, hers, picture.SerializeAsString(), true, world.clock.ms);
  CHECK(last_answer(world, anna) == kAccepted);
  staff(world, own, WhistleActionType::kAccept, world.dora);
  staff(world, own, WhistleActionType::kBlow, world.dora);
  REQUIRE(whistle_of(world, own).state() == v1::WHISTLE_STATE_ASSIGNED);

  Phone again = world.phone(who);
  const auto inbox = world.sync(again);
  CHECK(inbox->rows_of(kinds::kWhistle).size() == 1);
  CHECK(inbox->rows_of(kinds::kWhistleContact).empty());
  CHECK(inbox->rows_of(kinds::kWhistleAction).empty());
  CHECK(inbox->rows_of(kinds::kAssignment).empty());
  const auto pictures = inbox->rows_of(kinds::kAttachment);
  REQUIRE(pictures.size() == 1);
  CHECK(pictures.front().id == shown);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("an own report stays in its volunteer's sight wherever it or the volunteer goes") {
  World world;
  const RecordId who = world.worker("V1", Role::kVolunteer, kGrid1);
  Phone courier = world.phone(who);
  Phone dora = world.phone(world.dora);
  const RecordId own = report(world, courier, who);
  world.sync(courier);
  v1::Whistle elsewhere;
  elsewhere.set_grid(kGrid2);
  dora.record(kinds::kWhistle, own, elsewhere.SerializeAsString(), false, world.clock.ms + 1,
              world.storage->last_seq());
  CHECK(last_answer(world, dora) == kAccepted);
  CHECK(seen(world.sync(courier)->rows_of(kinds::kWhistle), own).grid() == kGrid2);

  v1::Worker moved;
  moved.set_code("V1");
  v1::WorkerRole& role = *moved.add_roles();
  role.set_role(v1::ROLE_VOLUNTEER);
  role.set_scope("440811001003");
  world.import(moved, who);
  act(world, courier, own, v1::WHISTLE_ACTION_TYPE_VOID);
  const auto inbox = world.sync(courier);
  CHECK(answers(*inbox).back() == kAccepted);
  CHECK(seen(inbox->rows_of(kinds::kWhistle), own).state() == v1::WHISTLE_STATE_VOID);
}

TEST_CASE("over an own report that lies elsewhere its author has no role held for another place") {
  World world;
  v1::Worker both;
  both.set_code("V3");
  both.set_organisation(std::string(world.town_org.bytes()));
  v1::WorkerRole& helps = *both.add_roles();
  helps.set_role(v1::ROLE_VOLUNTEER);
  helps.set_scope(kGrid1);
  v1::WorkerRole& decides = *both.add_roles();
  decides.set_role(v1::ROLE_TOWN_ACCEPTOR);
  decides.set_scope("440811002000");
  const RecordId who = world.import(both);
  Phone phone = world.phone(who);
  const RecordId own = report(world, phone, who);
  CHECK(last_answer(world, phone) == kAccepted);
  act(world, phone, own, v1::WHISTLE_ACTION_TYPE_ACCEPT);
  CHECK(last_answer(world, phone) == kRejected);
  CHECK(whistle_of(world, own).state() == v1::WHISTLE_STATE_VERIFYING);
}
