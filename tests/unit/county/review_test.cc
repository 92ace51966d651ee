#include "county_world.h"

// What waits for a reviewer, and what becomes of it.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

std::vector<v1::Outcome> outcomes(const Inbox& inbox) {
  std::vector<v1::Outcome> all;
  for (const Row& row : inbox.rows_of(kinds::kOutcome)) {
    REQUIRE(all.emplace_back().ParseFromString(row.set));
  }
  return all;
}

}  // namespace

TEST_CASE(
    "what was recorded after its author left goes to the reviewer, however late that is known") {
  World world;
  Phone phone = world.phone(world.anna);
  world.clock.ms += kDayMs;
  const std::int64_t left_ms = world.clock.ms;
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1, "her last"), true, left_ms - 1000);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1, "after it"), true, left_ms + kDayMs);
  world.clock.ms += 2 * kDayMs;
  v1::Worker gone;
  gone.set_code("W1");
  v1::WorkerRole& role = *gone.add_roles();
  role.set_role(v1::ROLE_GRID_WORKER);
  role.set_scope(kGrid1);
  // First a day that is too late, then the right one.
  for (const std::int64_t day : {left_ms + 2 * kDayMs, left_ms}) {
    gone.set_left_ms(day);
    world.import(gone, world.anna);
  }
  CHECK(answers(*world.sync(phone)) ==
        std::vector{OutcomeStatus::kAccepted, OutcomeStatus::kSealed});
  CHECK(world.county->review()->sealed.size() == 1);
  const auto devices = world.county->devices();
  REQUIRE(devices->size() == 1);
  CHECK(devices->front().state == DeviceState::kLeft);
  world.clock.ms += 30 * kDayMs;
  CHECK_FALSE(world.county->is_silent(world.county->devices()->front()));
}

TEST_CASE("sealed work is accepted or returned, each once, and its author hears of it") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  Phone colleague = world.phone(world.anna);
  move_away(world, carla, "W9");
  std::vector<RecordId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(phone.new_id());
    phone.record(kinds::kVisit, ids.back(), visit(kGrid1, "no. " + std::to_string(i)), true,
                 world.clock.ms);
  }
  const auto sent = world.sync(phone);
  REQUIRE(sent->runs().size() >= 1);
  CHECK(outcomes(*sent).size() == 3);
  CHECK(world.county->status()->sealed == 3);
  CHECK(world.sync(colleague)->rows_of(kinds::kVisit).empty());
  if (GENERATE(false, true)) world.open();

  const auto list = world.county->review();
  REQUIRE(list);
  REQUIRE(list->sealed.size() == 3);
  CHECK(list->sealed[0].worker == carla);
  CHECK(list->sealed[0].record == ids[0]);
  const std::uint64_t number = list->sealed[0].number;
  CHECK(world.county->accept_sealed(number, "test") == OutcomeStatus::kAccepted);
  REQUIRE(world.county->return_sealed(list->sealed[1].number, "it was not your grid", "test"));
  CHECK(world.county->review()->sealed.size() == 1);
  CHECK(world.county->status()->sealed == 1);

  const auto read = world.sync(colleague)->rows_of(kinds::kVisit);
  REQUIRE(read.size() == 1);
  CHECK(read[0].id == ids[0]);
  const auto told = outcomes(*world.sync(phone));
  REQUIRE(told.size() == 2);
  CHECK(told[0].record() == ids[0].bytes());
  CHECK(told[0].status() == v1::OUTCOME_STATUS_ACCEPTED);
  CHECK(told[1].record() == ids[1].bytes());
  CHECK(told[1].status() == v1::OUTCOME_STATUS_REJECTED);
  CHECK(told[1].message() == "it was not your grid");
  CHECK(text_of(told[1].lost_set(), fields::visit::kNotes) == "no. 1");

  for (const std::uint64_t done : {number, list->sealed[1].number, std::uint64_t{999}}) {
    CHECK(world.county->accept_sealed(done, "test").error().code == ErrorCode::kNotFound);
    CHECK(world.county->return_sealed(done, "", "test").error().code == ErrorCode::kNotFound);
  }
  CHECK(*world.storage->count(kinds::kVisit) == 1);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("sealed work can be read before it is decided: masked, or for a purpose that is noted") {
  World world;
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone phone = world.phone(carla);
  move_away(world, carla, "W9");
  v1::Household household;
  household.set_grid(kGrid1);
  household.set_address("12 Example Road");
  phone.record(kinds::kHousehold, phone.new_id(), household.SerializeAsString(), true,
               world.clock.ms);
  world.sync(phone);
  const std::uint64_t number = world.county->review()->sealed[0].number;
  const auto audited = [&] { return world.county->verify()->audit_entries; };
  const auto before = audited();
  const auto shown = [&](std::string_view purpose) {
    std::string all;
    const auto done = world.county->show_kept(number, purpose, "test", [&](std::string_view line) {
      all += line;
      return Result<void>();
    });
    REQUIRE(done);
    return all;
  };
  const std::string masked = shown("");
  CHECK(masked.find(kGrid1) != std::string::npos);
  CHECK(masked.find("12 Example Road") == std::string::npos);
  CHECK(audited() == before);
  CHECK(shown("complaint 17").find("12 Example Road") != std::string::npos);
  CHECK(audited() == before + 1);
  CHECK(world.county->show_kept(999, "", "test", [](std::string_view) { return Result<void>(); })
            .error()
            .code == ErrorCode::kNotFound);
}

TEST_CASE("a record that an edit brought back is in the reviewer's list") {
  World world;
  Phone one = world.phone(world.anna);
  Phone two = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId id = one.new_id();
  one.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  world.sync(one);
  world.sync(two);
  const Seq seen(two.cursor.seq());
  v1::Visit edit;
  edit.set_notes("still needed");
  one.record(kinds::kVisit, id, edit.SerializeAsString(), false, world.clock.ms + 1, seen);
  Operation& erasure = two.record(kinds::kVisit, id, "", false, world.clock.ms + 2, seen);
  erasure.type = OperationType::kErase;
  world.sync(one);
  world.sync(two);
  const auto list = world.county->review();
  REQUIRE(list);
  REQUIRE(list->flagged.size() == 1);
  CHECK(list->flagged[0].record == id);
  CHECK(list->sealed.empty());

  const std::uint64_t number = list->flagged[0].seq.value;
  CHECK(world.county->close_flagged(number + 1, "test").error().code == ErrorCode::kNotFound);
  CHECK(world.county->close_flagged(number, "test"));
  world.open();
  CHECK(world.county->review()->flagged.empty());
  CHECK(world.county->close_flagged(number, "test").error().code == ErrorCode::kNotFound);
}

TEST_CASE("a device that is reported lost is cut off in the middle of a call, and for good") {
  World world;
  Phone phone = world.phone(world.anna);
  Phone other = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  Inbox live;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, live);
  world.county->on_frame(call, phone.hello(world.clock, true));
  world.pump();
  REQUIRE(live.open);
  REQUIRE(world.county->revoke(phone.device, DeviceState::kLost, "test"));
  CHECK_FALSE(live.open);
  CHECK(live.refused() == ErrorCode::kDeviceLost);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  for (std::string& frame : phone.frames(Lane::kRecords, 0)) world.county->on_frame(call, frame);
  world.pump();
  const std::size_t heard = live.frames.size();
  CHECK(world.sync(phone)->refused() == ErrorCode::kDeviceLost);
  CHECK(*world.storage->count(kinds::kVisit) == 0);
  other.record(kinds::kVisit, other.new_id(), visit(kGrid1), true, world.clock.ms);
  CHECK(world.sync(other)->refused() == ErrorCode{});
  CHECK(live.frames.size() == heard);
}

TEST_CASE("a phone that does not keep up is sent no rows until it does, and then all of them") {
  World world;
  Phone slow = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  Phone busy = world.phone(world.anna);
  Inbox live;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, live);
  world.county->on_frame(call, slow.hello(world.clock, true));
  world.pump();
  live.keeps_up = false;
  const std::size_t before = live.frames.size();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20; ++i) {
      busy.record(kinds::kVisit, busy.new_id(), visit(kGrid1, std::string(1000, 'v')), true,
                  world.clock.ms);
    }
    world.sync(busy);
  }
  CHECK(live.frames.size() == before);
  live.keeps_up = true;
  world.pump();
  CHECK(live.rows_of(kinds::kVisit).size() == 400);
}
