#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "store/store.h"
#include "support/temp_folder.h"

namespace gridwhistle::store {

inline constexpr std::string_view kGrid = "440811001001001";
inline constexpr std::string_view kOtherGrid = "440811001002001";

class FakeClock : public Clock {
 public:
  ClockReading now() override { return reading; }
  void pass(std::int64_t ms) {
    reading.wall_ms += ms;
    reading.boot_ms += static_cast<std::uint64_t>(ms);
  }
  ClockReading reading{1'767'000'000'000, 5'000, 1};
};

class FakeRandom : public Random {
 public:
  std::uint64_t next() override { return state = state * 6364136223846793005ULL + 1; }
  std::uint64_t state = 42;
};

/// Runs what was posted when told to.
class QueuedExecutor : public Executor {
 public:
  void post(std::function<void()> task) override { tasks.push_back(std::move(task)); }
  std::uint64_t post_after(std::chrono::milliseconds, std::function<void()> task) override {
    post(std::move(task));
    return 0;
  }
  void cancel(std::uint64_t) override {}
  void run() {
    while (!tasks.empty()) {
      auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
  std::deque<std::function<void()>> tasks;
};

inline v1::Visit visit_noting(const std::string& notes) {
  v1::Visit visit;
  visit.set_grid(std::string(kGrid));
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_started_ms(1'767'000'000'000);
  visit.set_notes(notes);
  return visit;
}

/// A Welcome of a server that has had these starts, newest first.
inline v1::Welcome with_epochs(v1::Welcome welcome, const std::vector<EpochSeen>& epochs) {
  for (const EpochSeen& epoch : epochs) {
    v1::Epoch& entry = *welcome.add_epochs();
    entry.set_id(epoch.id);
    entry.set_start_seq(epoch.start.value);
  }
  return welcome;
}

/// A store in a folder of its own, and what a test wants to do with it in few words.
struct Phone {
  explicit Phone(const Schema& schema_given = built_schema(), std::string vfs_given = {})
      : schema(&schema_given), vfs(std::move(vfs_given)) {
    open();
  }

  StoreOptions options() {
    return {.path = vfs.empty() ? folder.file("phone.gw") : "phone.gw",
            .schema = schema,
            .clock = &clock,
            .random = &random,
            .executor = &executor,
            .vfs = vfs};
  }
  void open() {
    store.reset();
    auto opened = Store::open(options());
    if (!opened) FAIL(opened.error().message);
    store = std::move(*opened);
  }
  Store* operator->() { return store.get(); }

  RecordId put(KindId kind, const google::protobuf::MessageLite& message, const RecordId& id = {}) {
    auto put = store->put({.kind = kind, .id = id, .set = message.SerializeAsString()});
    if (!put) FAIL(put.error().message);
    return *put;
  }
  ErrorCode refused(Change change) {
    const auto put = store->put(std::move(change));
    REQUIRE_FALSE(put);
    return put.error().code;
  }
  template <typename T>
  T get(KindId kind, const RecordId& id, const std::string& purpose = {}) {
    auto found = store->get(kind, id, {purpose});
    if (!found) FAIL(found.error().message);
    T record;
    REQUIRE(record.ParseFromString(found->record));
    return record;
  }
  bool has(KindId kind, const RecordId& id) { return store->get(kind, id).has_value(); }

  /// Everything of a lane without acknowledgement.
  std::vector<Operation> unsent(Lane lane) {
    const SyncState state = store->sync_state().value();
    auto operations =
        store->operations(lane, state.lanes[index_of(lane)].noted, std::size_t{1} << 24);
    REQUIRE(operations);
    return *operations;
  }

  /// Acknowledges everything of a lane that is unsent, from that seq on.
  void acknowledge(Lane lane, std::uint64_t first_seq,
                   OutcomeStatus status = OutcomeStatus::kAccepted, std::uint32_t count = 0) {
    const SyncState state = store->sync_state().value();
    const LaneProgress& progress = state.lanes[index_of(lane)];
    v1::Acks acks;
    v1::AckRun& run = *acks.add_runs();
    run.set_lane(static_cast<std::uint32_t>(lane));
    run.set_first(progress.noted.value + 1);
    run.set_count(count != 0
                      ? count
                      : static_cast<std::uint32_t>(progress.last.value - progress.noted.value));
    run.set_first_seq(first_seq);
    run.set_status(static_cast<std::uint32_t>(status));
    const auto done = store->acknowledge(acks);
    if (!done) FAIL(done.error().message);
  }
  void backed_up(std::uint64_t seq) {
    v1::Acks acks;
    acks.set_backed_up(seq);
    REQUIRE(store->acknowledge(acks));
  }
  void cut(Row row) {
    const Seq upto = row.last_seq;
    const auto done = store->apply_cut({.scope = {}, .upto = upto, .rows = {std::move(row)}});
    if (!done) FAIL(done.error().message);
  }
  v1::Welcome welcome_of(const std::vector<std::string>& scopes) const {
    v1::Welcome welcome;
    welcome.set_county("440811");
    welcome.set_server_ms(1'767'000'000'000);
    for (const std::string& scope : scopes) {
      v1::Grant& grant = *welcome.add_grants();
      grant.set_scope(scope);
      grant.set_subtree(true);
      grant.set_audiences(0x1E);
    }
    welcome.set_grants_version(scopes.size());
    return welcome;
  }
  void welcome(const v1::Welcome& message) {
    const auto done = store->welcome(message, clock.now());
    if (!done) FAIL(done.error().message);
  }
  void enrol() {
    REQUIRE(store->set_enrolment({.county = "440811",
                                  .worker = RecordId::make(DeviceId(1), 1),
                                  .short_code = "a7k",
                                  .server_key_sha256 = std::string(32, 'k'),
                                  .server_address = "localhost:7443"}));
  }

  test::TempFolder folder;
  FakeClock clock;
  FakeRandom random;
  QueuedExecutor executor;
  const Schema* schema;
  std::string vfs;
  std::unique_ptr<Store> store;
};

inline v1::Visit visit(std::string_view notes = "今日上门走访", std::string_view grid = kGrid) {
  v1::Visit message;
  message.set_grid(std::string(grid));
  message.set_kind(v1::VISIT_KIND_PATROL);
  message.set_started_ms(1'767'000'000'000);
  message.set_notes(std::string(notes));
  return message;
}

inline v1::Whistle whistle(std::string_view title = "井盖松动") {
  v1::Whistle message;
  message.set_grid(std::string(kGrid));
  message.set_title(std::string(title));
  return message;
}

inline v1::Household household(std::string_view address = "麻章镇赤岭村3号") {
  v1::Household message;
  message.set_grid(std::string(kGrid));
  message.set_address(std::string(address));
  message.set_contact_name("王小明");
  message.set_contact_phone("13812345678");
  return message;
}

/// A row of the feed about a record, as somebody else's change left it.
inline Row row_of(KindId kind, const RecordId& id, std::uint64_t seq,
                  const google::protobuf::MessageLite& message,
                  RowChange change = RowChange::kWhole) {
  return {.kind = kind,
          .id = id,
          .last_seq = Seq(seq),
          .hlc = Hlc(seq),
          .change = change,
          .scopes = {"grid:" + std::string(kGrid)},
          .set = message.SerializeAsString(),
          .clear = {}};
}

inline const RecordId kForeignId = RecordId::make(DeviceId(999), 1);

}  // namespace gridwhistle::store
