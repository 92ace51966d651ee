#pragma once

#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/p256.h"
#include "base/sha256.h"
#include "county/county.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "storage/open.h"
#include "storage/storage.h"
#include "wire/frames.h"

#ifndef REQUIRE  // the coverage fuzzer has a word of its own
#include <catch2/catch.hpp>
#endif

// A small county on a real file, and phones made of frames alone.
namespace gridwhistle::test {

struct FakeClock final : Clock {
  std::int64_t ms = 1'780'000'000'000;
  ClockReading now() override {
    return {ms, static_cast<std::uint64_t>(ms - 1'779'000'000'000), 77};
  }
};

struct FakeRandom final : Random {
  std::uint64_t state = 42;
  std::uint64_t next() override {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
};

/// What the county sent on one call.
struct Inbox final : Sink {
  std::vector<Down> frames;
  bool open = true;
  bool keeps_up = true;

  void send(std::string frame) override {
    auto down = decode_down(built_schema(), frame);
    REQUIRE(down);
    frames.push_back(std::move(*down));
  }
  bool writable() const override { return keeps_up; }
  void close(Result<void>) override { open = false; }

  template <typename Part>
  std::vector<Part> all() const {
    std::vector<Part> parts;
    for (const Down& frame : frames) {
      if (const auto* part = std::get_if<Part>(&frame)) parts.push_back(*part);
    }
    return parts;
  }
  std::vector<Row> rows() const {
    std::vector<Row> rows;
    for (const CutDown& cut : all<CutDown>()) {
      rows.insert(rows.end(), cut.rows.begin(), cut.rows.end());
    }
    return rows;
  }
  std::vector<Row> rows_of(KindId kind) const {
    std::vector<Row> some;
    for (const Row& row : rows()) {
      if (row.kind == kind) some.push_back(row);
    }
    return some;
  }
  std::vector<v1::AckRun> runs() const {
    std::vector<v1::AckRun> runs;
    for (const v1::Acks& acks : all<v1::Acks>()) {
      runs.insert(runs.end(), acks.runs().begin(), acks.runs().end());
    }
    return runs;
  }
  ErrorCode refused() const {
    const auto refusals = all<v1::Refusal>();
    return refusals.empty() ? ErrorCode{} : static_cast<ErrorCode>(refusals.front().code());
  }
};

inline const std::string kServerKey = sha256("the server's key");
inline const std::string kGrid1 = "440811001001001";
inline const std::string kGrid2 = "440811001001002";
inline const std::string kTown = "440811001000";

/// What became of each operation that a call has acknowledged, in order.
inline std::vector<OutcomeStatus> answers(const Inbox& inbox) {
  std::vector<OutcomeStatus> all;
  for (const v1::AckRun& run : inbox.runs()) {
    all.insert(all.end(), run.count(), static_cast<OutcomeStatus>(run.status()));
  }
  return all;
}

/// A phone that remembers what it recorded.
struct Phone {
  DeviceId device;
  P256Key key;
  std::string short_code;
  std::uint32_t protocol = 1;
  std::uint64_t calls = 0;
  std::uint64_t dev_seq = 0;
  std::uint64_t counter = 0;
  std::map<Lane, std::vector<Operation>> lanes;
  std::map<Lane, std::uint64_t> noted;
  std::map<Lane, std::uint64_t> first;  ///< lowest number it still has; 0: does not say
  std::vector<std::uint64_t> epochs;    ///< of the last Welcome, newest first
  std::uint64_t grants_version = 0;     ///< 0: knows no grants
  v1::Cursor cursor;
  std::uint64_t own_since = 0;
  std::int64_t wall_off_ms = 0;  ///< how far its wall clock is from the truth

  RecordId new_id() { return RecordId::make(device, ++counter); }

  Operation& record(KindId kind, RecordId id, std::string_view message, bool creates,
                    std::int64_t at_ms, Seq base = {}) {
    Operation op;
    op.kind = kind;
    op.id = id;
    op.creates = creates;
    op.lane = built_schema().kind(kind)->lane;
    auto& lane = lanes[op.lane];
    op.lane_seq = LaneSeq(lane.size() + 1);
    op.dev_seq = DevSeq(++dev_seq);
    op.base_seq = base;
    op.hlc = Hlc(static_cast<std::uint64_t>(at_ms) << 16);
    op.claimed = {at_ms + wall_off_ms, static_cast<std::uint64_t>(at_ms - 1'779'000'000'000), 77};
    op.set = *canonical(*built_schema().kind(kind), message);
    lane.push_back(op);
    return lane.back();
  }

  std::string hello(FakeClock& clock, bool live = false) {
    v1::Hello hello;
    hello.set_protocol(protocol);
    hello.set_schema(1);
    hello.set_device(device.value);
    hello.set_call_counter(++calls);
    const ClockReading now = clock.now();
    hello.set_wall_ms(now.wall_ms + wall_off_ms);
    hello.set_boot_ms(now.boot_ms);
    hello.set_boot_id(now.boot_id);
    *hello.mutable_cursor() = cursor;
    hello.set_own_since(own_since);
    hello.set_live(live);
    for (const Lane lane : kLanes) {
      if (lanes[lane].empty()) continue;
      v1::LaneState& state = *hello.add_lanes();
      state.set_lane(static_cast<std::uint32_t>(lane));
      state.set_noted(noted[lane]);
      state.set_last(lanes[lane].size());
      state.set_first(first[lane]);
    }
    for (const std::uint64_t epoch : epochs) hello.add_epochs(epoch);
    hello.set_grants_version(grants_version);
    hello.set_signature(*key.sign(hello_to_sign(hello, kServerKey)));
    return encode(hello);
  }

  std::vector<std::string> frames(Lane lane, std::size_t after) {
    std::vector<std::string> out;
    std::span<const Operation> rest(lanes[lane]);
    rest = rest.subspan(after);
    while (!rest.empty()) {
      std::size_t taken = 0;
      out.push_back(encode_operations(device, rest, taken));
      rest = rest.subspan(taken);
    }
    return out;
  }
};

/// Two grids of one village, their workers, a town's centre and a department, and a rule.
class World {
 public:
  /// `vfs`: where its files are; empty: the system's disk.
  explicit World(std::string vfs = {}) : vfs_(std::move(vfs)) {
    static int number = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("county-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    std::filesystem::create_directories(folder_);
    REQUIRE(create_sqlite_storage(file(), "440811", built_schema(), vfs_));
    open();
    found();
  }
  ~World() {
    county.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& name = "county.db") const { return folder_ / name; }

  void open(const Schema& schema = built_schema()) {
    const auto opened = try_open(schema);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
  }

  Result<void> try_open(const Schema& schema = built_schema(), bool serves = true) {
    county.reset();
    auto file_storage = open_sqlite_storage(file(), schema, vfs_);
    if (!file_storage) return std::unexpected(file_storage.error());
    storage = file_storage->get();
    auto opened = County::open(std::move(*file_storage), schema, clock, random,
                               {.server_key_sha256 = kServerKey,
                                .serves = serves,
                                .protocol_min = protocol_min,
                                .restorable_backups = restorable_backups,
                                .replicated = replicated,
                                .quotas = quotas});
    if (!opened) return std::unexpected(opened.error());
    county = std::move(*opened);
    return {};
  }

  /// The county goes on from a backup.
  void restore(const std::string& backup) {
    county.reset();
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file() + part);
    std::filesystem::copy_file(backup, file());
    open();
  }

  template <typename Message>
  RecordId import(const Message& message, RecordId id = {}) {
    if (id.is_nil()) id = county->mint_id();
    const auto done =
        county->import_records({{kind_of<Message>, id, message.SerializeAsString()}}, "test");
    REQUIRE(done);
    return id;
  }

  RecordId worker(const std::string& code, Role role, const std::string& scope,
                  RecordId organisation = {}) {
    v1::Worker message;
    message.set_code(code);
    if (!organisation.is_nil()) message.set_organisation(std::string(organisation.bytes()));
    v1::WorkerRole& held = *message.add_roles();
    held.set_role(static_cast<v1::Role>(role));
    if (!scope.empty()) held.set_scope(scope);
    return import(message);
  }

  v1::EnrolReply enrol(Phone& phone, const std::string& code, v1::EnrolRequest request = {}) {
    request.set_code(code);
    request.set_public_key(*phone.key.public_key());
    request.set_device(phone.device.value);
    request.set_signature(*phone.key.sign(enrol_to_sign(request, kServerKey)));
    v1::EnrolReply reply;
    REQUIRE(reply.ParseFromString(county->enrol(request.SerializeAsString())));
    return reply;
  }

  Phone phone(RecordId worker) {
    Phone phone{.device = DeviceId(random.next() >> 4 | 1), .key = *P256Key::make()};
    auto code = county->create_code(worker, "test");
    REQUIRE(code);
    const v1::EnrolReply reply = enrol(phone, code->code);
    REQUIRE(reply.code() == 0);
    phone.short_code = reply.short_code();
    return phone;
  }

  void pump() {
    while (county->pump().more) {
    }
  }

  /// A whole call. What comes back is noted when `keep` is set; else it was lost on the way.
  std::unique_ptr<Inbox> sync(Phone& phone, bool keep = true) {
    auto inbox = std::make_unique<Inbox>();
    const ConnectionId call(++calls_);
    county->on_open(call, *inbox);
    county->on_frame(call, phone.hello(clock));
    for (const Lane lane : kLanes) {
      for (std::string& frame : phone.frames(lane, phone.noted[lane])) {
        county->on_frame(call, std::move(frame));
      }
    }
    county->on_frame(call, encode(v1::UpEnd()));
    pump();
    county->on_closed(call);
    if (keep) note(phone, *inbox);
    return inbox;
  }

  /// A call that sends nothing. What comes back is not noted.
  std::unique_ptr<Inbox> ask(Phone& phone) {
    auto inbox = std::make_unique<Inbox>();
    const ConnectionId call(++calls_);
    county->on_open(call, *inbox);
    county->on_frame(call, phone.hello(clock));
    county->on_frame(call, encode(v1::UpEnd()));
    pump();
    county->on_closed(call);
    return inbox;
  }

  static void note(Phone& phone, const Inbox& inbox) {
    for (const v1::Welcome& welcome : inbox.all<v1::Welcome>()) {
      if (!welcome.as_before()) phone.epochs.clear();
      for (const v1::Epoch& epoch : welcome.epochs()) phone.epochs.push_back(epoch.id());
    }
    for (const v1::AckRun& run : inbox.runs()) {
      phone.noted[static_cast<Lane>(run.lane())] = run.first() + run.count() - 1;
    }
    for (const v1::DownEnd& end : inbox.all<v1::DownEnd>()) {
      if (end.caught_up() == 0) continue;
      phone.cursor.set_seq(end.caught_up());
      phone.cursor.set_complete(end.caught_up());
      phone.cursor.clear_exceptions();
    }
  }

  ConnectionId next_call() { return ConnectionId(++calls_); }

  FakeClock clock;
  FakeRandom random;
  std::uint32_t protocol_min = 1;  ///< of the next opening, like the two below
  std::size_t restorable_backups = 20;
  bool replicated = false;
  QuotaLimits quotas;  ///< of the next opening
  std::unique_ptr<County> county;
  Storage* storage = nullptr;
  RecordId town_org;
  RecordId road_org;
  RecordId anna;   ///< grid 1
  RecordId bruno;  ///< grid 2
  RecordId dora;   ///< the town's acceptor
  RecordId erik;   ///< the department

 private:
  void found() {
    v1::OrgUnit town;
    town.set_code("T1");
    town.set_level(v1::LEVEL_TOWN);
    town.set_area12(kTown);
    town_org = import(town);
    v1::OrgUnit road;
    road.set_code("ROAD");
    road.set_level(v1::LEVEL_COUNTY);
    road.set_department_type("road");
    road_org = import(road);
    v1::ResponsibilityItem item;
    item.set_code("I1");
    item.set_lead_department_type("road");
    item.add_categories("01");
    import(item);
    v1::RoutingRule rule;
    rule.set_code("R1");
    rule.set_category_prefix("01");
    rule.set_responsibility_item("I1");
    rule.set_lead_level(v1::LEVEL_COUNTY);
    import(rule);
    anna = worker("W1", Role::kGridWorker, kGrid1);
    bruno = worker("W2", Role::kGridWorker, kGrid2);
    dora = worker("W3", Role::kTownAcceptor, kTown, town_org);
    erik = worker("W4", Role::kDepartment, "", road_org);
  }

  const std::string vfs_;
  std::filesystem::path folder_;
  std::uint64_t calls_ = 0;
};

inline std::string visit(const std::string& grid, const std::string& notes = "quiet") {
  v1::Visit message;
  message.set_grid(grid);
  message.set_kind(v1::VISIT_KIND_PATROL);
  message.set_notes(notes);
  return message.SerializeAsString();
}

inline std::string whistle(const std::string& grid, const std::string& category = "0101") {
  v1::Whistle message;
  message.set_grid(grid);
  message.set_category(category);
  message.set_title("broken cover");
  message.set_whistle_class(v1::WHISTLE_CLASS_ROUTINE);
  message.set_source(v1::SOURCE_WORKER);
  return message.SerializeAsString();
}

inline v1::Whistle whistle_of(World& world, RecordId id) {
  const auto row = world.county->get(kinds::kWhistle, id);
  REQUIRE(row);
  REQUIRE(*row);
  v1::Whistle message;
  REQUIRE(message.ParseFromString((*row)->body));
  return message;
}

inline constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;

/// Moves a grid worker to the other grid, so long ago that the first is out of reach.
inline void move_away(World& world, RecordId worker, const std::string& code) {
  v1::Worker moved;
  moved.set_code(code);
  v1::WorkerRole& role = *moved.add_roles();
  role.set_role(static_cast<v1::Role>(Role::kGridWorker));
  role.set_scope(kGrid2);
  world.import(moved, worker);
  world.clock.ms += 40 * kDayMs;
}

/// A second hand on the county's file, which spoils and mends it.
inline void run_sql(World& world, const std::string& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(world.file().c_str(), &handle) == SQLITE_OK);
  const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
  INFO(sqlite3_errmsg(handle));
  REQUIRE(code == SQLITE_OK);
  sqlite3_close(handle);
}

}  // namespace gridwhistle::test
