#include "county_world.h"

namespace gridwhistle::test {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

/// What `gw bundle export` seals: all that a phone has unsent, or less.
std::string bundle_of(World& world, Phone& phone, std::size_t skipped = 0) {
  v1::Up greeting;
  REQUIRE(greeting.ParseFromString(phone.hello(world.clock)));
  v1::Bundle bundle;
  *bundle.mutable_hello() = greeting.hello();
  bundle.mutable_hello()->clear_signature();
  for (const Lane lane : kLanes) {
    if (phone.lanes[lane].empty()) continue;
    for (std::string& frame : phone.frames(lane, phone.noted[lane] + skipped)) {
      *bundle.add_frames() = std::move(frame);
    }
  }
  bundle.set_signature(*phone.key.sign(bundle_to_sign(bundle, kServerKey)));
  return bundle.SerializeAsString();
}

RecordId record_visit(World& world, Phone& phone) {
  const RecordId id = phone.new_id();
  phone.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  return id;
}

std::size_t visits(World& world) { return world.county->all(kinds::kVisit)->size(); }

TEST_CASE("what was carried by hand is applied once, and its phone hears of it in its next call") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  record_visit(world, phone);
  record_visit(world, phone);
  const RecordId report = phone.new_id();
  phone.record(kinds::kWhistle, report, whistle(kGrid1), true, world.clock.ms);
  const std::string bundle = bundle_of(world, phone);
  const auto taken = world.county->import_bundle(bundle, "test");
  REQUIRE(taken);
  CHECK(taken->short_code == phone.short_code);
  CHECK(taken->taken == 3);
  CHECK(taken->known + taken->refused + taken->waiting == 0);
  CHECK_FALSE(whistle_of(world, report).headless());
  const auto again = world.county->import_bundle(bundle, "test");
  REQUIRE(again);
  CHECK(again->taken == 0);
  CHECK(again->known == 3);
  const auto call = world.sync(phone);
  CHECK(answers(*call) == std::vector(3, OutcomeStatus::kAccepted));
  CHECK(call->rows_of(kinds::kVisit).empty());
  CHECK(visits(world) == 2);
  CHECK(world.county->verify()->faults.empty());
}

TEST_CASE("a bundle that arrives after a call has brought the same work changes nothing") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  record_visit(world, phone);
  const std::string bundle = bundle_of(world, phone);
  world.sync(phone);
  record_visit(world, phone);
  world.sync(phone);
  const auto late = world.county->import_bundle(bundle, "test");
  REQUIRE(late);
  CHECK(late->taken == 0);
  CHECK(late->known == 1);
  CHECK(visits(world) == 2);
}

TEST_CASE("a bundle is taken from its phone alone, as that made it") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  record_visit(world, phone);
  const std::string bundle = bundle_of(world, phone);
  v1::Bundle altered;
  REQUIRE(altered.ParseFromString(bundle));
  altered.mutable_hello()->set_wall_ms(altered.hello().wall_ms() - 1);
  CHECK(world.county->import_bundle(altered.SerializeAsString(), "test").error().code ==
        ErrorCode::kBadSignature);
  Phone stranger{.device = DeviceId(77), .key = *P256Key::make()};
  record_visit(world, stranger);
  CHECK(world.county->import_bundle(bundle_of(world, stranger), "test").error().code ==
        ErrorCode::kNotEnrolled);
  CHECK(world.county->import_bundle(bundle.substr(0, bundle.size() / 2), "test").error().code ==
        ErrorCode::kProtocol);
  REQUIRE(world.county->revoke(phone.device, DeviceState::kLost, "test"));
  CHECK(world.county->import_bundle(bundle, "test").error().code == ErrorCode::kDeviceLost);
  CHECK(visits(world) == 0);
}

TEST_CASE("a call cannot be made of a bundle, nor a bundle of a call") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  record_visit(world, phone);
  v1::Up call;
  REQUIRE(call.ParseFromString(phone.hello(world.clock)));
  v1::Bundle bundle;
  *bundle.mutable_hello() = call.hello();
  *bundle.add_frames() = phone.frames(Lane::kRecords, 0).front();
  bundle.set_signature(call.hello().signature());
  CHECK(world.county->import_bundle(bundle.SerializeAsString(), "test").error().code ==
        ErrorCode::kBadSignature);
}

TEST_CASE("a later part of a bundle waits for the earlier one") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  record_visit(world, phone);
  record_visit(world, phone);
  CHECK(world.county->import_bundle(bundle_of(world, phone, 1), "test").error().code ==
        ErrorCode::kConflict);
  CHECK(visits(world) == 0);
  REQUIRE(world.county->import_bundle(bundle_of(world, phone), "test"));
  CHECK(visits(world) == 2);
}

TEST_CASE("what is carried for days was recorded when its phone says, and judged as of then") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  world.clock.ms += kHourMs;
  record_visit(world, phone);
  const std::int64_t recorded_ms = world.clock.ms;
  world.clock.ms += kHourMs;
  const std::string bundle = bundle_of(world, phone);
  world.clock.ms += 3 * kDayMs;
  REQUIRE(world.county->revoke(phone.device, DeviceState::kLeft, "test"));
  const auto taken = world.county->import_bundle(bundle, "test");
  REQUIRE(taken);
  CHECK(taken->waiting == 1);
  CHECK(visits(world) == 0);
  const auto review = world.county->review();
  REQUIRE(review->sealed.size() == 1);
  CHECK(review->sealed[0].effective_ms == recorded_ms);
}

TEST_CASE("an open call of the phone begins anew when its bundle was taken") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, phone.hello(world.clock, true));
  world.pump();
  record_visit(world, phone);
  REQUIRE(world.county->import_bundle(bundle_of(world, phone), "test"));
  CHECK(inbox.refused() == ErrorCode::kBusy);
  CHECK_FALSE(inbox.open);
  world.county->on_closed(call);
  CHECK(answers(*world.sync(phone)) == std::vector(1, OutcomeStatus::kAccepted));
}

TEST_CASE("a bundle upon a log that is gone, or of a copied file, waits for its phone to call") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  REQUIRE(world.county->backup(world.file("backup"), "test"));
  record_visit(world, phone);
  world.sync(phone);
  record_visit(world, phone);
  const std::string bundle = bundle_of(world, phone);
  Phone copy = phone;
  record_visit(world, copy);
  record_visit(world, phone);
  phone.lanes[Lane::kRecords].back().set =
      *canonical(*built_schema().kind(kinds::kVisit), visit(kGrid1, "the other file's"));
  world.sync(copy, false);
  CHECK(world.county->import_bundle(bundle_of(world, phone), "test").error().code ==
        ErrorCode::kForked);
  world.restore(world.file("backup"));
  CHECK(world.county->import_bundle(bundle, "test").error().code == ErrorCode::kConflict);
  CHECK(visits(world) == 0);
}

TEST_CASE("the audit says whose bundle was imported, and how much it held") {
  World world;
  Phone phone = world.phone(world.anna);
  world.sync(phone);
  record_visit(world, phone);
  REQUIRE(world.county->import_bundle(bundle_of(world, phone), "the operator"));
  bool found = false;
  REQUIRE(world.storage->scan_audit([&](const AuditRow& row) -> Result<void> {
    found |= row.content.contains(std::to_string(phone.device.value) + ": 1 operations");
    return {};
  }));
  CHECK(found);
}

}  // namespace
}  // namespace gridwhistle::test
