#include "sync/outbox.h"

#include <catch2/catch.hpp>

namespace gridwhistle {

namespace {

Outbox with(std::uint64_t whistles, std::uint64_t records, std::uint64_t bulk) {
  return Outbox({LaneProgress{LaneSeq(0), LaneSeq(whistles)},
                 LaneProgress{LaneSeq(0), LaneSeq(records)},
                 LaneProgress{LaneSeq(0), LaneSeq(bulk)}});
}

v1::Acks acks(Lane lane, std::uint64_t first, std::uint32_t count, std::uint32_t status = 1) {
  v1::Acks acks;
  v1::AckRun& run = *acks.add_runs();
  run.set_lane(static_cast<std::uint32_t>(lane));
  run.set_first(first);
  run.set_count(count);
  run.set_first_seq(100);
  run.set_status(status);
  return acks;
}

}  // namespace

TEST_CASE("the most urgent lane that has something goes first") {
  Outbox outbox = with(1, 1, 1);
  CHECK(outbox.next() == Lane::kWhistles);
  outbox.add_sent(Lane::kWhistles, 1, 10);
  CHECK(outbox.next() == Lane::kRecords);
  outbox.add_sent(Lane::kRecords, 1, 10);
  CHECK(outbox.next() == Lane::kBulk);
  outbox.recorded(Lane::kWhistles, LaneSeq(2));
  CHECK(outbox.next() == Lane::kWhistles);
}

TEST_CASE("unanswered bulk is bounded, and a whistle overtakes what waits") {
  Outbox outbox = with(0, 0, 10);
  outbox.add_sent(Lane::kBulk, 5, Outbox::kBulkWindowBytes);
  CHECK_FALSE(outbox.next());
  outbox.recorded(Lane::kWhistles, LaneSeq(1));
  CHECK(outbox.next() == Lane::kWhistles);
  outbox.add_sent(Lane::kWhistles, 1, 10);
  outbox.acknowledge(acks(Lane::kBulk, 1, 5));
  CHECK(outbox.next() == Lane::kBulk);
}

TEST_CASE("however much is unsent, no more is in memory than the line has room for") {
  Outbox outbox = with(0, 1'000'000, 0);
  std::size_t unanswered = 0;
  while (const auto lane = outbox.next()) {
    outbox.add_sent(*lane, 100, 256 * 1024);
    unanswered += 256 * 1024;
  }
  CHECK(unanswered == Outbox::kWindowBytes);
  outbox.acknowledge(acks(Lane::kRecords, 1, 100));
  CHECK(outbox.next() == Lane::kRecords);
}

TEST_CASE("only what was sent can be acknowledged, in order and once") {
  Outbox outbox = with(0, 5, 0);
  outbox.add_sent(Lane::kRecords, 3, 10);
  CHECK(outbox.check(acks(Lane::kRecords, 1, 3)));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 1, 4)));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 2, 1)));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 0, 1)));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 1, 0)));
  CHECK_FALSE(outbox.check(acks(Lane::kWhistles, 1, 1)));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 1, 1, 9)));
  CHECK_FALSE(outbox.check(acks(static_cast<Lane>(4), 1, 1)));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 1, 0xFFFFFFFF)));
  outbox.acknowledge(acks(Lane::kRecords, 1, 3));
  CHECK_FALSE(outbox.check(acks(Lane::kRecords, 1, 3)));
  CHECK_FALSE(outbox.waiting());
  CHECK_FALSE(outbox.all_acknowledged());
}

TEST_CASE("a run within one frame may follow another") {
  Outbox outbox = with(0, 4, 0);
  outbox.add_sent(Lane::kRecords, 4, 10);
  v1::Acks two = acks(Lane::kRecords, 1, 2);
  *two.add_runs() = acks(Lane::kRecords, 3, 2, 2).runs(0);
  REQUIRE(outbox.check(two));
  outbox.acknowledge(two);
  CHECK(outbox.all_acknowledged());
}

}  // namespace gridwhistle
