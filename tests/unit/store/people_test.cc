#include "phone.h"

namespace gridwhistle::store {
namespace {

using kinds::kOutcome;
using kinds::kVisit;
using kinds::kWhistle;

TEST_CASE("a draft survives a restart, is replaced, listed and dropped, and is never sent") {
  Phone phone;
  REQUIRE(phone->save_draft("哨声", kWhistle, "half"));
  phone.clock.pass(10);
  REQUIRE(phone->save_draft("走访", kVisit, "a"));
  phone.clock.pass(10);
  REQUIRE(phone->save_draft("走访", kVisit, "b"));
  phone.open();
  CHECK(phone->draft("走访")->record == "b");
  const auto drafts = phone->drafts().value();
  REQUIRE(drafts.size() == 2);
  CHECK(drafts[0].name == "走访");
  CHECK(drafts[1].kind == kWhistle);
  CHECK(phone->sync_state()->unsent == 0);
  REQUIRE(phone->drop_draft("走访"));
  REQUIRE(phone->drop_draft("走访"));
  CHECK(phone->draft("走访").error().code == ErrorCode::kNotFound);
  CHECK(phone->save_draft("x", kVisit, std::string(70'000, 'x')).error().code ==
        ErrorCode::kTooLarge);
}

TEST_CASE("a watch asks at once, and again only when its result has changed") {
  Phone phone;
  std::vector<std::size_t> sizes;
  Query here;
  here.is("grid", std::string(kGrid));
  auto handle = phone->watch(kVisit, here, {}, [&](Result<std::vector<FoundBytes>> found) {
    REQUIRE(found);
    sizes.push_back(found->size());
  });
  REQUIRE(handle);
  CHECK(sizes.empty());
  phone.executor.run();
  CHECK(sizes == std::vector<std::size_t>{0});
  phone.put(kVisit, visit());
  phone.put(kVisit, visit());
  phone.executor.run();
  CHECK(sizes == std::vector<std::size_t>{0, 2});
  phone.put(kWhistle, whistle());
  phone.put(kVisit, visit("x", kOtherGrid));
  phone.executor.run();
  CHECK(sizes == std::vector<std::size_t>{0, 2});
  phone.acknowledge(Lane::kRecords, 1);
  phone.executor.run();
  CHECK(sizes.size() == 3);
  phone.put(kVisit, visit());
  *handle = {};
  phone.executor.run();
  CHECK(sizes.size() == 3);
}

TEST_CASE("a watch ends with its store") {
  Phone phone;
  int calls = 0;
  auto handle = phone->watch(kVisit, {}, {}, [&](const auto&) { ++calls; });
  phone.put(kVisit, visit());
  phone.executor.run();
  CHECK(calls == 1);
  phone.put(kVisit, visit());
  phone.store.reset();
  phone.executor.run();
  CHECK(calls == 1);
}

TEST_CASE("the status counts what is unsent, sent, kept for the backup and refused") {
  Phone phone;
  phone.put(kVisit, visit());
  phone.put(kVisit, visit());
  phone.clock.pass(60'000);
  phone.put(kWhistle, whistle());
  StoreStatus status = phone->status().value();
  REQUIRE(status.unsent.size() == 2);
  CHECK(status.unsent[0].lane == Lane::kWhistles);
  CHECK(status.unsent[0].kind == kWhistle);
  CHECK(status.unsent[1].count == 2);
  CHECK(status.oldest_unsent_ms == 60'000);
  CHECK_FALSE(status.since_contact_ms);
  phone->note_sent(Lane::kRecords, LaneSeq(1));
  CHECK(phone->status()->sent[1] == 1);
  phone->note_call_ended();
  CHECK(phone->status()->sent[1] == 0);
  phone.acknowledge(Lane::kRecords, 1, OutcomeStatus::kAccepted, 1);
  phone.acknowledge(Lane::kRecords, 2, OutcomeStatus::kRejected);
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  phone.clock.pass(5'000);
  status = phone->status().value();
  CHECK(status.unsent.size() == 1);
  CHECK(status.not_backed_up[1] == 2);
  CHECK(status.refused == 1);
  CHECK(status.since_contact_ms == 5'000);
}

TEST_CASE("an emergency that has not left the phone for five minutes is pointed out") {
  Phone phone;
  phone.enrol();
  v1::Whistle message = whistle("燃气泄漏");
  message.set_emergency(true);
  const RecordId id = phone.put(kWhistle, message);
  phone.put(kWhistle, whistle("不急"));
  phone.clock.pass(5 * 60'000);
  CHECK(phone->status()->emergencies.empty());
  phone.clock.pass(1);
  const auto emergencies = phone->status()->emergencies;
  REQUIRE(emergencies.size() == 1);
  CHECK(emergencies[0].whistle == id);
  CHECK(emergencies[0].title == "燃气泄漏");
  CHECK_FALSE(emergencies[0].number.empty());
  phone.acknowledge(Lane::kWhistles, 1);
  CHECK(phone->status()->emergencies.empty());
}

TEST_CASE("a refused change can be written again with one call, and is refused no more") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.acknowledge(Lane::kRecords, 1, OutcomeStatus::kRejected);
  REQUIRE_FALSE(phone.has(kVisit, id));
  CHECK(phone->restore_refused(Lane::kRecords, LaneSeq(1)).value() == id);
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "一");
  CHECK(phone->refused()->empty());
  CHECK(phone->get(kVisit, id)->info.delivery == Delivery::kUnsent);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(1), 1)->front().creates);
  CHECK(phone->restore_refused(Lane::kRecords, LaneSeq(1)).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a refused change that was seen is out of the list") {
  Phone phone;
  phone.put(kVisit, visit("一"));
  phone.acknowledge(Lane::kRecords, 1, OutcomeStatus::kRejected);
  REQUIRE(phone->dismiss_refused(Lane::kRecords, LaneSeq(1)));
  REQUIRE(phone->dismiss_refused(Lane::kRecords, LaneSeq(1)));
  CHECK(phone->refused()->empty());
  phone.backed_up(1);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1)->empty());
}

TEST_CASE("a value that lost is written again from its outcome") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("胜出")));
  v1::Visit lost;
  lost.set_notes("落败");
  v1::Outcome outcome;
  outcome.set_worker("worker:1");
  outcome.set_record_kind(kVisit.value);
  outcome.set_record(std::string(kForeignId.bytes()));
  outcome.set_status(v1::OUTCOME_STATUS_BEATEN);
  outcome.set_lost_set(lost.SerializeAsString());
  const RecordId receipt = RecordId::make(DeviceId(0), 1);
  phone.cut(row_of(kOutcome, receipt, 6, outcome));
  CHECK(phone->restore_outcome(receipt).value() == kForeignId);
  CHECK(phone.get<v1::Visit>(kVisit, kForeignId).notes() == "落败");
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1)->front().base_seq == Seq(5));
  outcome.clear_lost_set();
  const RecordId empty = RecordId::make(DeviceId(0), 2);
  phone.cut(row_of(kOutcome, empty, 7, outcome));
  CHECK(phone->restore_outcome(empty).error().code == ErrorCode::kConflict);
  CHECK(phone->restore_outcome(kForeignId).error().code == ErrorCode::kNotFound);
}

TEST_CASE("an outcome that was restored or seen is settled, and a restored one is written once") {
  Phone phone;
  phone.cut(row_of(kVisit, kForeignId, 5, visit("胜出")));
  v1::Visit lost;
  lost.set_notes("落败");
  v1::Outcome outcome;
  outcome.set_worker("worker:1");
  outcome.set_record_kind(kVisit.value);
  outcome.set_record(std::string(kForeignId.bytes()));
  outcome.set_status(v1::OUTCOME_STATUS_BEATEN);
  outcome.set_lost_set(lost.SerializeAsString());
  const RecordId first = RecordId::make(DeviceId(0), 1);
  const RecordId second = RecordId::make(DeviceId(0), 2);
  phone.cut(row_of(kOutcome, first, 6, outcome));
  phone.cut(row_of(kOutcome, second, 7, outcome));
  CHECK(phone->settled_outcomes()->empty());
  REQUIRE(phone->restore_outcome(first));
  REQUIRE(phone->dismiss_outcome(second));
  REQUIRE(phone->put({.kind = kVisit, .id = kForeignId, .set = visit("后来").SerializeAsString()}));
  CHECK(phone->restore_outcome(first).value() == kForeignId);
  CHECK(phone.get<v1::Visit>(kVisit, kForeignId).notes() == "后来");
  phone.open();
  CHECK(phone->settled_outcomes().value() == std::set{first, second});
  // Seen is not lost: what was put aside can still be written again.
  CHECK(phone->restore_outcome(second).value() == kForeignId);
  CHECK(phone.get<v1::Visit>(kVisit, kForeignId).notes() == "落败");
}

TEST_CASE("a whistle gets a number from the phone, and no two get the same") {
  Phone phone;
  phone.enrol();
  const auto number = [&](const RecordId& id) {
    return phone.get<v1::Whistle>(kWhistle, id).number();
  };
  const std::string first = number(phone.put(kWhistle, whistle()));
  CHECK(first.starts_with("A7K-000001-"));
  CHECK(first.size() == 12);
  phone.open();
  CHECK(number(phone.put(kWhistle, whistle())).starts_with("A7K-000002-"));
  v1::Whistle given = whistle();
  given.set_number("旧号");
  CHECK(number(phone.put(kWhistle, given)) == "旧号");
}

TEST_CASE("a refused creation of another device is made again once, however often one taps") {
  Phone phone;
  v1::Outcome outcome;
  outcome.set_worker("worker:1");
  outcome.set_record_kind(kVisit.value);
  outcome.set_record(std::string(kForeignId.bytes()));
  outcome.set_status(v1::OUTCOME_STATUS_REJECTED);
  outcome.set_lost_set(visit("被退回").SerializeAsString());
  const RecordId receipt = RecordId::make(DeviceId(0), 1);
  phone.cut(row_of(kOutcome, receipt, 6, outcome));
  const RecordId made = phone->restore_outcome(receipt).value();
  CHECK(made != kForeignId);
  CHECK(phone->restore_outcome(receipt).value() == made);
  phone.open();
  CHECK(phone->restore_outcome(receipt).value() == made);
  CHECK(phone->sync_state()->unsent == 1);
}

TEST_CASE("an emergency is pointed out even when its place is no longer this worker's") {
  Phone phone;
  phone.enrol();
  phone.welcome(
      phone.welcome_of({"grid:" + std::string(kGrid), "grid:" + std::string(kOtherGrid)}));
  v1::Whistle message = whistle("燃气泄漏");
  message.set_emergency(true);
  const RecordId id = phone.put(kWhistle, message);
  phone.clock.pass(6 * 60'000);
  phone.welcome(phone.welcome_of({"grid:" + std::string(kOtherGrid)}));
  REQUIRE_FALSE(phone.has(kWhistle, id));
  auto emergencies = phone->status()->emergencies;
  REQUIRE(emergencies.size() == 1);
  CHECK(emergencies[0].title == "燃气泄漏");
  CHECK_FALSE(emergencies[0].number.empty());
}

}  // namespace
}  // namespace gridwhistle::store
