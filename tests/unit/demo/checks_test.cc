#include "demo/checks.h"

#include <catch2/catch.hpp>

#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"

// The demo's verdict is worth what it takes to make it fail.
namespace gridwhistle::demo {

namespace {

constexpr std::uint64_t kDevice = 77;
const std::string kGrid = "440811100001001";
constexpr std::uint32_t kStaff = 1U << 1 | 1U << 2 | 1U << 3;  // PUBLIC, WORK, PERSONAL

template <typename T>
std::string body_of(KindId kind, const T& record) {
  return *canonical(*built_schema().kind(kind), record.SerializeAsString());
}

// One worker with one phone, and a day on which all is well.
struct Day {
  ServerFacts server;
  std::vector<PhoneFacts> phones{1};
  RecordId worker = RecordId::make(DeviceId(0), 1);
  std::uint64_t counter = 0;

  Day() {
    phones[0].name = "WG001";
    phones[0].device = kDevice;
    server.worker_of_device[kDevice] = worker;
    server.held[worker] = {{"grid:" + kGrid, false, kStaff, 1U << v1::ROLE_GRID_WORKER}};
    write(kinds::kVisit, "Visit", visit());
  }

  static v1::Visit visit() {
    v1::Visit visit;
    visit.set_grid(kGrid);
    visit.set_kind(v1::VISIT_KIND_PATROL);
    return visit;
  }

  void put(KindId kind, RecordId id, const std::string& body) {
    server.records[{kind.value, id}] = body;
    server.places[{kind.value, id}] = {"grid:" + kGrid};
    phones[0].records[{kind.value, id}] = body;
  }

  template <typename T>
  RecordId write(KindId kind, const std::string& name, const T& record) {
    const RecordId id = RecordId::make(DeviceId(kDevice), ++counter);
    put(kind, id, body_of(kind, record));
    phones[0].journal.tried.push_back({true, name, id, {}});
    phones[0].journal.acknowledged.push_back({true, name, id, {}});
    return id;
  }

  void tell(RecordId about, v1::OutcomeStatus status, const std::string& lost = {},
            std::int64_t code = 0) {
    v1::Outcome outcome;
    outcome.set_worker("worker:1");
    outcome.set_record(std::string(about.bytes()));
    outcome.set_status(status);
    if (!lost.empty()) outcome.set_lost_set(lost);
    if (code != 0) outcome.set_code(code);
    put(kinds::kOutcome, RecordId::make(DeviceId(0), 1000 + ++counter),
        body_of(kinds::kOutcome, outcome));
  }

  v1::Whistle whistle(v1::WhistleState state) {
    v1::Whistle whistle;
    whistle.set_grid(kGrid);
    whistle.set_number("1-" + std::to_string(++counter));
    whistle.set_state(state);
    whistle.set_owner_org(std::string(worker.bytes()));
    return whistle;
  }

  Findings examine() const {
    const auto view = view_of(server);
    REQUIRE(view);
    return demo::examine(server, phones, *view);
  }
};

}  // namespace

TEST_CASE("a day on which all is well has no fault") {
  Day day;
  const Findings found = day.examine();
  CHECK(found.faults.empty());
  CHECK(found.recorded == 1);
  CHECK(found.on_server == 1);
  CHECK(found.rows_compared == 1);
}

TEST_CASE("an acknowledged record that the server lacks is lost, unless its author is told all") {
  Day day;
  const RecordId id = day.write(kinds::kVisit, "Visit", Day::visit());
  day.server.records.erase({kinds::kVisit.value, id});
  day.phones[0].records.erase({kinds::kVisit.value, id});
  CHECK(day.examine().lost == 1);
  CHECK(day.examine().faults.size() == 1);

  const std::string value = body_of(kinds::kVisit, Day::visit());
  day.tell(id, v1::OUTCOME_STATUS_REJECTED, value);
  CHECK(day.examine().lost == 1);  // not why
  day.tell(id, v1::OUTCOME_STATUS_REJECTED, {}, 4);
  CHECK(day.examine().lost == 1);  // not what
  day.tell(id, v1::OUTCOME_STATUS_REJECTED, value, 4);
  CHECK(day.examine().lost == 0);
  CHECK(day.examine().refused == 1);
  CHECK(day.examine().faults.empty());
}

TEST_CASE(
    "a record that its phone never wrote, and a whistle's number used twice, are duplicates") {
  Day day;
  day.put(kinds::kVisit, RecordId::make(DeviceId(kDevice), 500),
          body_of(kinds::kVisit, Day::visit()));
  CHECK(day.examine().duplicated == 1);

  v1::Whistle whistle = day.whistle(v1::WHISTLE_STATE_REPORTED);
  day.write(kinds::kWhistle, "Whistle", whistle);
  day.write(kinds::kWhistle, "Whistle", whistle);
  CHECK(day.examine().duplicated == 2);
}

TEST_CASE("a phone that lacks a row, shows another, or one too many does not agree") {
  Day day;
  const Key key = day.phones[0].records.begin()->first;
  SECTION("lacks") { day.phones[0].records.erase(key); }
  SECTION("another") {
    v1::Visit other = Day::visit();
    other.set_notes("?");
    day.phones[0].records[key] = body_of(kinds::kVisit, other);
  }
  SECTION("too many: the row has left its scope") {
    day.server.places[key] = {"grid:440811100001002"};
  }
  CHECK(day.examine().faults.size() >= 1);
}

TEST_CASE("a row outside the worker's audience is not due to the phone") {
  Day day;
  day.server.held[day.worker][0].audiences = 1U << 1;
  CHECK(day.examine().rows_compared == 0);
  CHECK_FALSE(day.examine().faults.empty());
}

TEST_CASE("an edit is on the server, or its value is with its author, or it is lost") {
  Day day;
  v1::Household household;
  household.set_grid(kGrid);
  household.set_dwelling(v1::DWELLING_TYPE_BUSINESS);
  const RecordId id = day.write(kinds::kHousehold, "Household", household);
  v1::Household edit;
  edit.set_dwelling(v1::DWELLING_TYPE_RENTED);
  day.phones[0].journal.acknowledged.push_back({false, "Household", id, edit.SerializeAsString()});
  CHECK(day.examine().lost == 1);

  day.server.lost_merges.push_back({{kinds::kHousehold.value, id}, kDevice});
  CHECK(day.examine().faults.size() == 2);

  day.tell(id, v1::OUTCOME_STATUS_BEATEN, body_of(kinds::kHousehold, edit));
  const Findings found = day.examine();
  CHECK(found.lost == 0);
  CHECK(found.conflicts_kept == 1);
  CHECK(found.faults.empty());
}

TEST_CASE("a blown whistle is routed or in the queue; with nobody it is a fault") {
  Day day;
  v1::Whistle whistle = day.whistle(v1::WHISTLE_STATE_WHISTLED);
  SECTION("with nobody") {
    day.write(kinds::kWhistle, "Whistle", whistle);
    CHECK(day.examine().faults.size() == 1);
  }
  SECTION("in the queue") {
    whistle.set_headless(true);
    day.write(kinds::kWhistle, "Whistle", whistle);
    CHECK(day.examine().headless == 1);
    CHECK(day.examine().faults.empty());
  }
  SECTION("without an owner") {
    whistle.set_headless(true);
    whistle.clear_owner_org();
    day.write(kinds::kWhistle, "Whistle", whistle);
    CHECK(day.examine().faults.size() == 1);
  }
}

TEST_CASE("a proposal that was not accepted is answered on its author's phone") {
  Day day;
  const RecordId whistle =
      day.write(kinds::kWhistle, "Whistle", day.whistle(v1::WHISTLE_STATE_REPORTED));
  v1::WhistleAction action;
  action.set_whistle(std::string(whistle.bytes()));
  action.set_type(v1::WHISTLE_ACTION_TYPE_CHECK_IN);
  action.set_status(v1::OUTCOME_STATUS_SUPERSEDED);
  const RecordId id = day.write(kinds::kWhistleAction, "WhistleAction", action);
  CHECK(day.examine().faults.size() == 1);
  day.tell(id, v1::OUTCOME_STATUS_SUPERSEDED);
  CHECK(day.examine().faults.empty());
  CHECK(day.examine().proposals_answered == 1);
}

TEST_CASE("what a phone still holds at the end of the day is a fault") {
  Day day;
  day.phones[0].pending = 1;
  CHECK(day.examine().faults.size() == 1);
}

}  // namespace gridwhistle::demo
