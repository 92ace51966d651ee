#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

// Of each operation of a lane, in order.
std::vector<std::uint32_t> statuses(const Inbox& inbox) {
  std::vector<std::uint32_t> all;
  for (const v1::AckRun& run : inbox.runs()) all.insert(all.end(), run.count(), run.status());
  return all;
}

constexpr auto kAccepted = static_cast<std::uint32_t>(OutcomeStatus::kAccepted);
constexpr auto kRejected = static_cast<std::uint32_t>(OutcomeStatus::kRejected);

}  // namespace

TEST_CASE("an operation with malformed content is rejected alone, and its lane goes on") {
  World world;
  Phone phone = world.phone(world.anna);
  for (int i = 0; i < 3; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  }
  std::string& set = phone.lanes[Lane::kRecords][1].set;
  set.replace(set.find("quiet"), 5, "\xFF\xFF\xFF\xFF\xFF");
  const auto first = world.sync(phone, false);
  CHECK(first->refused() == ErrorCode{});
  CHECK(statuses(*first) == std::vector{kAccepted, kRejected, kAccepted});
  REQUIRE(first->rows_of(kinds::kOutcome).size() == 1);
  CHECK(*world.storage->count(kinds::kVisit) == 2);
  const auto again = world.sync(phone);
  CHECK(statuses(*again) == statuses(*first));
}

TEST_CASE("a transaction with malformed content anywhere is rejected whole") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms).more = true;
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms).scope = "a b";
  const auto inbox = world.sync(phone);
  CHECK(statuses(*inbox) == std::vector{kRejected, kRejected});
  CHECK(*world.storage->count(kinds::kVisit) == 0);
}

TEST_CASE("no device creates a record under another device's id") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId foreign = RecordId::make(DeviceId(4711), 1);
  phone.record(kinds::kVisit, foreign, visit(kGrid1), true, world.clock.ms);
  CHECK(statuses(*world.sync(phone)) == std::vector{kRejected});
  CHECK(*world.storage->count(kinds::kVisit) == 0);
}

TEST_CASE("an attachment shows nobody what its record is kept from") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId household = phone.new_id();
  const RecordId walk = phone.new_id();
  v1::Household home;
  home.set_grid(kGrid1);
  phone.record(kinds::kHousehold, household, home.SerializeAsString(), true, world.clock.ms);
  phone.record(kinds::kVisit, walk, visit(kGrid1), true, world.clock.ms);
  v1::Attachment picture;
  picture.set_sha256(std::string(32, 'h'));
  picture.set_size_bytes(1000);
  picture.set_media_type("image/jpeg");
  picture.set_parent(std::string(household.bytes()));
  picture.set_parent_kind(kinds::kHousehold.value);
  phone.record(kinds::kAttachment, phone.new_id(), picture.SerializeAsString(), true,
               world.clock.ms);
  picture.set_parent(std::string(walk.bytes()));
  picture.set_parent_kind(kinds::kVisit.value);
  phone.record(kinds::kAttachment, phone.new_id(), picture.SerializeAsString(), true,
               world.clock.ms);
  world.sync(phone);
  CHECK(*world.storage->count(kinds::kAttachment) == 1);
}

TEST_CASE("a field that many appended to reaches a third phone beyond what one write may hold") {
  World world;
  Phone one = world.phone(world.anna);
  Phone two = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId id = one.new_id();
  v1::Place shop;
  shop.set_grid(kGrid1);
  shop.set_name("shop");
  one.record(kinds::kPlace, id, shop.SerializeAsString(), true, world.clock.ms);
  world.sync(one);
  for (int i = 0; i < 20; ++i) {
    Phone& phone = i % 2 == 0 ? one : two;
    v1::Place more;
    more.add_inspections()->set_text(std::string(1000, 'a'));
    phone.record(kinds::kPlace, id, more.SerializeAsString(), false, world.clock.ms + i,
                 world.storage->last_seq());
    world.sync(phone);
  }
  Phone third = world.phone(world.worker("W8", Role::kGridWorker, kGrid1));
  const auto rows = world.sync(third)->rows_of(kinds::kPlace);
  REQUIRE(rows.size() == 1);
  CHECK(rows.front().set.size() > 20'000);
}

TEST_CASE("a receipt never quotes a CARE record") {
  World world;
  Phone phone = world.phone(world.anna);
  v1::ResidentCare care;
  care.set_resident(std::string(phone.new_id().bytes()));
  phone.record(kinds::kResidentCare, phone.new_id(), care.SerializeAsString(), true,
               world.clock.ms);
  const auto rows = world.sync(phone)->rows_of(kinds::kOutcome);
  REQUIRE(rows.size() == 1);
  v1::Outcome outcome;
  REQUIRE(outcome.ParseFromString(rows.front().set));
  CHECK(outcome.status() == v1::OUTCOME_STATUS_REJECTED);
  CHECK(outcome.lost_set().empty());
  CHECK(outcome.lost_fields_size() == 1);
}
