#include "phone.h"

namespace gridwhistle::store {
namespace {

using kinds::kHousehold;
using kinds::kVisit;
using kinds::kWhistle;

std::vector<RecordId> ids_of(const Result<std::vector<FoundBytes>>& found) {
  REQUIRE(found);
  std::vector<RecordId> ids;
  for (const FoundBytes& one : *found) ids.push_back(one.info.id);
  return ids;
}

TEST_CASE("personal fields are masked unless a purpose is named") {
  Phone phone;
  const RecordId id = phone.put(kHousehold, household("麻章镇赤岭村3号"));
  const auto masked = phone.get<v1::Household>(kHousehold, id);
  CHECK(masked.contact_name() == "王*");
  CHECK(masked.contact_phone() == "138****5678");
  CHECK(masked.address() == "麻章镇赤岭村");
  CHECK(masked.grid() == kGrid);
  CHECK(phone->get(kHousehold, id)->info.masked);
  const auto full = phone.get<v1::Household>(kHousehold, id, "入户走访");
  CHECK(full.contact_name() == "王小明");
  CHECK(full.contact_phone() == "13812345678");
  CHECK(full.address() == "麻章镇赤岭村3号");
  CHECK_FALSE(phone->get(kHousehold, id, {"入户走访"})->info.masked);
}

TEST_CASE("a purpose without a word in it is none, and is asked for again") {
  Phone phone;
  const RecordId id = phone.put(kHousehold, household());
  for (const char* blank : {" ", "　", "\t\n"}) {
    const auto read = phone->get(kHousehold, id, {blank});
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kPurposeRequired);
    CHECK_FALSE(phone->query(kHousehold, {}, {blank}));
    CHECK_FALSE(phone->search({.text = "王小明"}, {blank}));
  }
  CHECK_FALSE(phone->get(kHousehold, id, {"入户走访"})->info.masked);
}

TEST_CASE("every read of personal data is logged with its purpose or without, and no other read") {
  Phone phone;
  phone.enrol();
  const RecordId home = phone.put(kHousehold, household());
  const RecordId walk = phone.put(kVisit, visit());
  REQUIRE(phone->get(kVisit, walk));
  REQUIRE(phone->get(kHousehold, home));
  REQUIRE(phone->get(kHousehold, home, {"入户走访"}));
  REQUIRE(phone->query(kHousehold, {}, {"核对"}));
  const auto log = phone->access_log(0, 100).value();
  REQUIRE(log.size() == 3);
  CHECK(log[2].ids == std::vector{home});
  CHECK(log[2].purpose.empty());
  CHECK(log[1].purpose == "入户走访");
  CHECK(log[1].worker == RecordId::make(DeviceId(1), 1));
  CHECK(log[1].at_ms == phone.clock.reading.wall_ms);
  CHECK(log[0].purpose == "核对");
  CHECK(phone->access_log(log[1].number, 100).value().size() == 1);
}

TEST_CASE("a query finds by every comparison") {
  Phone phone;
  std::vector<RecordId> ids;
  for (int hour = 0; hour < 5; ++hour) {
    v1::Visit message = visit("x", hour < 3 ? kGrid : kOtherGrid);
    message.set_started_ms(1000 * hour);
    if (hour == 4) message.set_ended_ms(9000);
    ids.push_back(phone.put(kVisit, message));
  }
  const auto found = [&](Query query) {
    return ids_of(phone->query(kVisit, query.by("started_ms")));
  };
  using Ids = std::vector<RecordId>;
  CHECK(found(Query().is("grid", std::string(kOtherGrid))) == Ids{ids[3], ids[4]});
  CHECK(found(Query().that("grid", Compare::kNotEqual, {std::string(kGrid)})) ==
        Ids{ids[3], ids[4]});
  CHECK(found(Query().that("started_ms", Compare::kLess, {std::int64_t{1000}})) == Ids{ids[0]});
  CHECK(found(Query().that("started_ms", Compare::kAtMost, {std::int64_t{1000}})) ==
        Ids{ids[0], ids[1]});
  CHECK(found(Query()
                  .that("started_ms", Compare::kGreater, {std::int64_t{1000}})
                  .that("started_ms", Compare::kAtLeast, {std::int64_t{3000}})) ==
        Ids{ids[3], ids[4]});
  CHECK(found(Query().that("grid", Compare::kStartsWith, {std::string("440811001002")})) ==
        Ids{ids[3], ids[4]});
  CHECK(found(Query().that("started_ms", Compare::kIn, {std::int64_t{0}, std::int64_t{4000}})) ==
        Ids{ids[0], ids[4]});
  CHECK(found(Query().that("started_ms", Compare::kIn, {})).empty());
  CHECK(found(Query().that("ended_ms", Compare::kSet)) == Ids{ids[4]});
  CHECK(found(Query().that("ended_ms", Compare::kUnset).first(2)) == Ids{ids[0], ids[1]});
  Query later;
  later.offset = 3;
  CHECK(found(later) == Ids{ids[3], ids[4]});
  CHECK(ids_of(phone->query(kVisit, Query().by("grid", true).by("started_ms", true))) ==
        Ids{ids[4], ids[3], ids[2], ids[1], ids[0]});
  CHECK(phone->count(kVisit, Query().is("grid", std::string(kGrid))).value() == 3);
}

TEST_CASE("a query by what it may not, or by what is not there, is refused") {
  Phone phone;
  const auto code = [&](const Query& query) { return phone->query(kVisit, query).error().code; };
  CHECK(code(Query().is("notes", std::string("x"))) == ErrorCode::kInvalid);
  CHECK(code(Query().is("nothing", std::string("x"))) == ErrorCode::kInvalid);
  CHECK(code(Query().is("grid", std::int64_t{1})) == ErrorCode::kInvalid);
  CHECK(code(Query().that("grid", Compare::kEqual)) == ErrorCode::kInvalid);
  CHECK(code(Query().that("started_ms", Compare::kStartsWith, {std::int64_t{1}})) ==
        ErrorCode::kInvalid);
  CHECK(code(Query().by("notes")) == ErrorCode::kInvalid);
  CHECK(code(Query().within({.latitude = 91})) == ErrorCode::kInvalid);
  CHECK(phone->query(kinds::kResident, Query().within({.radius_m = 1})).error().code ==
        ErrorCode::kInvalid);
  CHECK(phone->query(kinds::kResidentCare, Query().is("living_alone", std::int64_t{1}))
            .error()
            .code == ErrorCode::kPurposeRequired);
}

TEST_CASE("near a point means within the radius, nearest first") {
  Phone phone;
  std::vector<RecordId> ids;
  for (const double latitude : {21.203, 21.201, 21.300}) {
    v1::Whistle message = whistle();
    message.set_latitude(latitude);
    message.set_longitude(110.3);
    ids.push_back(phone.put(kWhistle, message));
  }
  phone.put(kWhistle, whistle("没有位置"));
  const Near near{.latitude = 21.2, .longitude = 110.3, .radius_m = 500};
  CHECK(ids_of(phone->query(kWhistle, Query().within(near))) == std::vector{ids[1], ids[0]});
  CHECK(ids_of(phone->query(kWhistle, Query().within(near).first(1))) == std::vector{ids[1]});
  CHECK(phone->count(kWhistle, Query().within(near)).value() == 2);
}

TEST_CASE("where people live is not shown, nor found out, without a purpose") {
  Phone phone;
  v1::Household home = household("槟榔村李家大院旁");
  home.set_contact_phone("33668888");
  home.set_latitude(21.2);
  home.set_longitude(110.3);
  home.set_accuracy_m(5);
  const RecordId id = phone.put(kHousehold, home);
  const auto masked = phone.get<v1::Household>(kHousehold, id);
  CHECK(masked.address() == "槟榔村李家大");
  CHECK(masked.contact_phone() == "****");
  CHECK_FALSE(masked.has_latitude());
  CHECK_FALSE(masked.has_longitude());
  CHECK_FALSE(masked.has_accuracy_m());
  CHECK(phone.get<v1::Household>(kHousehold, id, "入户走访").latitude() == 21.2);
  const Query near = Query().within({.latitude = 21.2, .longitude = 110.3, .radius_m = 500});
  CHECK(phone->query(kHousehold, near).error().code == ErrorCode::kPurposeRequired);
  CHECK(phone->count(kHousehold, near).error().code == ErrorCode::kPurposeRequired);
  CHECK(ids_of(phone->query(kHousehold, near, {"入户走访"})) == std::vector{id});
}

TEST_CASE("a query stands in the log as one line, a watch with what it delivered, receipts not") {
  Phone phone;
  const RecordId one = phone.put(kHousehold, household());
  const RecordId two = phone.put(kHousehold, household());
  REQUIRE(phone->query(kHousehold, {}, {"核对"}));
  auto log = phone->access_log(0, 100).value();
  REQUIRE(log.size() == 1);
  CHECK(log[0].ids == std::vector{one, two});
  auto handle = phone->watch(kHousehold, Query().is("grid", std::string(kGrid)).first(1).by("grid"),
                             {"看板"}, [](Result<std::vector<FoundBytes>>) {});
  phone.executor.run();
  phone.put(kHousehold, household());
  phone.put(kHousehold, household("x"));
  phone.executor.run();
  CHECK(phone->access_log(0, 1).value().front().number == log[0].number + 1);

  v1::Outcome outcome;
  outcome.set_worker("worker:1");
  phone.cut(row_of(kinds::kOutcome, kForeignId, 5, outcome));
  REQUIRE(phone->query(kinds::kOutcome, {}, {"own outcomes"}));
  REQUIRE(phone->get(kinds::kOutcome, kForeignId, {"own outcomes"}));
  CHECK(phone->access_log(0, 100).value().size() == 2);
}

}  // namespace
}  // namespace gridwhistle::store
