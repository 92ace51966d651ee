#include "model/operation.h"

#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "model/hlc.h"

namespace gridwhistle {

TEST_CASE("the hash of an operation changes with each of its parts") {
  const std::vector<std::function<void(Operation&)>> changes = {
      [](Operation&) {},
      [](Operation& op) { op.kind = KindId(1); },
      [](Operation& op) { op.id = RecordId::make(DeviceId(1), 1); },
      [](Operation& op) { op.type = OperationType::kErase; },
      [](Operation& op) { op.creates = true; },
      [](Operation& op) { op.more = true; },
      [](Operation& op) { op.lane = Lane::kBulk; },
      [](Operation& op) { op.lane_seq = LaneSeq(1); },
      [](Operation& op) { op.dev_seq = DevSeq(1); },
      [](Operation& op) { op.base_seq = Seq(1); },
      [](Operation& op) { op.own_since = DevSeq(1); },
      [](Operation& op) { op.hlc = Hlc(1); },
      [](Operation& op) { op.claimed.wall_ms = -1; },
      [](Operation& op) { op.claimed.boot_ms = 1; },
      [](Operation& op) { op.claimed.boot_id = 1; },
      [](Operation& op) { op.scope = "a"; },
      [](Operation& op) { op.set = "a"; },
      [](Operation& op) { op.clear = {1}; },
      [](Operation& op) { op.clear = {1, 1}; },
      [](Operation& op) { op.remove = "a"; },
  };
  std::set<std::string> hashes;
  for (const auto& change : changes) {
    Operation operation;
    change(operation);
    CHECK(hash_of(operation).size() == 32);
    hashes.insert(hash_of(operation));
  }
  CHECK(hashes.size() == changes.size());
}

TEST_CASE("an operation that is offered again keeps the hash it was recorded with") {
  Operation operation;
  operation.base_seq = Seq(7);
  const std::string recorded = hash_of(operation);
  operation.recorded_hash = recorded;
  operation.base_seq = Seq(3);
  operation.own_since = DevSeq(2);
  CHECK(hash_of(operation) == recorded);
}

TEST_CASE(
    "a new write's clock is above everything its writer has seen, and no lower than the server's") {
  CHECK(next_hlc(Hlc(5), 0) == Hlc(6));
  CHECK(next_hlc(Hlc(5), 1000) == hlc_at(1000));
  CHECK(next_hlc(hlc_at(2000), 1000) > hlc_at(2000));
}

TEST_CASE("a clock in 2099 counts as the moment of receipt") {
  CHECK(physical_ms(clamp_hlc(hlc_at(4'070'908'800'000), 1'700'000'000'000)) == 1'700'000'000'000);
  CHECK(clamp_hlc(hlc_at(5), 1000) == hlc_at(5));
}

}  // namespace gridwhistle
