#include "sqlite/schema_tables.h"

#include <catch2/catch.hpp>

#include "model/record.h"
#include "support/temp_folder.h"

namespace gridwhistle::sqlite {
namespace {

using test::TempFolder;

constexpr FileFormat kFormat{77, 3};
constexpr std::string_view kColumns[] = {"last_seq INTEGER NOT NULL DEFAULT 0"};
constexpr TableLayout kLayout{kColumns};
constexpr std::string_view kNames[] = {"last_seq"};

constexpr FieldSchema kOldFields[] = {
    {.number = 2, .name = "grid", .type = FieldType::kString, .indexed = true},
    {.number = 3, .name = "count", .type = FieldType::kInt}};
constexpr FieldSchema kNewFields[] = {
    {.number = 2, .name = "grid", .type = FieldType::kString, .indexed = true},
    {.number = 3, .name = "count", .type = FieldType::kInt, .indexed = true},
    {.number = 4, .name = "share", .type = FieldType::kDouble, .indexed = true}};
constexpr KindSchema kOldKinds[] = {{.id = KindId(1), .name = "Visit", .fields = kOldFields}};
constexpr KindSchema kNewKinds[] = {{.id = KindId(1), .name = "Visit", .fields = kNewFields},
                                    {.id = KindId(9), .name = "Place", .fields = kOldFields}};
constexpr Schema kOld{1, kOldKinds};
constexpr Schema kNew{2, kNewKinds};

const RecordId kId = RecordId::make(DeviceId(5), 1);
const RecordId kOtherId = RecordId::make(DeviceId(5), 2);

std::string visit(std::string_view grid, std::int64_t count, double share) {
  std::string body;
  append_text(body, 2, grid);
  append_int(body, 3, count);
  append_double(body, 4, share);
  return body;
}

Connection opened(const std::string& path, const Schema& schema) {
  Result<Connection> connection = Connection::open({.path = path});
  REQUIRE(connection);
  REQUIRE(claim_file(*connection, kFormat));
  REQUIRE(build_tables(*connection, schema, kLayout));
  return std::move(*connection);
}

void put(Connection& connection, const Schema& schema, const RecordId& id, std::int64_t seq,
         const std::string& body) {
  const KindSchema& kind = *schema.kind(KindId(1));
  Result<Statement> upsert = connection.prepare(upsert_sql(kind.id, &kind, kNames));
  REQUIRE(upsert);
  upsert->bind(id, seq, Blob{body});
  bind_fields(*upsert, 4, kind, body);
  REQUIRE(upsert->run());
}

std::int64_t found(Connection& connection, const std::string& where) {
  return connection.number("SELECT count(*) FROM k1 WHERE " + where, 0).value();
}

TEST_CASE("an indexed field is a column with an index, and follows its record") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"), kNew);
  put(connection, kNew, kId, 1, visit("440811", 12, 0.5));
  CHECK(found(connection, "f2='440811' AND f3=12 AND f4=0.5") == 1);
  put(connection, kNew, kId, 2, visit("440812", 13, 1.5));
  CHECK(found(connection, "f2='440812' AND f3=13 AND f4=1.5 AND last_seq=2") == 1);
  CHECK(connection.number("SELECT count(*) FROM k1", 0).value() == 1);
  Result<Statement> plan = connection.prepare("EXPLAIN QUERY PLAN SELECT id FROM k1 WHERE f3=12");
  REQUIRE(plan->step().value());
  CHECK(std::string(plan->text(3)).find("k1_f3") != std::string::npos);
}

TEST_CASE("a field that is not set is no value in its column") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"), kNew);
  put(connection, kNew, kId, 1, {});
  CHECK(found(connection, "f2 IS NULL AND f3 IS NULL AND f4 IS NULL") == 1);
}

TEST_CASE("a file of an older schema gets what is missing, filled from its records") {
  TempFolder folder;
  {
    Connection older = opened(folder.file("a"), kOld);
    put(older, kOld, kId, 1, visit("440811", 12, 0.5));
  }
  Connection connection = opened(folder.file("a"), kNew);
  CHECK(found(connection, "f2='440811' AND f3=12 AND f4=0.5 AND last_seq=1") == 1);
  CHECK(connection.number("SELECT count(*) FROM k9", -1).value() == 0);
  CHECK(tables_current(connection, kNew, kLayout).value());
  CHECK(connection.number("SELECT value FROM meta WHERE key='schema'", 0).value() == 2);
}

TEST_CASE("a file of a newer schema keeps what this build does not know") {
  TempFolder folder;
  {
    Connection newer = opened(folder.file("a"), kNew);
    put(newer, kNew, kId, 1, visit("440811", 12, 0.5));
  }
  Connection older = opened(folder.file("a"), kOld);
  CHECK(found(older, "f2='440811' AND f4=0.5") == 1);
  CHECK(kinds_in_file(older).value().size() == 2);
  CHECK(older.number("SELECT value FROM meta WHERE key='schema'", 0).value() == 2);
}

TEST_CASE("what an older build wrote into a newer file is indexed when the newer build is back") {
  TempFolder folder;
  {
    Connection newer = opened(folder.file("a"), kNew);
    put(newer, kNew, kId, 1, visit("440811", 12, 0.5));
  }
  {
    Connection older = opened(folder.file("a"), kOld);
    CHECK_FALSE(tables_current(older, kNew, kLayout).value());
    put(older, kOld, kId, 2, visit("440811", 99, 0.75));
    put(older, kOld, kOtherId, 3, visit("440811", 98, 0.25));
  }
  Connection connection = opened(folder.file("a"), kNew);
  CHECK(found(connection, "f3=12") == 0);
  CHECK(found(connection, "f3=99 AND f4=0.75") == 1);
  CHECK(found(connection, "f3=98 AND f4=0.25") == 1);
}

TEST_CASE("a column that a side adds later appears in old files with its default") {
  TempFolder folder;
  {
    Connection connection = opened(folder.file("a"), kOld);
    put(connection, kOld, kId, 1, visit("440811", 12, 0.5));
  }
  Connection connection = opened(folder.file("a"), kOld);
  constexpr std::string_view kMore[] = {"last_seq INTEGER NOT NULL DEFAULT 0",
                                        "stamps BLOB NOT NULL DEFAULT x''"};
  REQUIRE(build_tables(connection, kOld, TableLayout{kMore}));
  CHECK(found(connection, "stamps=x'' AND last_seq=1") == 1);
}

TEST_CASE("the rows of an undeclared kind are kept whole and indexed once it is declared") {
  TempFolder folder;
  {
    Connection connection = opened(folder.file("a"), kOld);
    REQUIRE(build_unknown_kind(connection, KindId(9), kLayout));
    const std::string body = visit("440811", 1, 2);
    REQUIRE(connection.run(upsert_sql(KindId(9), nullptr, kNames), kId, 4, Blob{body}));
  }
  Connection connection = opened(folder.file("a"), kNew);
  CHECK(connection.number("SELECT last_seq FROM k9 WHERE f2='440811'", 0).value() == 4);
}

TEST_CASE("a file in a newer form is refused, one of another program too") {
  TempFolder folder;
  Connection connection = opened(folder.file("a"), kOld);
  CHECK(claim_file(connection, {77, 2}).error().code == ErrorCode::kNewerFile);
  CHECK(claim_file(connection, {78, 3}).error().code == ErrorCode::kNotADatabase);
  CHECK(claim_file(connection, {77, 3}));
}

}  // namespace
}  // namespace gridwhistle::sqlite
