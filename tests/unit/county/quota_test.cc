#include "county_world.h"

// What one phone may send, so that an app run wild does not stand in the way of the others.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr std::int64_t kHourMs = std::int64_t{3600} * 1000;

void limit(World& world, std::uint64_t an_hour, std::uint64_t a_day) {
  world.quotas.operations_an_hour = an_hour;
  world.quotas.operations_a_day = a_day;
  world.quotas.whistles_an_hour = 2;
  world.open();
}

RecordId record(World& world, Phone& phone, KindId kind, const std::string& message) {
  const RecordId id = phone.new_id();
  phone.record(kind, id, message, true, world.clock.ms);
  return id;
}

// A call in which each operation comes in a frame of its own.
std::unique_ptr<Inbox> sync_one_by_one(World& world, Phone& phone) {
  auto inbox = std::make_unique<Inbox>();
  const ConnectionId call = world.next_call();
  world.county->on_open(call, *inbox);
  world.county->on_frame(call, phone.hello(world.clock));
  for (const Lane lane : kLanes) {
    const std::span<const Operation> all(phone.lanes[lane]);
    for (std::size_t i = phone.noted[lane]; i < all.size(); ++i) {
      std::size_t taken = 0;
      world.county->on_frame(call, encode_operations(phone.device, all.subspan(i, 1), taken));
    }
  }
  world.county->on_frame(call, encode(v1::UpEnd()));
  world.pump();
  world.county->on_closed(call);
  World::note(phone, *inbox);
  return inbox;
}

}  // namespace

TEST_CASE("a phone that sends too much hears when to go on, and then all of it is taken, once") {
  World world;
  limit(world, 3, 100);
  Phone anna = world.phone(world.anna);
  for (int i = 0; i < 5; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  const auto first = sync_one_by_one(world, anna);
  CHECK(answers(*first).size() == 3);
  CHECK(first->refused() == ErrorCode::kBusy);
  const auto refusal = first->all<v1::Refusal>().front();
  CHECK(refusal.retry_after_ms() == kHourMs);
  CHECK(refusal.message().find("60 分钟") != std::string::npos);
  CHECK(refusal.message().find("60 minutes") != std::string::npos);

  world.clock.ms += kHourMs - 1;
  const auto early = sync_one_by_one(world, anna);
  CHECK(answers(*early).empty());
  CHECK(early->all<v1::Refusal>().front().retry_after_ms() == 1);
  world.clock.ms += 1;
  const auto later = sync_one_by_one(world, anna);
  CHECK(answers(*later).size() == 2);
  CHECK(later->refused() == ErrorCode{});
  CHECK(world.county->all(kinds::kVisit)->size() == 5);
}

TEST_CASE("whistles go whatever else was sent, as many as are kept free for them") {
  World world;
  limit(world, 1, 100);
  Phone anna = world.phone(world.anna);
  for (int i = 0; i < 3; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  CHECK(answers(*sync_one_by_one(world, anna)).size() == 1);
  for (int i = 0; i < 3; ++i) record(world, anna, kinds::kWhistle, whistle(kGrid1));
  const auto inbox = sync_one_by_one(world, anna);
  CHECK(answers(*inbox).size() == 2);
  CHECK(world.county->all(kinds::kWhistle)->size() == 2);
  CHECK(inbox->refused() == ErrorCode::kBusy);
}

TEST_CASE("a phone that has sent too much gets what others wrote all the same") {
  World world;
  limit(world, 1, 100);
  Phone anna = world.phone(world.anna);
  Phone second = world.phone(world.anna);
  for (int i = 0; i < 3; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  sync_one_by_one(world, anna);
  record(world, second, kinds::kVisit, visit(kGrid1, "seen by the second"));
  REQUIRE(answers(*world.sync(second)).size() == 1);
  const auto inbox = sync_one_by_one(world, anna);
  CHECK(inbox->refused() == ErrorCode::kBusy);
  std::size_t theirs = 0;
  for (const Row& row : inbox->rows_of(kinds::kVisit)) theirs += row.id.device() == second.device;
  CHECK(theirs == 1);
}

TEST_CASE("one phone's quota is no other's, and what is offered again costs nothing") {
  World world;
  limit(world, 100, 2);
  Phone anna = world.phone(world.anna);
  Phone bruno = world.phone(world.bruno);
  for (int i = 0; i < 2; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  CHECK(answers(*world.sync(anna, false)).size() == 2);
  const auto again = world.sync(anna, false);
  CHECK(answers(*again).size() == 2);
  CHECK(again->refused() == ErrorCode{});
  record(world, bruno, kinds::kVisit, visit(kGrid2));
  CHECK(answers(*world.sync(bruno)).size() == 1);
  World::note(anna, *again);
  record(world, anna, kinds::kVisit, visit(kGrid1));
  const auto over = world.sync(anna);
  CHECK(over->all<v1::Refusal>().front().retry_after_ms() == 24 * kHourMs);
}

TEST_CASE("bytes count as operations do") {
  World world;
  world.quotas.bytes_an_hour = 1;
  world.open();
  Phone anna = world.phone(world.anna);
  for (int i = 0; i < 2; ++i) record(world, anna, kinds::kVisit, visit(kGrid1));
  const auto inbox = sync_one_by_one(world, anna);
  CHECK(answers(*inbox).size() == 1);
  CHECK(inbox->refused() == ErrorCode::kBusy);
}
