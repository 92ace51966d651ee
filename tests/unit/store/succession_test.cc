#include "model/operation.h"
#include "phone.h"

// What becomes of a file that turned out to be a copy of another: design.md "Phone cloned or
// restored".
namespace gridwhistle::store {
namespace {

using kinds::kHousehold;
using kinds::kResident;
using kinds::kVisit;
using kinds::kWhistle;

DeviceId succeed(Phone& phone, const v1::Acks& shared = {},
                 const std::vector<v1::Epoch>& epochs = {}) {
  const auto plan = phone->plan_succession();
  REQUIRE(plan);
  v1::EnrolReply reply;
  reply.set_short_code("b8m");
  *reply.mutable_runs() = shared.runs();
  *reply.mutable_epochs() = {epochs.begin(), epochs.end()};
  const auto done = phone->succeed(plan->successor, reply);
  if (!done) FAIL(done.error().message);
  return plan->successor;
}

v1::Acks run_of(Lane lane, std::uint64_t first, std::uint32_t count, std::uint64_t seq,
                OutcomeStatus status = OutcomeStatus::kAccepted) {
  v1::Acks acks;
  v1::AckRun& run = *acks.add_runs();
  run.set_lane(static_cast<std::uint32_t>(lane));
  run.set_first(first);
  run.set_count(count);
  run.set_first_seq(seq);
  run.set_status(static_cast<std::uint32_t>(status));
  return acks;
}

}  // namespace

TEST_CASE("what a copy alone recorded gets another number and ids, what it shares keeps them") {
  Phone phone;
  phone.enrol();
  const DeviceId before = phone->device();
  const RecordId sent = phone.put(kVisit, visit_noting("sent"));
  phone.acknowledge(Lane::kRecords, 5);
  const RecordId shared = phone.put(kVisit, visit_noting("shared"));
  const RecordId own = phone.put(kVisit, visit_noting("own"));
  v1::Visit edit;
  edit.set_notes("shared, edited here");
  phone.put(kVisit, edit, shared);

  const DeviceId after = succeed(phone, run_of(Lane::kRecords, 2, 1, 9));
  CHECK(phone->device() == after);
  CHECK(after != before);
  const auto operations = phone.unsent(Lane::kRecords);
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].id == RecordId::make(after, own.counter()));
  CHECK(operations[0].creates);
  CHECK(operations[1].id == shared);
  CHECK_FALSE(operations[1].creates);
  CHECK(phone.get<v1::Visit>(kVisit, sent).notes() == "sent");
  CHECK(phone.get<v1::Visit>(kVisit, shared).notes() == "shared, edited here");
  CHECK(phone->query(kVisit, {}).value().size() == 3);

  SECTION("an app that knows the old id still finds the record, reads and writes it") {}
  SECTION("after a restart, too") { phone.open(); }
  CHECK(phone->device() == after);
  CHECK(phone.get<v1::Visit>(kVisit, own).id() == operations[0].id.bytes());
  edit.set_notes("by its old id");
  CHECK(phone.put(kVisit, edit, own) == operations[0].id);
  CHECK(phone.get<v1::Visit>(kVisit, operations[0].id).notes() == "by its old id");
  REQUIRE(phone->erase(kVisit, own));
  CHECK_FALSE(phone.has(kVisit, operations[0].id));
}

TEST_CASE("an id that both files gave out is the other's once its record has come from there") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  v1::Household household;
  household.set_grid(std::string(kGrid));
  const RecordId given = phone.put(kHousehold, household);
  const RecordId own = RecordId::make(succeed(phone), given.counter());
  household.set_address("8 Sea Road");
  phone.cut(row_of(kHousehold, given, 7, household));
  CHECK(phone.get<v1::Household>(kHousehold, given, "test").address() == "8 Sea Road");
  CHECK(phone.get<v1::Household>(kHousehold, own, "test").address().empty());

  v1::Household edit;
  edit.set_notes("of the other file's");
  CHECK(phone.put(kHousehold, edit, given) == given);
  CHECK(phone.get<v1::Household>(kHousehold, own, "test").notes().empty());
  v1::Visit visit = visit_noting("at the other file's");
  visit.set_household(std::string(given.bytes()));
  CHECK(phone.get<v1::Visit>(kVisit, phone.put(kVisit, visit)).household() == given.bytes());
  REQUIRE(phone->erase(kHousehold, given));
  CHECK(phone.has(kHousehold, own));
}

TEST_CASE(
    "what is put under an id that was reserved is a new record, whatever the other file made") {
  Phone phone;
  phone.enrol();
  const std::string scope = "grid:" + std::string(kGrid);
  phone.welcome(phone.welcome_of({scope}));
  const RecordId reserved = phone->new_id().value();
  const RecordId in_draft = phone->new_id().value();
  v1::Household draft;
  draft.set_id(std::string(in_draft.bytes()));
  REQUIRE(phone->save_draft("house", kHousehold, draft.SerializeAsString()));
  bool restarted = false;
  SECTION("in one run") {}
  SECTION("a draft's, after a restart") {
    phone.open();
    restarted = true;
  }
  const DeviceId after = succeed(phone);
  phone.welcome(phone.welcome_of({scope}));
  v1::Household others;
  others.set_grid(std::string(kGrid));
  others.set_address("8 Sea Road");
  phone.cut(row_of(kHousehold, reserved, 7, others));
  phone.cut(row_of(kHousehold, in_draft, 8, others));

  v1::Household mine;
  mine.set_grid(std::string(kGrid));
  mine.set_address("9 Hill Road");
  REQUIRE(draft.ParseFromString(phone->draft("house").value().record));
  const auto drafted = RecordId::from_bytes(draft.id());
  CHECK(*drafted == RecordId::make(after, in_draft.counter()));
  CHECK(phone.put(kHousehold, mine, *drafted) == *drafted);
  CHECK(phone.get<v1::Household>(kHousehold, in_draft, "test").address() == "8 Sea Road");
  if (restarted) return;  // nothing tells any more whether that id was put
  // Who changes a part has seen the other's.
  v1::Household part;
  part.set_notes("of the other file's");
  CHECK(phone.put(kHousehold, part, reserved) == reserved);
  v1::Resident resident;
  resident.set_household(std::string(reserved.bytes()));
  resident.set_name("张三丰");
  const RecordId own = RecordId::make(after, reserved.counter());
  const auto made = phone->commit(
      {{kHousehold, reserved, OperationType::kPut, mine.SerializeAsString(), {}, ""},
       {kResident, RecordId(), OperationType::kPut, resident.SerializeAsString(), {}, ""}});
  REQUIRE(made);
  CHECK((*made)[0] == own);
  CHECK(phone.get<v1::Resident>(kResident, (*made)[1], "test").household() == own.bytes());
  CHECK(phone.get<v1::Household>(kHousehold, reserved, "test").notes() == part.notes());
  CHECK(phone.get<v1::Household>(kHousehold, reserved, "test").address() == "8 Sea Road");
}

TEST_CASE("what names a record that was renamed names it still") {
  Phone phone;
  phone.enrol();
  v1::Household household;
  household.set_grid(std::string(kGrid));
  household.set_address("8 Sea Road");
  const RecordId home = phone.put(kHousehold, household);
  v1::Resident resident;
  resident.set_household(std::string(home.bytes()));
  resident.set_name("张三丰");
  const RecordId person = phone.put(kResident, resident);
  v1::Visit draft = visit_noting("draft");
  draft.set_household(std::string(home.bytes()));
  REQUIRE(phone->save_draft("visit", kVisit, draft.SerializeAsString()));
  const RecordId reserved = phone->new_id().value();

  const DeviceId after = succeed(phone);
  const RecordId home_now = RecordId::make(after, home.counter());
  CHECK(phone.get<v1::Resident>(kResident, person, "test").household() == home_now.bytes());
  const auto operations = phone.unsent(Lane::kRecords);
  REQUIRE(operations.size() == 2);
  v1::Resident sent;
  REQUIRE(sent.ParseFromString(operations[1].set));
  CHECK(sent.household() == home_now.bytes());
  v1::Visit kept;
  REQUIRE(kept.ParseFromString(phone->draft("visit").value().record));
  CHECK(kept.household() == home_now.bytes());
  // What an app still holds, too.
  v1::Visit visit = visit_noting("at the house");
  visit.set_household(std::string(home.bytes()));
  const RecordId made = phone.put(kVisit, visit, reserved);
  CHECK(made == RecordId::make(after, reserved.counter()));
  CHECK(phone.get<v1::Visit>(kVisit, made).household() == home_now.bytes());
  CHECK(phone->search({.text = "张三丰"}, {"test"}).value().size() == 1);
}

TEST_CASE("a whistle that a copy alone blew gets a number of its own, an older one keeps its") {
  Phone phone;
  phone.enrol();
  const RecordId sent = phone.put(kWhistle, whistle());
  const std::string number = phone.get<v1::Whistle>(kWhistle, sent).number();
  const RecordId own = phone.put(kWhistle, whistle());
  const std::string taken = phone.get<v1::Whistle>(kWhistle, own).number();
  succeed(phone, run_of(Lane::kWhistles, 1, 1, 9));
  CHECK(phone.get<v1::Whistle>(kWhistle, sent).number() == number);
  const std::string anew = phone.get<v1::Whistle>(kWhistle, own).number();
  CHECK(anew != taken);
  CHECK(anew.starts_with("B8M-"));
  const RecordId later = phone.put(kWhistle, whistle());
  CHECK(phone.get<v1::Whistle>(kWhistle, later).number() != anew);
}

TEST_CASE("an edit of a creation that was refused does not become a creation") {
  Phone phone;
  phone.enrol();
  const RecordId refused = phone.put(kVisit, visit_noting("refused"));
  v1::Visit edit;
  edit.set_notes("edited");
  phone.put(kVisit, edit, refused);
  succeed(phone, run_of(Lane::kRecords, 1, 1, 9, OutcomeStatus::kRejected));
  const auto operations = phone.unsent(Lane::kRecords);
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].id == refused);
  CHECK_FALSE(operations[0].creates);
}

TEST_CASE("a server that lost nothing and has less of a lane knows another copy by this number") {
  Phone phone;
  phone.enrol();
  v1::Welcome welcome =
      with_epochs(phone.welcome_of({"grid:" + std::string(kGrid)}), {{1, Seq(0)}});
  phone.welcome(welcome);
  phone.put(kVisit, visit_noting("one"));
  phone.put(kVisit, visit_noting("two"));
  phone.acknowledge(Lane::kRecords, 8, OutcomeStatus::kAccepted, 2);
  v1::LaneState has;
  has.set_lane(static_cast<std::uint32_t>(Lane::kRecords));
  has.set_last(1);
  *welcome.add_lanes() = has;
  CHECK(phone->welcome(welcome, phone.clock.reading).error().code == ErrorCode::kForked);
  CHECK(phone->sync_state()->lanes[index_of(Lane::kRecords)].noted == LaneSeq(2));
  SECTION("and one that was restored to before them gets them again") {
    welcome =
        with_epochs(phone.welcome_of({"grid:" + std::string(kGrid)}), {{2, Seq(8)}, {1, Seq(0)}});
    *welcome.add_lanes() = has;
    phone.welcome(welcome);
    CHECK(phone->sync_state()->lanes[index_of(Lane::kRecords)].noted == LaneSeq(1));
  }
}

TEST_CASE(
    "what a succession says is acknowledged stays so in the next Welcome of the same server") {
  Phone phone;
  phone.enrol();
  const v1::Welcome grants = phone.welcome_of({"grid:" + std::string(kGrid)});
  phone.welcome(with_epochs(grants, {{1, Seq(0)}}));
  phone.put(kVisit, visit_noting("shared"));
  phone.put(kVisit, visit_noting("own"));
  std::vector<v1::Epoch> epochs(2);
  epochs[0].set_id(2);
  epochs[0].set_start_seq(34);
  epochs[1].set_id(1);
  succeed(phone, run_of(Lane::kRecords, 1, 1, 65), epochs);
  // The file lost power before the first Welcome under the new number was on the disk.
  phone.open();
  phone.welcome(with_epochs(grants, {{2, Seq(34)}, {1, Seq(0)}}));
  CHECK(phone->sync_state()->lanes[index_of(Lane::kRecords)].noted == LaneSeq(1));
  SECTION("and is offered again where the server did lose it") {
    phone.welcome(with_epochs(grants, {{3, Seq(50)}, {2, Seq(34)}, {1, Seq(0)}}));
    CHECK(phone->sync_state()->lanes[index_of(Lane::kRecords)].noted == LaneSeq(0));
  }
}

TEST_CASE("a successor is the same until it has succeeded, and reads everything anew") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  phone.cut(row_of(kVisit, kForeignId, 7, visit_noting("a colleague's")));
  phone.put(kVisit, visit_noting("own"));
  const DeviceId planned = phone->plan_succession().value().successor;
  CHECK(phone->key_name().empty());
  phone.open();
  const Succession plan = phone->plan_succession().value();
  CHECK(plan.successor == planned);
  REQUIRE(plan.lanes[index_of(Lane::kRecords)].dev_seqs_size() == 1);
  CHECK(plan.lanes[index_of(Lane::kRecords)].hashes() ==
        hash_of(phone.unsent(Lane::kRecords)[0]).substr(0, 8));
  v1::EnrolReply reply;
  reply.set_short_code("b8m");
  REQUIRE(phone->succeed(planned, reply));
  const SyncState state = phone->sync_state().value();
  CHECK(state.cursor == Seq(7));
  REQUIRE(state.exceptions.size() == 1);
  CHECK(state.exceptions[0].seq == Seq(0));
  CHECK(state.own_since == DevSeq(1));
  CHECK(state.enrolment->short_code == "b8m");
  CHECK(phone.has(kVisit, kForeignId));
  CHECK(phone->key_name() == plan.key_name);
  phone.open();
  CHECK(phone->key_name() == plan.key_name);
  CHECK(phone->plan_succession().value().successor != planned);
}

}  // namespace gridwhistle::store
