#include "sync/session.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "phone_and_server.h"
#include "schema/tables.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

v1::Welcome welcome(std::uint32_t protocol = SyncSession::kProtocol) {
  v1::Welcome welcome;
  welcome.set_protocol(protocol);
  v1::Grant& grant = *welcome.add_grants();
  grant.set_scope("grid:440811001001001");
  return welcome;
}

CutDown cut(std::uint64_t upto, std::string scope = {}) {
  CutDown cut;
  cut.scope = std::move(scope);
  cut.upto = Seq(upto);
  return cut;
}

v1::DownEnd down_end(std::uint64_t caught_up, std::uint32_t retry_after_ms = 0) {
  v1::DownEnd end;
  end.set_caught_up(caught_up);
  end.set_retry_after_ms(retry_after_ms);
  return end;
}

v1::Refusal refusal(ErrorCode code, std::uint32_t retry_after_ms = 0) {
  v1::Refusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(code));
  refusal.set_message("no");
  refusal.set_retry_after_ms(retry_after_ms);
  return refusal;
}

/// A world whose live call is open and welcomed.
struct LiveWorld : World {
  LiveWorld() : World(1) {
    run(session.go_live(now_ms));
    up.clear();
    say(welcome());
  }
  void say(const Down& frame) { run(session.frame(frame, 10, now_ms)); }
};

void check_refused_as_protocol(LiveWorld& world, const Down& frame) {
  const Seq cursor = world.file.cursor;
  world.say(frame);
  CHECK_FALSE(world.call);
  REQUIRE(world.session.last_error());
  CHECK(world.session.last_error()->code == ErrorCode::kProtocol);
  CHECK(world.session.phase() == SyncPhase::kWaiting);
  CHECK(world.file.cursor == cursor);
}

}  // namespace

TEST_CASE("who has nothing to send says so with the Hello, which leaves out what is known") {
  World world(1);
  world.run(world.session.sync_once({}, world.now_ms));
  REQUIRE(world.up.size() == 1);
  CHECK(world.half_closed);
  const auto first = decode_up(built_schema(), DeviceId(), world.up.front());
  CHECK(std::get<v1::Hello>(*first).lanes_size() == 0);
  CHECK(std::get<v1::Hello>(*first).software() != "");
  world.deliver_all();
  REQUIRE(world.finished.size() == 1);
  CHECK(world.finished[0]);
  world.run(world.session.sync_once({}, world.now_ms));
  const auto second = decode_up(built_schema(), DeviceId(), world.up.front());
  CHECK(std::get<v1::Hello>(*second).software() == "");
}

TEST_CASE("a call sends hello, every operation lane by lane, and the end without waiting") {
  World world(1);
  world.file.record(Lane::kBulk);
  world.file.record(Lane::kRecords);
  world.file.record(Lane::kWhistles);
  world.run(world.session.sync_once({}, world.now_ms));
  REQUIRE(world.up.size() == 4);
  CHECK(world.half_closed);
  world.deliver_all();
  CHECK(world.lanes_received == std::vector<Lane>{Lane::kWhistles, Lane::kRecords, Lane::kBulk});
  REQUIRE(world.finished.size() == 1);
  CHECK(world.finished[0]);
  CHECK(world.file.all_acknowledged());
  CHECK(world.session.phase() == SyncPhase::kStopped);
  CHECK(world.session.report().sent == 3);
  CHECK(world.session.report().acknowledged == 3);
  CHECK(world.session.report().caught_up);
}

TEST_CASE("a hello says of each used lane what is noted, what will come, and what is forgotten") {
  World world(1);
  world.file.record(Lane::kWhistles);
  for (int i = 0; i < 4; ++i) world.file.record(Lane::kRecords);
  SyncState state = world.file.state();
  LaneProgress& records = state.lanes[index_of(Lane::kRecords)];
  records.acknowledged = LaneSeq(3);
  records.first = LaneSeq(2);
  world.session.sync_once({}, world.now_ms);
  const SyncActions actions = world.session.opened(state, world.now_ms);
  REQUIRE_FALSE(actions.empty());
  const v1::Hello& hello = std::get<SendHello>(actions.front()).hello;
  REQUIRE(hello.lanes_size() == 2);
  CHECK(hello.lanes(0).last() == 1);
  CHECK(hello.lanes(0).first() == 0);
  CHECK(hello.lanes(1).noted() == 3);
  CHECK(hello.lanes(1).last() == 4);
  CHECK(hello.lanes(1).first() == 2);
}

/// A one-time call that is to compare, and a server that can.
struct ComparingWorld : World {
  ComparingWorld() : World(1) {
    run(session.sync_once({.compare = true}, now_ms));
    v1::Welcome says = welcome();
    says.set_compares(true);
    say(says);
  }
  void say(const Down& frame) { run(session.frame(frame, 10, now_ms)); }
  void answer(std::vector<std::uint32_t> ranges, bool later = false) {
    v1::Differences differences;
    differences.mutable_ranges()->Assign(ranges.begin(), ranges.end());
    differences.set_later(later);
    say(differences);
  }
  template <typename Part>
  std::size_t sent() const {
    return static_cast<std::size_t>(std::ranges::count_if(up, [](const std::string& frame) {
      return std::holds_alternative<Part>(decode_up(built_schema(), DeviceId(1), frame).value());
    }));
  }
};

TEST_CASE("a comparison is asked for once all is sent, and the end of the call waits for it") {
  ComparingWorld world;
  CHECK(world.sent<v1::Digests>() == 1);
  CHECK_FALSE(world.half_closed);
  world.answer({});
  CHECK(world.half_closed);
  CHECK(world.file.compared == 1);
  CHECK(world.session.report().compared);
  CHECK(world.session.report().repaired == 0);
}

TEST_CASE("of ranges that differ the contents are told, and what comes puts them right") {
  ComparingWorld world;
  world.answer({3, 200});
  CHECK(world.sent<v1::RangeContents>() == 2);
  CHECK(world.half_closed);
  CHECK(world.file.compared == 0);
  CutDown repair = cut(0);
  repair.repairs = true;
  repair.rows.resize(2);
  for (Row& row : repair.rows) row.last_seq = Seq(1);
  repair.upto = Seq(1);
  world.say(repair);
  world.say(down_end(1));
  CHECK(world.file.compared == 1);
  CHECK(world.session.report().compared);
  CHECK(world.session.report().repaired == 2);
}

TEST_CASE("a server that cannot compare now, or at all, ends the call like any other") {
  ComparingWorld world;
  world.answer({}, true);
  CHECK(world.half_closed);
  CHECK(world.file.compared == 0);
  CHECK_FALSE(world.session.report().compared);
  World other(1);
  other.run(other.session.sync_once({.compare = true}, other.now_ms));
  CHECK(other.up.size() == 1);
  other.deliver_all();
  REQUIRE(other.finished.size() == 1);
  CHECK(other.finished[0]);
  CHECK(other.file.compared == 0);
}

TEST_CASE("nothing is compared while something is unsent, or with a budget") {
  World world(1);
  world.file.record(Lane::kRecords);
  world.session.sync_once({.compare = true}, world.now_ms);
  const auto asks = [&](World& of) {
    const SyncActions actions = of.session.opened(of.file.state(), of.now_ms);
    return std::get<SendHello>(actions.front()).hello.compare();
  };
  CHECK_FALSE(asks(world));
  World bounded(1);
  bounded.session.sync_once({.budget_bytes = 1000, .compare = true}, bounded.now_ms);
  CHECK_FALSE(asks(bounded));
  World free(1);
  free.session.sync_once({.compare = true}, free.now_ms);
  CHECK(asks(free));
}

TEST_CASE("what a server says has gone unheard is compared in a call more, and no further one") {
  const bool live = GENERATE(false, true);
  World world(1);
  world.run(live ? world.session.go_live(world.now_ms) : world.session.sync_once({}, world.now_ms));
  v1::Welcome says = welcome();
  says.set_reconcile(true);
  const auto call = [&] {
    world.run(world.session.frame(says, 10, world.now_ms));
    world.run(world.session.frame(down_end(7), 10, world.now_ms));
    if (!live) world.run(world.session.ended({}, world.now_ms));
  };
  CHECK(world.calls == 1);
  call();
  CHECK(world.calls == 2);
  CHECK(world.file.cursor == Seq(7));
  CHECK(world.finished.empty());
  call();  // whatever that one says
  CHECK(world.calls == 2);
  CHECK(world.finished.size() == (live ? 0 : 1));
}

TEST_CASE("a comparison that is due follows behind the call that brings what was unsent") {
  World world(1);
  world.file.record(Lane::kRecords);
  world.session.sync_once({}, world.now_ms);
  const bool due = GENERATE(true, false);
  SyncState state = world.file.state();
  state.compare_due = due;
  const SyncActions begun = world.session.opened(state, world.now_ms);
  CHECK_FALSE(std::get<SendHello>(begun.front()).hello.compare());
  world.session.frame(welcome(), 10, world.now_ms);
  world.session.frame(down_end(7), 10, world.now_ms);
  const SyncActions ended = world.session.ended({}, world.now_ms);
  CHECK(due == std::ranges::any_of(ended, [](const SyncAction& action) {
          return std::holds_alternative<OpenCall>(action);
        }));
}

TEST_CASE("a call that has so long ends then, with what it has done, and goes on from there") {
  World world(1);
  for (int i = 0; i < 3; ++i) world.file.record(Lane::kRecords);
  world.run(world.session.sync_once({.budget_ms = 20'000}, world.now_ms));
  CHECK(world.session.wake_ms() == world.now_ms + 20'000);
  REQUIRE(world.deliver_up());
  REQUIRE(world.deliver_down());
  REQUIRE(world.deliver_up());
  REQUIRE(world.deliver_down());
  world.now_ms += 19'999;
  world.run(world.session.tick(world.now_ms));
  CHECK(world.finished.empty());
  world.now_ms += 1;
  world.run(world.session.tick(world.now_ms));
  REQUIRE(world.finished.size() == 1);
  CHECK(world.finished[0]);
  CHECK_FALSE(world.call);
  CHECK_FALSE(world.session.report().caught_up);
  CHECK(world.session.phase() == SyncPhase::kStopped);
  CHECK_FALSE(world.session.wake_ms());
  world.run(world.session.sync_once({}, world.now_ms));
  world.deliver_all();
  CHECK(world.file.all_acknowledged());
  CHECK(world.server.twice == 0);
}

TEST_CASE("on a metered line tracks stay for another call, whistles and records go") {
  World world(1);
  for (int i = 0; i < 3; ++i) {
    world.file.record(Lane::kBulk);
    world.file.record(Lane::kRecords);
    world.file.record(Lane::kWhistles);
  }
  const auto taken = [&](Lane lane) { return world.server.taken[index_of(lane)].size(); };
  world.run(world.session.sync_once({.metered = true}, world.now_ms));
  world.deliver_all();
  REQUIRE(world.finished.size() == 1);
  CHECK(world.finished[0]);
  CHECK(world.session.report().held_back == 3);
  CHECK(taken(Lane::kWhistles) == 3);
  CHECK(taken(Lane::kRecords) == 3);
  CHECK(taken(Lane::kBulk) == 0);
  world.run(world.session.sync_once({}, world.now_ms));
  world.deliver_all();
  CHECK(world.session.report().held_back == 0);
  CHECK(taken(Lane::kBulk) == 3);
}

TEST_CASE("what is beyond the budget goes with the next calls, but whistles always go") {
  World world(1);
  for (int i = 0; i < 200; ++i) world.file.record(Lane::kRecords);
  for (int i = 0; i < 100; ++i) world.file.record(Lane::kWhistles);
  const auto taken = [&](Lane lane) { return world.server.taken[index_of(lane)].size(); };
  world.run(world.session.sync_once({.budget_bytes = 100}, world.now_ms));
  world.deliver_all();
  CHECK(taken(Lane::kWhistles) == 100);
  CHECK(world.session.report().held_back == 200 - taken(Lane::kRecords));
  CHECK(taken(Lane::kRecords) < 100);
  int calls = 1;
  while (!world.file.all_acknowledged()) {
    REQUIRE(++calls < 300);
    world.run(world.session.sync_once({.budget_bytes = 1'000}, world.now_ms));
    world.deliver_all();
    CHECK(world.session.report().bytes_up < 3'000);
  }
  CHECK(calls > 3);
  CHECK(world.server.twice == 0);
}

TEST_CASE("a budget is one call's: a live one has none") {
  World world(1);
  world.file.record(Lane::kBulk);
  world.run(world.session.sync_once({.budget_bytes = 100, .metered = true}, world.now_ms));
  world.deliver_all();
  REQUIRE_FALSE(world.file.all_acknowledged());
  world.session.go_live(world.now_ms);
  const SyncActions actions = world.session.opened(world.file.state(), world.now_ms);
  CHECK(std::get<SendHello>(actions.front()).hello.budget_bytes() == 0);
  CHECK(std::ranges::any_of(actions, [](const SyncAction& action) {
    return std::holds_alternative<ReadOperations>(action);
  }));
}

TEST_CASE("a server that has not answered in the time given has failed; a live call goes on") {
  World silent(1);
  silent.run(silent.session.sync_once({.budget_ms = 20'000}, silent.now_ms));
  silent.now_ms += 20'000;
  silent.run(silent.session.tick(silent.now_ms));
  REQUIRE(silent.finished.size() == 1);
  CHECK(silent.finished[0].error().code == ErrorCode::kTimeout);
  LiveWorld live;
  live.file.record(Lane::kRecords);
  live.run(live.session.recorded(Lane::kRecords, LaneSeq(1), live.now_ms));
  live.run(live.session.sync_once({.budget_ms = 20'000}, live.now_ms));
  live.now_ms += 20'000;
  live.run(live.session.tick(live.now_ms));
  REQUIRE(live.finished.size() == 1);
  CHECK(live.finished[0]);
  CHECK(live.call);
}

TEST_CASE("a transaction is never cut between two frames") {
  World world(1);
  for (int t = 0; t < 40; ++t) {
    for (int i = 0; i < 100; ++i) world.file.record(Lane::kRecords, i < 99);
  }
  world.run(world.session.sync_once({}, world.now_ms));
  world.deliver_all();
  CHECK(world.file.all_acknowledged());
  CHECK(world.server.taken[index_of(Lane::kRecords)].size() == 4000);
}

TEST_CASE("in a live call what is recorded goes at once, and a whistle overtakes waiting bulk") {
  LiveWorld world;
  for (int i = 0; i < 3000; ++i) {
    world.run(world.session.recorded(Lane::kBulk, world.file.record(Lane::kBulk), world.now_ms));
  }
  world.run(
      world.session.recorded(Lane::kWhistles, world.file.record(Lane::kWhistles), world.now_ms));
  CHECK_FALSE(world.half_closed);
  world.deliver_all();
  CHECK(world.file.all_acknowledged());
  CHECK(world.call);
}

TEST_CASE("frames before the welcome, and a second welcome, break the protocol") {
  World world(1);
  world.run(world.session.go_live(world.now_ms));
  world.run(world.session.frame(v1::Acks(), 1, world.now_ms));
  REQUIRE(world.session.last_error());
  CHECK(world.session.last_error()->code == ErrorCode::kProtocol);

  LiveWorld live;
  check_refused_as_protocol(live, welcome());
}

TEST_CASE("acknowledgements of what was never sent break the protocol and are not stored") {
  LiveWorld world;
  v1::Acks acks;
  v1::AckRun& run = *acks.add_runs();
  run.set_lane(1);
  run.set_first(1);
  run.set_count(1);
  run.set_status(1);
  check_refused_as_protocol(world, acks);
  CHECK(world.file.acknowledged[0] == 0);
}

TEST_CASE(
    "a cut below the cursor, of a foreign scope, or with rows beyond it breaks the protocol") {
  SECTION("below the cursor") {
    LiveWorld world;
    world.say(cut(5));
    CHECK(world.file.cursor == Seq(5));
    check_refused_as_protocol(world, cut(4));
  }
  SECTION("of a scope that was not granted") {
    LiveWorld world;
    check_refused_as_protocol(world, cut(5, "grid:440811001001002"));
  }
  SECTION("of a granted scope that lags behind, twice back") {
    LiveWorld world;
    world.say(cut(5, "grid:440811001001001"));
    CHECK(world.call);
    check_refused_as_protocol(world, cut(4, "grid:440811001001001"));
  }
  SECTION("with a row beyond it") {
    LiveWorld world;
    CutDown later = cut(5);
    later.rows.resize(1);
    later.rows[0].last_seq = Seq(6);
    check_refused_as_protocol(world, later);
  }
}

TEST_CASE("caught up below the cursor breaks the protocol") {
  LiveWorld world;
  world.say(cut(5));
  check_refused_as_protocol(world, down_end(4));
}

TEST_CASE("a backup that goes back within a call breaks the protocol") {
  LiveWorld world;
  v1::Acks acks;
  acks.set_backed_up(5);
  world.say(acks);
  CHECK(world.call);
  acks.set_backed_up(4);
  check_refused_as_protocol(world, acks);
}

TEST_CASE("a server of another protocol is told apart and tried again rarely") {
  World world(1);
  world.run(world.session.go_live(world.now_ms));
  world.run(world.session.frame(welcome(2), 1, world.now_ms));
  REQUIRE(world.session.last_error());
  CHECK(world.session.last_error()->code == ErrorCode::kUnsupported);
  CHECK(world.session.wake_ms() == world.now_ms + Backoff::kCapMs);
}

TEST_CASE("a call that ends before the server's end is a failure") {
  World world(1);
  world.run(world.session.sync_once({}, world.now_ms));
  world.up.clear();
  world.run(world.session.ended({}, world.now_ms));
  REQUIRE(world.finished.size() == 1);
  REQUIRE_FALSE(world.finished[0]);
  CHECK(world.finished[0].error().code == ErrorCode::kUnavailable);
}

TEST_CASE("a one-time call is not retried, a live one is") {
  World once(1);
  once.run(once.session.sync_once({}, once.now_ms));
  once.break_call();
  CHECK(once.session.phase() == SyncPhase::kStopped);
  CHECK_FALSE(once.session.wake_ms());

  World live(1);
  live.run(live.session.go_live(live.now_ms));
  live.break_call();
  CHECK(live.session.phase() == SyncPhase::kWaiting);
  REQUIRE(live.session.wake_ms());
  live.now_ms = *live.session.wake_ms();
  live.run(live.session.tick(live.now_ms));
  CHECK(live.call);
  CHECK(live.calls == 2);
}

TEST_CASE("what the server asks for is honoured, whatever else asks for a call") {
  LiveWorld world;
  world.say(refusal(ErrorCode::kBusy, 600'000));
  const std::uint64_t asked = world.now_ms + 600'000;
  CHECK(world.session.wake_ms() == asked);
  world.run(world.session.network_changed(world.now_ms));
  world.run(
      world.session.recorded(Lane::kRecords, world.file.record(Lane::kRecords), world.now_ms));
  world.run(world.session.sync_once({}, world.now_ms));
  CHECK_FALSE(world.call);
  CHECK(world.session.wake_ms() == asked);
  world.run(world.session.tick(asked));
  CHECK(world.call);
}

TEST_CASE("another network brings a retry at once, a local write within seconds") {
  World world(1);
  world.run(world.session.go_live(world.now_ms));
  for (int i = 0; i < 30; ++i) {
    world.break_call();
    world.now_ms = *world.session.wake_ms();
    world.run(world.session.tick(world.now_ms));
  }
  world.break_call();
  const std::uint64_t failed = world.now_ms;
  REQUIRE(*world.session.wake_ms() > failed + SyncSession::kRetryAfterWriteMs);
  world.run(
      world.session.recorded(Lane::kRecords, world.file.record(Lane::kRecords), world.now_ms));
  CHECK(*world.session.wake_ms() == failed + SyncSession::kRetryAfterWriteMs);
  world.run(world.session.network_changed(world.now_ms));
  CHECK(world.call);
}

TEST_CASE("a server may put a phone off for a while, but no whistle") {
  LiveWorld world;
  world.say(refusal(ErrorCode::kBusy, 0xFFFFFFFF));
  CHECK(world.session.wake_ms() == world.now_ms + SyncSession::kPutOffMaxMs);
  world.run(
      world.session.recorded(Lane::kWhistles, world.file.record(Lane::kWhistles), world.now_ms));
  REQUIRE(world.session.wake_ms() == world.now_ms + SyncSession::kRetryAfterWriteMs);
  world.now_ms = *world.session.wake_ms();
  world.run(world.session.tick(world.now_ms));
  REQUIRE(world.call);
  world.say(refusal(ErrorCode::kBusy, 0xFFFFFFFF));
  CHECK(*world.session.wake_ms() <= world.now_ms + Backoff::kCapMs);
  world.run(world.session.sync_once({}, world.now_ms));
  CHECK(world.call);
}

TEST_CASE(
    "a phone that restarts waits as long as is left, says for how long, and holds up no whistle") {
  World world(1);
  const LaneSeq report = world.file.record(Lane::kWhistles);
  std::array<LaneProgress, kLaneCount> lanes;
  lanes[index_of(Lane::kWhistles)] = {report, report, LaneSeq(1)};
  world.session.resume(lanes, 90'000, world.now_ms);
  const SyncActions told = world.session.sync_once({}, world.now_ms);
  REQUIRE(told.size() == 1);
  const auto& how = std::get<Finished>(told.front()).how;
  REQUIRE_FALSE(how);
  CHECK(how.error().code == ErrorCode::kBusy);
  CHECK(how.error().message.find("2 分钟") != std::string::npos);
  CHECK(how.error().message.find("2 minutes") != std::string::npos);
  world.run(world.session.go_live(world.now_ms));
  CHECK_FALSE(world.call);
  CHECK(world.session.wake_ms() == world.now_ms + 90'000);
  world.run(
      world.session.recorded(Lane::kWhistles, world.file.record(Lane::kWhistles), world.now_ms));
  CHECK(world.call);
}

TEST_CASE(
    "another network under an open call is not trusted: a call at rest begins anew, any other "
    "has to hear something soon") {
  LiveWorld rest;
  rest.say(down_end(0));
  rest.run(rest.session.network_changed(rest.now_ms));
  CHECK(rest.calls == 2);
  CHECK(rest.call);

  LiveWorld busy;
  busy.run(busy.session.network_changed(busy.now_ms));
  CHECK(busy.calls == 1);
  REQUIRE(busy.session.wake_ms() == busy.now_ms + SyncSession::kNewNetworkMs);
  busy.now_ms += 1'000;
  busy.say(cut(5));
  CHECK(busy.session.wake_ms() == busy.now_ms + SyncSession::kAnswerTimeoutMs);
  busy.run(busy.session.network_changed(busy.now_ms));
  busy.now_ms += SyncSession::kNewNetworkMs;
  busy.run(busy.session.tick(busy.now_ms));
  CHECK_FALSE(busy.call);
  CHECK(busy.session.phase() == SyncPhase::kWaiting);
}

TEST_CASE("a server that ends every live call at once is called ever less often") {
  LiveWorld world;
  std::uint64_t longest_ms = 0;
  for (int round = 0; round < 20; ++round) {
    world.say(down_end(0));
    world.run(world.session.ended({}, world.now_ms));
    REQUIRE(world.session.wake_ms());
    longest_ms = std::max(longest_ms, *world.session.wake_ms() - world.now_ms);
    world.now_ms = *world.session.wake_ms();
    world.run(world.session.tick(world.now_ms));
    world.say(welcome());
  }
  CHECK(longest_ms > 20 * Backoff::kBaseMs);
  world.say(down_end(0));
  world.now_ms += SyncSession::kSteadyMs;
  world.run(world.session.ended({}, world.now_ms));
  CHECK(*world.session.wake_ms() <= world.now_ms + 3 * Backoff::kBaseMs);
}

TEST_CASE("a server whose history parts from the phone's in every call is called ever less often") {
  LiveWorld world;
  std::uint64_t longest_ms = 0;
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t calls = world.calls;
    world.run(world.session.restart(world.now_ms));
    CHECK(world.calls == calls + 1);
    world.say(welcome());
    world.run(world.session.restart(world.now_ms));
    CHECK(world.calls == calls + 1);
    CHECK_FALSE(world.call);
    REQUIRE(world.session.phase() == SyncPhase::kWaiting);
    longest_ms = std::max(longest_ms, *world.session.wake_ms() - world.now_ms);
    world.now_ms = *world.session.wake_ms();
    world.run(world.session.tick(world.now_ms));
    world.say(welcome());
  }
  CHECK(longest_ms > 20 * Backoff::kBaseMs);
}

TEST_CASE("after a call that went well a restored server is called again at once") {
  LiveWorld world;
  for (int restore = 0; restore < 3; ++restore) {
    const std::uint64_t calls = world.calls;
    world.run(world.session.restart(world.now_ms));
    CHECK(world.calls == calls + 1);
    world.say(welcome());
    world.say(down_end(0));
    world.run(world.session.ended({}, world.now_ms));
    world.now_ms = *world.session.wake_ms();
    world.run(world.session.tick(world.now_ms));
    world.say(welcome());
  }
}

TEST_CASE("a server has a phone take one other number, and the next not without a pause") {
  LiveWorld world;
  const auto asks = [&world] {
    const SyncActions actions = world.session.frame(refusal(ErrorCode::kForked), 10, world.now_ms);
    world.run(actions);
    return std::ranges::any_of(
        actions, [](const SyncAction& action) { return std::holds_alternative<Succeed>(action); });
  };
  REQUIRE(asks());
  world.run(world.session.succeeded(world.now_ms));
  world.say(welcome());
  world.say(down_end(0));
  CHECK_FALSE(asks());
  CHECK_FALSE(world.call);
  REQUIRE(world.session.phase() == SyncPhase::kWaiting);
  CHECK(*world.session.wake_ms() == world.now_ms + Backoff::kCapMs);
  world.now_ms = *world.session.wake_ms();
  world.run(world.session.tick(world.now_ms));
  CHECK(asks());
}

TEST_CASE("a large frame on a bad line is given the time it takes") {
  LiveWorld world;
  world.say(down_end(0));
  Operation large;
  large.kind = KindId(1);
  large.id = RecordId::make(DeviceId(5), 1);
  large.lane = Lane::kRecords;
  large.lane_seq = LaneSeq(1);
  large.dev_seq = DevSeq(1);
  world.run(world.session.recorded(Lane::kRecords, LaneSeq(1), world.now_ms));
  SeededRandom noise(3);
  for (int i = 0; i < 200'000; ++i) large.set += static_cast<char>(noise.below(256));
  world.run(world.session.operations(Lane::kRecords, std::span(&large, 1)));
  REQUIRE(world.session.wake_ms());
  CHECK(*world.session.wake_ms() > world.now_ms + 150'000);
  CHECK(*world.session.wake_ms() < world.now_ms + 300'000);
}

TEST_CASE("what only a new enrolment can mend is not retried by itself") {
  LiveWorld world;
  world.say(refusal(ErrorCode::kRevoked));
  CHECK(world.session.phase() == SyncPhase::kStopped);
  CHECK_FALSE(world.session.wake_ms());
  world.run(world.session.network_changed(world.now_ms));
  CHECK(world.call);
}

TEST_CASE("a server that owes an answer and is silent is given up; an idle live line is not") {
  LiveWorld world;
  world.say(down_end(0));
  CHECK(world.session.phase() == SyncPhase::kLive);
  CHECK_FALSE(world.session.wake_ms());
  world.now_ms += 3'600'000;
  world.run(
      world.session.recorded(Lane::kRecords, world.file.record(Lane::kRecords), world.now_ms));
  REQUIRE(world.session.wake_ms() == world.now_ms + SyncSession::kAnswerTimeoutMs);
  world.now_ms += SyncSession::kAnswerTimeoutMs;
  world.run(world.session.tick(world.now_ms));
  CHECK_FALSE(world.call);
  CHECK(world.session.last_error()->code == ErrorCode::kTimeout);
}

TEST_CASE("a one-time request during a live call is done when nothing is left to do") {
  LiveWorld world;
  world.say(down_end(0));
  world.run(
      world.session.recorded(Lane::kRecords, world.file.record(Lane::kRecords), world.now_ms));
  world.run(world.session.sync_once({}, world.now_ms));
  CHECK(world.finished.empty());
  world.deliver_all();
  REQUIRE(world.finished.size() == 1);
  CHECK(world.finished[0]);
  CHECK(world.call);
  world.run(world.session.sync_once({}, world.now_ms));
  CHECK(world.finished.size() == 2);
}

TEST_CASE("what is recorded after the end was sent goes in a call of its own when asked for") {
  World world(1);
  world.run(world.session.sync_once({}, world.now_ms));
  world.file.record(Lane::kRecords);
  world.run(world.session.sync_once({}, world.now_ms));
  world.deliver_all();
  CHECK(world.calls == 2);
  CHECK(world.file.all_acknowledged());
  CHECK(world.finished.size() == 1);
}

TEST_CASE("a disk that fails ends the call, and what was not stored comes again") {
  World world(1);
  world.file.record(Lane::kRecords);
  world.fail_store = true;
  world.run(world.session.sync_once({}, world.now_ms));
  world.deliver_all();
  REQUIRE(world.finished.size() == 1);
  CHECK_FALSE(world.finished[0]);
  CHECK_FALSE(world.file.all_acknowledged());
  world.run(world.session.sync_once({}, world.now_ms));
  world.deliver_all();
  CHECK(world.file.all_acknowledged());
  CHECK(world.server.taken[index_of(Lane::kRecords)].size() == 1);
}

TEST_CASE("stopping ends the call and every retry") {
  LiveWorld world;
  world.run(world.session.stop());
  CHECK_FALSE(world.call);
  CHECK_FALSE(world.session.wake_ms());
  world.run(
      world.session.recorded(Lane::kRecords, world.file.record(Lane::kRecords), world.now_ms));
  CHECK_FALSE(world.call);
}

}  // namespace gridwhistle
