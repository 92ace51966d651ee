#include "county_world.h"
#include "support/power_cut_vfs.h"

// Storage that fails in the middle of something: whom it concerns, and whom not.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

void refuse_inserts(World& world, const std::string& table, const std::string& when = "1") {
  run_sql(world, "CREATE TRIGGER refused BEFORE INSERT ON " + table + " WHEN " + when +
                     " BEGIN SELECT RAISE(ABORT, 'no'); END");
}

void accept_inserts(World& world) { run_sql(world, "DROP TRIGGER refused"); }

std::string blob(RecordId id) {
  std::string text = "x'";
  char two[3];
  for (const char byte : id.bytes()) {
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(byte));
    text += two;
  }
  return text + "'";
}

struct OpenCall {
  OpenCall(World& world, Phone& phone, bool live = false) : world_(world), id(world.next_call()) {
    world.county->on_open(id, inbox);
    world.county->on_frame(id, phone.hello(world.clock, live));
    for (const Lane lane : kLanes) {
      for (std::string& frame : phone.frames(lane, phone.noted[lane])) {
        world.county->on_frame(id, std::move(frame));
      }
    }
    if (!live) world.county->on_frame(id, encode(v1::UpEnd()));
  }
  ~OpenCall() { world_.county->on_closed(id); }
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

  World& world_;
  Inbox inbox;
  ConnectionId id;
};

bool is_put_off(const Inbox& inbox) {
  const auto refusals = inbox.all<v1::Refusal>();
  return refusals.size() == 1 && inbox.refused() == ErrorCode::kBusy &&
         refusals[0].retry_after_ms() > 0 && !inbox.open;
}

std::uint64_t acknowledged(const Inbox& inbox) {
  std::uint64_t count = 0;
  for (const v1::AckRun& run : inbox.runs()) count += run.count();
  return count;
}

void write_visits(Phone& phone, World& world, int count, const std::string& grid = kGrid1) {
  for (int i = 0; i < count; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(grid, std::string(3000, 'v')), true,
                 world.clock.ms);
  }
}

}  // namespace

TEST_CASE("one phone's work that cannot be stored does not hold up that of its neighbours") {
  World world;
  Phone anna = world.phone(world.anna);
  Phone bruno = world.phone(world.bruno);
  Phone carla = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  write_visits(anna, world, 3);
  write_visits(bruno, world, 3, kGrid2);
  write_visits(carla, world, 3);
  refuse_inserts(world, "k" + std::to_string(kinds::kVisit.value),
                 "new.id=" + blob(bruno.lanes[Lane::kRecords][1].id));
  {
    OpenCall first(world, anna);
    OpenCall second(world, bruno);
    OpenCall third(world, carla);
    world.pump();
    CHECK(is_put_off(second.inbox));
    CHECK(acknowledged(second.inbox) == 0);
    for (const OpenCall* other : {&first, &third}) {
      CHECK(acknowledged(other->inbox) == 3);
      CHECK(other->inbox.all<v1::DownEnd>().size() == 1);
      CHECK(other->inbox.refused() == ErrorCode{});
    }
  }
  CHECK(*world.storage->count(kinds::kVisit) == 6);
  accept_inserts(world);
  for (int time = 0; time < 2; ++time) {
    CHECK(acknowledged(*world.sync(bruno, false)) == 3);
    CHECK(*world.storage->count(kinds::kVisit) == 9);
  }
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("an enrolment that cannot be stored is put off, and its code still works") {
  World world;
  Phone phone{.device = DeviceId(5), .key = *P256Key::make()};
  const std::string code = world.county->create_code(world.anna, "test")->code;
  for (const char* table : {"device", "code", "audit"}) {
    refuse_inserts(world, table);
    CHECK(static_cast<ErrorCode>(world.enrol(phone, code).code()) == ErrorCode::kBusy);
    accept_inserts(world);
    CHECK(world.county->devices()->empty());
  }
  CHECK(world.enrol(phone, code).code() == 0);
}

TEST_CASE("outcomes that cannot be read put the phone off, with a code that is about the server") {
  World world;
  Phone phone = world.phone(world.anna);
  write_visits(phone, world, 2);
  world.sync(phone, false);
  run_sql(world, "ALTER TABLE chunk RENAME TO away");
  // It has sent all, and asks only for what it has not heard.
  CHECK(is_put_off(*world.ask(phone)));
  run_sql(world, "ALTER TABLE away RENAME TO chunk");
  CHECK(acknowledged(*world.sync(phone)) == 2);
}

TEST_CASE("a call whose grants cannot be read any more ends, whatever they were") {
  World world;
  Phone phone = world.phone(world.anna);
  OpenCall live(world, phone, true);
  world.pump();
  REQUIRE(live.inbox.open);
  run_sql(world, "ALTER TABLE worker_grant RENAME TO away");
  REQUIRE(world.county->revoke(phone.device, DeviceState::kLost, "test"));
  CHECK_FALSE(live.inbox.open);
}

TEST_CASE("while the disk is full who reads is served, and a batch waits to be applied once") {
  PowerCutDisk disk("full_disk");
  World world(disk.name());
  Phone anna = world.phone(world.anna);
  Phone reader = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  write_visits(anna, world, 2);
  world.sync(anna);
  OpenCall watching(world, reader, true);
  watching.inbox.keeps_up = false;
  world.pump();
  CHECK(watching.inbox.rows().empty());

  disk.fail_after(0, PowerCutDisk::Fault::kNoSpace);
  write_visits(anna, world, 200);
  const Seq before = world.storage->last_seq();
  for (int time = 0; time < 3; ++time) {
    const auto refused = world.sync(anna);
    CHECK(is_put_off(*refused));
    CHECK(acknowledged(*refused) == 0);
    CHECK(world.storage->last_seq() == before);
  }
  CHECK(disk.struck());
  CHECK(world.county->status()->devices == 2);
  CHECK(world.county->inbox(world.road_org));
  CHECK(world.county->verify()->faults.empty());
  CHECK(world.county->backup("copy.db", "test").error().code == ErrorCode::kDiskFull);
  watching.inbox.keeps_up = true;
  world.pump();
  CHECK(watching.inbox.rows_of(kinds::kVisit).size() == 2);
  CHECK(watching.inbox.open);

  disk.heal();
  for (int time = 0; time < 2; ++time) {
    CHECK(acknowledged(*world.sync(anna, false)) == 200);
    CHECK(*world.storage->count(kinds::kVisit) == 202);
  }
  CHECK(watching.inbox.rows_of(kinds::kVisit).size() == 202);
  CHECK(world.county->backup("copy.db", "test"));
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a backup in its place that could not be noted is one of those that phones keep for") {
  World world;
  world.restorable_backups = 3;
  world.open();
  Phone phone = world.phone(world.anna);
  std::vector<Seq> made;
  const auto back_up = [&] {
    write_visits(phone, world, 1);
    world.sync(phone);
    made.push_back(world.storage->last_seq());
    return world.county->backup(world.file("copy" + std::to_string(made.size())), "test");
  };
  const auto told = [&] { return Seq(world.sync(phone)->all<v1::Welcome>().front().backed_up()); };
  refuse_inserts(world, "audit");
  CHECK_FALSE(back_up());
  accept_inserts(world);
  REQUIRE(open_sqlite_storage(world.file("copy1"), built_schema()));
  for (int i = 0; i < 2; ++i) {
    REQUIRE(back_up());
    CHECK(told() == made[0]);
    world.open();
    CHECK(told() == made[0]);
  }
  // From here on three that came later are there.
  REQUIRE(back_up());
  CHECK(told() == made[1]);
}

TEST_CASE("verify names the record that somebody changed behind the county's back") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId id = anna.new_id();
  anna.record(kinds::kVisit, id, visit(kGrid1, "locked door"), true, world.clock.ms);
  anna.record(kinds::kVisit, anna.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(anna);
  CHECK(world.county->verify()->faults.empty());
  const std::string table = "k" + std::to_string(kinds::kVisit.value);
  const char* const spoilt = GENERATE("body=CAST(replace(body, 'locked', 'opened') AS BLOB)",
                                      "erased=1", "last_seq=last_seq-1");
  world.county.reset();
  run_sql(world,
          "UPDATE " + table + " SET " + spoilt + " WHERE instr(body, CAST('locked' AS BLOB))");
  world.open();
  const auto report = world.county->verify();
  REQUIRE(report->faults.size() == 1);
  CHECK(report->faults.front().en.find(id.text()) != std::string::npos);

  // A build that kept no digests says nothing of its rows.
  world.county.reset();
  run_sql(world, "UPDATE " + table + " SET digest=x''");
  world.open();
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("verify misses what was taken out of the county's books") {
  World world;
  Phone anna = world.phone(world.anna);
  const RecordId id = anna.new_id();
  anna.record(kinds::kWhistle, id, whistle(kGrid1), true, world.clock.ms);
  v1::Attachment picture;
  picture.set_parent(std::string(id.bytes()));
  picture.set_parent_kind(kinds::kWhistle.value);
  picture.set_sha256(sha256("a picture"));
  picture.set_size_bytes(9);
  picture.set_media_type("image/jpeg");
  anna.record(kinds::kAttachment, anna.new_id(), picture.SerializeAsString(), true, world.clock.ms);
  world.sync(anna);
  v1::Visit walk;
  walk.set_notes("louder");
  const RecordId walked = anna.new_id();
  anna.record(kinds::kVisit, walked, visit(kGrid1), true, world.clock.ms);
  world.sync(anna);
  for (const std::int64_t later_ms : {2, 1}) {
    Phone colleague =
        world.phone(world.worker("W" + std::to_string(20 + later_ms), Role::kGridWorker, kGrid1));
    walk.set_notes("by " + std::to_string(later_ms));
    colleague.record(kinds::kVisit, walked, walk.SerializeAsString(), false,
                     world.clock.ms + later_ms);
    world.sync(colleague);
  }
  const RecordId carla = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone sealed = world.phone(carla);
  move_away(world, carla, "W9");
  sealed.record(kinds::kVisit, sealed.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(sealed);
  REQUIRE(world.county->verify()->faults.empty());
  const std::string whistles = "k" + std::to_string(kinds::kWhistle.value);
  const std::string number = "f" + std::to_string(fields::whistle::kHeadless);
  const std::string spoilt = GENERATE_COPY(
      values<std::string>({"DELETE FROM audit WHERE number=(SELECT max(number) FROM audit)",
                           "DELETE FROM kept", "DELETE FROM merge_audit", "DELETE FROM child",
                           "DELETE FROM epoch", "DELETE FROM worker_grant WHERE position=0",
                           "DELETE FROM device WHERE rowid=(SELECT max(rowid) FROM device)",
                           "UPDATE " + whistles + " SET " + number + "=1"}));
  INFO(spoilt);
  world.county.reset();
  run_sql(world, spoilt);
  REQUIRE(world.try_open(built_schema(), false));
  CHECK_FALSE(world.county->verify()->faults.empty());
}
