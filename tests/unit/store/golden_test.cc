#include "support/golden.h"

#include <fstream>

#include "model/operation.h"
#include "phone.h"

// Files of builds of the past; tests/support/golden.h.
namespace gridwhistle::store {
namespace {

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

}  // namespace gridwhistle::store
