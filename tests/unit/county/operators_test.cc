#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

TEST_CASE("a backup's mark from the future says nothing, so that backups go on") {
  World world;
  REQUIRE(world.county->backup(world.file("copy.db"), "test"));
  CHECK(world.county->status()->backed_up_ms == world.clock.ms);
  world.clock.ms -= 86'400'000;
  CHECK(world.county->status()->backed_up_ms == 0);
}

TEST_CASE("an enrolment code works once, for ten minutes, and five wrong tries end it") {
  World world;
  Phone phone{.device = DeviceId(5), .key = *P256Key::make()};
  const auto error = [&](const std::string& code) {
    return static_cast<ErrorCode>(world.enrol(phone, code).code());
  };
  CHECK(error("NOSUCHCODE12") == ErrorCode::kCodeWrong);
  const std::string code = world.county->create_code(world.anna, "test")->code;
  CHECK(error(code) == ErrorCode{});
  CHECK(error(code) == ErrorCode{});  // the same device lost its answer
  phone.device = DeviceId(6);
  CHECK(error(code) == ErrorCode::kCodeUsed);

  const std::string late = world.county->create_code(world.anna, "test")->code;
  world.clock.ms += 10 * 60 * 1000 + 1;
  CHECK(error(late) == ErrorCode::kCodeExpired);

  const std::string guessed = world.county->create_code(world.anna, "test")->code;
  std::string wrong = guessed;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (int i = 0; i < 6; ++i) CHECK(error(wrong) == ErrorCode::kCodeWrong);
  CHECK(error(guessed) == ErrorCode::kCodeSpent);
}

TEST_CASE("a phone that lost its key enrols again with a code of its own worker, and of no other") {
  World world;
  const auto code = [&](RecordId worker) {
    return world.county->create_code(worker, "test")->code;
  };
  const auto error = [&](Phone& phone, const std::string& given) {
    return static_cast<ErrorCode>(world.enrol(phone, given).code());
  };
  Phone phone{.device = DeviceId(5), .key = *P256Key::make()};
  const std::string first = code(world.anna);
  REQUIRE(error(phone, first) == ErrorCode{});
  const auto before = **world.storage->device(phone.device);

  phone.key = *P256Key::make();
  CHECK(world.sync(phone)->refused() == ErrorCode::kBadSignature);
  // A used code vouches for the key that it was used with.
  CHECK(error(phone, first) == ErrorCode::kCodeUsed);
  CHECK(error(phone, code(world.bruno)) == ErrorCode::kAlreadyExists);
  CHECK((*world.storage->device(phone.device))->public_key == before.public_key);

  CHECK(error(phone, code(world.anna)) == ErrorCode{});
  const auto after = **world.storage->device(phone.device);
  CHECK(after.public_key == *phone.key.public_key());
  CHECK(after.short_code == before.short_code);
  CHECK(world.sync(phone)->refused() == ErrorCode{});
  std::vector<std::string> notes;
  REQUIRE(world.storage->scan_audit([&](const AuditRow& row) -> Result<void> {
    notes.push_back(row.content);
    return {};
  }));
  CHECK(std::ranges::count_if(notes, [](const std::string& note) {
          return note.find("with a new key") != std::string::npos;
        }) == 1);
}

TEST_CASE("an import is whole or nothing, and the same import again changes nothing") {
  World world;
  v1::Category good;
  good.set_code("01");
  const RecordId id = world.county->mint_id();
  std::vector<ImportedRecord> records = {
      {kinds::kCategory, id, good.SerializeAsString()},
      {kinds::kCategory, world.county->mint_id(), v1::Category().SerializeAsString()}};
  const auto refused = world.county->import_records(records, "test");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalid);
  CHECK_FALSE(*world.county->get(kinds::kCategory, id));
  records.pop_back();
  CHECK(world.county->import_records(records, "test", true)->created == 1);
  CHECK_FALSE(*world.county->get(kinds::kCategory, id));
  CHECK(world.county->import_records(records, "test")->created == 1);
  CHECK(world.county->import_records(records, "test")->unchanged == 1);
}

TEST_CASE("a backup moves the watermark and opens as a county") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone);
  const auto upto = world.county->backup(world.file("copy.db"), "test");
  REQUIRE(upto);
  CHECK(world.sync(phone)->all<v1::Welcome>().front().backed_up() == upto->value);
  auto copy = open_sqlite_storage(world.file("copy.db"), built_schema());
  REQUIRE(copy);
  CHECK(*(*copy)->count(kinds::kVisit) == 1);
  CHECK(world.county->backup(world.file("copy.db"), "test").error().code ==
        ErrorCode::kAlreadyExists);
}

TEST_CASE("phones may forget what every backup that may be restored has, and no more") {
  World world;
  world.restorable_backups = 3;
  world.open();
  Phone phone = world.phone(world.anna);
  std::vector<Seq> made;
  const auto back_up = [&] {
    phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
    world.sync(phone);
    const std::string name = "copy" + std::to_string(made.size());
    made.push_back(*world.county->backup(world.file(name), "test"));
  };
  const auto told = [&] {
    const v1::Welcome welcome = world.sync(phone)->all<v1::Welcome>().front();
    return std::pair(Seq(welcome.backed_up()), Seq(welcome.newest_backup()));
  };
  CHECK(told() == std::pair(Seq(), Seq()));
  for (int i = 0; i < 3; ++i) {
    back_up();
    CHECK(told() == std::pair(made.front(), made.back()));
  }
  back_up();
  CHECK(told() == std::pair(made[1], made[3]));
  // A backup that does not come about counts for nothing.
  CHECK_FALSE(world.county->backup(world.file("copy0"), "test"));
  CHECK(told() == std::pair(made[1], made[3]));

  SECTION("a start of the server changes nothing of it") {
    world.open();
    CHECK(told() == std::pair(made[1], made[3]));
    CHECK(world.county->status()->forgettable == made[1]);
  }
  SECTION("the operator may have phones keep for fewer") {
    world.restorable_backups = 1;
    world.open();
    CHECK(told() == std::pair(made[3], made[3]));
  }
  SECTION("to have them keep for more reaches no further back than what they were told") {
    world.restorable_backups = 20;
    world.open();
    back_up();
    CHECK(told() == std::pair(made[1], made[4]));
  }
  SECTION("a restored county counts the backup it came from, and none that its log has not") {
    world.restore(world.file("copy2"));
    CHECK(told() == std::pair(made[0], made[2]));
    REQUIRE(world.county->backup(world.file("after"), "test"));
    CHECK(told().first == made[1]);
  }
}

TEST_CASE("where the storage is replicated what is acknowledged may be forgotten at once") {
  World world;
  world.replicated = true;
  world.open();
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  const auto inbox = world.sync(phone);
  const v1::AckRun run = inbox->runs().front();
  CHECK(inbox->all<v1::Acks>().front().backed_up() >= run.first_seq());
  const v1::Welcome welcome = world.sync(phone)->all<v1::Welcome>().front();
  CHECK(welcome.backed_up() == world.storage->last_seq().value);
  CHECK(welcome.newest_backup() == welcome.backed_up());
}

TEST_CASE("each start of the server is a new epoch, and a second process gets no file") {
  World world;
  CHECK(open_sqlite_storage(world.file(), built_schema()).error().code == ErrorCode::kLocked);
  world.open();
  Phone phone = world.phone(world.anna);
  CHECK(world.sync(phone)->all<v1::Welcome>().front().epochs().size() == 2);
}

TEST_CASE("a command on a stopped server is no start of it, and what it writes reaches phones") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone);
  const auto bytes = [&] {
    std::ifstream file(world.file(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  world.county.reset();
  const std::string before = bytes();
  for (int command = 0; command < 20; ++command) {
    REQUIRE(world.try_open(built_schema(), false));
    REQUIRE(world.county->status()->epochs == 1);
  }
  world.county.reset();
  CHECK(bytes() == before);

  std::set<RecordId> ids;
  for (int command = 0; command < 2; ++command) {
    REQUIRE(world.try_open(built_schema(), false));
    v1::Task task;
    task.set_area(kGrid1);
    ids.insert(*world.county->write(kinds::kTask, world.county->mint_id(), task.SerializeAsString(),
                                    {}, "test"));
  }
  CHECK(ids.size() == 2);
  world.open();
  CHECK(world.county->status()->epochs == 2);
  const auto inbox = world.sync(phone);
  CHECK(inbox->refused() == ErrorCode{});
  CHECK(inbox->rows_of(kinds::kTask).size() == 2);
  CHECK(phone.epochs.size() == 2);
}

TEST_CASE("an export masks what is personal unless it names a purpose") {
  World world;
  Phone phone = world.phone(world.anna);
  v1::Household household;
  household.set_grid(kGrid1);
  household.set_notes("a word in private");
  phone.record(kinds::kHousehold, phone.new_id(), household.SerializeAsString(), true,
               world.clock.ms);
  world.sync(phone);
  const auto exported = [&](std::string_view purpose) {
    std::string all;
    REQUIRE(world.county->export_json(purpose, "test", [&](std::string_view line) {
      all.append(line).append("\n");
      return Result<void>{};
    }));
    return all;
  };
  const std::string masked = exported("");
  CHECK(masked.find("private") == std::string::npos);
  for (const char* blank : {" ", "\t", "　"}) CHECK(exported(blank) == masked);
  CHECK(exported("audit").find("private") != std::string::npos);
}

TEST_CASE("an export is JSON to the bottom, and names a device as operators do") {
  World world;
  v1::Grid grid;
  grid.set_code15(kGrid1);
  grid.set_village12(kGrid1.substr(0, 12));
  v1::Ring& ring = *grid.mutable_boundary()->add_polygons()->add_rings();
  for (const double x : {110.25, 110.5, 110.25}) {
    ring.add_longitudes(x);
    ring.add_latitudes(21.125);
  }
  world.import(grid);
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid2, "not my grid"), true, world.clock.ms);
  world.sync(phone);
  std::map<std::string, std::vector<nlohmann::json>> all;
  REQUIRE(world.county->export_json("audit", "test", [&](std::string_view line) {
    const auto record = nlohmann::json::parse(line);
    all[record.at("kind")].push_back(record.at("fields"));
    return Result<void>{};
  }));
  const auto roles = all.at("Worker").front().at("roles");
  CHECK(roles == nlohmann::json::parse(R"([{"role":"GRID_WORKER","scope":")" + kGrid1 + R"("}])"));
  const auto shape = all.at("Grid").front().at("boundary").at("polygons")[0].at("rings")[0];
  CHECK(shape.at("longitudes") == nlohmann::json{110.25, 110.5, 110.25});
  CHECK(shape.at("latitudes") == nlohmann::json{21.125, 21.125, 21.125});
  const auto refused = all.at("Outcome").front();
  CHECK(refused.at("device") == device_text(phone.device));
  CHECK(refused.at("lost_set").at("notes") == "not my grid");
  CHECK(refused.at("lost_set").at("kind") == "PATROL");
}

TEST_CASE("what a device has not sent is what it told of and this county has not taken over") {
  World world;
  Phone phone = world.phone(world.anna);
  const auto unsent = [&] { return world.county->devices()->front().unsent; };
  for (int i = 0; i < 3; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  }
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, phone.hello(world.clock));
  world.pump();
  CHECK(unsent() == 3);
  world.county->on_closed(call);
  // The acknowledgements are lost; the county knows better than the phone.
  world.sync(phone, false);
  CHECK(unsent() == 0);
  world.sync(phone);
  CHECK(unsent() == 0);
}
