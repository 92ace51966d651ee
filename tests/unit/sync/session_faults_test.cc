#include <catch2/catch.hpp>

#include "phone_and_server.h"

namespace gridwhistle {

namespace {

/// One random thing that happens to a phone, its line or its server.
void something_happens(World& world, SeededRandom& random) {
  const Lane lane = kLanes[random.below(kLaneCount)];
  switch (random.below(12)) {
    case 0: {
      const std::uint64_t count = 1 + random.below(4);
      LaneSeq last;
      for (std::uint64_t i = 0; i < count; ++i) last = world.file.record(lane, i + 1 < count);
      world.run(world.session.recorded(lane, last, world.now_ms));
      break;
    }
    case 1:
      world.break_call();
      break;
    case 2:
      world.break_call(ErrorCode::kProtocol);
      break;
    case 3:
      world.fail_store = true;
      break;
    case 4:
      world.dead = true;
      break;
    case 5:
      world.run(world.session.sync_once({}, world.now_ms));
      break;
    case 6:
      world.run(world.session.network_changed(world.now_ms));
      break;
    case 7: {
      if (world.call) world.down.emplace_back(v1::Welcome());  // a server that lost its mind
      break;
    }
    case 8: {
      world.now_ms += random.below(120'000);
      world.run(world.session.tick(world.now_ms));
      break;
    }
    default:
      for (std::uint64_t i = random.below(6); i > 0; --i) {
        if (random.below(2) == 0) {
          world.deliver_up();
        } else {
          world.deliver_down();
        }
      }
  }
}

}  // namespace

TEST_CASE("whatever happens, a healed network ends with everything acknowledged, each once") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    SeededRandom random(seed * 7919);
    world.run(world.session.go_live(world.now_ms));
    for (int step = 0; step < 150; ++step) something_happens(world, random);

    world.fail_store = false;
    for (int i = 0; i < 20 && !(world.file.all_acknowledged() && world.call); ++i) {
      world.deliver_all();
      if (const auto wake = world.session.wake_ms()) world.now_ms = std::max(world.now_ms, *wake);
      world.run(world.session.tick(world.now_ms));
      world.deliver_all();
    }
    REQUIRE(world.file.all_acknowledged());
    CHECK(world.server.twice == 0);
    for (const Lane lane : kLanes) {
      const auto& recorded = world.file.recorded[index_of(lane)];
      const auto& taken = world.server.taken[index_of(lane)];
      REQUIRE(taken.size() == recorded.size());
      for (std::size_t i = 0; i < taken.size(); ++i) REQUIRE(taken[i] == hash_of(recorded[i]));
    }
  }
}

}  // namespace gridwhistle
