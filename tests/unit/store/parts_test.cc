#include "phone.h"

// What belongs to a record goes out of sight with it. Merge laws, "Erasing".
namespace gridwhistle::store {
namespace {

using kinds::kHousehold;
using kinds::kResident;
using kinds::kVisit;

v1::Resident resident(const RecordId& home, const std::string& name = "王小明") {
  v1::Resident message;
  message.set_household(std::string(home.bytes()));
  message.set_name(name);
  return message;
}

v1::TrackBatch track_of(const RecordId& patrol) {
  v1::TrackBatch message;
  message.set_visit(std::string(patrol.bytes()));
  message.add_points()->set_at_ms(1'767'000'000'001);
  return message;
}

v1::Attachment picture_of(KindId kind, const RecordId& parent) {
  v1::Attachment message;
  message.set_parent(std::string(parent.bytes()));
  message.set_parent_kind(kind.value);
  message.set_sha256(std::string(32, 's'));
  message.set_size_bytes(10);
  message.set_media_type("image/jpeg");
  return message;
}

/// A household and a resident that the server knows.
struct Home {
  Phone phone;
  RecordId home = phone.put(kHousehold, household());
  RecordId person = phone.put(kResident, resident(home));

  Home() { phone.acknowledge(Lane::kRecords, 1); }

  std::size_t found(const std::string& text) {
    return phone->search({.text = text}, {"test"}).value().size();
  }
  std::size_t residents() {
    Query all;
    all.is("household", std::string(home.bytes()));
    const auto found = phone->query(kResident, all).value();
    CHECK(phone->count(kResident, all).value() == found.size());
    return found.size();
  }
};

TEST_CASE("an erased household's residents are out of sight at once, without network") {
  Home h;
  REQUIRE(h.residents() == 1);
  REQUIRE(h.found("王小明") == 2);
  v1::Visit walk = visit();
  walk.set_household(std::string(h.home.bytes()));
  const RecordId visited = h.phone.put(kVisit, walk);
  int asked = 0;
  auto handle = h.phone->watch(kResident, {}, {}, [&](const auto&) { ++asked; });
  h.phone.executor.run();
  REQUIRE(asked == 1);
  REQUIRE(h.phone->erase(kHousehold, h.home));
  h.phone.executor.run();
  CHECK(asked == 2);
  for (int opened = 0; opened < 2; ++opened) {
    CHECK_FALSE(h.phone.has(kResident, h.person));
    CHECK(h.residents() == 0);
    CHECK(h.found("王小明") == 0);
    CHECK(h.phone.has(kVisit, visited));
    handle = {};
    h.phone.open();
  }
  // One operation says it all.
  CHECK(h.phone->sync_state()->unsent == 2);

  SECTION("and leave the file when the server has taken it over") {
    h.phone.acknowledge(Lane::kRecords, 3);
    CHECK_FALSE(h.phone.has(kResident, h.person));
    h.phone.cut(row_of(kResident, h.person, 9, v1::Resident(), RowChange::kErased));
    CHECK_FALSE(h.phone.has(kResident, h.person));
  }
  SECTION("and are back where the server has it that the household stands") {
    const auto status = GENERATE(OutcomeStatus::kRevived, OutcomeStatus::kRejected);
    h.phone.acknowledge(Lane::kRecords, 3, status);
    CHECK(h.phone.has(kHousehold, h.home));
    CHECK(h.residents() == 1);
    CHECK(h.found("王小明") == 2);
  }
  SECTION("and nobody is added to it any more") {
    CHECK(h.phone.refused({.kind = kResident, .set = resident(h.home).SerializeAsString()}) ==
          ErrorCode::kNotFound);
  }
}

TEST_CASE("nobody is added to a household behind its erasure in one transaction") {
  Home h;
  const Change added{.kind = kResident, .set = resident(h.home).SerializeAsString()};
  const Change erased{.kind = kHousehold, .id = h.home, .type = OperationType::kErase};
  CHECK(h.phone->commit({added, erased, added}).error().code == ErrorCode::kNotFound);
  CHECK(h.residents() == 1);
  CHECK(h.phone->commit({added, added, erased}).has_value());
}

TEST_CASE("nothing is added to a part behind its whole's erasure in one transaction") {
  Phone phone;
  const RecordId patrol = phone.put(kVisit, visit());
  const RecordId track = phone.put(kinds::kTrackBatch, track_of(patrol));
  const v1::Attachment picture = picture_of(kinds::kTrackBatch, track);
  const Change added{.kind = kinds::kAttachment, .set = picture.SerializeAsString()};
  const Change erased{.kind = kVisit, .id = patrol, .type = OperationType::kErase};
  const auto refused = phone->commit({added, erased, added});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNotFound);
  CHECK(phone.has(kinds::kTrackBatch, track));
  CHECK(phone->commit({added, erased}).has_value());
}

TEST_CASE("a resident who comes with the feed while the household's erasure waits is not shown") {
  Home h;
  REQUIRE(h.phone->erase(kHousehold, h.home));
  h.phone.cut(row_of(kResident, kForeignId, 9, resident(h.home, "李小红")));
  v1::Resident edit;
  edit.set_relation("head");
  h.phone.cut(row_of(kResident, h.person, 10, edit, RowChange::kFields));
  CHECK_FALSE(h.phone.has(kResident, kForeignId));
  CHECK_FALSE(h.phone.has(kResident, h.person));

  SECTION("and goes with it") {
    h.phone.acknowledge(Lane::kRecords, 11);
    CHECK_FALSE(h.phone.has(kResident, kForeignId));
    CHECK_FALSE(h.phone.has(kResident, h.person));
  }
  SECTION("and is there when it is brought back") {
    h.phone.acknowledge(Lane::kRecords, 11, OutcomeStatus::kRevived);
    CHECK(h.residents() == 2);
    CHECK(h.phone.get<v1::Resident>(kResident, h.person, "test").relation() == "head");
  }
  SECTION("and is shown once moved to another household") {
    v1::Resident move;
    const RecordId other = h.phone.put(kHousehold, household("东街1号"));
    move.set_household(std::string(other.bytes()));
    h.phone.cut(row_of(kResident, h.person, 12, move, RowChange::kFields));
    CHECK(h.phone.has(kResident, h.person));
    h.phone.acknowledge(Lane::kRecords, 13);
    CHECK(h.phone.has(kResident, h.person));
    CHECK_FALSE(h.phone.has(kResident, kForeignId));
  }
}

TEST_CASE("own edits of a resident that wait under the household's erasure end as they would") {
  Home h;
  v1::Resident edit;
  edit.set_relation("head");
  h.phone.put(kResident, edit, h.person);
  REQUIRE(h.phone->erase(kHousehold, h.home));
  h.phone.acknowledge(Lane::kRecords, 3, OutcomeStatus::kAccepted, 1);
  CHECK_FALSE(h.phone.has(kResident, h.person));
  h.phone.acknowledge(Lane::kRecords, 4, OutcomeStatus::kRejected);
  CHECK(h.phone.get<v1::Resident>(kResident, h.person, "test").relation() == "head");
}

TEST_CASE("a patrol's track goes with it, and a shop's picture with the shop alone") {
  Phone phone;
  const RecordId patrol = phone.put(kVisit, visit());
  const RecordId track = phone.put(kinds::kTrackBatch, track_of(patrol));
  v1::Place shop;
  shop.set_grid(std::string(kGrid));
  const RecordId place = phone.put(kinds::kPlace, shop);
  const RecordId image = phone.put(kinds::kAttachment, picture_of(kinds::kPlace, place));
  REQUIRE(phone->erase(kVisit, patrol));
  CHECK_FALSE(phone.has(kinds::kTrackBatch, track));
  CHECK(phone.has(kinds::kAttachment, image));
  REQUIRE(phone->erase(kinds::kPlace, place));
  CHECK_FALSE(phone.has(kinds::kAttachment, image));
}

TEST_CASE("an erasure that a restored server has lost hides the residents again") {
  Home h;
  h.phone.enrol();
  const v1::Welcome welcome = h.phone.welcome_of({"grid:" + std::string(kGrid)});
  h.phone.welcome(with_epochs(welcome, {{7, Seq(0)}}));
  h.phone.cut(row_of(kHousehold, h.home, 3, household()));
  h.phone.cut(row_of(kResident, h.person, 4, resident(h.home)));
  REQUIRE(h.phone->erase(kHousehold, h.home));
  h.phone.acknowledge(Lane::kRecords, 9, OutcomeStatus::kRevived);
  REQUIRE(h.residents() == 1);
  const auto restore = [&] {
    h.phone.welcome(with_epochs(welcome, {{8, Seq(5)}, {7, Seq(0)}}));
    CHECK(h.phone->sync_state()->unsent > 0);
    CHECK_FALSE(h.phone.has(kHousehold, h.home));
  };

  SECTION("at once") {
    restore();
    CHECK(h.residents() == 0);
  }
  SECTION("and a resident written to since is back when the household stands again") {
    v1::Resident edit;
    edit.set_relation("head");
    h.phone.put(kResident, edit, h.person);
    h.phone.acknowledge(Lane::kRecords, 10);
    restore();
    h.phone.cut(row_of(kResident, h.person, 4, resident(h.home)));
    h.phone.acknowledge(Lane::kRecords, 6, OutcomeStatus::kRevived, 1);
    h.phone.acknowledge(Lane::kRecords, 7);
    CHECK(h.residents() == 1);
    CHECK(h.phone.get<v1::Resident>(kResident, h.person, "test").relation() == "head");
  }
}

TEST_CASE("a part goes out of sight with its whole that a restored server may not have") {
  Phone phone;
  const v1::Welcome welcome = phone.welcome_of({"grid:" + std::string(kGrid)});
  phone.welcome(with_epochs(welcome, {{7, Seq(0)}}));
  const RecordId person = RecordId::make(kForeignId.device(), 9);
  phone.cut(row_of(kResident, person, 4, resident(kForeignId)));
  phone.cut(row_of(kHousehold, kForeignId, 8, household()));
  REQUIRE(phone.has(kResident, person));
  phone.welcome(with_epochs(welcome, {{8, Seq(5)}, {7, Seq(0)}}));
  CHECK_FALSE(phone.has(kHousehold, kForeignId));
  CHECK_FALSE(phone.has(kResident, person));
  // Where the log that is left has it in sight, the feed brings it.
  phone.cut(row_of(kResident, person, 4, resident(kForeignId)));
  CHECK(phone.has(kResident, person));
}

}  // namespace
}  // namespace gridwhistle::store
