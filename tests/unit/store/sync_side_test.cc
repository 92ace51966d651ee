#include <algorithm>

#include "base/sha256.h"
#include "model/record.h"
#include "model/workflow_words.h"
#include "phone.h"
#include "store/epochs.h"
#include "support/power_cut_vfs.h"

namespace gridwhistle::store {
namespace {

using kinds::kHousehold;
using kinds::kResident;
using kinds::kVisit;

const std::string kGridScope = "grid:" + std::string(kGrid);
const std::string kOtherScope = "grid:" + std::string(kOtherGrid);

TEST_CASE("everything a session needs to know survives a restart") {
  Phone phone;
  phone.enrol();
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{7, Seq(0)}}));
  phone.put(kVisit, visit());
  phone.put(kVisit, visit());
  phone.acknowledge(Lane::kRecords, 4, OutcomeStatus::kAccepted, 1);
  phone.cut(row_of(kVisit, kForeignId, 5, visit()));
  const SyncState before = phone->sync_state().value();
  phone.open();
  const SyncState after = phone->sync_state().value();
  CHECK(after.device == before.device);
  CHECK(after.enrolment == before.enrolment);
  CHECK(after.enrolment->short_code == "a7k");
  CHECK(after.cursor == Seq(5));
  CHECK(after.epochs == std::vector<EpochSeen>{{7, Seq(0)}});
  CHECK(after.grants == before.grants);
  CHECK(after.grants_version == 1);
  CHECK(after.lanes[1].last == LaneSeq(2));
  CHECK(after.lanes[1].noted == LaneSeq(1));
  CHECK(after.unsent == 1);
  CHECK(after.highest == before.highest);
}

TEST_CASE("what a file holds is summed up as it was delivered, whatever is pending over it") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope}));
  phone.cut(row_of(kVisit, kForeignId, 5, visit("as delivered")));
  const RangeDigests before = phone->digests().value();
  const std::uint64_t delivered = before[range_of(kForeignId)];
  CHECK(delivered != 0);
  phone.put(kVisit, visit("as edited"), kForeignId);
  phone.put(kVisit, visit("as recorded"));
  CHECK(phone->digests().value() == before);
  const auto contents = phone->contents({static_cast<std::uint32_t>(range_of(kForeignId))}).value();
  REQUIRE(contents.size() == 1);
  REQUIRE(contents[0].records_size() == 1);
  CHECK(contents[0].records(0).id() == kForeignId.bytes());
  CHECK(contents[0].records(0).digest() == delivered);
  phone.acknowledge(Lane::kRecords, 6, OutcomeStatus::kAccepted, 2);
  CHECK(phone->digests().value() != before);
}

TEST_CASE("a file that has everything is compared once a week, by its server's clock") {
  constexpr std::int64_t kDay = 86'400'000;
  Phone phone;
  phone.enrol();
  v1::Welcome welcome = phone.welcome_of({kGridScope});
  const std::int64_t first_ms = 1'780'000'000'000;
  const auto due_at = [&](std::int64_t ms) {
    welcome.set_server_ms(ms);
    phone.welcome(welcome);
    return phone->compare_due().value();
  };
  CHECK_FALSE(due_at(first_ms));
  REQUIRE(phone->caught_up(Seq(60)));
  CHECK_FALSE(due_at(first_ms));
  CHECK_FALSE(due_at(first_ms + 6 * kDay));
  CHECK(due_at(first_ms + 7 * kDay));
  phone.open();
  CHECK(phone->compare_due().value());
  REQUIRE(phone->note_compared());
  CHECK_FALSE(phone->compare_due().value());
  CHECK_FALSE(due_at(first_ms + 13 * kDay));
  CHECK(due_at(first_ms + 15 * kDay));
  *welcome.add_grants() = phone.welcome_of({kOtherScope}).grants(0);
  CHECK_FALSE(due_at(first_ms + 16 * kDay));
}

TEST_CASE("what a server says is to be compared stays so until it was, whatever else it says") {
  Phone phone;
  phone.enrol();
  v1::Welcome welcome = phone.welcome_of({kGridScope});
  welcome.set_server_ms(1'780'000'000'000);
  phone.welcome(welcome);
  REQUIRE(phone->caught_up(Seq(60)));
  CHECK_FALSE(phone->compare_due().value());
  v1::Welcome brief;
  brief.set_server_ms(1'780'000'000'000);
  brief.set_as_before(true);
  brief.set_reconcile(true);
  phone.welcome(brief);
  phone.open();
  CHECK(phone->compare_due().value());
  brief.clear_reconcile();
  phone.welcome(brief);
  CHECK(phone->compare_due().value());
  *welcome.add_grants() = phone.welcome_of({kOtherScope}).grants(0);
  phone.welcome(welcome);
  CHECK_FALSE(phone->compare_due().value());  // it has not caught up
  REQUIRE(phone->caught_up(Seq(70)));
  phone.open();
  CHECK(phone->compare_due().value());
  REQUIRE(phone->note_compared());
  phone.open();
  CHECK_FALSE(phone->compare_due().value());
}

TEST_CASE("a call counter is never given twice, across restarts, and most cost no sync") {
  Phone phone;
  std::uint64_t last = 0;
  for (int call = 0; call < 200; ++call) {
    if (call % 50 == 49) phone.open();
    const std::uint64_t next = phone->next_call_counter().value();
    CHECK(next > last);
    last = next;
  }
}

TEST_CASE("what came by a call is synced once: before the server hears of it, or at the end") {
  const bool ends_well = GENERATE(true, false);
  test::PowerCutDisk disk("one_sync");
  Phone phone(built_schema(), disk.name());
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope}));
  REQUIRE(phone->make_durable());
  phone.put(kVisit, visit());
  const std::uint64_t syncs = disk.syncs();
  phone.acknowledge(Lane::kRecords, 1);
  phone.cut(row_of(kVisit, RecordId::make(DeviceId(9), 1), 2, visit()));
  phone.cut(row_of(kVisit, RecordId::make(DeviceId(9), 2), 3, visit()));
  CHECK(disk.syncs() == syncs);
  if (ends_well) REQUIRE(phone->caught_up(Seq(3)));
  REQUIRE(phone->make_durable());
  CHECK(disk.syncs() == syncs + 1);
}

TEST_CASE("a call that finds everything as it was does not wait for the disk") {
  test::PowerCutDisk disk("idle_call");
  Phone phone(built_schema(), disk.name());
  phone.enrol();
  phone.welcome(with_epochs(phone.welcome_of({kGridScope, kOtherScope}), {{7, Seq(0)}}));
  REQUIRE(phone->caught_up(Seq(5)));
  v1::Welcome as_before;
  as_before.set_as_before(true);
  as_before.set_server_ms(1'767'000'000'000);
  std::uint64_t writes = disk.operations();
  phone.welcome(as_before);
  CHECK(disk.operations() == writes);
  const std::uint64_t syncs = disk.syncs();
  REQUIRE(phone->caught_up(Seq(6)));
  REQUIRE(phone->make_durable());
  CHECK(disk.syncs() == syncs);
  CHECK(phone->sync_state()->grants.size() == 2);
  CHECK(phone->sync_state()->cursor == Seq(6));
  // Which start of the server, and which county, goes without saying only where nothing changed.
  as_before.set_backed_up(4);
  phone.welcome(as_before);
  phone.open();
  CHECK(phone->sync_state()->cursor == Seq(6));
  v1::Welcome stranger;
  CHECK(phone->welcome(stranger, phone.clock.now()).error().code == ErrorCode::kProtocol);
}

TEST_CASE("operations come in whole transactions") {
  Phone phone;
  const Change change{.kind = kVisit, .set = visit().SerializeAsString()};
  REQUIRE(phone->commit({change, change, change}));
  REQUIRE(phone->commit({change, change}));
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1).value().size() == 3);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(3), 1).value().size() == 2);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value().size() == 5);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(5), 1 << 20).value().empty());
}

TEST_CASE("a scope newly granted is fetched from its beginning, until it has caught up") {
  Phone phone;
  phone.welcome(phone.welcome_of({kGridScope}));
  CHECK(phone->sync_state()->exceptions.empty());
  phone.cut(row_of(kVisit, kForeignId, 50, visit()));
  REQUIRE(phone->caught_up(Seq(60)));
  CHECK(phone->is_caught_up());
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  CHECK_FALSE(phone->is_caught_up());
  CHECK(phone->sync_state()->exceptions == std::vector<ScopeProgress>{{kOtherScope, Seq(0)}});
  REQUIRE(phone->apply_cut({.scope = kOtherScope, .upto = Seq(30), .rows = {}}));
  CHECK(phone->sync_state()->exceptions == std::vector<ScopeProgress>{{kOtherScope, Seq(30)}});
  CHECK(phone->sync_state()->cursor == Seq(60));
  REQUIRE(phone->apply_cut({.scope = kOtherScope, .upto = Seq(60), .rows = {}}));
  CHECK(phone->sync_state()->exceptions.empty());
}

TEST_CASE("a scope that has come out ahead of the others is known to, until they are as far") {
  Phone phone;
  phone.welcome(phone.welcome_of({kGridScope}));
  phone.cut(row_of(kVisit, kForeignId, 50, visit()));
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  REQUIRE(phone->apply_cut({.scope = kOtherScope, .upto = Seq(70), .rows = {}}));
  const std::vector<ScopeProgress> ahead = {{kOtherScope, Seq(70)}};
  CHECK(phone->sync_state()->exceptions == ahead);
  REQUIRE(phone->apply_cut({.upto = Seq(69), .rows = {}}));
  CHECK(phone->sync_state()->exceptions == ahead);
  REQUIRE(phone->apply_cut({.upto = Seq(70), .rows = {}}));
  CHECK(phone->sync_state()->exceptions.empty());
  CHECK(phone->sync_state()->cursor == Seq(70));
}

TEST_CASE("a record of the whole county goes by the scope that the server names it by") {
  Phone phone;
  phone.enrol();
  v1::Welcome welcome = phone.welcome_of({"county:440811"});
  welcome.mutable_grants(0)->set_subtree(false);
  phone.welcome(welcome);
  v1::Task task;
  task.set_title("全区排查");
  task.set_area("440811000000");
  phone.put(kinds::kTask, task);
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].scope == "county:440811");
  task.set_area("440811001000");
  CHECK(phone.refused({.kind = kinds::kTask, .set = task.SerializeAsString()}) ==
        ErrorCode::kOutOfScope);
}

TEST_CASE("a scope that shows more than before is fetched again") {
  Phone phone;
  v1::Welcome welcome = phone.welcome_of({kGridScope});
  welcome.mutable_grants(0)->set_audiences(1U << 2);
  phone.welcome(welcome);
  REQUIRE(phone->caught_up(Seq(60)));
  welcome.mutable_grants(0)->set_audiences(1U << 2 | 1U << 3);
  phone.welcome(welcome);
  CHECK(phone->sync_state()->exceptions == std::vector<ScopeProgress>{{kGridScope, Seq(0)}});
}

TEST_CASE("a scope is fetched again when a role in it shows more than before") {
  Phone phone;
  phone.enrol();
  v1::Welcome grants = phone.welcome_of({kGridScope});
  phone.welcome(grants);
  REQUIRE(phone->caught_up(Seq(20)));
  grants.mutable_grants(0)->set_roles(1 << 3);
  phone.welcome(grants);
  CHECK(phone->sync_state()->exceptions == std::vector<ScopeProgress>{{kGridScope, Seq(0)}});
  REQUIRE(phone->caught_up(Seq(21)));
  grants.mutable_grants(0)->set_roles(0);
  phone.welcome(grants);
  CHECK(phone->sync_state()->exceptions.empty());
}

TEST_CASE("urgent rows move no cursor, and a new grant has them all come again") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope}));
  REQUIRE(phone->apply_cut({.upto = Seq(200),
                            .rows = {row_of(kinds::kWhistle, kForeignId, 12, whistle())},
                            .urgent = true}));
  phone.open();
  CHECK(phone->sync_state()->cursor == Seq(0));
  CHECK(phone->sync_state()->urgent == Seq(200));
  CHECK(phone.has(kinds::kWhistle, kForeignId));
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  CHECK(phone->sync_state()->urgent == Seq(0));
  // What came is in the file all the same, wherever it stands.
  CHECK(phone->sync_state()->reached == Seq(200));
  REQUIRE(phone->caught_up(Seq(210)));
  CHECK(phone->sync_state()->reached == Seq(0));
}

TEST_CASE("a lost scope takes its rows, words and children along, and leaves the work unsent") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  const RecordId own = phone.put(kHousehold, household("太平镇一号"));
  v1::Resident resident;
  resident.set_household(std::string(own.bytes()));
  resident.set_name("陈某");
  const RecordId child = phone.put(kResident, resident);
  phone.cut(row_of(kVisit, kForeignId, 5, visit("太平镇走访")));
  Row elsewhere =
      row_of(kVisit, RecordId::make(DeviceId(9), 9), 6, visit("太平镇巡查", kOtherGrid));
  elsewhere.scopes = {kOtherScope};
  phone.cut(elsewhere);
  CHECK(phone->search({.text = "太平"}, {"回访"})->size() == 3);
  phone.welcome(phone.welcome_of({kOtherScope}));
  CHECK_FALSE(phone.has(kHousehold, own));
  CHECK_FALSE(phone.has(kResident, child));
  CHECK_FALSE(phone.has(kVisit, kForeignId));
  CHECK(phone.has(kVisit, elsewhere.id));
  CHECK(phone->search({.text = "太平"}, {"回访"})->size() == 1);
  CHECK(phone->sync_state()->unsent == 2);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->size() == 2);
  phone.acknowledge(Lane::kRecords, 10, OutcomeStatus::kSealed);
  CHECK_FALSE(phone.has(kHousehold, own));
}

TEST_CASE("with a lost scope a part goes whose whole is not here, and what is unsent of it stays") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  phone.cut(row_of(kVisit, kForeignId, 5, visit()));
  // Of a household that no cut has brought yet, or has left again.
  v1::Resident resident;
  resident.set_household(std::string(RecordId::make(DeviceId(9), 2).bytes()));
  resident.set_name("陈某");
  const RecordId part = phone.put(kResident, resident);
  const bool is_sent = GENERATE(true, false);
  if (is_sent) phone.acknowledge(Lane::kRecords, 10, OutcomeStatus::kAccepted);
  phone.welcome(phone.welcome_of({kOtherScope}));
  CHECK(phone.has(kResident, part) == !is_sent);
  // Should the household lie in what is still held, all of it comes again.
  CHECK(phone->sync_state()->exceptions.size() == (is_sent ? 1U : 0U));
}

TEST_CASE("who keeps an own report in sight keeps nothing private of it") {
  Phone phone;
  phone.enrol();
  const std::string own_scope = "worker:" + to_hex(phone->sync_state()->enrolment->worker.bytes());
  phone.welcome(phone.welcome_of({kGridScope, own_scope}));
  v1::Whistle report = whistle();
  const RecordId id = phone.put(kinds::kWhistle, report);
  v1::WhistleContact caller;
  caller.set_whistle(std::string(id.bytes()));
  caller.set_name("陈某");
  const RecordId contact = phone.put(kinds::kWhistleContact, caller);
  phone.acknowledge(Lane::kWhistles, 10, OutcomeStatus::kAccepted, 2);
  Row delivered = row_of(kinds::kWhistle, id, 12, report);
  delivered.scopes = {own_scope};
  phone.cut(delivered);
  CHECK(phone.has(kinds::kWhistleContact, contact));
  phone.welcome(phone.welcome_of({own_scope}));
  CHECK(phone.has(kinds::kWhistle, id));
  CHECK_FALSE(phone.has(kinds::kWhistleContact, contact));
}

TEST_CASE("what an unsent erasure hides goes with its scope too") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  const RecordId own = phone.put(kHousehold, household("太平镇一号"));
  v1::Resident resident;
  resident.set_household(std::string(own.bytes()));
  resident.set_name("陈某");
  const RecordId child = phone.put(kResident, resident);
  REQUIRE(phone->erase(kHousehold, own));
  phone.welcome(phone.welcome_of({kOtherScope}));
  phone.acknowledge(Lane::kRecords, 10, OutcomeStatus::kAccepted, 2);
  phone.acknowledge(Lane::kRecords, 12, OutcomeStatus::kSealed);
  CHECK_FALSE(phone.has(kHousehold, own));
  CHECK_FALSE(phone.has(kResident, child));
  CHECK(phone->search({.text = "陈某"}, {"回访"})->empty());
}

TEST_CASE("a row in another held scope stays, and one whose audience was lost goes") {
  Phone phone;
  phone.welcome(phone.welcome_of({kGridScope, "town:440811001000"}));
  phone.cut(row_of(kVisit, kForeignId, 5, visit()));
  const RecordId home = RecordId::make(DeviceId(9), 2);
  phone.cut(row_of(kHousehold, home, 6, household()));
  v1::Welcome town = phone.welcome_of({"town:440811001000"});
  phone.welcome(town);
  CHECK(phone.has(kVisit, kForeignId));
  CHECK(phone.has(kHousehold, home));
  town.mutable_grants(0)->set_audiences(1U << 1 | 1U << 2);
  phone.welcome(town);
  CHECK(phone.has(kVisit, kForeignId));
  CHECK_FALSE(phone.has(kHousehold, home));
}

TEST_CASE("what is private is recorded only where this device may read it") {
  Phone phone;
  phone.enrol();
  v1::Welcome welcome = phone.welcome_of({kGridScope, kOtherScope});
  welcome.mutable_grants(1)->set_subtree(false);
  welcome.mutable_grants(1)->set_audiences(1U << 1 | 1U << 2);
  phone.welcome(welcome);
  v1::Household home = household();
  home.set_grid(std::string(kOtherGrid));
  CHECK(phone.refused({.kind = kHousehold, .set = home.SerializeAsString()}) ==
        ErrorCode::kOutOfScope);
  CHECK_FALSE(phone.put(kVisit, visit("路过", kOtherGrid)).is_nil());
  CHECK_FALSE(phone.put(kHousehold, household()).is_nil());
}

TEST_CASE(
    "rows that a role shows beyond the audience stay when the grants change, and go with it") {
  Phone phone;
  v1::Welcome welcome = phone.welcome_of({"town:440811001000", kOtherScope});
  welcome.mutable_grants(0)->set_audiences(1U << 1 | 1U << 2);
  const bool acceptor = GENERATE(true, false);
  const Role role = acceptor ? Role::kTownAcceptor : Role::kMediator;
  welcome.mutable_grants(0)->set_roles(static_cast<std::uint32_t>(RoleSet{role}.bits()));
  welcome.mutable_grants(0)->set_roles_inside(welcome.grants(0).roles());
  phone.welcome(welcome);
  v1::Dispute dispute;
  dispute.set_grid(std::string(kGrid));
  Row quarrel = row_of(kinds::kDispute, RecordId::make(DeviceId(9), 3), 6, dispute);
  phone.cut(quarrel);
  v1::WhistleContact contact;
  contact.set_whistle(std::string(kForeignId.bytes()));
  Row caller = row_of(kinds::kWhistleContact, RecordId::make(DeviceId(9), 4), 7, contact);
  phone.cut(caller);
  welcome.mutable_grants()->RemoveLast();
  phone.welcome(welcome);
  CHECK(phone.has(kinds::kWhistleContact, caller.id) == acceptor);
  CHECK(phone.has(kinds::kDispute, quarrel.id) == !acceptor);
  welcome.mutable_grants(0)->set_roles(0);
  welcome.mutable_grants(0)->set_roles_inside(0);
  phone.welcome(welcome);
  CHECK_FALSE(phone.has(kinds::kWhistleContact, caller.id));
  CHECK_FALSE(phone.has(kinds::kDispute, quarrel.id));
}

TEST_CASE("another county's server is refused") {
  Phone phone;
  phone.enrol();
  v1::Welcome other = phone.welcome_of({});
  other.set_county("440812");
  CHECK(phone->welcome(other, phone.clock.now()).error().code == ErrorCode::kProtocol);
}

TEST_CASE("a file stays with the county it has worked for") {
  Phone phone;
  phone.enrol();
  const Enrolment moved{.county = "440812", .worker = kForeignId, .short_code = "b"};
  CHECK(phone->set_enrolment(moved));
  phone.enrol();
  phone.put(kVisit, visit());
  CHECK(phone->set_enrolment(moved).error().code == ErrorCode::kConflict);
  phone.acknowledge(Lane::kRecords, 1);
  CHECK(phone->set_enrolment(moved).error().code == ErrorCode::kConflict);
  phone.backed_up(1);
  CHECK(phone->set_enrolment(moved).error().code == ErrorCode::kConflict);

  Phone reader;
  reader.enrol();
  reader.welcome(reader.welcome_of({kGridScope}));
  CHECK(reader->set_enrolment(moved).error().code == ErrorCode::kConflict);
}

TEST_CASE("a phone stays with its worker until the server's backup has what she recorded") {
  Phone phone;
  phone.welcome(phone.welcome_of({kGridScope}));
  phone.enrol();
  phone.put(kVisit, visit());
  Enrolment other = *phone->sync_state()->enrolment;
  other.worker = kForeignId;
  CHECK(*phone->not_safe_yet() == 1);
  phone.acknowledge(Lane::kRecords, 10);
  CHECK(*phone->not_safe_yet() == 1);
  CHECK(phone->set_enrolment(other).error().code == ErrorCode::kConflict);
  phone.backed_up(10);
  CHECK(*phone->not_safe_yet() == 0);
  CHECK(phone->set_enrolment(other));
}

TEST_CASE(
    "what the newest backup has may be left to another worker, and is kept for the older ones "
    "until then") {
  Phone phone;
  phone.welcome(phone.welcome_of({kGridScope}));
  phone.enrol();
  phone.put(kVisit, visit());
  phone.acknowledge(Lane::kRecords, 10);
  v1::Welcome welcome = phone.welcome_of({kGridScope});
  welcome.set_backed_up(4);
  welcome.set_newest_backup(10);
  SECTION("as a call is told at its beginning") { phone.welcome(welcome); }
  SECTION("as one is told that knows the rest") {
    welcome.set_as_before(true);
    phone.welcome(welcome);
  }
  SECTION("as an open one is told") {
    v1::Acks acks;
    acks.set_backed_up(4);
    acks.set_newest_backup(10);
    REQUIRE(phone->acknowledge(acks));
  }
  phone.open();
  CHECK(*phone->not_safe_yet() == 0);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->size() == 1);
  CHECK(phone->status()->not_backed_up[index_of(Lane::kRecords)] == 1);
  Enrolment other = *phone->sync_state()->enrolment;
  other.worker = kForeignId;
  REQUIRE(phone->set_enrolment(other));
  // A restored server must not get it in the other's name.
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->empty());
  CHECK(phone->sync_state()->lanes[index_of(Lane::kRecords)].first == LaneSeq(2));
}

TEST_CASE("a phone is handed to another worker with nothing unsent, and without what is private") {
  Phone phone;
  phone.enrol();
  REQUIRE(phone->save_draft("走访", kVisit, "half"));
  phone.put(kVisit, visit());
  Enrolment other = *phone->sync_state()->enrolment;
  REQUIRE(phone->set_enrolment(other));
  other.worker = kForeignId;
  CHECK(phone->set_enrolment(other).error().code == ErrorCode::kConflict);
  phone.acknowledge(Lane::kRecords, 1, OutcomeStatus::kRejected);
  CHECK(phone->refused()->size() == 1);
  CHECK(phone->drafts()->size() == 1);
  REQUIRE(phone->set_enrolment(other));
  CHECK(phone->refused()->empty());
  CHECK(phone->drafts()->empty());
}

TEST_CASE("two lists of a server's starts tell up to where the log is shared") {
  using Epochs = std::vector<EpochSeen>;
  const EpochSeen first{1, Seq(0)};
  const EpochSeen second{2, Seq(100)};
  const EpochSeen third{3, Seq(200)};
  const EpochSeen restored{9, Seq(150)};
  CHECK_FALSE(parting({}, Epochs{first}));
  CHECK_FALSE(parting(Epochs{second, first}, Epochs{second, first}));
  CHECK(parting(Epochs{second, first}, Epochs{third, second, first}) == Seq(200));
  CHECK(parting(Epochs{third, second, first}, Epochs{restored, second, first}) == Seq(150));
  CHECK(parting(Epochs{third, second, first}, Epochs{second, first}) == Seq(200));
  CHECK(parting(Epochs{first}, Epochs{restored}) == Seq(0));
  CHECK(share_a_start(Epochs{second, first}, Epochs{third, first}));
  CHECK_FALSE(share_a_start(Epochs{first}, Epochs{restored}));
}

TEST_CASE("a server that was restarted is no restored one") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  phone.cut(row_of(kVisit, kForeignId, 5, visit()));
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(5)}, {1, Seq(0)}}));
  CHECK(phone->sync_state()->cursor == Seq(5));
  CHECK(phone.has(kVisit, kForeignId));
}

TEST_CASE(
    "a restored server gets again what its backup lacks, and the phone loses nothing of its own") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const RecordId kept = phone.put(kVisit, visit("备份里"));
  phone.acknowledge(Lane::kRecords, 3);
  phone.backed_up(3);
  const RecordId lost = phone.put(kVisit, visit("备份后"));
  const RecordId also = phone.put(kVisit, visit("也在备份后"));
  phone.cut(row_of(kVisit, kForeignId, 6, visit("别人")));
  v1::Visit edit;
  edit.set_notes("我改的");
  phone.put(kVisit, edit, kForeignId);
  phone.acknowledge(Lane::kRecords, 7);
  const RecordId unsent = phone.put(kVisit, visit("未发"));
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(5)}, {1, Seq(0)}}));
  const SyncState state = phone->sync_state().value();
  // Read anew from the beginning, and rows up to the parting may be here.
  CHECK(state.cursor == Seq(5));
  CHECK(state.complete == Seq(0));
  CHECK(state.exceptions == std::vector<ScopeProgress>{{kGridScope, Seq(0)}});
  CHECK(state.own_since == DevSeq(5));
  CHECK(state.lanes[1].noted == LaneSeq(1));
  CHECK(state.lanes[1].last == LaneSeq(5));
  CHECK(state.unsent == 4);
  CHECK(phone.get<v1::Visit>(kVisit, kept).notes() == "备份里");
  CHECK(phone.get<v1::Visit>(kVisit, lost).notes() == "备份后");
  CHECK(phone.get<v1::Visit>(kVisit, also).notes() == "也在备份后");
  CHECK(phone.get<v1::Visit>(kVisit, unsent).notes() == "未发");
  CHECK(phone.get<v1::Visit>(kVisit, kForeignId).notes() == "我改的");
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(1), 1 << 20).value();
  REQUIRE(operations.size() == 4);
  CHECK(
      std::ranges::all_of(operations, [](const Operation& one) { return one.base_seq <= Seq(5); }));
  phone.acknowledge(Lane::kRecords, 6);
  CHECK(phone->sync_state()->unsent == 0);
  CHECK(phone.get<v1::Visit>(kVisit, lost).notes() == "备份后");
}

TEST_CASE(
    "an edit upon the lost log claims to have seen nothing of what the log that is left says") {
  Phone phone;
  const auto again = [&phone] {
    phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(5)}, {1, Seq(0)}}));
    return phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->back().base_seq;
  };
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  v1::Household there = household();
  there.add_service_needs("送药");
  phone.cut(row_of(kHousehold, kForeignId, 3, there));
  v1::Household edit;
  edit.set_notes("养狗");
  SECTION("but what it saw before the logs parted it has seen") {
    phone.put(kHousehold, edit, kForeignId);
    CHECK(again() == Seq(3));
  }
  SECTION("an edit of values") {
    phone.cut(row_of(kHousehold, kForeignId, 8, there));
    phone.put(kHousehold, edit, kForeignId);
    CHECK(again() == Seq(0));
  }
  SECTION("a removal removes what was there when the logs parted") {
    phone.cut(row_of(kHousehold, kForeignId, 8, there));
    v1::Household remove;
    remove.add_service_needs("送药");
    REQUIRE(phone->put({.kind = kHousehold,
                        .id = kForeignId,
                        .set = edit.SerializeAsString(),
                        .clear = {},
                        .remove = remove.SerializeAsString()}));
    CHECK(again() == Seq(5));
  }
  SECTION("what is emptied loses what was there when the logs parted") {
    phone.cut(row_of(kHousehold, kForeignId, 8, there));
    REQUIRE(phone->put({.kind = kHousehold,
                        .id = kForeignId,
                        .set = edit.SerializeAsString(),
                        .clear = {v1::Household::kServiceNeedsFieldNumber},
                        .remove = {}}));
    CHECK(again() == Seq(5));
  }
  SECTION("an erasure erases it") {
    phone.cut(row_of(kHousehold, kForeignId, 8, there));
    REQUIRE(phone->erase(kHousehold, kForeignId));
    CHECK(again() == Seq(5));
  }
}

TEST_CASE("an edit says which own writes a restored server had not told of again") {
  Phone phone;
  const auto newest = [&phone] {
    return phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->back();
  };
  v1::Household edit;
  edit.set_notes("养狗");
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const RecordId id = phone.put(kHousehold, household());
  phone.acknowledge(Lane::kRecords, 3);
  phone.put(kHousehold, edit, id);
  phone.acknowledge(Lane::kRecords, 4);
  phone.backed_up(4);
  edit.set_notes("养两只狗");
  phone.put(kHousehold, edit, id);
  phone.acknowledge(Lane::kRecords, 5);
  CHECK(newest().own_since == DevSeq(0));
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(4)}, {1, Seq(0)}}));
  CHECK(newest().own_since == DevSeq(0));
  if (GENERATE(false, true)) phone.open();

  // The third write waits again and is in sight; the two before it are not.
  v1::Household blind;
  blind.set_address("门牌已换");
  const bool acknowledged = GENERATE(false, true);
  if (acknowledged) phone.acknowledge(Lane::kRecords, 5);
  phone.put(kHousehold, blind, id);
  CHECK(newest().own_since == DevSeq(2));
  SECTION("what the feed brings is in sight") {
    phone.cut(row_of(kHousehold, id, 6, household("4号")));
    blind.set_address("5号");
    phone.put(kHousehold, blind, id);
    CHECK(newest().own_since == DevSeq(0));
  }
  SECTION("a creation that waits hides nothing") {
    const RecordId fresh = phone.put(kHousehold, household());
    phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{3, Seq(2)}, {1, Seq(0)}}));
    phone.put(kHousehold, blind, fresh);
    CHECK(newest().own_since == DevSeq(0));
  }
}

TEST_CASE(
    "what was written without a write that the lost log had refused says so to the one left") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const RecordId id = phone.put(kHousehold, household());
  phone.acknowledge(Lane::kRecords, 3);
  phone.backed_up(3);
  v1::Household edit;
  edit.set_notes("养狗");
  phone.put(kHousehold, edit, id);
  phone.acknowledge(Lane::kRecords, 4, OutcomeStatus::kSealed);
  edit.set_notes("养猫");
  phone.put(kHousehold, edit, id);
  if (GENERATE(false, true)) phone.acknowledge(Lane::kRecords, 5);
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(3)}, {1, Seq(0)}}));
  const auto again = phone->operations(Lane::kRecords, LaneSeq(1), 1 << 20).value();
  REQUIRE(again.size() == 2);
  CHECK(again[0].own_since == DevSeq(0));
  CHECK(again[1].own_since == again[0].dev_seq);
}

TEST_CASE("what a restored server gets again does not come back into sight when its grid is lost") {
  Phone phone;
  phone.enrol();
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const RecordId id = phone.put(kVisit, visit());
  phone.acknowledge(Lane::kRecords, 7);
  const std::string other = "grid:" + std::string(kOtherGrid);
  phone.welcome(with_epochs(phone.welcome_of({other}), {{1, Seq(0)}}));
  REQUIRE_FALSE(phone.has(kVisit, id));
  phone.welcome(with_epochs(phone.welcome_of({other}), {{2, Seq(5)}, {1, Seq(0)}}));
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20)->size() == 1);
  CHECK_FALSE(phone.has(kVisit, id));
  phone.acknowledge(Lane::kRecords, 6);
  CHECK_FALSE(phone.has(kVisit, id));
}

TEST_CASE("what follows a whistle that went with its grid stays out of sight after a restore") {
  Phone phone;
  phone.enrol();
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  phone.cut(row_of(kinds::kWhistle, kForeignId, 6, whistle()));
  v1::WhistleAction comment;
  comment.set_whistle(std::string(kForeignId.bytes()));
  comment.set_type(v1::WHISTLE_ACTION_TYPE_COMMENT);
  const RecordId action = phone.put(kinds::kWhistleAction, comment);
  phone.acknowledge(Lane::kWhistles, 7);
  // While the grid is held the own action stays in sight, its whistle comes again with the feed.
  const bool held = GENERATE(true, false);
  const std::string scope = held ? kGridScope : "grid:" + std::string(kOtherGrid);
  if (!held) phone.welcome(with_epochs(phone.welcome_of({scope}), {{1, Seq(0)}}));
  REQUIRE(phone.has(kinds::kWhistleAction, action) == held);
  phone.welcome(with_epochs(phone.welcome_of({scope}), {{2, Seq(5)}, {1, Seq(0)}}));
  CHECK(phone->operations(Lane::kWhistles, LaneSeq(0), 1 << 20)->size() == 1);
  CHECK(phone.has(kinds::kWhistleAction, action) == held);
  phone.acknowledge(Lane::kWhistles, 6);
  CHECK(phone.has(kinds::kWhistleAction, action) == held);
  // The whistle has not come again, and yet the action goes with the grid.
  const std::string gone = "grid:440811001003001";
  phone.welcome(with_epochs(phone.welcome_of({gone}), {{2, Seq(5)}, {1, Seq(0)}}));
  CHECK_FALSE(phone.has(kinds::kWhistleAction, action));
}

TEST_CASE("a file that shares no start with its server goes back to what that has of each lane") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{8, Seq(4)}, {7, Seq(2)}}));
  for (int i = 0; i < 4; ++i) phone.put(kVisit, visit());
  phone.acknowledge(Lane::kRecords, 5, OutcomeStatus::kAccepted, 2);
  phone.acknowledge(Lane::kRecords, 9, OutcomeStatus::kAccepted, 1);
  phone.cut(row_of(kVisit, kForeignId, 10, visit()));
  v1::Welcome stranger = with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(6)}, {1, Seq(0)}});
  // Not to know is no reason to offer everything again.
  CHECK(phone->welcome(stranger, phone.clock.now()).error().code == ErrorCode::kProtocol);
  CHECK(phone->sync_state()->lanes[1].noted == LaneSeq(3));
  CHECK(phone->sync_state()->epochs.front().id == 8);
  CHECK(phone.has(kVisit, kForeignId));

  for (const Lane lane : kLanes) {
    v1::LaneState& has = *stranger.add_lanes();
    has.set_lane(static_cast<std::uint32_t>(lane));
    has.set_last(lane == Lane::kRecords ? 2 : 0);
  }
  phone.welcome(stranger);
  const SyncState state = phone->sync_state().value();
  CHECK(state.cursor == Seq(0));
  CHECK(state.epochs.front().id == 2);
  CHECK(state.lanes[1].noted == LaneSeq(2));
  CHECK(state.unsent == 2);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(2), 1 << 20)->size() == 2);
  CHECK_FALSE(phone.has(kVisit, kForeignId));
  // What the server has comes again with the feed, own work too.
  CHECK(state.own_since == DevSeq(4));
  CHECK(phone->count(kVisit, {}).value() == 2);
}

TEST_CASE(
    "a record made and erased before anybody heard of it does not stand in the way of grants") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  const RecordId id = phone.put(kVisit, visit());
  REQUIRE(phone->erase(kVisit, id));
  phone.welcome(phone.welcome_of({kGridScope}));
  CHECK(phone->sync_state()->unsent == 2);
  phone.acknowledge(Lane::kRecords, 4);
  CHECK_FALSE(phone.has(kVisit, id));
}

TEST_CASE("a scope that was lost and is granted again brings back what was written here, too") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({kGridScope, kOtherScope}));
  const RecordId own = phone.put(kHousehold, household());
  phone.acknowledge(Lane::kRecords, 3);
  phone.backed_up(3);
  REQUIRE(phone->caught_up(Seq(3)));
  CHECK(phone->sync_state()->own_since == DevSeq(0));
  phone.welcome(phone.welcome_of({kOtherScope}));
  REQUIRE_FALSE(phone.has(kHousehold, own));
  CHECK(phone->sync_state()->own_since == DevSeq(1));
  phone.open();
  CHECK(phone->sync_state()->own_since == DevSeq(1));
}

TEST_CASE("a receipt keeps a lost value only when its record's kind is known to be none of care") {
  Phone phone;
  using kinds::kOutcome;
  using kinds::kResidentCare;
  v1::Outcome outcome;
  outcome.set_worker("worker:1");
  outcome.set_lost_set("\x12\x01x");
  const auto lost = [&](std::uint64_t seq, RowChange change = RowChange::kWhole) {
    phone.cut(row_of(kOutcome, kForeignId, seq, outcome, change));
    return phone.get<v1::Outcome>(kOutcome, kForeignId, "own").lost_set();
  };
  outcome.set_record_kind(kVisit.value);
  CHECK(lost(5) == "\x12\x01x");
  outcome.set_record_kind(999);
  CHECK(lost(6).empty());
  outcome.clear_record_kind();
  CHECK(lost(7).empty());
  outcome.set_record_kind(kResidentCare.value);
  CHECK(lost(8).empty());
  outcome.clear_record_kind();
  CHECK(lost(9, RowChange::kFields).empty());
}

TEST_CASE("a file says from where on it still has every operation, and rewinds no further") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const auto first = [&] { return phone->sync_state()->lanes[1].first; };
  CHECK(first() == LaneSeq(1));
  for (int i = 0; i < 5; ++i) phone.put(kVisit, visit());
  phone.acknowledge(Lane::kRecords, 1, OutcomeStatus::kAccepted, 1);
  phone.acknowledge(Lane::kRecords, 2, OutcomeStatus::kRejected, 1);
  phone.acknowledge(Lane::kRecords, 3, OutcomeStatus::kAccepted, 2);
  CHECK(first() == LaneSeq(1));
  phone.backed_up(1);
  CHECK(first() == LaneSeq(2));
  phone.backed_up(4);
  CHECK(first() == LaneSeq(5));
  phone.open();
  CHECK(first() == LaneSeq(5));
  // The server lost what a later backup of it held, and this file has forgotten.
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(1)}, {1, Seq(0)}}));
  CHECK(first() == LaneSeq(5));
  CHECK(phone->sync_state()->lanes[1].noted == LaneSeq(4));
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(4), 1 << 20).value();
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].lane_seq == LaneSeq(5));
  // What was refused below that stays refused, where its author finds it.
  CHECK(phone->refused()->size() == 1);
  phone.acknowledge(Lane::kRecords, 5);
  phone.backed_up(5);
  CHECK(first() == LaneSeq(6));
  CHECK(phone->sync_state()->lanes[0].first == LaneSeq(1));
}

TEST_CASE("a notice of the lost log stays where what it tells is not decided anew") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const RecordId id = phone.put(kVisit, visit("一"));
  phone.acknowledge(Lane::kRecords, 3);
  v1::Visit edit;
  edit.set_notes("二");
  phone.put(kVisit, edit, id);
  phone.acknowledge(Lane::kRecords, 7, OutcomeStatus::kBeaten);
  phone.cut(row_of(kVisit, id, 8, visit("别人")));
  v1::Outcome notice;
  notice.set_device(phone->device().value);
  // The creation is in what remains of the log; the edit is offered again.
  const std::int64_t loser = GENERATE(1, 2);
  notice.set_dev_seq(loser);
  notice.set_record_kind(kVisit.value);
  notice.set_record(std::string(id.bytes()));
  notice.set_status(v1::OUTCOME_STATUS_BEATEN);
  notice.set_lost_set(edit.SerializeAsString());
  notice.add_lost_fields(v1::Visit::kNotesFieldNumber);
  Row told = row_of(kinds::kOutcome, kForeignId, 9, notice);
  told.set = *canonical(*built_schema().kind(kinds::kOutcome), told.set);
  phone.cut(std::move(told));
  const bool writes_over = GENERATE(true, false);
  edit.set_notes("三");
  if (writes_over) phone.put(kVisit, edit, id);
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(5)}, {1, Seq(0)}}));
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == (writes_over ? "三" : "二"));
  CHECK(phone.has(kinds::kOutcome, kForeignId) == (writes_over || loser == 1));
}

TEST_CASE("what a worker has put aside does not come back with a restored server") {
  Phone phone;
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{1, Seq(0)}}));
  const RecordId aside = phone.put(kVisit, visit("退回的"));
  const RecordId kept = phone.put(kVisit, visit("留下的"));
  phone.acknowledge(Lane::kRecords, 7, OutcomeStatus::kRejected, 1);
  phone.acknowledge(Lane::kRecords, 8);
  REQUIRE(phone->dismiss_refused(Lane::kRecords, LaneSeq(1)));
  phone.welcome(with_epochs(phone.welcome_of({kGridScope}), {{2, Seq(5)}, {1, Seq(0)}}));
  CHECK_FALSE(phone.has(kVisit, aside));
  CHECK(phone.has(kVisit, kept));
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 20).value();
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].set.empty());
  CHECK(operations[1].set == visit("留下的").SerializeAsString());
  phone.acknowledge(Lane::kRecords, 6, OutcomeStatus::kRejected, 1);
  CHECK(phone->refused()->empty());
  phone.acknowledge(Lane::kRecords, 7);
  CHECK_FALSE(phone.has(kVisit, aside));
  phone.backed_up(7);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1)->empty());
}

}  // namespace
}  // namespace gridwhistle::store
