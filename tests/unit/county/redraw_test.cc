#include <algorithm>

#include "access/grants.h"
#include "county_world.h"

// Grids are redrawn every year, and phones hear of it when they have a network again.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr auto kAccepted = OutcomeStatus::kAccepted;
constexpr auto kSealed = OutcomeStatus::kSealed;

const std::string kWest = "440811001001011";
const std::string kEast = "440811001001012";
constexpr double kLatitude = 21.25;
constexpr double kWestLongitude = 110.1;
constexpr double kEastLongitude = 110.3;
constexpr double kElsewhere = 111.0;

// A grid between two meridians.
RecordId draw(World& world, const std::string& code, double west, double east) {
  v1::Grid grid;
  grid.set_code15(code);
  grid.set_name("grid " + code.substr(12));
  grid.set_type(v1::GRID_TYPE_BASIC);
  v1::Ring& ring = *grid.mutable_boundary()->add_polygons()->add_rings();
  for (const auto& [longitude, latitude] :
       {std::pair{west, 21.2}, {east, 21.2}, {east, 21.3}, {west, 21.3}, {west, 21.2}}) {
    ring.add_longitudes(longitude);
    ring.add_latitudes(latitude);
  }
  return world.import(grid);
}

// Grid 1 as it was, and the two that are to take its place.
struct Drawn {
  RecordId old;
  RecordId west;
  RecordId east;
};
Drawn draw(World& world) {
  return {draw(world, kGrid1, 110.0, 110.4), draw(world, kWest, 110.0, 110.2),
          draw(world, kEast, 110.2, 110.4)};
}

RedrawRequest halves() { return {{kGrid1}, {kWest, kEast}, kWest, {}}; }

RedrawReport redraw(World& world, const RedrawRequest& request) {
  const auto done = world.county->redraw_grids(request, "test");
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
  world.pump();
  return *done;
}

template <typename Message>
Message read(World& world, RecordId id) {
  const auto row = world.county->get(kind_of<Message>, id);
  REQUIRE(row);
  REQUIRE(*row);
  Message message;
  REQUIRE(message.ParseFromString((*row)->body));
  return message;
}

std::string whistle_at(double longitude, const std::string& grid = kGrid1) {
  v1::Whistle message;
  REQUIRE(message.ParseFromString(whistle(grid)));
  message.set_latitude(kLatitude);
  message.set_longitude(longitude);
  return message.SerializeAsString();
}

std::string household_at(double longitude, const std::string& address = "2 Mill Lane") {
  v1::Household message;
  message.set_grid(kGrid1);
  message.set_address(address);
  message.set_latitude(kLatitude);
  message.set_longitude(longitude);
  return message.SerializeAsString();
}

RecordId record(World& world, Phone& phone, KindId kind, const std::string& message) {
  const RecordId id = phone.new_id();
  phone.record(kind, id, message, true, world.clock.ms);
  return id;
}

std::vector<std::string> scopes_of(World& world, KindId kind, RecordId id) {
  const auto stored = world.storage->record({kind, id});
  REQUIRE(stored);
  REQUIRE(*stored);
  std::vector<std::string> scopes;
  for (const Membership& m : (*stored)->memberships) {
    if (m.in) scopes.push_back(world.storage->scope_name(m.scope));
  }
  return scopes;
}

std::vector<std::string> roles_of(World& world, RecordId worker) {
  std::vector<std::string> scopes;
  const auto record = read<v1::Worker>(world, worker);
  for (const v1::WorkerRole& role : record.roles()) {
    scopes.push_back(role.scope());
  }
  return scopes;
}

const std::vector<std::string> kInWest = {"grid:" + kWest};
const std::vector<std::string> kInEast = {"grid:" + kEast};

}  // namespace

TEST_CASE("a split takes each record where it lies: by place, by household, or into the rest") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  const RecordId east = record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  const RecordId west = record(world, anna, kinds::kWhistle, whistle_at(kWestLongitude));
  const RecordId far = record(world, anna, kinds::kWhistle, whistle_at(kElsewhere));
  const RecordId home = record(world, anna, kinds::kHousehold, household_at(kEastLongitude));
  v1::Resident resident;
  resident.set_household(std::string(home.bytes()));
  resident.set_name("Wei Lan");
  const RecordId lan = record(world, anna, kinds::kResident, resident.SerializeAsString());
  v1::Visit call;
  REQUIRE(call.ParseFromString(visit(kGrid1)));
  call.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  call.set_household(std::string(home.bytes()));
  call.set_latitude(kLatitude);
  call.set_longitude(kWestLongitude);  // written down on the way home
  const RecordId called = record(world, anna, kinds::kVisit, call.SerializeAsString());
  const RecordId nowhere = record(world, anna, kinds::kVisit, visit(kGrid1));
  v1::FormAnswer answer;
  answer.set_grid(kGrid1);
  answer.set_form(std::string(home.bytes()));
  answer.set_visit(std::string(called.bytes()));
  const RecordId answered = record(world, anna, kinds::kFormAnswer, answer.SerializeAsString());
  v1::Dispute quarrel;
  quarrel.set_grid(kGrid1);
  quarrel.add_parties()->set_resident(std::string(lan.bytes()));
  const RecordId dispute = record(world, anna, kinds::kDispute, quarrel.SerializeAsString());
  for (const OutcomeStatus status : answers(*world.sync(anna))) REQUIRE(status == kAccepted);

  const RedrawReport report = redraw(world, halves());
  CHECK(scopes_of(world, kinds::kWhistle, east) == kInEast);
  CHECK(scopes_of(world, kinds::kWhistle, west) == kInWest);
  CHECK(scopes_of(world, kinds::kWhistle, far) == kInWest);
  CHECK(scopes_of(world, kinds::kHousehold, home) == kInEast);
  CHECK(scopes_of(world, kinds::kResident, lan) == kInEast);
  CHECK(scopes_of(world, kinds::kVisit, called) == kInEast);
  CHECK(scopes_of(world, kinds::kVisit, nowhere) == kInWest);
  CHECK(scopes_of(world, kinds::kFormAnswer, answered) == kInEast);
  CHECK(scopes_of(world, kinds::kDispute, dispute) == kInEast);
  CHECK(read<v1::Visit>(world, called).grid() == kEast);
  CHECK(report.records.at({kEast, kinds::kVisit}) == 1);
  CHECK(report.records.at({kWest, kinds::kWhistle}) == 2);
  CHECK(world.county->status()->redrawing == 0);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a split keeps lineage and ends the old grid, and a grid that is cut smaller goes on") {
  World world;
  const Drawn drawn = draw(world);
  redraw(world, halves());
  CHECK(read<v1::Grid>(world, drawn.old).valid_until_ms() == world.clock.ms);
  CHECK(read<v1::Grid>(world, drawn.west).predecessors(0) == kGrid1);
  CHECK(read<v1::Grid>(world, drawn.east).predecessors(0) == kGrid1);

  const std::string third = "440811001001013";
  const RecordId cut_out = draw(world, third, 110.3, 110.4);
  v1::Grid micro;
  micro.set_code15("440811001001901");
  micro.set_name("Mill Lane 2");
  micro.set_type(v1::GRID_TYPE_MICRO);
  micro.set_parent15(kEast);
  micro.set_center_latitude(kLatitude);
  micro.set_center_longitude(110.35);
  const RecordId stairs = world.import(micro);
  redraw(world, {{kEast}, {kEast, third}, kEast, {}});
  CHECK_FALSE(read<v1::Grid>(world, drawn.east).has_valid_until_ms());
  CHECK(read<v1::Grid>(world, cut_out).predecessors(0) == kEast);
  CHECK(read<v1::Grid>(world, stairs).parent15() == third);
}

TEST_CASE("an open whistle goes through a split with its number, its road and who is called") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  const RecordId id = record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  world.sync(anna);
  for (const auto& [actor, type] : {std::pair{world.dora, WhistleActionType::kAccept},
                                    std::pair{world.dora, WhistleActionType::kBlow}}) {
    const auto done = world.county->act({.whistle = id, .type = type, .actor = actor}, "test");
    REQUIRE(done);
    REQUIRE(done->status == kAccepted);
  }
  const auto before = world.county->explain(id);
  REQUIRE(before);
  REQUIRE_FALSE(before->assignments.empty());
  redraw(world, halves());

  const auto after = world.county->explain(id);
  REQUIRE(after);
  CHECK(after->whistle.grid == kEast);
  CHECK(after->whistle.state == before->whistle.state);
  CHECK(after->whistle.owner_org == before->whistle.owner_org);
  CHECK(after->steps.size() == before->steps.size());
  REQUIRE(after->assignments.size() == before->assignments.size());
  CHECK(after->assignments[0].assignment == before->assignments[0].assignment);
  CHECK(after->assignments[0].assigned_ms == before->assignments[0].assigned_ms);
  const auto scopes = scopes_of(world, kinds::kWhistle, id);
  CHECK(std::ranges::find(scopes, "org:" + to_hex(world.road_org.bytes())) != scopes.end());
  Phone erik = world.phone(world.erik);
  CHECK(world.sync(erik)->rows_of(kinds::kAssignment).size() == 1);
}

TEST_CASE("roles follow a split: into all new grids, or into those that the operator names") {
  World world;
  draw(world);
  const RecordId carla = world.worker("W9", Role::kCareWorker, kGrid1);
  RedrawRequest request = halves();
  request.workers[world.anna] = {kEast};
  const RedrawReport report = redraw(world, request);
  CHECK(roles_of(world, world.anna) == std::vector{kEast});
  CHECK(roles_of(world, carla) == std::vector{kWest, kEast});
  CHECK(roles_of(world, world.bruno) == std::vector{kGrid2});
  CHECK(report.workers.size() == 2);
}

TEST_CASE("a merge takes everything and everybody into the one grid") {
  World world;
  draw(world);
  draw(world, kGrid2, 110.4, 110.6);
  Phone anna = world.phone(world.anna);
  Phone bruno = world.phone(world.bruno);
  const RecordId one = record(world, anna, kinds::kVisit, visit(kGrid1));
  const RecordId two = record(world, bruno, kinds::kHousehold, [] {
    v1::Household message;
    message.set_grid(kGrid2);
    return message.SerializeAsString();
  }());
  world.sync(anna);
  world.sync(bruno);
  redraw(world, {{kGrid1, kGrid2}, {kGrid2}, kGrid2, {}});
  CHECK(scopes_of(world, kinds::kVisit, one) == std::vector{"grid:" + kGrid2});
  CHECK(scopes_of(world, kinds::kHousehold, two) == std::vector{"grid:" + kGrid2});
  CHECK(roles_of(world, world.anna) == std::vector{kGrid2});
  CHECK(world.sync(bruno)->rows_of(kinds::kVisit).size() == 1);
}

TEST_CASE("what was recorded before a split and comes after it finds the grid of today") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  world.sync(anna);
  const RecordId known = record(world, anna, kinds::kVisit, visit(kGrid1));
  world.sync(anna, false);  // the acknowledgement was lost on the way
  v1::Visit more;
  more.set_grid(kGrid1);  // the phone says all that a creation needs until it has heard of it
  more.set_kind(v1::VISIT_KIND_PATROL);
  more.set_notes("the gate was mended");
  anna.record(kinds::kVisit, known, more.SerializeAsString(), true, world.clock.ms);
  const RecordId fresh = record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  world.clock.ms += 1000;
  redraw(world, halves());

  const auto inbox = world.sync(anna);
  CHECK(answers(*inbox) == std::vector{kAccepted, kAccepted, kAccepted});
  CHECK(inbox->rows_of(kinds::kOutcome).empty());
  CHECK(read<v1::Visit>(world, known).notes() == "the gate was mended");
  CHECK(read<v1::Visit>(world, known).grid() == kWest);
  CHECK(scopes_of(world, kinds::kWhistle, fresh) == kInEast);
  // Her own phone has it as she wrote it, and hears where it lies.
  const auto rows = inbox->rows_of(kinds::kWhistle);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].scopes == kInEast);
  v1::Whistle shown;
  REQUIRE(shown.ParseFromString(rows[0].set));
  CHECK(shown.grid() == kEast);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a phone that has not heard of a split goes on naming the old grid, and is understood") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  world.sync(anna);
  redraw(world, halves());
  world.clock.ms += 3 * kDayMs;
  const RecordId fresh = record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  CHECK(answers(*world.sync(anna)) == std::vector{kAccepted});
  CHECK(scopes_of(world, kinds::kWhistle, fresh) == kInEast);
}

TEST_CASE("work from before a split counts where its author sees it no more, and they are told") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  const RecordId old = record(world, anna, kinds::kHousehold, household_at(kEastLongitude));
  world.sync(anna);
  v1::Household edit;
  edit.set_notes("rings twice");
  anna.record(kinds::kHousehold, old, edit.SerializeAsString(), false, world.clock.ms,
              world.storage->last_seq());
  const RecordId fresh = record(world, anna, kinds::kHousehold, household_at(kEastLongitude));
  world.clock.ms += 1000;
  RedrawRequest request = halves();
  request.workers[world.anna] = {kWest};
  redraw(world, request);

  const auto inbox = world.sync(anna);
  CHECK(answers(*inbox) == std::vector{kAccepted, kAccepted});
  CHECK(read<v1::Household>(world, old).notes() == "rings twice");
  CHECK(scopes_of(world, kinds::kHousehold, fresh) == kInEast);
  CHECK(inbox->rows_of(kinds::kHousehold).empty());
  std::vector<std::string> told;
  for (const Row& row : inbox->rows_of(kinds::kOutcome)) {
    v1::Outcome outcome;
    REQUIRE(outcome.ParseFromString(row.set));
    CHECK(outcome.status() == v1::OUTCOME_STATUS_ACCEPTED);
    CHECK(outcome.code() == static_cast<std::int64_t>(ErrorCode::kOutOfScope));
    told.push_back(outcome.record());
  }
  CHECK(told == std::vector{std::string(old.bytes()), std::string(fresh.bytes())});
  CHECK(world.county->review()->sealed.empty());
}

TEST_CASE("what is written for a neighbour's new grid after the split goes to the reviewer") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  const RecordId old = record(world, anna, kinds::kHousehold, household_at(kEastLongitude));
  world.sync(anna);
  RedrawRequest request = halves();
  request.workers[world.anna] = {kWest};
  redraw(world, request);
  world.clock.ms += kDayMs;
  v1::Household edit;
  edit.set_notes("rings twice");
  anna.record(kinds::kHousehold, old, edit.SerializeAsString(), false, world.clock.ms);
  record(world, anna, kinds::kHousehold, household_at(kEastLongitude));
  CHECK(answers(*world.sync(anna)) == std::vector{kSealed, kSealed});
  const auto list = world.county->review();
  REQUIRE(list->sealed.size() == 2);
  CHECK(world.county->accept_sealed(list->sealed[1].number, "test") == kAccepted);
  const auto homes = world.county->all(kinds::kHousehold);
  REQUIRE(homes->size() == 2);
  CHECK(scopes_of(world, kinds::kHousehold, list->sealed[1].record) == kInEast);
}

TEST_CASE("an edit of what was erased brings it back where a split has put it") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  Phone second = world.phone(world.anna);
  const RecordId home = record(world, anna, kinds::kHousehold, household_at(kEastLongitude));
  world.sync(anna);
  world.sync(second);
  v1::Household edit;
  edit.set_notes("rings twice");
  second.record(kinds::kHousehold, home, edit.SerializeAsString(), false, world.clock.ms,
                world.storage->last_seq());
  anna.record(kinds::kHousehold, home, "", false, world.clock.ms, world.storage->last_seq()).type =
      OperationType::kErase;
  REQUIRE(answers(*world.sync(anna)) == std::vector{kAccepted});
  world.clock.ms += 1000;
  redraw(world, halves());
  CHECK(answers(*world.sync(second)) == std::vector{OutcomeStatus::kRevived});
  CHECK(scopes_of(world, kinds::kHousehold, home) == kInEast);
  CHECK(read<v1::Household>(world, home).grid() == kEast);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("grids that are redrawn again and again lead what names the oldest to where it lies") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  world.sync(anna);
  const RecordId early = record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  world.clock.ms += 1000;
  redraw(world, halves());
  world.clock.ms += 1000;
  draw(world, kGrid2, 110.4, 110.6);
  redraw(world, {{kWest, kEast}, {kGrid2}, kGrid2, {}});
  CHECK(answers(*world.sync(anna)) == std::vector{kAccepted});
  CHECK(scopes_of(world, kinds::kWhistle, early) == std::vector{"grid:" + kGrid2});
}

TEST_CASE("a split that a kill has cut short goes on by itself, and so does a large one in parts") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  std::vector<RecordId> all;
  for (int i = 0; i < 450; ++i) {
    all.push_back(record(world, anna, kinds::kVisit, visit(kGrid1)));
  }
  world.sync(anna);
  REQUIRE(world.county->redraw_grids(halves(), "test"));
  REQUIRE(world.county->pump().more);
  const auto in_old = [&] {
    return std::ranges::count_if(
        all, [&](RecordId id) { return scopes_of(world, kinds::kVisit, id) != kInWest; });
  };
  CHECK(in_old() > 0);
  CHECK(in_old() < 450);
  CHECK(world.county->status()->redrawing == 1);
  // A report in between is not kept waiting.
  Phone bruno = world.phone(world.bruno);
  record(world, bruno, kinds::kVisit, visit(kGrid2));
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, bruno.hello(world.clock));
  for (std::string& frame : bruno.frames(Lane::kRecords, 0)) world.county->on_frame(call, frame);
  world.county->pump();
  CHECK(answers(inbox) == std::vector{kAccepted});
  world.county->on_closed(call);

  world.open();
  world.pump();
  CHECK(in_old() == 0);
  CHECK(world.county->status()->redrawing == 0);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE(
    "a redrawing that is asked for again does nothing twice, and one of the past is refused") {
  World world;
  draw(world);
  redraw(world, halves());
  const Seq before = world.storage->last_seq();
  CHECK(redraw(world, halves()).known);
  CHECK(world.storage->last_seq() == before);
  const auto other = world.county->redraw_grids({{kGrid1}, {kGrid2, kEast}, kEast, {}}, "test");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kConflict);
}

TEST_CASE("a dry run says what would go where, and writes nothing") {
  World world;
  const Drawn drawn = draw(world);
  Phone anna = world.phone(world.anna);
  record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  world.sync(anna);
  const Seq before = world.storage->last_seq();
  const auto tried = world.county->redraw_grids(halves(), "test", true);
  REQUIRE(tried);
  CHECK(tried->records.at({kEast, kinds::kWhistle}) == 1);
  CHECK(tried->workers == std::vector{world.anna});
  world.pump();
  CHECK(world.storage->last_seq() == before);
  CHECK_FALSE(read<v1::Grid>(world, drawn.old).has_valid_until_ms());
  CHECK(world.county->status()->redrawing == 0);
}

TEST_CASE("grids that cannot be redrawn so are refused in words, and nothing is written") {
  World world;
  draw(world);
  v1::Grid bare;
  bare.set_code15("440811001001020");
  bare.set_name("no boundary");
  bare.set_type(v1::GRID_TYPE_BASIC);
  world.import(bare);
  const auto code = [&](const RedrawRequest& request) {
    const Seq before = world.storage->last_seq();
    const auto done = world.county->redraw_grids(request, "test");
    REQUIRE_FALSE(done);
    CHECK(world.storage->last_seq() == before);
    CHECK_FALSE(done.error().message.empty());
    return done.error().code;
  };
  CHECK(code({{kGrid1}, {kWest, "440811001001099"}, kWest, {}}) == ErrorCode::kNotFound);
  CHECK(code({{kGrid1}, {kWest, bare.code15()}, kWest, {}}) == ErrorCode::kInvalid);
  CHECK(code({{kGrid1}, {kWest, kEast}, kGrid1, {}}) == ErrorCode::kInvalid);
  CHECK(code({{kGrid1}, {kWest, kWest}, kWest, {}}) == ErrorCode::kInvalid);
  CHECK(code({{kGrid1}, {kGrid1}, kGrid1, {}}) == ErrorCode::kInvalid);
  CHECK(code({{kGrid1}, {kWest, kEast}, kWest, {{world.bruno, {kEast}}}}) == ErrorCode::kInvalid);
}

TEST_CASE("rules that go by an old grid's code are named to the operator") {
  World world;
  draw(world);
  v1::RoutingRule rule;
  rule.set_code("R-OLD");
  rule.set_area_prefix(kGrid1);
  rule.set_responsibility_item("I1");
  world.import(rule);
  CHECK(redraw(world, halves()).rules == std::vector<std::string>{"R-OLD"});
}

TEST_CASE("a worker's grid goes to another with the tasks and care plans given by name") {
  World world;
  draw(world);
  const RecordId carla = world.worker("W9", Role::kCareWorker, kGrid1);
  Phone dora = world.phone(world.dora);
  v1::Task task;
  task.set_area(kGrid1);
  task.set_title("look after the pump");
  task.set_assignee(std::string(world.anna.bytes()));
  const RecordId open = record(world, dora, kinds::kTask, task.SerializeAsString());
  task.set_state(v1::TASK_STATE_DONE);
  const RecordId over = record(world, dora, kinds::kTask, task.SerializeAsString());
  for (const OutcomeStatus status : answers(*world.sync(dora))) REQUIRE(status == kAccepted);

  const auto done = world.county->hand_over(world.anna, carla, {kGrid1}, "test");
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
  CHECK(done->roles == 1);
  CHECK(done->tasks == 1);
  CHECK(roles_of(world, world.anna).empty());
  CHECK(roles_of(world, carla) == std::vector{kGrid1, kGrid1});
  CHECK(read<v1::Task>(world, open).assignee() == carla.bytes());
  CHECK(read<v1::Task>(world, over).assignee() == world.anna.bytes());
  const auto again = world.county->hand_over(world.anna, carla, {kGrid1}, "test");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kInvalid);
}

TEST_CASE("what was unsent at a handover is taken in its author's name, and later work reviewed") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  world.sync(anna);
  const RecordId before = record(world, anna, kinds::kVisit, visit(kGrid1, "before"));
  world.clock.ms += 1000;
  REQUIRE(world.county->hand_over(world.anna, world.bruno, {}, "test"));
  world.clock.ms += 1000;
  record(world, anna, kinds::kVisit, visit(kGrid1, "after"));
  CHECK(answers(*world.sync(anna)) == std::vector{kAccepted, kSealed});
  CHECK(world.county->review()->sealed.size() == 1);
  Phone bruno = world.phone(world.bruno);
  const auto rows = world.sync(bruno)->rows_of(kinds::kVisit);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].id == before);
}

TEST_CASE("a role that comes or goes sends its own scope's rows, and none of another again") {
  World world;
  draw(world);
  draw(world, kGrid2, 110.4, 110.6);
  Phone anna = world.phone(world.anna);
  Phone bruno = world.phone(world.bruno);
  for (int i = 0; i < 5; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  for (int i = 0; i < 3; ++i) record(world, bruno, kinds::kVisit, visit(kGrid2));
  world.sync(anna);
  world.sync(bruno);
  Phone second = world.phone(world.anna);
  REQUIRE(world.sync(second)->rows_of(kinds::kVisit).size() == 5);

  const auto with_roles = [&](const std::vector<std::string>& grids) {
    v1::Worker worker;
    worker.set_code("W1");
    for (const std::string& grid : grids) {
      v1::WorkerRole& role = *worker.add_roles();
      role.set_role(v1::ROLE_GRID_WORKER);
      role.set_scope(grid);
    }
    world.import(worker, world.anna);
    return world.sync(second);
  };
  const auto granted = with_roles({kGrid1, kGrid2});
  const auto rows = granted->rows_of(kinds::kVisit);
  CHECK(rows.size() == 3);
  for (const Row& row : rows) CHECK(row.scopes == std::vector{"grid:" + kGrid2});
  CHECK(granted->rows_of(kinds::kGrid).empty());  // the county's scope is as it was
  CHECK(with_roles({kGrid1})->rows_of(kinds::kVisit).empty());
  CHECK(with_roles({kGrid1, kGrid2})->rows_of(kinds::kVisit).size() == 3);
}

TEST_CASE("a split sends each worker the part that is new to them, and neighbours nothing") {
  World world;
  draw(world);
  Phone anna = world.phone(world.anna);
  Phone bruno = world.phone(world.bruno);
  for (int i = 0; i < 4; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  record(world, anna, kinds::kWhistle, whistle_at(kEastLongitude));
  world.sync(anna);
  world.sync(anna);
  world.sync(bruno);
  RedrawRequest request = halves();
  request.workers[world.anna] = {kWest};
  redraw(world, request);
  const auto kept = world.sync(anna);
  CHECK(kept->rows_of(kinds::kVisit).size() == 4);
  CHECK(kept->rows_of(kinds::kWhistle).empty());
  const auto apart = world.sync(bruno);
  CHECK(apart->rows_of(kinds::kVisit).empty());
  CHECK(apart->rows_of(kinds::kWhistle).empty());
}
