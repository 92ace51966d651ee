#include "gridwhistle/client.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "gridwhistle/road.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "phone.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "support/power_cut_vfs.h"

namespace gridwhistle {

namespace {

constexpr std::uint64_t kAnswerTimeoutMs = 60'000;
constexpr const char* kGrid = "440811001001001";

v1::Visit visit(const std::string& notes) {
  v1::Visit visit;
  visit.set_grid(kGrid);
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_notes(notes);
  return visit;
}

v1::Whistle whistle(const std::string& title, bool emergency = false) {
  v1::Whistle whistle;
  whistle.set_grid(kGrid);
  whistle.set_title(title);
  whistle.set_whistle_class(v1::WHISTLE_CLASS_ROUTINE);
  whistle.set_emergency(emergency);
  return whistle;
}

}  // namespace

TEST_CASE("a client without a door does not open") {
  const auto client = Client::open({});
  REQUIRE_FALSE(client);
  CHECK(client.error().code == ErrorCode::kInvalid);
}

TEST_CASE("what is put is there at once, unsent, and survives the end of the process") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(visit("井盖松动"));
  REQUIRE(id);
  const auto found = phone.client->get<v1::Visit>(*id);
  REQUIRE(found);
  CHECK(found->record.notes() == "井盖松动");
  CHECK(found->info.delivery == Delivery::kUnsent);
  CHECK(phone.client->status().unsent == 1);

  sim::die_with_files(phone.folder.path() + "/phone.db", [&] { phone.client.reset(); });
  phone.open();
  REQUIRE(phone.client->get<v1::Visit>(*id));
  CHECK(phone.client->status().enrolled);
  CHECK(phone.client->status().unsent == 1);
}

TEST_CASE("a phone whose disk cannot be read says so, and still how much is unsent") {
  test::PowerCutDisk disk("client-test");
  Phone phone(disk.name());
  phone.ready();
  REQUIRE(phone.client->put(visit("井盖松动")));
  const DeviceId device = phone.client->status().device;
  phone.client.reset();
  phone.open();
  disk.fail_after(0, test::PowerCutDisk::Fault::kReadError);
  const ClientStatus status = phone.client->status();
  REQUIRE(disk.failures() > 0);
  REQUIRE(status.last_error);
  CHECK(status.last_error->code == ErrorCode::kIo);
  CHECK(status.unsent == 1);
  REQUIRE(status.lanes.size() == kLaneCount);
  CHECK(status.lanes[1].unsent == 1);
  CHECK(status.device == device);
}

TEST_CASE("a call delivers what was recorded, each once, and says so") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(visit("1"));
  REQUIRE(id);
  const auto report = phone.sync();
  REQUIRE(report);
  CHECK(report->sent == 1);
  CHECK(report->acknowledged == 1);
  CHECK(report->caught_up);
  REQUIRE(phone.server.taken.size() == 1);
  CHECK(phone.server.taken[0].id == *id);
  CHECK(phone.client->get<v1::Visit>(*id)->info.delivery == Delivery::kDelivered);
  const ClientStatus status = phone.client->status();
  CHECK(status.unsent == 0);
  CHECK(status.caught_up);
  CHECK(status.phase == SyncPhase::kStopped);
  CHECK_FALSE(status.last_error);
}

TEST_CASE("a call says from where on the phone still has what it recorded") {
  Phone phone;
  phone.ready();
  REQUIRE(phone.client->put(visit("1")));
  REQUIRE(phone.sync());
  CHECK(phone.server.hellos.back().lanes(0).first() == 0);
  phone.server.backed_up = phone.server.seq;
  REQUIRE(phone.client->put(visit("2")));
  REQUIRE(phone.sync());
  CHECK(phone.server.hellos.back().lanes(0).first() == 0);
  REQUIRE(phone.sync());
  CHECK(phone.server.hellos.back().lanes(0).first() == 2);
}

TEST_CASE("a server that has not enrolled this phone is never sent its work") {
  Phone phone;
  phone.ready();
  REQUIRE(phone.client->put(visit("1")));
  phone.other.enrol_answer = ErrorCode::kCodeWrong;
  CHECK(phone.enrol("other:1").error().code == ErrorCode::kCodeWrong);
  REQUIRE(phone.sync());
  CHECK(phone.other.hellos.empty());
  CHECK(phone.other.taken.empty());
  CHECK(phone.server.taken.size() == 1);

  phone.other.enrol_answer = {};
  REQUIRE(phone.client->put(visit("2")));
  bool enrolled = false;
  phone.client->enrol({{"other:1", std::string(32, 'k')}, "CODE"}, "a phone",
                      [&](Result<void> how) { enrolled = how.has_value(); });
  phone.client->sync_once({}, [](const Result<SyncReport>&) {});
  phone.wait();
  CHECK(enrolled);
  CHECK(phone.other.hellos.empty());
  REQUIRE(phone.sync());
  CHECK(phone.other.hellos.size() == 1);
}

TEST_CASE("every call has a counter of its own, also after a restart") {
  Phone phone;
  phone.ready();
  REQUIRE(phone.sync());
  phone.client.reset();
  phone.open();
  REQUIRE(phone.sync());
  const auto& hellos = phone.server.hellos;
  for (std::size_t i = 1; i < hellos.size(); ++i) {
    CHECK(hellos[i].call_counter() > hellos[i - 1].call_counter());
  }
}

TEST_CASE("a server that cannot be reached, is silent or talks nonsense costs nothing but time") {
  Phone phone;
  phone.ready();
  REQUIRE(phone.client->put(visit("1")));
  phone.server.reachable = false;
  CHECK(phone.sync().error().code == ErrorCode::kUnavailable);
  phone.server.reachable = true;
  phone.server.talks_nonsense = true;
  CHECK(phone.sync().error().code == ErrorCode::kProtocol);
  phone.server.talks_nonsense = false;
  phone.server.answers = false;
  phone.sync();
  phone.wait(kAnswerTimeoutMs);
  phone.server.answers = true;
  CHECK(phone.client->status().unsent == 1);
  REQUIRE(phone.sync());
  CHECK(phone.client->status().unsent == 0);
  CHECK(phone.server.taken.size() == 1);
}

TEST_CASE("a live line sends what is recorded, and comes back by itself") {
  Phone phone;
  phone.ready();
  phone.client->start_live();
  phone.wait();
  CHECK(phone.client->status().phase == SyncPhase::kLive);
  REQUIRE(phone.client->put(visit("1")));
  phone.wait(1000);
  CHECK(phone.server.taken.size() == 1);

  phone.server.answers = false;
  REQUIRE(phone.client->put(visit("2")));
  phone.wait(kAnswerTimeoutMs + 1000);
  CHECK(phone.client->status().phase == SyncPhase::kWaiting);
  phone.server.answers = true;
  phone.wait(600'000);
  CHECK(phone.client->status().phase == SyncPhase::kLive);
  CHECK(phone.server.taken.size() == 2);
  phone.client->stop();
  phone.wait();
  CHECK(phone.client->status().phase == SyncPhase::kStopped);
}

TEST_CASE("a live line lives on after an enrolment, whatever the server answered") {
  Phone phone;
  phone.ready();
  phone.client->start_live();
  phone.wait();
  phone.other.enrol_answer = ErrorCode::kCodeWrong;
  CHECK(phone.enrol("other:1").error().code == ErrorCode::kCodeWrong);
  CHECK(phone.client->status().phase == SyncPhase::kLive);
  REQUIRE(phone.client->put(visit("1")));
  phone.wait();
  CHECK(phone.server.taken.size() == 1);

  phone.other.enrol_answer = {};
  REQUIRE(phone.enrol("other:1"));
  CHECK(phone.client->status().phase == SyncPhase::kLive);
  REQUIRE(phone.client->put(visit("2")));
  phone.wait();
  CHECK(phone.server.taken.size() == 1);
  CHECK(phone.other.taken.size() == 1);
}

TEST_CASE("an enrolment begins no live line that nobody asked for") {
  Phone phone;
  phone.ready();
  REQUIRE(phone.enrol("other:1"));
  CHECK(phone.client->status().phase == SyncPhase::kStopped);
}

TEST_CASE("a device that is not enrolled says so and keeps its drafts") {
  Phone phone;
  CHECK(phone.sync().error().code == ErrorCode::kNotEnrolled);
  REQUIRE(phone.client->save_draft("new whistle", whistle("half a sen")));
  phone.client.reset();
  phone.open();
  const auto draft = phone.client->draft("new whistle");
  REQUIRE(draft);
  CHECK(draft->kind == "Whistle");
  v1::Whistle again;
  REQUIRE(again.ParseFromString(draft->record));
  CHECK(again.title() == "half a sen");
  REQUIRE(phone.client->drop_draft("new whistle"));
  CHECK(phone.client->drafts()->empty());
}

TEST_CASE("a refused enrolment gives the server's reason") {
  Phone phone;
  phone.server.enrol_answer = ErrorCode::kCodeExpired;
  const auto how = phone.enrol();
  REQUIRE_FALSE(how);
  CHECK(how.error().code == ErrorCode::kCodeExpired);
  CHECK_FALSE(phone.client->status().enrolled);
}

TEST_CASE("a new whistle gets its number, reporter, source and time") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(whistle("路灯不亮"));
  REQUIRE(id);
  const auto found = phone.client->get<v1::Whistle>(*id);
  REQUIRE(found);
  CHECK_FALSE(found->record.number().empty());
  CHECK(found->record.reporter() == phone.client->status().worker.bytes());
  CHECK(found->record.source() == v1::SOURCE_WORKER);
  CHECK(found->record.reported_ms() > 0);
}

TEST_CASE("a new task is open and names its author and its time, where it says nothing itself") {
  Phone phone;
  phone.ready();
  v1::Task task;
  task.set_area(kGrid);
  task.set_title("查井盖");
  const auto id = phone.client->put(task);
  REQUIRE(id);
  const auto found = phone.client->get<v1::Task>(*id);
  REQUIRE(found);
  CHECK(found->record.state() == v1::TASK_STATE_OPEN);
  CHECK(found->record.author() == phone.client->status().worker.bytes());
  CHECK(found->record.created_ms() > 0);
  // An edit says what it says and no more.
  v1::Task done;
  done.set_id(found->record.id());
  done.set_state(v1::TASK_STATE_DONE);
  REQUIRE(phone.client->put(done));
  CHECK(phone.client->get<v1::Task>(*id)->record.created_ms() == found->record.created_ms());
}

TEST_CASE("an emergency that has not left for five minutes advises to telephone") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(whistle("煤气泄漏", true));
  REQUIRE(id);
  phone.wait(4 * 60'000);
  CHECK(phone.client->status().emergencies.empty());
  phone.wait(2 * 60'000);
  const auto emergencies = phone.client->status().emergencies;
  REQUIRE(emergencies.size() == 1);
  CHECK(emergencies[0].whistle == *id);
  CHECK(emergencies[0].advice.find("打电话") != std::string::npos);
  REQUIRE(phone.sync());
  CHECK(phone.client->status().emergencies.empty());
}

TEST_CASE("a transaction is recorded as a whole, and its ids are known before") {
  Phone phone;
  phone.ready();
  Transaction transaction = phone.client->transaction();
  const auto first = transaction.put(visit("1"));
  REQUIRE(first);
  v1::Visit other = visit("2");
  other.set_whistle(std::string(first->bytes()));
  const auto second = transaction.put(other);
  REQUIRE(second);
  CHECK(phone.client->get<v1::Visit>(*first).error().code == ErrorCode::kNotFound);
  REQUIRE(transaction.commit());
  CHECK(phone.client->get<v1::Visit>(*first));
  CHECK(phone.client->get<v1::Visit>(*second)->record.whistle() == first->bytes());

  Transaction broken = phone.client->transaction();
  const auto good = broken.put(visit("3"));
  v1::Visit bad = visit("4");
  bad.set_grid("440811001001999");
  REQUIRE(broken.put(bad));
  CHECK(broken.commit().error().code == ErrorCode::kOutOfScope);
  CHECK_FALSE(phone.client->get<v1::Visit>(*good));
}

TEST_CASE("a watch tells the result now and again after each change, until it is let go") {
  Phone phone;
  phone.ready();
  std::vector<std::size_t> sizes;
  Watch watch = phone.client->watch<v1::Visit>(
      {}, [&](Result<std::vector<Found<v1::Visit>>> found) { sizes.push_back(found->size()); });
  phone.wait();
  REQUIRE(phone.client->put(visit("1")));
  REQUIRE(phone.client->put(visit("2")));
  CHECK(sizes == std::vector<std::size_t>{0});
  phone.wait();
  REQUIRE_FALSE(sizes.empty());
  CHECK(sizes.back() == 2);
  const std::size_t told = sizes.size();
  watch.stop();
  REQUIRE(phone.client->put(visit("3")));
  phone.wait();
  CHECK(sizes.size() == told);
}

TEST_CASE("a refused operation is shown to its author and can be restored") {
  Phone phone;
  phone.ready();
  phone.server.outcome = OutcomeStatus::kRejected;
  const auto id = phone.client->put(visit("1"));
  REQUIRE(id);
  REQUIRE(phone.sync());
  CHECK(phone.client->status().refused == 1);
  const auto outcomes = phone.client->outcomes();
  REQUIRE(outcomes);
  REQUIRE(outcomes->size() == 1);
  CHECK((*outcomes)[0].record_kind == "Visit");
  CHECK((*outcomes)[0].restorable);

  phone.server.outcome = OutcomeStatus::kAccepted;
  const auto again = phone.client->restore((*outcomes)[0].outcome);
  REQUIRE(again);
  CHECK_FALSE(again->before);
  CHECK(phone.client->restore((*outcomes)[0].outcome)->before);
  CHECK(phone.client->get<v1::Visit>(again->record)->record.notes() == "1");
  REQUIRE(phone.sync());
  CHECK(phone.client->status().refused == 0);
  CHECK(phone.client->outcomes()->empty());
}

TEST_CASE("a refusal that its author has seen is no longer counted") {
  Phone phone;
  phone.ready();
  phone.server.outcome = OutcomeStatus::kRejected;
  REQUIRE(phone.client->put(visit("1")));
  REQUIRE(phone.sync());
  const auto outcomes = phone.client->outcomes();
  REQUIRE(outcomes);
  REQUIRE(outcomes->size() == 1);
  REQUIRE(phone.client->dismiss((*outcomes)[0].outcome));
  CHECK(phone.client->status().refused == 0);
}

namespace {

/// Rows as the server hands them out with the next call.
template <typename Record>
void hand_out(Phone& phone, KindId kind, const RecordId& id, const std::string& scope,
              const Record& record) {
  CutDown cut;
  cut.upto = Seq(++phone.server.seq);
  Row row;
  row.kind = kind;
  row.id = id;
  row.last_seq = cut.upto;
  row.hlc = Hlc(cut.upto.value << 20);
  row.change = RowChange::kWhole;
  row.scopes = {scope};
  row.set = record.SerializeAsString();
  cut.rows.push_back(row);
  phone.server.cuts.push_back(cut);
}

const RecordId kColleague = RecordId::make(DeviceId(0), 8);

/// Of a change to that household that lost to the colleague's.
v1::Outcome beaten(const RecordId& household) {
  v1::Household lost;
  lost.set_address("福民路3号");
  v1::Outcome outcome;
  outcome.set_worker("grid:" + std::string(kGrid));
  outcome.set_record_kind(kinds::kHousehold.value);
  outcome.set_record(std::string(household.bytes()));
  outcome.set_status(v1::OUTCOME_STATUS_BEATEN);
  outcome.set_lost_set(lost.SerializeAsString());
  outcome.add_lost_fields(v1::Household::kAddressFieldNumber);
  outcome.set_winner(std::string(kColleague.bytes()));
  outcome.set_at_ms(1);
  return outcome;
}

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a value that lost is told with its field, its words and who wrote the other") {
  Phone phone;
  phone.ready();
  v1::Worker colleague;
  colleague.set_code("WG002");
  colleague.set_name("李示例");
  hand_out(phone, kinds::kWorker, kColleague, "county:440811", colleague);
  const RecordId receipt = RecordId::make(DeviceId(0), 9);
  hand_out(phone, kinds::kOutcome, receipt, "grid:" + std::string(kGrid),
           beaten(RecordId::make(DeviceId(9), 1)));
  REQUIRE(phone.sync());

  const auto outcomes = phone.client->outcomes();
  REQUIRE(outcomes);
  REQUIRE(outcomes->size() == 1);
  const OutcomeView& one = outcomes->front();
  const auto number = static_cast<std::uint32_t>(v1::Household::kAddressFieldNumber);
  const FieldSchema* address = built_schema().kind(kinds::kHousehold)->field(number);
  CHECK(has(one.why_zh, address->name_zh));
  CHECK(has(one.why_zh, "李示例"));
  CHECK(has(one.why_en, "address"));
  CHECK(has(one.why_en, "李示例"));
  CHECK(one.winner == kColleague);
  CHECK(one.lost_fields == std::vector<std::uint32_t>{number});
  v1::Household lost;
  REQUIRE(lost.ParseFromString(one.lost));
  CHECK(lost.address() == "福民路");
  CHECK(one.masked);
  const auto in_full = phone.client->outcomes({"return visit"});
  REQUIRE(in_full);
  REQUIRE(lost.ParseFromString(in_full->front().lost));
  CHECK(lost.address() == "福民路3号");
}

TEST_CASE("what was restored or seen is listed and counted no more, and restored once") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(visit("1"));
  REQUIRE(id);
  REQUIRE(phone.sync());
  v1::Outcome outcome = beaten(*id);
  v1::Visit lost;
  lost.set_notes("门未关");
  outcome.set_record_kind(kinds::kVisit.value);
  outcome.set_lost_set(lost.SerializeAsString());
  const std::string scope = "grid:" + std::string(kGrid);
  const RecordId first = RecordId::make(DeviceId(0), 9);
  const RecordId second = RecordId::make(DeviceId(0), 10);
  hand_out(phone, kinds::kOutcome, first, scope, outcome);
  hand_out(phone, kinds::kOutcome, second, scope, outcome);
  REQUIRE(phone.sync());
  CHECK(phone.client->status().refused == 2);
  CHECK(phone.client->status().newest_refused.size() == 2);

  CHECK(phone.client->restore(first).value().record == *id);
  CHECK(phone.client->status().unsent == 1);
  const Restored once_more = phone.client->restore(first).value();
  CHECK(once_more.record == *id);
  CHECK(once_more.before);
  CHECK(phone.client->status().unsent == 1);
  CHECK(phone.client->outcomes()->size() == 1);
  REQUIRE(phone.client->dismiss(second));
  CHECK(phone.client->dismiss(*id).error().code == ErrorCode::kNotFound);
  phone.client.reset();
  phone.open();
  CHECK(phone.client->outcomes()->empty());
  CHECK(phone.client->status().refused == 0);
}

TEST_CASE("a refusal whose outcome has not come says why all the same") {
  Phone phone;
  phone.ready();
  const auto told = [&](OutcomeStatus status) {
    phone.server.outcome = status;
    REQUIRE(phone.client->put(visit("1")));
    REQUIRE(phone.sync());
    return phone.client->outcomes()->front();
  };
  const OutcomeView rejected = told(OutcomeStatus::kRejected);
  CHECK(has(rejected.why_zh, "岗位"));
  CHECK(has(rejected.why_en, "role"));
  phone.wait(1000);
  const OutcomeView sealed = told(OutcomeStatus::kSealed);
  CHECK(has(sealed.why_zh, "复核"));
  CHECK(has(sealed.why_en, "reviewer"));
}

TEST_CASE(
    "of an operation that the server had kept the last word is listed, and no word if it is "
    "applied") {
  Phone phone;
  phone.ready();
  phone.server.outcome = OutcomeStatus::kParked;
  const auto id = phone.client->put(visit("1"));
  REQUIRE(id);
  REQUIRE(phone.sync());
  phone.server.outcome = OutcomeStatus::kAccepted;
  const auto tell = [&](std::uint64_t number, v1::OutcomeStatus status) {
    v1::Outcome outcome;
    outcome.set_device(id->device().value);
    outcome.set_lane(static_cast<std::int64_t>(Lane::kRecords));
    outcome.set_lane_seq(1);
    outcome.set_record_kind(kinds::kVisit.value);
    outcome.set_record(std::string(id->bytes()));
    outcome.set_status(status);
    outcome.set_code(static_cast<std::int64_t>(ErrorCode::kNotFound));
    outcome.set_at_ms(1);
    hand_out(phone, kinds::kOutcome, RecordId::make(DeviceId(0), number),
             "grid:" + std::string(kGrid), outcome);
    REQUIRE(phone.sync());
  };
  tell(9, v1::OUTCOME_STATUS_PARKED);
  const auto waits = phone.client->outcomes();
  REQUIRE(waits->size() == 1);
  CHECK(has(waits->front().why_en, "has not reached the server yet"));
  CHECK(has(waits->front().why_zh, "送达后处理"));
  const bool applied = GENERATE(true, false);
  tell(10, applied ? v1::OUTCOME_STATUS_ACCEPTED : v1::OUTCOME_STATUS_REJECTED);
  const auto after = phone.client->outcomes();
  REQUIRE(after->size() == (applied ? 0 : 1));
  if (!applied) CHECK(after->front().status == v1::OUTCOME_STATUS_REJECTED);
  CHECK(phone.client->status().refused == (applied ? 0 : 1));
}

TEST_CASE("a notice that outlived its log is listed once when the restored log tells the same") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(visit("1"));
  REQUIRE(id);
  v1::Outcome lost = beaten(RecordId::make(DeviceId(9), 1));
  lost.set_device(id->device().value);
  lost.set_dev_seq(100);  // long forgotten
  const auto listed_after_telling = [&](std::uint64_t number) {
    hand_out(phone, kinds::kOutcome, RecordId::make(DeviceId(0), number),
             "grid:" + std::string(kGrid), lost);
    REQUIRE(phone.sync());
    return *phone.client->outcomes();
  };
  REQUIRE(listed_after_telling(9).size() == 1);
  const bool dismissed = GENERATE(true, false);
  if (dismissed) REQUIRE(phone.client->dismiss(RecordId::make(DeviceId(0), 9)));

  phone.server.epochs.insert(phone.server.epochs.begin(), {78, 5});
  phone.server.seq = 5;
  REQUIRE(phone.sync());
  CHECK(phone.client->outcomes()->size() == (dismissed ? 0 : 1));
  const auto after = listed_after_telling(10);
  REQUIRE(after.size() == (dismissed ? 0 : 1));
  if (!dismissed) CHECK(after.front().outcome == RecordId::make(DeviceId(0), 10));
}

TEST_CASE("why the last call failed is known after a restart, until one goes well") {
  Phone phone;
  phone.ready();
  phone.server.reachable = false;
  REQUIRE_FALSE(phone.sync());
  phone.client.reset();
  phone.open();
  REQUIRE(phone.client->status().last_error);
  CHECK(phone.client->status().last_error->code == ErrorCode::kUnavailable);
  phone.server.reachable = true;
  REQUIRE(phone.sync());
  CHECK_FALSE(phone.client->status().last_error);
  phone.client.reset();
  phone.open();
  CHECK_FALSE(phone.client->status().last_error);
}

TEST_CASE("rows of a cut appear in queries") {
  Phone phone;
  phone.ready();
  CutDown cut;
  cut.upto = Seq(40);
  Row row;
  row.kind = kinds::kVisit;
  row.id = RecordId::make(DeviceId(9), 1);
  row.last_seq = Seq(40);
  row.hlc = Hlc(1 << 20);
  row.change = RowChange::kWhole;
  row.scopes = {std::string("grid:") + kGrid};
  row.set = visit("from a colleague").SerializeAsString();
  cut.rows.push_back(row);
  phone.server.cuts.push_back(cut);
  REQUIRE(phone.sync());
  const auto found = phone.client->query<v1::Visit>(Query().is("grid", kGrid));
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK((*found)[0].record.notes() == "from a colleague");
  CHECK((*found)[0].info.delivery == Delivery::kNone);
}

TEST_CASE("a road shows what this phone proposes before the server has spoken") {
  Phone phone;
  phone.ready();
  const auto id = phone.client->put(whistle("路面塌陷"));
  REQUIRE(id);
  auto road = phone.client->road(*id);
  REQUIRE(road);
  CHECK(road->proposed == v1::WHISTLE_STATE_REPORTED);
  v1::WhistleAction action;
  action.set_whistle(std::string(id->bytes()));
  action.set_type(v1::WHISTLE_ACTION_TYPE_VOID);
  REQUIRE(phone.client->act(action));
  road = phone.client->road(*id);
  REQUIRE(road);
  CHECK(road->actions.size() == 1);
  CHECK(road->proposed == v1::WHISTLE_STATE_VOID);
  action.set_type(v1::WHISTLE_ACTION_TYPE_CHECK);
  const auto refused = phone.client->act(action);
  REQUIRE_FALSE(refused);
}

TEST_CASE("an unsent whistle stands where the server would open it") {
  Phone phone;
  phone.ready();
  const auto proposed = [&](v1::WhistleClass whistle_class, bool handled) {
    v1::Whistle report = whistle("路灯不亮");
    report.set_whistle_class(whistle_class);
    report.set_handled_on_spot(handled);
    const auto id = phone.client->put(report);
    REQUIRE(id);
    return phone.client->road(*id)->proposed;
  };
  CHECK(proposed(v1::WHISTLE_CLASS_ROUTINE, false) == v1::WHISTLE_STATE_REPORTED);
  CHECK(proposed(v1::WHISTLE_CLASS_ROUTINE, true) == v1::WHISTLE_STATE_HANDLED_ON_SPOT);
  CHECK(proposed(v1::WHISTLE_CLASS_KEY, true) == v1::WHISTLE_STATE_REPORTED);
}

TEST_CASE(
    "who is nothing but a volunteer reports as one, and what was settled is still looked at") {
  Phone phone;
  phone.server.roles = static_cast<std::uint32_t>(RoleSet{Role::kVolunteer}.bits());
  phone.ready();
  v1::Whistle report = whistle("路灯不亮");
  report.set_handled_on_spot(true);
  const auto id = phone.client->put(report);
  REQUIRE(id);
  CHECK(phone.client->road(*id)->proposed == v1::WHISTLE_STATE_VERIFYING);
}

TEST_CASE("who settled a matter on the spot pays no return visit for it, before the call too") {
  Phone phone;
  phone.server.roles =
      static_cast<std::uint32_t>(RoleSet{Role::kGridWorker, Role::kReturnVisitor}.bits());
  phone.ready();
  v1::Whistle report = whistle("楼道堆物");
  report.set_handled_on_spot(true);
  const auto id = phone.client->put(report);
  REQUIRE(id);
  v1::WhistleAction visited;
  visited.set_whistle(std::string(id->bytes()));
  visited.set_type(v1::WHISTLE_ACTION_TYPE_RETURN_VISIT);
  visited.set_return_visit_result(v1::RETURN_VISIT_RESULT_SATISFIED);
  const auto refused = phone.client->act(visited);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail == "handler_may_not");
}

TEST_CASE(
    "a phone asks for the picture that a category is closed with, and shows what it holds up") {
  Phone phone;
  phone.server.roles = static_cast<std::uint32_t>(RoleSet{Role::kReturnVisitor}.bits());
  phone.ready();
  CutDown cut;
  cut.upto = Seq(40);
  const auto told = [&](KindId kind, RecordId id, std::uint64_t seq, const std::string& set) {
    Row row;
    row.kind = kind;
    row.id = id;
    row.last_seq = Seq(seq);
    row.hlc = Hlc(seq << 20);
    row.change = RowChange::kWhole;
    row.scopes = {std::string("grid:") + kGrid};
    row.set = set;
    cut.rows.push_back(row);
  };
  v1::Category category;
  category.set_code("01001");
  category.set_name("暴露垃圾");
  category.set_closing_evidence(true);
  told(kinds::kCategory, RecordId::make(DeviceId(9), 1), 39, category.SerializeAsString());
  v1::Whistle theirs = whistle("垃圾堆放");
  theirs.set_category("01001");
  theirs.set_state(v1::WHISTLE_STATE_RETURN_VISIT);
  theirs.set_round(1);
  const RecordId id = RecordId::make(DeviceId(9), 2);
  told(kinds::kWhistle, id, 40, theirs.SerializeAsString());
  phone.server.cuts.push_back(cut);
  REQUIRE(phone.sync());

  v1::WhistleAction visit;
  visit.set_whistle(std::string(id.bytes()));
  visit.set_type(v1::WHISTLE_ACTION_TYPE_RETURN_VISIT);
  visit.set_return_visit_result(v1::RETURN_VISIT_RESULT_SATISFIED);
  const auto refused = phone.client->act(visit);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail == "closing_evidence_missing");
  CHECK(refused.error().message.find("照片") != std::string::npos);
  CHECK(refused.error().message.find("picture") != std::string::npos);
  CHECK(phone.client->status().unsent == 0);

  auto picture = phone.client->keep("\xFF\xD8\xFF\xE0 clean again", {"image/jpeg", true});
  REQUIRE(picture);
  picture->set_stage(v1::ATTACHMENT_STAGE_AFTER);
  REQUIRE(phone.client->act(visit, {*picture}));
  CHECK(phone.client->road(id)->proposed == v1::WHISTLE_STATE_RETURN_VISIT);

  cut.rows.clear();
  cut.upto = Seq(60);
  picture->set_parent(std::string(id.bytes()));
  picture->set_parent_kind(kinds::kWhistle.value);
  picture->set_stored(true);
  told(kinds::kAttachment, RecordId::make(DeviceId(9), 3), 60, picture->SerializeAsString());
  phone.server.cuts = {cut};
  REQUIRE(phone.sync());
  CHECK(phone.client->road(id)->proposed == v1::WHISTLE_STATE_CLOSED);
}

TEST_CASE("how long a server asked to wait is kept in the file, and never grows") {
  Phone phone;
  phone.ready();
  REQUIRE(phone.client->put(visit("井盖松动")));
  phone.server.busy_ms = 600'000;
  CHECK(phone.sync().error().code == ErrorCode::kBusy);
  phone.server.busy_ms = 0;
  const std::size_t calls = phone.server.hellos.size();
  const auto waits = [&] {
    phone.client.reset();
    phone.open();
    const auto how = phone.sync();
    return !how && how.error().code == ErrorCode::kBusy && phone.server.hellos.size() == calls;
  };
  CHECK(waits());
  CHECK(phone.client->status().unsent == 1);
  SECTION("the phone starts anew, and its clock is right") {
    phone.clock.restart(2);
    CHECK(waits());
    phone.wait(600'000);
    CHECK_FALSE(waits());
  }
  SECTION("the phone starts anew with its clock set back: it asks the server") {
    phone.clock.restart(2);
    phone.clock.set_error_ms(-3'600'000);
    CHECK_FALSE(waits());
  }
  SECTION("a clock that jumps while the phone runs changes nothing") {
    phone.clock.set_error_ms(-3'600'000);
    CHECK(waits());
    phone.wait(600'000);
    CHECK_FALSE(waits());
  }
  CHECK(phone.client->status().unsent == 0);
}

TEST_CASE("a closed client answers everything with kClosed") {
  Phone phone;
  phone.ready();
  bool answered = false;
  phone.client->sync_once({}, [&](Result<SyncReport> report) {
    answered = true;
    CHECK(report.error().code == ErrorCode::kClosed);
  });
  Transaction transaction = phone.client->transaction();
  Watch watch = phone.client->watch<v1::Visit>({}, [](auto) {});
  phone.client->close();
  phone.wait();
  CHECK(answered);
  CHECK(phone.client->put(visit("1")).error().code == ErrorCode::kClosed);
  CHECK(phone.client->get<v1::Visit>(RecordId()).error().code == ErrorCode::kClosed);
  CHECK(transaction.put(visit("1")).error().code == ErrorCode::kClosed);
  phone.client->close();
  phone.client.reset();
  watch.stop();
}

TEST_CASE("two clients do not share one file") {
  Phone phone;
  ClientOptions options;
  options.path = phone.folder.path() + "/phone.db";
  options.clock = &phone.clock;
  options.random = &phone.dice;
  options.secrets = &phone.secrets;
  options.executor = &phone.executor;
  options.connect = [&](const ServerAddress&) -> Result<std::unique_ptr<Transport>> {
    return phone.server.transport();
  };
  const auto second = Client::open(std::move(options));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kLocked);
}

TEST_CASE("many threads record and read while a real executor syncs") {
  sim::TemporaryFolder folder;
  sim::Timeline timeline;
  ScriptedServer server(timeline);
  sim::SimSecretStore secrets;
  const auto executor = thread_executor();
  const auto clock = system_clock();
  const auto random = system_random();
  ClientOptions options;
  options.path = folder.path() + "/phone.db";
  options.clock = clock.get();
  options.random = random.get();
  options.secrets = &secrets;
  options.executor = executor.get();
  server.reachable = false;
  options.connect = [&](const ServerAddress&) -> Result<std::unique_ptr<Transport>> {
    return fail(ErrorCode::kUnavailable, "no network");
  };
  auto client = Client::open(std::move(options));
  REQUIRE(client);
  (*client)->start_live();
  std::vector<std::thread> threads;
  std::atomic<int> saved = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string name = std::to_string(t) + "/" + std::to_string(i);
        if ((*client)->save_draft(name, visit(name))) ++saved;
        (*client)->status();
        (*client)->query<v1::Visit>({});
        (*client)->network_changed();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(saved == 100);
  CHECK((*client)->drafts()->size() == 100);
}

TEST_CASE("who read personal data on a phone is told newest first, page by page") {
  Phone phone;
  phone.ready();
  v1::Household home;
  home.set_grid(kGrid);
  home.set_contact_name("王小明");
  const auto id = phone.client->put(home);
  REQUIRE(id);
  REQUIRE(phone.client->get<v1::Household>(*id));
  REQUIRE(phone.client->get<v1::Household>(*id, {"入户核对"}));
  const auto newest = phone.client->access_log(1);
  REQUIRE(newest);
  REQUIRE(newest->size() == 1);
  CHECK(newest->front().kind == "Household");
  CHECK(newest->front().records == std::vector{*id});
  CHECK(newest->front().purpose == "入户核对");
  CHECK_FALSE(newest->front().worker.is_nil());
  const auto before = phone.client->access_log(10, newest->front().number);
  REQUIRE(before);
  REQUIRE(before->size() == 1);
  CHECK(before->front().purpose.empty());
}

}  // namespace gridwhistle
