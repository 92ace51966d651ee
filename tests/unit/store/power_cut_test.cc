#include <algorithm>
#include <map>
#include <vector>

#include "phone.h"
#include "support/failing_allocations.h"
#include "support/power_cut_vfs.h"

namespace gridwhistle::store {
namespace {

using kinds::kVisit;
using test::PowerCutDisk;

// Before SQLite is used at all.
test::FailingAllocations& allocations = test::FailingAllocations::of_process();

// What the worker was told is recorded, while the power lasts.
struct Script {
  std::map<RecordId, std::string> promised;
  std::optional<std::pair<RecordId, std::string>> under_way;

  bool step(Store& store, int number) {
    const std::string notes = "第" + std::to_string(number) + "次走访" + std::string(300, 'x');
    // Every third step edits an earlier record.
    const bool edits = number % 3 == 2 && !promised.empty();
    const auto id = edits ? Result<RecordId>(promised.begin()->first) : store.new_id();
    if (!id) return false;
    under_way = {*id, notes};
    v1::Visit message = visit(notes);
    if (!store.put({.kind = kVisit, .id = *id, .set = message.SerializeAsString()})) return false;
    promised[*id] = notes;
    under_way.reset();
    return true;
  }
};

void check(Phone& phone, const Script& script) {
  for (const auto& [id, notes] : script.promised) {
    const std::string now = phone.get<v1::Visit>(kVisit, id).notes();
    const bool as_promised = now == notes;
    const bool as_under_way =
        script.under_way && script.under_way->first == id && script.under_way->second == now;
    CHECK((as_promised || as_under_way));
  }
  // Records and outbox agree: whatever is visible is on its way, without a gap.
  const auto operations = phone->operations(Lane::kRecords, LaneSeq(0), 1 << 30).value();
  std::map<RecordId, int> written;
  for (std::size_t index = 0; index < operations.size(); ++index) {
    CHECK(operations[index].lane_seq == LaneSeq(index + 1));
    CHECK(operations[index].dev_seq == DevSeq(index + 1));
    ++written[operations[index].id];
  }
  CHECK(phone->count(kVisit, {}).value() == written.size());
}

TEST_CASE("a power cut at any write of a day's work loses nothing the worker was promised") {
  for (std::uint64_t operation = 0; operation < 120; ++operation) {
    CAPTURE(operation);
    PowerCutDisk disk("store_power_cut");
    Phone phone(built_schema(), disk.name());
    disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    Script script;
    for (int number = 0; number < 60 && script.step(*phone.store, number); ++number) {
    }
    phone.store.reset();
    disk.restore_power(operation * 17 + 3);
    phone.open();
    check(phone, script);
    // And the next day begins.
    phone.put(kVisit, visit());
    phone.store.reset();
  }
}

TEST_CASE(
    "what is promised after a disk failed once is there after a power cut, and after a kill") {
  const auto end = GENERATE(PowerCutDisk::Fault::kPower, PowerCutDisk::Fault::kKill);
  for (std::uint64_t operation = 0; operation < 120; ++operation) {
    CAPTURE(operation);
    PowerCutDisk disk("store_failed_once");
    Phone phone(built_schema(), disk.name());
    disk.fail_after(operation, PowerCutDisk::Fault::kIoErrorOnce);
    Script script;
    for (int number = 0; number < 60; ++number) {
      script.step(*phone.store, number);
      script.under_way.reset();
    }
    disk.fail_after(0, end);
    phone.store.reset();
    if (end == PowerCutDisk::Fault::kPower) disk.restore_power(operation * 17 + 3);
    if (end == PowerCutDisk::Fault::kKill) disk.restart();
    phone.open();
    check(phone, script);
    phone.store.reset();
  }
}

TEST_CASE("a power cut while the file is made leaves one that opens") {
  for (std::uint64_t operation = 0; operation < 60; ++operation) {
    CAPTURE(operation);
    PowerCutDisk disk("store_birth");
    FakeClock clock;
    FakeRandom random;
    const StoreOptions options{.path = "phone.gw",
                               .schema = &built_schema(),
                               .clock = &clock,
                               .random = &random,
                               .vfs = disk.name()};
    disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    (void)Store::open(options);
    disk.restore_power(operation);
    const auto opened = Store::open(options);
    CHECK(opened);
  }
}

// What a server gives again may be lost again, until this phone says that it has it.
TEST_CASE("a cut of the power in the middle of syncing keeps each row and acknowledgement whole") {
  int given_again = 0;
  for (std::uint64_t operation = 0; operation < 80; operation += 3) {
    CAPTURE(operation);
    PowerCutDisk disk("store_sync_cut");
    Phone phone(built_schema(), disk.name());
    const RecordId own = phone.put(kVisit, visit("一"));
    disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    v1::Acks acks;
    v1::AckRun& run = *acks.add_runs();
    run.set_lane(2);
    run.set_first(1);
    run.set_count(1);
    run.set_first_seq(1);
    run.set_status(1);
    bool acknowledged = false;
    bool noted = phone->acknowledge(acks).has_value();
    std::uint64_t seq = 1;
    std::uint64_t durable = 1;
    while (seq < 30) {
      const RecordId id = RecordId::make(DeviceId(9), seq + 1);
      if (!phone->apply_cut({.scope = {},
                             .upto = Seq(seq + 1),
                             .rows = {row_of(kVisit, id, seq + 1, visit())}})) {
        break;
      }
      ++seq;
      if (seq % 4 != 0 || !phone->make_durable()) continue;
      acknowledged = noted;
      durable = seq;
    }
    phone.store.reset();
    disk.restore_power(operation);
    phone.open();
    const SyncState state = phone->sync_state().value();
    if (acknowledged) CHECK(state.unsent == 0);
    CHECK(phone.get<v1::Visit>(kVisit, own).notes() == "一");
    // Rows and cursor are of one moment.
    const std::uint64_t rows = phone->count(kVisit, {}).value() - 1;
    CHECK(rows == (state.cursor.value == 0 ? 0 : state.cursor.value - 1));
    if (durable > 1) CHECK(state.cursor >= Seq(durable));
    if (state.cursor < Seq(seq)) ++given_again;
    phone.store.reset();
  }
  CHECK(given_again > 0);
}

// A file that took these for rows of no scope removed them all with the next grant that it lost.
TEST_CASE("rows stay that a grant covers, whatever memory lacked when a cut could not be written") {
  for (std::uint64_t allocation = 0; allocation < 60; ++allocation) {
    CAPTURE(allocation);
    PowerCutDisk disk("store_no_memory");
    Phone phone(built_schema(), disk.name());
    phone.enrol();
    const auto area = [](const std::string& code) { return "village:" + code; };
    phone.welcome(phone.welcome_of({area("440811001001"), area("440811001002")}));
    Row kept = row_of(kVisit, RecordId::make(DeviceId(9), 1), 1, visit());
    kept.scopes = {"grid:" + std::string(kGrid)};
    phone.cut(kept);
    Row next = row_of(kVisit, RecordId::make(DeviceId(9), 2), 2, visit("二", kOtherGrid));
    next.scopes = {"grid:" + std::string(kOtherGrid)};
    disk.fail_after(0, PowerCutDisk::Fault::kIoError);
    allocations.fail_after(allocation);
    CHECK_FALSE(phone->apply_cut({.scope = {}, .upto = Seq(2), .rows = {next}}));
    allocations.heal();
    disk.heal();
    phone.welcome(phone.welcome_of({area("440811001001")}));
    CHECK(phone.has(kVisit, kept.id));
    phone.store.reset();
  }
}

TEST_CASE("a power cut at any write while a newer build takes a file over loses nothing") {
  std::vector<KindSchema> kinds(built_schema().kinds.begin(), built_schema().kinds.end());
  const auto visits = std::ranges::find(kinds, kVisit, &KindSchema::id);
  visits->fields = visits->fields.first(5);
  const Schema older{0, kinds};
  bool struck = true;
  std::uint64_t operation = 0;
  for (; struck; ++operation) {
    CAPTURE(operation);
    PowerCutDisk disk("store_taken_over");
    Phone phone(older, disk.name());
    std::vector<RecordId> ids;
    for (int number = 0; number < 5; ++number) {
      v1::Visit walk = visit("旧");
      walk.set_ended_ms(1'767'000'009'000);
      ids.push_back(phone.put(kVisit, walk));
    }
    phone.store.reset();
    phone.schema = &built_schema();
    disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    (void)Store::open(phone.options());
    struck = disk.struck();
    disk.restore_power(operation * 13 + 5);
    phone.open();
    for (const RecordId& id : ids) CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "旧");
    const auto by_new_column =
        phone->query(kVisit, Query().is("ended_ms", std::int64_t{1'767'000'009'000}));
    REQUIRE(by_new_column);
    CHECK(by_new_column->size() == ids.size());
    CHECK(phone->sync_state().value().unsent == ids.size());
    phone.store.reset();
  }
  CHECK(operation > 10);
}

// The controls: a disk that forgets must show it where less was asked of it.
TEST_CASE("a store that did not ask for synchronous=FULL does lose what it promised") {
  const std::string synchronous = GENERATE("NORMAL", "OFF");
  int losses = 0;
  for (std::uint64_t operation = 10; operation < 60; ++operation) {
    PowerCutDisk disk("store_unsynced");
    disk.answer_pragma("synchronous", synchronous == "OFF" ? "0" : "1");
    Phone phone(built_schema(), disk.name());
    disk.fail_after(operation, PowerCutDisk::Fault::kPower);
    Script script;
    for (int number = 0; number < 60 && script.step(*phone.store, number); ++number) {
    }
    phone.store.reset();
    disk.restore_power(operation);
    const auto opened = Store::open(phone.options());
    const auto found = opened ? (*opened)->count(kVisit, {}) : Result<std::uint64_t>(0);
    if (!found || *found < script.promised.size()) ++losses;
  }
  CHECK(losses > 0);
}

}  // namespace
}  // namespace gridwhistle::store
