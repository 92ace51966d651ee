#include <random>

#include "../unit/county/county_world.h"
#include "mutate.h"
#include "samples.h"

// A phone that is enrolled and means harm: sound frames of senseless operations, and senseless
// frames, after a valid Hello.
namespace gridwhistle::fuzz {
namespace {

std::uint64_t chosen(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

class Harm {
 public:
  Harm(test::Phone& phone, std::vector<RecordId> targets, std::mt19937_64& random)
      : phone_(phone), targets_(std::move(targets)), random_(random) {}

  /// An operation that any phone could send, on anything, saying anything.
  void record(std::int64_t now_ms) {
    const auto& kinds = built_schema().kinds;
    const KindSchema& kind = kinds[below(kinds.size())];
    const bool own = below(2) == 0;
    const RecordId id = own ? phone_.new_id() : targets_[below(targets_.size())];
    Operation& op = phone_.record(kind.id, id, content(kind), below(2) == 0, now_ms);
    op.type = below(5) == 0 ? OperationType::kErase : OperationType::kPut;
    if (op.type == OperationType::kErase) op.set.clear();
    op.base_seq = Seq(below(3) == 0 ? random_() >> 1 : below(50));
    op.hlc = Hlc(below(3) == 0 ? random_() : op.hlc.value);
    op.claimed.wall_ms = below(3) == 0 ? 4'102'444'800'000 : op.claimed.wall_ms;
    op.scope = below(2) == 0 ? "county" : "grid:" + test::kGrid2;
    for (std::size_t left = below(3); left > 0; --left) {
      op.clear.push_back(static_cast<std::uint32_t>(2 + below(30)));
    }
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string content(const KindSchema& kind) {
    std::string message;
    for (const FieldSchema& field : kind.fields) {
      if (field.number == 1 || below(2) == 0) continue;
      if (field.type == FieldType::kString && below(2) == 0) {
        append_text(message, field.number, below(2) == 0 ? test::kGrid1 : test::kGrid2);
      } else if (field.type == FieldType::kBytes && below(2) == 0) {
        append_text(message, field.number, targets_[below(targets_.size())].bytes());
      } else {
        message += field_of(full_message(kind), field.number).entries;
      }
    }
    return message;
  }

  test::Phone& phone_;
  std::vector<RecordId> targets_;
  std::mt19937_64& random_;
};

using Bodies = std::vector<std::pair<RecordId, std::string>>;

Bodies bodies_of(const County& county, KindId kind) {
  Bodies bodies;
  const auto rows = county.all(kind);
  REQUIRE(rows);
  for (const StoredRow& row : *rows) bodies.emplace_back(row.id, row.body);
  return bodies;
}

TEST_CASE("An enrolled phone that means harm harms nothing but its own") {
  const std::uint64_t seed = chosen("GRIDWHISTLE_SEED", std::random_device()());
  std::printf("county: GRIDWHISTLE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::mt19937_64 random(seed);

  test::World world;
  test::Phone honest = world.phone(world.bruno);
  const RecordId household = honest.new_id();
  v1::Household home;
  home.set_grid(test::kGrid2);
  home.set_address("2");
  honest.record(kinds::kHousehold, household, home.SerializeAsString(), true, world.clock.ms);
  world.sync(honest);
  const Bodies workers = bodies_of(*world.county, kinds::kWorker);
  const Bodies households = bodies_of(*world.county, kinds::kHousehold);
  REQUIRE(households.size() == 1);

  const std::vector<RecordId> targets = {household,  world.anna,     world.bruno,
                                         world.dora, world.town_org, world.road_org};
  for (std::uint64_t call = 0; call < chosen("GRIDWHISTLE_MUTATIONS", 60); ++call) {
    test::Phone phone = world.phone(world.anna);
    Harm harm(phone, targets, random);
    for (int i = 0; i < 12; ++i) harm.record(world.clock.ms);
    const auto answers = world.sync(phone);
    std::uint64_t answered = 0;
    for (const v1::AckRun& run : answers->runs()) answered += run.count();
    INFO("call " << call << " of seed " << seed);
    if (answers->refused() == ErrorCode{}) CHECK(answered == 12);

    // The same phone, now without sense.
    test::Inbox inbox;
    const ConnectionId broken = world.next_call();
    world.county->on_open(broken, inbox);
    world.county->on_frame(broken, phone.hello(world.clock));
    std::vector<std::string> seeds = {encode(v1::UpEnd()), phone.hello(world.clock)};
    for (const Lane lane : kLanes) {
      for (std::string& frame : phone.frames(lane, 0)) seeds.push_back(std::move(frame));
    }
    for (int i = 0; i < 5; ++i) world.county->on_frame(broken, mutated(seeds, random));
    world.pump();
    world.county->on_closed(broken);
    CHECK(bodies_of(*world.county, kinds::kWorker) == workers);
  }

  CHECK(bodies_of(*world.county, kinds::kWorker) == workers);
  const auto kept = world.county->get(kinds::kHousehold, household);
  REQUIRE((kept && *kept));
  CHECK_FALSE((*kept)->erased);
  CHECK((*kept)->body == households.front().second);
  const auto report = world.county->verify();
  REQUIRE(report);
  for (const Line& fault : report->faults) FAIL_CHECK(fault.en);
  honest.record(kinds::kVisit, honest.new_id(), test::visit(test::kGrid2), true, world.clock.ms);
  CHECK(world.sync(honest)->runs().size() == 1);
}

}  // namespace
}  // namespace gridwhistle::fuzz
