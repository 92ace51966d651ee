#include <algorithm>

#include "county_world.h"
#include "model/digest.h"

namespace gridwhistle::test {
namespace {

/// What a phone says that it holds, by record.
using Held = std::map<std::pair<KindId, RecordId>, std::string>;

/// All that the county has for a phone, as a new file of it would read it.
Held all_of(World& world, Phone& phone) {
  Phone fresh = phone;
  fresh.cursor.Clear();
  fresh.own_since = fresh.dev_seq;
  const auto call = world.ask(fresh);
  phone.calls = fresh.calls;
  Held held;
  for (const Row& row : call->rows()) {
    const bool gone = row.change == RowChange::kLeft || row.change == RowChange::kErased;
    if (!gone && is_compared(*built_schema().kind(row.kind))) held[{row.kind, row.id}] = row.set;
  }
  return held;
}

/// A call of a phone that has everything, and compares.
struct Call {
  Call(World& world, Phone& phone, bool live = false) : world_(world), id_(world.next_call()) {
    world_.county->on_open(id_, inbox);
    v1::Up up;
    REQUIRE(up.ParseFromString(phone.hello(world.clock, live)));
    v1::Hello& hello = *up.mutable_hello();
    hello.set_compare(true);
    hello.clear_signature();
    hello.set_signature(*phone.key.sign(hello_to_sign(hello, kServerKey)));
    say(encode(hello));
  }
  ~Call() { world_.county->on_closed(id_); }

  void say(const std::string& frame) {
    world_.county->on_frame(id_, frame);
    world_.pump();
  }
  void digests(const Held& held) {
    RangeDigests sums{};
    for (const auto& [key, body] : held) {
      sums[range_of(key.second)] += digest_of(key.first, key.second, body);
    }
    v1::Digests said;
    for (const std::uint64_t sum : sums) said.add_ranges(sum);
    say(encode(said));
  }
  /// The answer to `digests`.
  v1::Differences answer() const {
    const auto answers = inbox.all<v1::Differences>();
    REQUIRE(answers.size() == 1);
    return answers.front();
  }
  /// What comes when every range that differs is told; the call ends.
  std::vector<Row> repairs(const Held& held) {
    const std::size_t before = inbox.rows().size();
    const v1::Differences differing = answer();
    for (const std::uint32_t range : differing.ranges()) {
      v1::RangeContents contents;
      contents.set_range(range);
      for (const auto& [key, body] : held) {
        if (range_of(key.second) != range) continue;
        v1::RecordDigest& record = *contents.add_records();
        record.set_kind(key.first.value);
        record.set_id(std::string(key.second.bytes()));
        record.set_digest(digest_of(key.first, key.second, body));
      }
      say(encode(contents));
    }
    say(encode(v1::UpEnd()));
    CHECK_FALSE(inbox.open);
    CHECK(inbox.refused() == ErrorCode{});
    for (const CutDown& cut : inbox.all<CutDown>()) CHECK(cut.repairs);
    std::vector<Row> rows = inbox.rows();
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(before));
    return rows;
  }

  ConnectionId id() const { return id_; }

  Inbox inbox;

 private:
  World& world_;
  const ConnectionId id_;
};

struct Compared : World {
  Compared() : anna_phone(phone(anna)), bruno_phone(phone(bruno)) {
    for (int i = 0; i < 20; ++i) {
      anna_phone.record(kinds::kVisit, anna_phone.new_id(), visit(kGrid1), true, clock.ms);
    }
    bruno_phone.record(kinds::kVisit, bruno_phone.new_id(), visit(kGrid2), true, clock.ms);
    sync(anna_phone);
    sync(bruno_phone);
    sync(anna_phone);
    held = all_of(*this, anna_phone);
    REQUIRE(held.size() > 20);
  }
  Phone anna_phone;
  Phone bruno_phone;
  Held held;
};

TEST_CASE("a phone that holds what it should is told that nothing differs") {
  Compared world;
  Call call(world, world.anna_phone);
  CHECK(call.inbox.all<v1::Welcome>().front().compares());
  call.digests(world.held);
  CHECK_FALSE(call.answer().later());
  CHECK(call.answer().ranges().empty());
  CHECK(call.repairs(world.held).empty());
}

TEST_CASE(
    "what a phone lacks comes whole, what it has otherwise too, what is not its own leaves it") {
  Compared world;
  Held spoilt = world.held;
  const auto lost =
      std::ranges::find(spoilt, kinds::kVisit, [](const auto& entry) { return entry.first.first; });
  const auto [lost_key, lost_body] = *lost;
  spoilt.erase(lost);
  const auto altered =
      std::ranges::find(spoilt, kinds::kVisit, [](const auto& entry) { return entry.first.first; });
  const auto [altered_key, altered_body] = *altered;
  altered->second += "x";
  const auto foreign = std::pair(kinds::kVisit, world.bruno_phone.lanes[Lane::kRecords].front().id);
  spoilt[foreign] = "what is not for this phone";
  Call call(world, world.anna_phone);
  call.digests(spoilt);
  const v1::Differences answer = call.answer();
  const std::set<std::uint32_t> ranges(answer.ranges().begin(), answer.ranges().end());
  CHECK(ranges == std::set<std::uint32_t>{static_cast<std::uint32_t>(range_of(lost_key.second)),
                                          static_cast<std::uint32_t>(range_of(altered_key.second)),
                                          static_cast<std::uint32_t>(range_of(foreign.second))});
  const std::vector<Row> rows = call.repairs(spoilt);
  REQUIRE(rows.size() == 3);
  for (const Row& row : rows) {
    if (row.id == foreign.second) {
      CHECK(row.change == RowChange::kLeft);
      CHECK(row.set.empty());
    } else {
      CHECK(row.change == RowChange::kWhole);
      CHECK(row.set == (row.id == lost_key.second ? lost_body : altered_body));
      CHECK(row.scopes == std::vector<std::string>{"grid:" + kGrid1});
    }
  }
}

TEST_CASE("what a phone holds of another's scope tells it nothing of that") {
  Compared world;
  Held guess = all_of(world, world.bruno_phone);
  Call call(world, world.anna_phone);
  call.digests({});
  for (const Row& row : call.repairs({})) CHECK(world.held.contains({row.kind, row.id}));
  CHECK_FALSE(
      world.held.contains({kinds::kVisit, world.bruno_phone.lanes[Lane::kRecords].front().id}));
  CHECK(guess.contains({kinds::kVisit, world.bruno_phone.lanes[Lane::kRecords].front().id}));
}

TEST_CASE("what the server has never heard of, or keeps for its whole, is not taken from a phone") {
  Compared world;
  v1::Resident orphan;
  orphan.set_household(std::string(world.anna_phone.new_id().bytes()));
  orphan.set_name("示例");
  const RecordId id = world.anna_phone.new_id();
  world.anna_phone.record(kinds::kResident, id, orphan.SerializeAsString(), true, world.clock.ms);
  world.sync(world.anna_phone);
  REQUIRE(*world.county->get(kinds::kResident, id));
  Held more = world.held;
  more[{kinds::kResident, id}] = orphan.SerializeAsString();
  more[{kinds::kVisit, world.anna_phone.new_id()}] = visit(kGrid1);
  Call call(world, world.anna_phone);
  call.digests(more);
  CHECK_FALSE(call.answer().ranges().empty());
  CHECK(call.repairs(more).empty());
}

TEST_CASE("what a phone has not got yet is no difference: it is asked to come later") {
  Compared world;
  Call call(world, world.anna_phone);
  call.inbox.keeps_up = false;  // what others write waits for its line
  Phone colleague = world.phone(world.anna);
  colleague.record(kinds::kVisit, colleague.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(colleague);
  call.digests(world.held);
  CHECK(call.answer().later());
  CHECK(call.answer().ranges().empty());
}

TEST_CASE("who left is compared with nothing") {
  Compared world;
  REQUIRE(world.county->revoke(world.anna_phone.device, DeviceState::kLeft, "test"));
  Call call(world, world.anna_phone);
  CHECK_FALSE(call.inbox.all<v1::Welcome>().front().compares());
  call.digests({});
  CHECK(call.answer().later());
  CHECK(call.inbox.rows().empty());
}

TEST_CASE("while one phone is compared another waits for its turn, and not for long") {
  Compared world;
  Held none;
  auto one = std::make_unique<Call>(world, world.anna_phone);
  one->digests(none);
  CHECK_FALSE(one->answer().ranges().empty());
  Call other(world, world.bruno_phone);
  other.digests(none);
  CHECK(other.inbox.all<v1::Differences>().empty());
  SECTION("the first is done") { one->repairs(none); }
  SECTION("the first has gone") {
    one.reset();
    world.pump();
  }
  SECTION("the first says nothing more") {
    world.clock.ms += 19'000;
    world.pump();
    CHECK(other.inbox.all<v1::Differences>().empty());
    world.clock.ms += 1'000;
    world.pump();
    CHECK(other.answer().later());
    return;
  }
  CHECK_FALSE(other.answer().later());
  CHECK_FALSE(other.answer().ranges().empty());
}

TEST_CASE("a live call's comparison is over when all that differs was told, and not before") {
  Compared world;
  Call call(world, world.anna_phone, true);
  const std::size_t ends = call.inbox.all<v1::DownEnd>().size();
  call.digests({});
  const v1::Differences answer = call.answer();
  REQUIRE(answer.ranges_size() > 1);
  CHECK(call.inbox.all<v1::DownEnd>().size() == ends);
  for (const std::uint32_t range : answer.ranges()) {
    CHECK(call.inbox.all<v1::DownEnd>().size() == ends);
    v1::RangeContents contents;
    contents.set_range(range);
    call.say(encode(contents));
  }
  CHECK(call.inbox.all<v1::DownEnd>().size() == ends + 1);
  Call other(world, world.bruno_phone);
  other.digests({});
  CHECK_FALSE(other.answer().later());
  CHECK(call.inbox.open);
}

TEST_CASE("a comparison of many records gives others their turn") {
  Compared world;
  for (int i = 0; i < 2'500; ++i) {
    world.anna_phone.record(kinds::kVisit, world.anna_phone.new_id(), visit(kGrid1), true,
                            world.clock.ms);
  }
  world.sync(world.anna_phone);
  Call call(world, world.anna_phone);
  v1::Digests none;
  none.mutable_ranges()->Resize(kDigestRanges, 0);
  world.county->on_frame(call.id(), encode(none));
  CHECK(world.county->pump().more);
  CHECK(call.inbox.all<v1::Differences>().empty());
  CHECK(world.sync(world.bruno_phone)->refused() == ErrorCode{});
  CHECK(call.answer().ranges_size() == kDigestRanges);
}

TEST_CASE("a phone that compares without end has to wait, and no other with it") {
  Compared world;
  const auto later = [&](Phone& phone) {
    Call call(world, phone);
    call.digests({});
    return call.answer().later();
  };
  for (int i = 0; i < 20; ++i) CHECK_FALSE(later(world.anna_phone));
  CHECK(later(world.anna_phone));
  CHECK_FALSE(later(world.bruno_phone));
  world.clock.ms += 3'600'001;
  CHECK_FALSE(later(world.anna_phone));
}

TEST_CASE("digests twice, or contents that nobody asked for, end the call") {
  Compared world;
  {
    Call call(world, world.anna_phone);
    call.digests(world.held);
    call.digests(world.held);
    CHECK(call.inbox.refused() == ErrorCode::kProtocol);
  }
  Call call(world, world.anna_phone);
  v1::RangeContents contents;
  contents.set_range(1);
  call.say(encode(contents));
  CHECK(call.inbox.refused() == ErrorCode::kProtocol);
}

}  // namespace
}  // namespace gridwhistle::test
