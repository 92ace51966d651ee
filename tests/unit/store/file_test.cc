#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "phone.h"
#include "sqlite/connection.h"
#include "sqlite/schema_tables.h"
#include "support/power_cut_vfs.h"

namespace gridwhistle::store {
namespace {

using kinds::kVisit;
using test::PowerCutDisk;

// A schema with that version, and Visit's fields only up to a number.
struct OtherSchema {
  OtherSchema(std::uint32_t version, std::uint32_t last_field) {
    for (const KindSchema& kind : built_schema().kinds) kinds.push_back(kind);
    for (const FieldSchema& field : built_schema().kind(kVisit)->fields) {
      if (field.number <= last_field) fields.push_back(field);
    }
    kinds.front().fields = fields;
    schema = {version, kinds};
  }
  std::vector<FieldSchema> fields;
  std::vector<KindSchema> kinds;
  Schema schema;
};

TEST_CASE("a file that is not a database is refused and left untouched") {
  Phone phone;
  StoreOptions options = phone.options();
  options.path = phone.folder.file("letter");
  const std::string text(4096, 'x');
  std::ofstream(options.path) << text;
  CHECK(Store::open(options).error().code == ErrorCode::kNotADatabase);
  std::string now(4096, ' ');
  std::ifstream(options.path).read(now.data(), 4096);
  CHECK(now == text);
  CHECK(std::filesystem::file_size(options.path) == 4096);
}

TEST_CASE("a field is indexed when the first query asks by it, and stays so") {
  Phone phone;
  for (int number = 0; number < 20; ++number) phone.put(kVisit, visit());
  const auto indexed = [&](std::uint32_t field) {
    auto file = sqlite::Connection::open({.path = phone.options().path, .read_only = true});
    const std::string name = sqlite::table_name(kVisit) + "_" + sqlite::column_name(field);
    return file->number("SELECT count(*) FROM sqlite_schema WHERE name=?", 0, name).value() == 1;
  };
  CHECK_FALSE(indexed(fields::visit::kStartedMs));
  CHECK(phone->query(kVisit, Query().that("started_ms", Compare::kGreater, {std::int64_t{5}}))
            .value()
            .size() == 20);
  CHECK(indexed(fields::visit::kStartedMs));
  CHECK(phone->count(kVisit, Query().is("grid", std::string(kGrid))).value() == 20);
  CHECK(indexed(fields::visit::kGrid));
  CHECK_FALSE(indexed(fields::visit::kEndedMs));
  phone.open();
  phone.put(kVisit, visit());
  CHECK(indexed(fields::visit::kStartedMs));
  CHECK(phone->count(kVisit, Query().is("grid", std::string(kGrid))).value() == 21);
}

TEST_CASE("a full disk takes no index, and the query is answered all the same") {
  PowerCutDisk disk("no_index");
  Phone phone(built_schema(), disk.name());
  for (int number = 0; number < 20; ++number) phone.put(kVisit, visit());
  disk.fail_after(0, PowerCutDisk::Fault::kNoSpace);
  CHECK(phone->count(kVisit, Query().is("grid", std::string(kGrid))).value() == 20);
  CHECK(disk.struck());
  disk.heal();
  phone.put(kVisit, visit());
  CHECK(phone->count(kVisit, Query().is("grid", std::string(kGrid))).value() == 21);
}

TEST_CASE("two stores on one file: the second is locked out, in this process and in another") {
  Phone phone;
  CHECK(Store::open(phone.options()).error().code == ErrorCode::kLocked);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto second = Store::open(phone.options());
    ::_exit(!second && second.error().code == ErrorCode::kLocked ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const RecordId id = phone.put(kVisit, visit());
  CHECK(phone.has(kVisit, id));
}

TEST_CASE(
    "a process that is killed in the middle leaves the file to the next, with all it recorded") {
  Phone phone;
  phone.store.reset();
  int ready[2] = {-1, -1};
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = Store::open(phone.options());
    for (char count = 1; store; ++count) {
      const bool done =
          (*store)->put({.kind = kVisit, .set = visit().SerializeAsString()}).has_value();
      if (!done || ::write(ready[1], &count, 1) != 1) ::_exit(1);
    }
    ::_exit(2);
  }
  char recorded = 0;
  while (recorded < 20 && ::read(ready[0], &recorded, 1) == 1) {
  }
  REQUIRE(::kill(child, SIGKILL) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  ::close(ready[0]);
  ::close(ready[1]);
  phone.open();
  CHECK(phone->count(kVisit, {}).value() >= 20);
  CHECK(phone->sync_state().value().unsent == phone->count(kVisit, {}).value());
}

TEST_CASE("a reader beside the writer sees what was committed and writes nothing") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("一"));
  StoreOptions options = phone.options();
  options.read_only = true;
  const auto reader = Store::open(options);
  REQUIRE(reader);
  CHECK((*reader)->get(kVisit, id));
  CHECK((*reader)->put({.kind = kVisit, .set = visit().SerializeAsString()}).error().code ==
        ErrorCode::kReadOnly);
  CHECK((*reader)->get(kVisit, id, {"因公"}).error().code == ErrorCode::kReadOnly);
  CHECK((*reader)->search({.text = "一"}).value().size() == 1);
  CHECK((*reader)->new_id().error().code == ErrorCode::kReadOnly);
}

TEST_CASE("a file of an older schema is brought up to date and keeps everything") {
  const OtherSchema older(0, 5);
  Phone phone(older.schema);
  v1::Visit with_more = visit("旧");
  with_more.set_ended_ms(1'767'000'009'000);
  const RecordId id = phone.put(kVisit, with_more);
  phone.schema = &built_schema();
  phone.open();
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "旧");
  const auto found = phone->query(kVisit, Query().is("ended_ms", std::int64_t{1'767'000'009'000}));
  REQUIRE(found);
  CHECK(found->size() == 1);
  CHECK(phone->sync_state().value().unsent == 1);
}

TEST_CASE("a file from before a column of the store's own keeps what is unsent, and goes on") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("旧"));
  phone.store.reset();
  {
    auto file = sqlite::Connection::open({.path = phone.options().path});
    REQUIRE(file);
    REQUIRE(file->script("ALTER TABLE outbox DROP COLUMN own_since"));
    REQUIRE(file->script("ALTER TABLE " + sqlite::table_name(kVisit) + " DROP COLUMN own_since"));
  }
  StoreOptions reading = phone.options();
  reading.read_only = true;
  CHECK(Store::open(reading).error().code == ErrorCode::kReadOnly);
  phone.open();
  CHECK(phone.get<v1::Visit>(kVisit, id).notes() == "旧");
  const auto unsent = phone->operations(Lane::kRecords, LaneSeq(0), 100'000);
  REQUIRE(unsent);
  REQUIRE(unsent->size() == 1);
  CHECK_FALSE(unsent->front().own_since);
}

TEST_CASE("a build that brings kinds reads again what the server passed over, once") {
  std::vector<KindSchema> kinds(built_schema().kinds.begin(), built_schema().kinds.end());
  const auto brought_by = [&](std::uint32_t version) {
    for (KindSchema& kind : kinds) kind.since = kind.id == kVisit ? version : 0;
  };
  const Schema first{1, kinds};
  const Schema second{2, kinds};
  const std::string scope = "grid:" + std::string(kGrid);
  Phone phone(first);
  phone.welcome(phone.welcome_of({scope}));
  REQUIRE(phone->caught_up(Seq(60)));
  const auto open_with = [&](const Schema& schema) {
    phone.schema = &schema;
    phone.open();
    return phone->sync_state()->exceptions;
  };
  const std::vector<ScopeProgress> anew{{scope, Seq(0)}};
  CHECK(open_with(second).empty());
  CHECK(open_with(first).empty());
  brought_by(2);
  CHECK(open_with(first).empty());
  CHECK(phone->is_caught_up());
  CHECK(open_with(second) == anew);
  CHECK_FALSE(phone->is_caught_up());
  CHECK(open_with(second) == anew);
  REQUIRE(phone->caught_up(Seq(70)));
  CHECK(open_with(second).empty());
  // Back with an older build for a while, its rows were passed over again.
  CHECK(open_with(first).empty());
  CHECK(open_with(second) == anew);
}

TEST_CASE("a file of a newer schema is read, written and synced, unknown fields kept") {
  Phone phone;
  v1::Visit message = visit("新");
  message.set_outcome(v1::VISIT_OUTCOME_HANDLED);
  const RecordId id = phone.put(kVisit, message);
  const OtherSchema older(0, 23);
  phone.schema = &older.schema;
  phone.open();
  CHECK(phone.get<v1::Visit>(kVisit, id).outcome() == v1::VISIT_OUTCOME_HANDLED);
  v1::Visit edit;
  edit.set_notes("改");
  phone.put(kVisit, edit, id);
  phone.acknowledge(Lane::kRecords, 1);
  const auto now = phone.get<v1::Visit>(kVisit, id);
  CHECK(now.notes() == "改");
  CHECK(now.outcome() == v1::VISIT_OUTCOME_HANDLED);
}

TEST_CASE("a full disk refuses, changes nothing, and lets the worker go on afterwards") {
  PowerCutDisk disk("store_full_disk");
  Phone phone(built_schema(), disk.name());
  const RecordId id = phone.put(kVisit, visit("一"));
  disk.fail_after(0, PowerCutDisk::Fault::kNoSpace);
  // The journal may have room left from before.
  ErrorCode code{};
  std::uint64_t written = 1;
  for (int tries = 0; tries < 2000 && code == ErrorCode{}; ++tries) {
    const auto put = phone->put({.kind = kVisit, .set = visit("二").SerializeAsString()});
    if (put) {
      ++written;
    } else {
      code = put.error().code;
    }
  }
  CHECK(code == ErrorCode::kDiskFull);
  CHECK(phone->count(kVisit, {}).value() == written);
  CHECK(phone.has(kVisit, id));
  disk.heal();
  phone.put(kVisit, visit("三"));
  CHECK(phone->count(kVisit, {}).value() == written + 1);
  CHECK(phone->operations(Lane::kRecords, LaneSeq(0), 1 << 30).value().size() == written + 1);
  phone.store.reset();
}

}  // namespace
}  // namespace gridwhistle::store
