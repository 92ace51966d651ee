#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "model/operation.h"
#include "model/record.h"
#include "phone.h"
#include "sqlite/connection.h"

// What the server forgot is forgotten by the phone. Merge laws, "Forgetting".
namespace gridwhistle::store {
namespace {

using kinds::kHousehold;
using kinds::kResident;

const std::string kSecret = "Example Wang, red door";

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool holds(const Phone& phone, const std::string& bytes = kSecret) {
  return std::ranges::any_of(std::array{"", "-wal", "-shm"}, [&](const char* part) {
    return bytes_of(phone.folder.file("phone.gw") + part).find(bytes) != std::string::npos;
  });
}

/// The first operation is acknowledged, and was on something that is forgotten.
void acknowledge_forgotten(Phone& phone, OutcomeStatus status) {
  v1::Acks acks;
  v1::AckRun& run = *acks.add_runs();
  run.set_lane(static_cast<std::uint32_t>(Lane::kRecords));
  run.set_first(1);
  run.set_count(1);
  run.set_first_seq(5);
  run.set_status(static_cast<std::uint32_t>(status));
  run.set_code(static_cast<std::uint32_t>(ErrorCode::kForgotten));
  REQUIRE(phone->acknowledge(acks));
}

v1::Resident resident(const RecordId& home, const std::string& name = kSecret) {
  v1::Resident message;
  message.set_household(std::string(home.bytes()));
  message.set_name(name);
  return message;
}

Row forgotten_row(KindId kind, const RecordId& id, std::uint64_t seq) {
  Row row = row_of(kind, id, seq, v1::Household(), RowChange::kErased);
  row.forgotten = true;
  return row;
}

std::vector<Operation> unsent(Phone& phone) {
  return *phone->operations(Lane::kRecords, phone->sync_state()->lanes[1].noted, 1 << 20);
}

}  // namespace

TEST_CASE("what the server forgot is in no byte of the phone's file, nor beside it") {
  Phone phone;
  phone.enrol();
  const RecordId home = phone.put(kHousehold, household(kSecret));
  phone.acknowledge(Lane::kRecords, 3);
  const RecordId person = phone.put(kResident, resident(home));
  REQUIRE(phone->search({.text = "Example"}, {kSecret + ", asked"})->size() == 2);
  REQUIRE(phone->save_draft("new resident", kResident, resident(home).SerializeAsString()));
  REQUIRE(
      phone->save_draft("other", kResident, resident(kForeignId, "another").SerializeAsString()));
  REQUIRE(holds(phone));
  phone.cut(forgotten_row(kHousehold, home, 9));
  CHECK_FALSE(holds(phone));
  CHECK_FALSE(phone.has(kHousehold, home));
  CHECK_FALSE(phone.has(kResident, person));
  CHECK(phone->search({.text = "Example"}, {"again"})->empty());
  REQUIRE(phone->drafts()->size() == 1);
  CHECK(phone->drafts()->front().name == "other");
  phone.open();
  CHECK_FALSE(holds(phone));
}

TEST_CASE("what a reader kept in the log when it was forgotten is gone after the next call") {
  Phone phone;
  phone.enrol();
  const RecordId home = phone.put(kHousehold, household(kSecret));
  {
    auto reader =
        sqlite::Connection::open({.path = phone.folder.file("phone.gw"), .read_only = true});
    REQUIRE(reader);
    REQUIRE(reader->script("BEGIN; SELECT count(*) FROM outbox"));
    phone.cut(forgotten_row(kHousehold, home, 9));
    REQUIRE(holds(phone));
  }
  REQUIRE(holds(phone));
  REQUIRE(phone->caught_up(Seq(9)));
  CHECK_FALSE(holds(phone));
}

// Two characters: a term of the index as they stand.
const std::string kWord = "훹힣";

TEST_CASE("what lay in a lost scope is in no byte of the open file, its index, or its log") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid), "org:x"}));
  phone.cut(row_of(kHousehold, kForeignId, 4, household(kWord)));
  const RecordId report = RecordId::make(DeviceId(999), 2);
  phone.cut(row_of(kinds::kWhistle, report, 5, whistle(kWord)));
  REQUIRE(phone->search({.text = kWord}, {"asked"})->size() == 2);
  REQUIRE(holds(phone, kWord));
  phone.welcome(phone.welcome_of({"org:x"}));
  CHECK_FALSE(holds(phone, kWord));
  CHECK_FALSE(phone.has(kHousehold, kForeignId));
  CHECK(phone->search({.text = kWord}, {"asked"})->empty());
}

TEST_CASE("what was moved away is in no byte of the open file or its log, whoever may see it") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  const RecordId report = RecordId::make(DeviceId(999), 2);
  phone.cut(row_of(kHousehold, kForeignId, 4, household(kSecret)));
  phone.cut(row_of(kinds::kWhistle, report, 5, whistle(kWord)));
  REQUIRE(phone->search({.text = kWord}, {"asked"})->size() == 1);
  phone.cut(row_of(kinds::kWhistle, report, 6, v1::Whistle(), RowChange::kLeft));
  CHECK_FALSE(holds(phone, kWord));
  phone.cut(row_of(kHousehold, kForeignId, 7, v1::Household(), RowChange::kLeft));
  CHECK_FALSE(holds(phone));
}

TEST_CASE("an unsent edit of what was forgotten keeps its place and its hash, and says nothing") {
  Phone phone;
  phone.cut(row_of(kHousehold, kForeignId, 4, household(kSecret)));
  v1::Household edit;
  edit.set_notes("Example Li lives there too");
  phone.put(kHousehold, edit, kForeignId);
  phone.put(kinds::kVisit, visit("street was quiet"));
  const std::string hash = hash_of(unsent(phone).front());
  phone.cut(forgotten_row(kHousehold, kForeignId, 9));
  const auto operations = unsent(phone);
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].set.empty());
  CHECK(operations[0].hash_before == hash);
  CHECK(hash_of(operations[0]) == hash);
  CHECK_FALSE(operations[1].set.empty());
  CHECK_FALSE(holds(phone, "Example Li"));
  // Its author learns what became of it.
  phone.acknowledge(Lane::kRecords, 10, OutcomeStatus::kGone, 1);
  REQUIRE(phone->refused()->size() == 1);
  CHECK(phone->refused()->front().status == OutcomeStatus::kGone);
  CHECK_FALSE(phone->restore_refused(Lane::kRecords, LaneSeq(1)));
}

TEST_CASE("what the server says is forgotten in its acknowledgement leaves the phone with it") {
  Phone phone;
  const RecordId late = phone.put(kResident, resident(kForeignId));
  REQUIRE(phone->search({.text = "Example"}, {"asked"})->size() == 1);
  acknowledge_forgotten(phone, OutcomeStatus::kGone);
  CHECK_FALSE(phone.has(kResident, late));
  CHECK_FALSE(holds(phone));
}

TEST_CASE("a notice of a lost log goes with what it quotes, when the server calls that forgotten") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({"grid:" + std::string(kGrid)}), {{1, Seq(0)}}));
  phone.cut(row_of(kHousehold, kForeignId, 3, household("known")));
  // Two writes of one field; of each a notice says that it lost, and the log that says so is lost.
  for (const std::uint64_t nth : {1, 2}) {
    v1::Household edit;
    edit.set_notes(nth == 1 ? kSecret : "another");
    phone.put(kHousehold, edit, kForeignId);
    phone.acknowledge(Lane::kRecords, 5 + nth, OutcomeStatus::kBeaten);
    v1::Outcome notice;
    notice.set_device(phone->device().value);
    notice.set_dev_seq(static_cast<std::int64_t>(nth));
    notice.set_record_kind(kHousehold.value);
    notice.set_record(std::string(kForeignId.bytes()));
    notice.set_status(v1::OUTCOME_STATUS_BEATEN);
    notice.set_lost_set(edit.SerializeAsString());
    notice.add_lost_fields(v1::Household::kNotesFieldNumber);
    Row told =
        row_of(kinds::kOutcome, RecordId::make(kForeignId.device(), 100 + nth), 10 + nth, notice);
    told.set = *canonical(*built_schema().kind(kinds::kOutcome), told.set);
    phone.cut(std::move(told));
  }
  v1::Household last;
  last.set_notes("the last");
  phone.put(kHousehold, last, kForeignId);
  phone.welcome(
      with_epochs(phone.welcome_of({"grid:" + std::string(kGrid)}), {{2, Seq(4)}, {1, Seq(0)}}));
  const auto quotes = [&](std::uint64_t nth) {
    return !phone
                .get<v1::Outcome>(kinds::kOutcome, RecordId::make(kForeignId.device(), 100 + nth),
                                  "own")
                .lost_set()
                .empty();
  };
  REQUIRE(quotes(1));
  REQUIRE(quotes(2));
  acknowledge_forgotten(phone, OutcomeStatus::kRejected);
  CHECK_FALSE(quotes(1));
  CHECK_FALSE(holds(phone));
  CHECK(quotes(2));
}

TEST_CASE("what a phone wrote and may not see any more is forgotten on its writer's notice") {
  Phone phone;
  const RecordId home = phone.put(kHousehold, household(kSecret));
  phone.acknowledge(Lane::kRecords, 3);
  phone.cut(row_of(kHousehold, home, 4, v1::Household(), RowChange::kLeft));
  REQUIRE(holds(phone));
  v1::Outcome notice;
  notice.set_device(phone->device().value);
  notice.set_dev_seq(0);
  notice.set_record_kind(kHousehold.value);
  notice.set_record(std::string(home.bytes()));
  notice.set_status(v1::OUTCOME_STATUS_GONE);
  notice.set_code(static_cast<std::int64_t>(ErrorCode::kForgotten));
  Row told = row_of(kinds::kOutcome, kForeignId, 9, notice);
  told.set = *canonical(*built_schema().kind(kinds::kOutcome), told.set);
  phone.cut(std::move(told));
  CHECK_FALSE(holds(phone));
}

TEST_CASE("after a restore what was forgotten is offered without content, and never seen again") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({"grid:" + std::string(kGrid)}), {{1, Seq(0)}}));
  const RecordId home = phone.put(kHousehold, household(kSecret));
  phone.acknowledge(Lane::kRecords, 3);
  phone.cut(forgotten_row(kHousehold, home, 9));
  phone.welcome(
      with_epochs(phone.welcome_of({"grid:" + std::string(kGrid)}), {{2, Seq(1)}, {1, Seq(0)}}));
  const auto operations = unsent(phone);
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].set.empty());
  CHECK_FALSE(operations[0].hash_before.empty());
  CHECK_FALSE(phone.has(kHousehold, home));
}

}  // namespace gridwhistle::store
