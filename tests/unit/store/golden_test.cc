#include "support/golden.h"

#include <fstream>
#include <sstream>

#include "model/operation.h"
#include "phone.h"

// Files of builds of the past; tests/support/golden.h.
namespace gridwhistle::store {
namespace {

using kinds::kOutcome;
using kinds::kVisit;
using kinds::kWhistle;

}  // namespace

TEST_CASE("a phone's file of version 1 opens, with all that its worker had") {
  Phone phone;
  phone.store.reset();
  std::ofstream(phone.options().path, std::ios::binary) << test::golden_file("v1/phone.db");
  phone.open();
  const std::vector<FoundBytes> visits = phone->query(kVisit, {}).value();
  CHECK(visits.size() == 2);
  CHECK(phone->query(kWhistle, {}).value().size() == 1);
  CHECK(phone->search({.text = "路灯"}).value().size() == 1);
  CHECK(phone->draft("half").value().kind == kWhistle);
  CHECK(phone->refused().value().size() == 1);
  const SyncState state = phone->sync_state().value();
  REQUIRE(state.enrolment);
  CHECK(state.enrolment->short_code == "a7k");
  CHECK(state.cursor == Seq(7));
  CHECK(state.grants.size() == 1);

  SECTION("and what it had not sent is sent as it was recorded") {
    std::vector<std::string> hashes;
    for (const Lane lane : kLanes) {
      for (const Operation& operation : phone.unsent(lane)) hashes.push_back(hash_of(operation));
    }
    CHECK(hashes == test::golden_lines("v1/phone", "unsent"));
  }
  SECTION("and goes on from there") {
    const RecordId id = phone.put(kVisit, visit_noting("today"));
    CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "today");
    CHECK(std::ranges::none_of(visits, [&](const FoundBytes& one) { return one.info.id == id; }));
    CHECK(phone.unsent(Lane::kRecords).back().dev_seq == DevSeq(7));
  }
}

TEST_CASE("a phone's file of version 1 is written", "[.][regenerate]") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  const RecordId first = phone.put(kVisit, visit_noting("看过路灯"));
  phone.acknowledge(Lane::kRecords, 5);
  phone.put(kVisit, visit_noting("refused"));
  phone.acknowledge(Lane::kRecords, 6, OutcomeStatus::kRejected);
  phone.cut(row_of(kVisit, kForeignId, 7, visit_noting("a colleague's")));
  v1::Visit edit;
  edit.set_outcome(v1::VISIT_OUTCOME_HANDLED);
  phone.put(kVisit, edit, first);
  v1::Whistle blown;
  blown.set_grid(std::string(kGrid));
  blown.set_category("0101");
  blown.set_title("井盖破损");
  blown.set_whistle_class(v1::WHISTLE_CLASS_ROUTINE);
  blown.set_source(v1::SOURCE_WORKER);
  phone.put(kWhistle, blown);
  const RecordId erased = phone.put(kVisit, visit_noting("erased before it was sent"));
  REQUIRE(phone->erase(kVisit, erased));
  REQUIRE(phone->save_draft("half", kWhistle, blown.SerializeAsString()));
  std::vector<test::GoldenLine> lines;
  for (const Lane lane : kLanes) {
    for (const Operation& operation : phone.unsent(lane)) {
      lines.push_back({"unsent", hash_of(operation)});
    }
  }
  phone.store.reset();
  std::ifstream in(phone.options().path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  test::write_golden_file("v1/phone.db", bytes.str());
  test::write_golden_lines("v1/phone", lines);
}

}  // namespace gridwhistle::store
