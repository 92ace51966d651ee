#include "county_world.h"
#include "model/whistle_number.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

// What no device may write, whoever holds it: the road of a whistle and other people's names.

namespace {

constexpr auto kAccepted = static_cast<std::uint32_t>(OutcomeStatus::kAccepted);
constexpr auto kRejected = static_cast<std::uint32_t>(OutcomeStatus::kRejected);

// What the last operation of a call came to.
std::uint32_t status_of(const Inbox& inbox) {
  REQUIRE_FALSE(inbox.runs().empty());
  return inbox.runs().back().status();
}

void erase(World& world, Phone& phone, KindId kind, RecordId id) {
  phone.record(kind, id, {}, false, world.clock.ms + 1, world.storage->last_seq()).type =
      OperationType::kErase;
}

}  // namespace

TEST_CASE("nobody erases a whistle or an action, its author neither") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone dora = world.phone(world.dora);
  const RecordId reported = anna.new_id();
  anna.record(kinds::kWhistle, reported, whistle(kGrid1), true, world.clock.ms);
  REQUIRE(status_of(*world.sync(anna)) == kAccepted);
  const auto accepted = world.county->act(
      {.whistle = reported, .type = WhistleActionType::kAccept, .actor = world.dora}, "test");
  REQUIRE(accepted);

  erase(world, anna, kinds::kWhistle, reported);
  CHECK(status_of(*world.sync(anna)) == kRejected);
  const auto actions = world.sync(dora)->rows_of(kinds::kWhistleAction);
  REQUIRE(actions.size() == 1);
  erase(world, dora, kinds::kWhistleAction, actions.front().id);
  const auto inbox = world.sync(dora);
  CHECK(status_of(*inbox) == kRejected);
  CHECK(inbox->runs().back().code() == static_cast<std::uint32_t>(ErrorCode::kForbidden));
  CHECK_FALSE((*world.county->get(kinds::kWhistle, reported))->erased);
  CHECK_FALSE((*world.county->get(kinds::kWhistleAction, actions.front().id))->erased);

  // Nor before the server has heard of it, by a lane that overtakes nothing.
  const RecordId unsent = anna.new_id();
  Operation& erasure = anna.record(kinds::kWhistle, unsent, {}, true, world.clock.ms + 2);
  erasure.type = OperationType::kErase;
  CHECK(status_of(*world.sync(anna)) == kRejected);
}

TEST_CASE("a grid is named by its digits alone, and only a whistle may lie in an area at large") {
  World world;
  Phone anna = world.phone(world.anna);
  const auto code_for = [&](KindId kind, const std::string& record) {
    anna.record(kind, anna.new_id(), record, true, world.clock.ms);
    const auto inbox = world.sync(anna);
    return status_of(*inbox) == kAccepted ? 0U : inbox->runs().back().code();
  };
  constexpr auto kInvalid = static_cast<std::uint32_t>(ErrorCode::kInvalid);
  for (const std::string& grid : {"grid:" + std::string(kGrid1), worker_scope(world.anna)}) {
    v1::Household home;
    home.set_grid(grid);
    CHECK(code_for(kinds::kHousehold, home.SerializeAsString()) == kInvalid);
    CHECK(code_for(kinds::kWhistle, whistle(grid)) == kInvalid);
  }
  CHECK(code_for(kinds::kVisit, visit("440811001001")) == kInvalid);
  CHECK(code_for(kinds::kWhistle, whistle("440811001001")) == 0);
}

TEST_CASE("a record is made in one's own name or in nobody's") {
  World world;
  Phone anna = world.phone(world.anna);
  const bool own = GENERATE(true, false);
  const std::string name((own ? world.anna : world.dora).bytes());
  v1::Visit walk;
  walk.ParseFromString(visit(kGrid1));
  walk.set_worker(name);
  anna.record(kinds::kVisit, anna.new_id(), walk.SerializeAsString(), true, world.clock.ms);
  CHECK(status_of(*world.sync(anna)) == (own ? kAccepted : kRejected));
  v1::Whistle report;
  report.ParseFromString(whistle(kGrid1));
  report.set_reporter(name);
  anna.record(kinds::kWhistle, anna.new_id(), report.SerializeAsString(), true, world.clock.ms);
  CHECK(status_of(*world.sync(anna)) == (own ? kAccepted : kRejected));
}

TEST_CASE("a colleague who puts a record whole leaves its author's name in it") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  v1::Visit walk;
  walk.ParseFromString(visit(kGrid1));
  walk.set_worker(std::string(world.anna.bytes()));
  const RecordId id = anna.new_id();
  anna.record(kinds::kVisit, id, walk.SerializeAsString(), true, world.clock.ms);
  world.sync(anna);
  walk.set_notes("seen by two");
  colleague.record(kinds::kVisit, id, walk.SerializeAsString(), false, world.clock.ms + 1,
                   world.storage->last_seq());
  CHECK(status_of(*world.sync(colleague)) == kAccepted);
}

TEST_CASE("only a centre passes on what the hotline or a platform says") {
  World world;
  const auto reports = [&](RecordId worker, v1::Source source) {
    Phone phone = world.phone(worker);
    v1::Whistle report;
    report.ParseFromString(whistle(kGrid1));
    report.set_source(source);
    phone.record(kinds::kWhistle, phone.new_id(), report.SerializeAsString(), true, world.clock.ms);
    return status_of(*world.sync(phone)) == kAccepted;
  };
  const RecordId courier = world.worker("W8", Role::kVolunteer, kGrid1);
  CHECK_FALSE(reports(world.anna, v1::SOURCE_HOTLINE));
  CHECK_FALSE(reports(world.anna, v1::SOURCE_PLATFORM));
  CHECK_FALSE(reports(world.anna, v1::SOURCE_VOLUNTEER));
  CHECK(reports(world.anna, v1::SOURCE_RESIDENT));
  CHECK(reports(world.dora, v1::SOURCE_HOTLINE));
  CHECK(reports(courier, v1::SOURCE_VOLUNTEER));
  CHECK_FALSE(reports(courier, v1::SOURCE_RESIDENT));
}

TEST_CASE("a whistle's number is its device's own, well formed, and no other whistle's") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const auto reports = [&](Phone& phone, const std::string& number) {
    v1::Whistle report;
    report.ParseFromString(whistle(kGrid1));
    report.set_number(number);
    phone.record(kinds::kWhistle, phone.new_id(), report.SerializeAsString(), true, world.clock.ms);
    return static_cast<ErrorCode>(world.sync(phone)->runs().back().code());
  };
  const std::string first = whistle_number(anna.short_code, 1);
  CHECK(reports(anna, first) == ErrorCode{});
  CHECK(reports(anna, first) == ErrorCode::kAlreadyExists);
  CHECK(reports(colleague, first) == ErrorCode::kForbidden);
  CHECK(reports(colleague, whistle_number(anna.short_code, 2)) == ErrorCode::kForbidden);
  CHECK(reports(colleague, whistle_number(colleague.short_code, 1)) == ErrorCode{});
  std::string misread = whistle_number(anna.short_code, 3);
  misread.back() = misread.back() == '7' ? '8' : '7';
  CHECK(reports(anna, misread) == ErrorCode::kInvalid);
  CHECK(reports(anna, "no. 3") == ErrorCode::kInvalid);
  // Letters that no device has any more, as after a restore.
  CHECK(reports(anna, whistle_number("ZZZZ", 1)) == ErrorCode{});
  CHECK(reports(anna, whistle_number("ZZZZ", 1)) == ErrorCode::kAlreadyExists);
  CHECK(*world.storage->count(kinds::kWhistle) == 3);
}

TEST_CASE("a number that two whistles have from of old stands for neither") {
  World world;
  v1::Whistle report;
  report.ParseFromString(whistle(kGrid1));
  report.set_number("1-000001-5");
  std::vector<RecordId> ids;
  for (int i = 0; i < 2; ++i) {
    ids.push_back(world.county->mint_id());
    REQUIRE(world.county->write(kinds::kWhistle, ids.back(), report.SerializeAsString(), {}, "t"));
  }
  const auto found = world.county->find(kinds::kWhistle, fields::whistle::kNumber, "1-000001-5");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kConflict);
}

TEST_CASE("two whistles of one transaction do not share a number") {
  World world;
  Phone anna = world.phone(world.anna);
  v1::Whistle report;
  report.ParseFromString(whistle(kGrid1));
  report.set_number(whistle_number(anna.short_code, 1));
  const std::string bytes = report.SerializeAsString();
  anna.record(kinds::kWhistle, anna.new_id(), bytes, true, world.clock.ms).more = true;
  anna.record(kinds::kWhistle, anna.new_id(), bytes, true, world.clock.ms);
  CHECK(status_of(*world.sync(anna)) == kRejected);
  CHECK(*world.storage->count(kinds::kWhistle) == 0);
}

TEST_CASE("a position beyond the globe is rejected, and its author gets it back") {
  World world;
  Phone anna = world.phone(world.anna);
  v1::Visit walk;
  walk.ParseFromString(visit(kGrid1));
  walk.set_latitude(999);
  walk.set_longitude(110);
  anna.record(kinds::kVisit, anna.new_id(), walk.SerializeAsString(), true, world.clock.ms);
  const auto inbox = world.sync(anna);
  CHECK(status_of(*inbox) == kRejected);
  CHECK(inbox->rows_of(kinds::kOutcome).size() == 1);
}

TEST_CASE("another worker's code takes no unsent work away, and is not spent") {
  World world;
  Phone anna = world.phone(world.anna);
  const auto code = world.county->create_code(world.dora, "test");
  REQUIRE(code);
  v1::EnrolRequest busy;
  busy.set_unsent(1);
  // A server that was restored may not know whose phone it was; the phone does.
  if (GENERATE(true, false)) busy.set_worker(std::string(world.anna.bytes()));
  const v1::EnrolReply refused = world.enrol(anna, code->code, busy);
  CHECK(static_cast<ErrorCode>(refused.code()) == ErrorCode::kConflict);
  CHECK(world.county->devices()->front().worker == world.anna);
  anna.record(kinds::kVisit, anna.new_id(), visit(kGrid1), true, world.clock.ms);
  CHECK(status_of(*world.sync(anna)) == kAccepted);
  CHECK(world.enrol(anna, code->code).code() == 0);
  CHECK(world.county->devices()->front().worker == world.dora);
}

TEST_CASE("a phone that no server knows any more says itself whose unsent work it holds") {
  World world;
  Phone fresh{.device = DeviceId(world.random.next() >> 4 | 1), .key = *P256Key::make()};
  v1::EnrolRequest busy;
  busy.set_unsent(3);
  busy.set_worker(std::string(world.anna.bytes()));
  const auto hers = world.county->create_code(world.anna, "test");
  const auto his = world.county->create_code(world.bruno, "test");
  CHECK(static_cast<ErrorCode>(world.enrol(fresh, his->code, busy).code()) == ErrorCode::kConflict);
  CHECK(world.enrol(fresh, hers->code, busy).code() == 0);
}

TEST_CASE("nobody moves a record to where they may not write it") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId home = anna.new_id();
  v1::Household household;
  household.set_grid(kGrid1);
  household.set_address("3 Well Lane");
  anna.record(kinds::kHousehold, home, household.SerializeAsString(), true, world.clock.ms);
  REQUIRE(status_of(*world.sync(anna)) == kAccepted);
  v1::Household moved;
  moved.set_grid(kGrid2);
  anna.record(kinds::kHousehold, home, moved.SerializeAsString(), false, world.clock.ms + 1,
              world.storage->last_seq());
  const auto inbox = world.sync(anna);
  CHECK(status_of(*inbox) == kRejected);
  CHECK(inbox->runs().back().code() == static_cast<std::uint32_t>(ErrorCode::kOutOfScope));
  Phone bruno = world.phone(world.bruno);
  CHECK(world.sync(bruno)->rows_of(kinds::kHousehold).empty());

  // Whoever holds both places may.
  const RecordId reported = anna.new_id();
  anna.record(kinds::kWhistle, reported, whistle(kGrid1), true, world.clock.ms);
  world.sync(anna);
  Phone dora = world.phone(world.dora);
  v1::Whistle elsewhere;
  elsewhere.set_grid(kGrid2);
  dora.record(kinds::kWhistle, reported, elsewhere.SerializeAsString(), false, world.clock.ms + 2,
              world.storage->last_seq());
  CHECK(status_of(*world.sync(dora)) == kAccepted);
  CHECK(whistle_of(world, reported).grid() == kGrid2);
}

TEST_CASE("what is private is changed by nobody who may not see it but the device that made it") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId reported = anna.new_id();
  const RecordId caller = anna.new_id();
  v1::WhistleContact contact;
  contact.set_whistle(std::string(reported.bytes()));
  contact.set_name("a neighbour");
  anna.record(kinds::kWhistle, reported, whistle(kGrid1), true, world.clock.ms);
  anna.record(kinds::kWhistleContact, caller, contact.SerializeAsString(), true, world.clock.ms);
  REQUIRE(status_of(*world.sync(anna)) == kAccepted);
  contact.set_name("nobody");

  Phone stranger = world.phone(world.worker("W9", Role::kMicroContact, kGrid1));
  CHECK(world.sync(stranger)->rows_of(kinds::kWhistleContact).empty());
  stranger.record(kinds::kWhistleContact, caller, contact.SerializeAsString(), false,
                  world.clock.ms + 1, world.storage->last_seq());
  CHECK(status_of(*world.sync(stranger)) == kRejected);
  erase(world, stranger, kinds::kWhistleContact, caller);
  CHECK(status_of(*world.sync(stranger)) == kRejected);

  const RecordId own = stranger.new_id();
  const RecordId own_caller = stranger.new_id();
  stranger.record(kinds::kWhistle, own, whistle(kGrid1), true, world.clock.ms);
  contact.set_whistle(std::string(own.bytes()));
  stranger.record(kinds::kWhistleContact, own_caller, contact.SerializeAsString(), true,
                  world.clock.ms);
  CHECK(status_of(*world.sync(stranger)) == kAccepted);
  contact.set_name("a passer-by");
  stranger.record(kinds::kWhistleContact, own_caller, contact.SerializeAsString(), false,
                  world.clock.ms + 1);
  CHECK(status_of(*world.sync(stranger)) == kAccepted);
}

TEST_CASE("a whistle is given to nobody who is not there, or cannot act") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId reported = anna.new_id();
  anna.record(kinds::kWhistle, reported, whistle(kGrid1, "09"), true, world.clock.ms);
  REQUIRE(status_of(*world.sync(anna)) == kAccepted);
  const auto given_to = [&](RecordId lead) {
    const auto done = world.county->assign_headless(reported, lead, {}, "test");
    REQUIRE(done);
    return done->status;
  };
  CHECK(given_to(world.county->mint_id()) == OutcomeStatus::kRejected);
  CHECK(given_to(world.town_org) == OutcomeStatus::kRejected);
  CHECK(given_to(world.road_org) == OutcomeStatus::kAccepted);
}
