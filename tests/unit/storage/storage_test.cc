#include "storage/storage.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>

#include "access/audit.h"
#include "gridwhistle/ports.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "sqlite/connection.h"
#include "storage/open.h"

using namespace gridwhistle;

namespace {

struct Counting final : Random {
  std::uint64_t state = 0;
  std::uint64_t next() override { return ++state * 0x9E3779B97F4A7C15ULL; }
};

class File {
 public:
  File() {
    static int number = 0;
    path = std::filesystem::temp_directory_path() /
           ("storage-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    REQUIRE(create_sqlite_storage(path, "440811", built_schema()));
  }
  ~File() {
    for (const char* end : {"", "-wal", "-shm", "-lock"}) std::filesystem::remove(path + end);
  }
  std::unique_ptr<Storage> open() const {
    auto storage = open_sqlite_storage(path, built_schema());
    REQUIRE(storage);
    return std::move(*storage);
  }
  std::string path;
};

const RecordKey kVisit{kinds::kVisit, RecordId::make(DeviceId(3), 1)};

StoredRecord visit_in(Storage& storage, const std::string& scope, Seq seq) {
  StoredRecord stored;
  stored.state.exists = true;
  stored.state.created = stored.state.last_seq = seq;
  stored.state.common = {.seq = seq, .writer = DeviceId(3), .dev_seq = DevSeq(1), .feed_seq = seq};
  append_text(stored.state.body, 2, "440811001001001");
  stored.memberships.push_back({*storage.scope_no(scope), seq, seq, true});
  return stored;
}

Result<void> put(Storage& storage, const StoredRecord& stored,
                 const std::vector<Membership>& before = {}) {
  return storage.put_record(*built_schema().kind(kinds::kVisit), kVisit.id, stored, before, {});
}

}  // namespace

TEST_CASE("what was committed is there after opening again, what was rolled back is not") {
  File file;
  auto storage = file.open();
  REQUIRE(storage->begin());
  storage->set_last_seq(Seq(5));
  const StoredRecord stored = visit_in(*storage, "grid:440811001001001", Seq(5));
  REQUIRE(put(*storage, stored));
  storage->rollback();
  CHECK(storage->last_seq() == Seq(0));
  CHECK(storage->scope_count() == 0);
  CHECK_FALSE(*storage->record(kVisit));

  REQUIRE(storage->begin());
  storage->set_last_seq(Seq(5));
  REQUIRE(put(*storage, visit_in(*storage, "grid:440811001001001", Seq(5))));
  REQUIRE(storage->commit());
  storage.reset();
  storage = file.open();
  CHECK(storage->county() == "440811");
  CHECK(storage->last_seq() == Seq(5));
  const auto read = storage->record(kVisit);
  REQUIRE(read);
  REQUIRE(*read);
  CHECK((*read)->state == stored.state);
  CHECK((*read)->memberships == stored.memberships);
  CHECK(storage->scope_last(*storage->scope_no("grid:440811001001001")) == Seq(5));
}

TEST_CASE("a changed record stands in the feed once, where it changed last") {
  File file;
  auto storage = file.open();
  REQUIRE(storage->begin());
  StoredRecord stored = visit_in(*storage, "grid:440811001001001", Seq(5));
  REQUIRE(put(*storage, stored));
  const auto before = stored.memberships;
  stored.memberships.front().seq = Seq(9);
  REQUIRE(put(*storage, stored, before));
  REQUIRE(storage->commit());
  const auto lines = storage->feed(stored.memberships.front().scope, Seq(0), 10);
  REQUIRE(lines);
  REQUIRE(lines->size() == 1);
  CHECK(lines->front().seq == Seq(9));
  CHECK(lines->front().entered == Seq(5));
}

TEST_CASE("lines and parts are read within their transaction, and stay or go with it") {
  const std::size_t count = GENERATE(1, 32, 75);
  const RecordKey whole{kinds::kVisit, RecordId::make(DeviceId(3), 1000)};
  const auto id = [](std::size_t i) { return RecordId::make(DeviceId(3), 2000 + i); };
  const KindSchema& kind = *built_schema().kind(kinds::kAttachment);
  File file;
  auto storage = file.open();
  REQUIRE(storage->children(whole.id)->empty());  // the newest that is a parent is known from here
  ScopeNo scope;
  const auto put_all = [&] {
    REQUIRE(storage->begin());
    for (std::size_t i = 0; i < count; ++i) {
      const StoredRecord stored = visit_in(*storage, "grid:440811001001001", Seq(i + 1));
      scope = stored.memberships.front().scope;
      REQUIRE(storage->put_record(kind, id(i), stored, {}, whole.id));
    }
  };
  const auto are_there = [&](std::size_t expected) {
    const auto lines = storage->feed(scope, Seq(0), 100);
    const auto parts = storage->children(whole.id);
    REQUIRE((lines && parts));
    REQUIRE(lines->size() == expected);
    REQUIRE(parts->size() == expected);
    for (std::size_t i = 0; i < expected; ++i) {
      CHECK((*lines)[i].key == RecordKey{kind.id, id(i)});
      CHECK((*lines)[i].seq == Seq(i + 1));
      CHECK((*parts)[i] == RecordKey{kind.id, id(i)});
    }
  };

  put_all();
  are_there(count);
  storage->rollback();
  put_all();
  storage->rollback();
  REQUIRE(storage->begin());
  REQUIRE(storage->commit());
  are_there(0);

  put_all();
  REQUIRE(storage->remove_record({kind.id, id(count - 1)},
                                 **storage->record({kind.id, id(count - 1)}), whole.id));
  storage->set_last_seq(Seq(count));
  REQUIRE(storage->commit());
  are_there(count - 1);
  storage.reset();
  storage = file.open();
  are_there(count - 1);
}

TEST_CASE("a wide grant reaches the leaf scopes under it and no others") {
  File file;
  auto storage = file.open();
  REQUIRE(storage->begin());
  for (const char* leaf : {"grid:440811001001001", "village:440811001001", "town:440811001000",
                           "grid:440811002001001", "county:440811"}) {
    REQUIRE(storage->scope_no(leaf));
  }
  REQUIRE(storage->commit());
  CHECK(storage->leaves_of({.scope = "town:440811001000", .subtree = true}).size() == 3);
  CHECK(storage->leaves_of({.scope = "town:440811001000", .subtree = false}).size() == 1);
  CHECK(storage->leaves_of({.scope = "county:440811", .subtree = true}).size() == 5);
}

TEST_CASE("a record is found whatever its device was last known to have made") {
  File file;
  auto storage = file.open();
  const KindSchema& kind = *built_schema().kind(kinds::kVisit);
  const DeviceId device(0x123);
  const auto id = [&](std::uint64_t counter) { return RecordId::make(device, counter); };
  const auto is_there = [&](std::uint64_t counter) {
    return *storage->record({kinds::kVisit, id(counter)}) != nullptr;
  };
  const auto put_number = [&](std::uint64_t counter, RecordId parent = {}) {
    storage->set_last_seq(Seq(storage->last_seq().value + 1));
    REQUIRE(storage->put_record(kind, id(counter),
                                visit_in(*storage, "grid:440811001001001", storage->last_seq()), {},
                                parent));
  };
  CHECK_FALSE(is_there(5));
  CHECK(storage->children(id(9))->empty());
  REQUIRE(storage->begin());
  put_number(5);
  put_number(3, id(9));
  CHECK(is_there(5));
  CHECK(is_there(3));
  CHECK_FALSE(is_there(4));
  CHECK_FALSE(is_there(6));
  CHECK(storage->children(id(9))->size() == 1);
  REQUIRE(storage->commit());

  REQUIRE(storage->begin());
  put_number(7, id(10));
  storage->rollback();
  CHECK_FALSE(is_there(7));
  CHECK(storage->children(id(10))->empty());
  CHECK(is_there(5));

  storage.reset();
  storage = file.open();
  CHECK(is_there(3));
  CHECK(is_there(5));
  CHECK_FALSE(is_there(7));
  CHECK(storage->children(id(9))->size() == 1);
}

TEST_CASE("a set of grants finds those that reach a scope as each of them would say") {
  const std::vector<std::string> names = {"county:440811",
                                          "town:440811001000",
                                          "town:440811002000",
                                          "village:440811001001",
                                          "village:440811001002",
                                          "grid:440811001001001",
                                          "grid:440811001001002",
                                          "grid:440811002001001",
                                          "worker:0123456789abcdef0123456789abcdef",
                                          "org:0123456789abcdef0123456789abcdef"};
  std::vector<ScopeGrant> grants;
  for (const std::string& name : names) {
    grants.push_back({.scope = name, .subtree = false});
    grants.push_back({.scope = name, .subtree = true});
  }
  const ScopeSet all(grants);
  for (const std::string& leaf : names) {
    std::vector<std::size_t> expected;
    for (std::size_t i = 0; i < grants.size(); ++i) {
      if (reaches(grants[i], leaf)) expected.push_back(i);
    }
    INFO(leaf);
    CHECK(all.reaching(leaf) == expected);
  }
}

TEST_CASE("the audit's chain holds, and breaks where one byte was changed") {
  File file;
  auto storage = file.open();
  Counting random;
  REQUIRE(storage->begin());
  for (int i = 0; i < 4; ++i) REQUIRE(add_audit_entry(*storage, random, 1000 + i, "entry"));
  REQUIRE(storage->commit());
  CHECK(verify_audit(*storage)->entries == 4);
  CHECK(verify_audit(*storage)->faults.empty());
  storage.reset();
  {
    auto connection = sqlite::Connection::open({.path = file.path});
    REQUIRE(connection);
    REQUIRE(connection->run("UPDATE audit SET content='other' WHERE number=2"));
    REQUIRE(connection->run("DELETE FROM audit WHERE number=3"));
  }
  storage = file.open();
  CHECK(verify_audit(*storage)->faults.size() == 3);
}

TEST_CASE("damage of the file itself is told, wherever in it") {
  File file;
  auto storage = file.open();
  REQUIRE(storage->begin());
  REQUIRE(storage->put_code({.lookup = "AAAA", .worker = RecordId::make(DeviceId(3), 1)}));
  REQUIRE(storage->commit());
  CHECK(storage->damage()->empty());
  storage.reset();
  std::int64_t place = 0;
  {
    auto connection = sqlite::Connection::open({.path = file.path});
    REQUIRE(connection);
    const auto page = connection->number("SELECT rootpage FROM sqlite_master WHERE name='code'", 0);
    const auto size = connection->number("PRAGMA page_size", 0);
    place = (*page - 1) * *size + 8;  // where the page says at which of its bytes the row begins
  }
  std::fstream bytes(file.path, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(place);
  bytes.write("\xff\xff", 2);
  bytes.close();
  storage = file.open();
  const auto damage = storage->damage();
  REQUIRE(damage);
  CHECK_FALSE(damage->empty());
}

TEST_CASE("a file that is not a county's is left alone") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("storage-test-other-" + std::to_string(::getpid()));
  CHECK(open_sqlite_storage(path, built_schema()).error().code == ErrorCode::kNotFound);
  {
    auto other = sqlite::Connection::open({.path = path});
    REQUIRE(other);
    REQUIRE(other->script("CREATE TABLE t(a)"));
  }
  CHECK(open_sqlite_storage(path, built_schema()).error().code == ErrorCode::kNotADatabase);
  for (const char* end : {"", "-wal", "-shm", "-lock"}) std::filesystem::remove(path + end);
}
