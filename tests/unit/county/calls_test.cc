#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

TEST_CASE("an operation is acknowledged and not echoed to its author") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  const auto inbox = world.sync(phone);
  REQUIRE(inbox->refused() == ErrorCode{});
  REQUIRE(inbox->runs().size() == 1);
  CHECK(inbox->runs().front().status() == 1);
  CHECK(inbox->rows_of(kinds::kVisit).empty());
  CHECK(inbox->all<v1::DownEnd>().size() == 1);
  CHECK_FALSE(inbox->open);
}

TEST_CASE("a colleague of the same grid gets the row whole, another grid gets nothing") {
  World world;
  Phone author = world.phone(world.anna);
  Phone same = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  Phone other = world.phone(world.bruno);
  const RecordId id = author.new_id();
  author.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  world.sync(author);
  const auto rows = world.sync(same)->rows_of(kinds::kVisit);
  REQUIRE(rows.size() == 1);
  CHECK(rows.front().change == RowChange::kWhole);
  CHECK(rows.front().scopes == std::vector<std::string>{"grid:" + kGrid1});
  CHECK(world.sync(other)->rows_of(kinds::kVisit).empty());
}

TEST_CASE("nobody writes outside of their scopes, and the value comes back to its author") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid2), true, world.clock.ms);
  const auto inbox = world.sync(phone);
  REQUIRE(inbox->runs().size() == 1);
  CHECK(inbox->runs().front().status() == static_cast<std::uint32_t>(OutcomeStatus::kRejected));
  CHECK(inbox->runs().front().code() == static_cast<std::uint32_t>(ErrorCode::kOutOfScope));
  const auto outcomes = inbox->rows_of(kinds::kOutcome);
  REQUIRE(outcomes.size() == 1);
  v1::Outcome outcome;
  REQUIRE(outcome.ParseFromString(outcomes.front().set));
  v1::Visit lost;
  REQUIRE(lost.ParseFromString(outcome.lost_set()));
  CHECK(lost.notes() == "quiet");
}

TEST_CASE("a household is seen by its own grid alone, not by the town") {
  World world;
  Phone author = world.phone(world.anna);
  Phone town = world.phone(world.dora);
  v1::Household household;
  household.set_grid(kGrid1);
  author.record(kinds::kHousehold, author.new_id(), household.SerializeAsString(), true,
                world.clock.ms);
  author.record(kinds::kVisit, author.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(author);
  const auto inbox = world.sync(town);
  CHECK(inbox->rows_of(kinds::kHousehold).empty());
  CHECK(inbox->rows_of(kinds::kVisit).size() == 1);
}

TEST_CASE("a replayed frame changes nothing and is answered the same") {
  World world;
  Phone phone = world.phone(world.anna);
  for (int i = 0; i < 5; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  }
  const auto first = world.sync(phone, false);
  const Seq before = world.storage->last_seq();
  const auto second = world.sync(phone);
  REQUIRE(first->runs().size() == 1);
  REQUIRE(second->runs().size() == 1);
  CHECK(first->runs().front().SerializeAsString() == second->runs().front().SerializeAsString());
  CHECK(world.storage->last_seq() == before);
  CHECK(*world.storage->count(kinds::kVisit) == 5);
}

TEST_CASE("a lost acknowledgement is sent again before any row") {
  World world;
  Phone phone = world.phone(world.anna);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone, false);
  colleague.record(kinds::kVisit, colleague.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(colleague);

  // The phone says nothing of the operation but that it has it.
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, phone.hello(world.clock));
  world.pump();
  CHECK(inbox.all<CutDown>().empty());
  world.county->on_frame(call, encode(v1::UpEnd()));
  world.pump();
  bool acked = false;
  for (const Down& frame : inbox.frames) {
    acked |= std::holds_alternative<v1::Acks>(frame);
    if (std::holds_alternative<CutDown>(frame)) CHECK(acked);
  }
  CHECK(acked);
  CHECK(inbox.rows_of(kinds::kVisit).size() == 1);
}

TEST_CASE("another operation under a number that was used is a fork, and names it") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone, false);
  phone.lanes[Lane::kRecords].front().dev_seq = DevSeq(9);
  const auto inbox = world.sync(phone);
  CHECK(inbox->refused() == ErrorCode::kForked);
  CHECK(inbox->all<v1::Refusal>().front().lane_seq() == 1);
}

TEST_CASE("a device that fell back is a fork, and a gap breaks the protocol") {
  World world;
  Phone phone = world.phone(world.anna);
  for (int i = 0; i < 3; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  }
  world.sync(phone);
  world.sync(phone);  // its Hello says that it has noted all
  Phone restored = phone;
  restored.noted.clear();
  CHECK(world.county->devices()->front().forked_ms == 0);
  CHECK(world.sync(restored)->refused() == ErrorCode::kForked);
  // The operator sees it.
  CHECK(world.county->devices()->front().forked_ms == world.clock.ms);

  phone.calls = restored.calls;
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms).lane_seq =
      LaneSeq(9);
  CHECK(world.sync(phone)->refused() == ErrorCode::kProtocol);
}

TEST_CASE(
    "of a known phone's call that is refused the log learns which phone and why, and no more") {
  World world;
  Phone phone = world.phone(world.anna);
  std::vector<std::pair<std::string, ErrorCode>> told;
  world.county->on_refused_call(
      [&](std::string_view short_code, ErrorCode code) { told.emplace_back(short_code, code); });
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone);
  CHECK(told.empty());

  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, phone.hello(world.clock));
  world.county->on_frame(call, "no frame");
  world.pump();
  world.county->on_closed(call);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == std::pair{phone.short_code, inbox.refused()});

  Phone restored = phone;
  restored.noted.clear();
  CHECK(world.sync(restored)->refused() == ErrorCode::kForked);
  REQUIRE(told.size() == 2);
  CHECK(told[1] == std::pair{phone.short_code, ErrorCode::kForked});

  Phone stranger{.device = DeviceId(5), .key = *P256Key::make()};
  CHECK(world.sync(stranger)->refused() != ErrorCode{});
  CHECK(told.size() == 2);
}

TEST_CASE("a transaction is applied or refused whole") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms).more = true;
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid2), true, world.clock.ms);
  const auto inbox = world.sync(phone);
  CHECK(*world.storage->count(kinds::kVisit) == 0);
  for (const v1::AckRun& run : inbox->runs()) {
    CHECK(run.status() == static_cast<std::uint32_t>(OutcomeStatus::kRejected));
  }
  CHECK(inbox->rows_of(kinds::kOutcome).size() == 2);
}

TEST_CASE("a forged signature is refused, and a used counter is a copy's") {
  World world;
  Phone phone = world.phone(world.anna);
  Phone thief = phone;
  thief.key = *P256Key::make();
  CHECK(world.sync(thief)->refused() == ErrorCode::kBadSignature);
  world.sync(phone);
  phone.calls = 0;
  CHECK(world.sync(phone)->refused() == ErrorCode::kForked);
}

TEST_CASE("a lost device may send nothing, and one whose worker left hands over sealed work") {
  World world;
  Phone lost = world.phone(world.anna);
  Phone left = world.phone(world.anna);
  REQUIRE(world.county->revoke(lost.device, DeviceState::kLost, "test"));
  REQUIRE(world.county->revoke(left.device, DeviceState::kLeft, "test"));
  CHECK(world.sync(lost)->refused() == ErrorCode::kDeviceLost);

  const RecordId id = left.new_id();
  left.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  const auto inbox = world.sync(left);
  REQUIRE(inbox->runs().size() == 1);
  CHECK(inbox->runs().front().status() == static_cast<std::uint32_t>(OutcomeStatus::kSealed));
  CHECK(*world.storage->count(kinds::kVisit) == 0);
  const auto review = world.county->review();
  REQUIRE(review);
  REQUIRE(review->sealed.size() == 1);
  CHECK(review->sealed.front().record == id);
  REQUIRE(world.county->accept_sealed(review->sealed.front().number, "test"));
  CHECK(*world.storage->count(kinds::kVisit) == 1);
}

TEST_CASE("a newly granted scope comes first, whole and by its name") {
  World world;
  Phone author = world.phone(world.bruno);
  author.record(kinds::kVisit, author.new_id(), visit(kGrid2), true, world.clock.ms);
  world.sync(author);
  Phone phone = world.phone(world.anna);
  world.sync(phone);

  v1::Worker anna;
  anna.set_code("W1");
  for (const std::string& grid : {kGrid1, kGrid2}) {
    v1::WorkerRole& held = *anna.add_roles();
    held.set_role(v1::ROLE_GRID_WORKER);
    held.set_scope(grid);
  }
  world.import(anna, world.anna);
  const auto inbox = world.sync(phone);
  REQUIRE(inbox->rows_of(kinds::kVisit).size() == 1);
  CHECK(inbox->all<CutDown>().front().scope == "grid:" + kGrid2);
  CHECK(world.sync(phone)->rows().empty());
}

TEST_CASE("grants that the phone knows are not said again, and every change of them is") {
  World world;
  Phone phone = world.phone(world.anna);
  const auto first = world.sync(phone)->all<v1::Welcome>().front();
  REQUIRE(first.grants_size() > 0);
  REQUIRE(!first.as_before());
  phone.grants_version = first.grants_version();
  const auto second = world.sync(phone)->all<v1::Welcome>().front();
  CHECK(second.as_before());
  CHECK(second.grants_size() == 0);

  v1::Worker anna;
  anna.set_code("W1");
  world.import(anna, world.anna);
  const auto without = world.sync(phone)->all<v1::Welcome>().front();
  CHECK(!without.as_before());
  CHECK(without.grants_version() != first.grants_version());
  CHECK(without.grants_size() < first.grants_size());
}

TEST_CASE("a role begins and ends at its time, however often its holder called before") {
  constexpr std::int64_t kHourMs = 3'600'000;
  World world;
  v1::Worker anna;
  anna.set_code("W1");
  for (const auto& [grid, from_h, until_h] : {std::tuple{kGrid1, 0, 2}, std::tuple{kGrid2, 1, 3}}) {
    v1::WorkerRole& role = *anna.add_roles();
    role.set_role(v1::ROLE_GRID_WORKER);
    role.set_scope("grid:" + grid);
    role.set_from_ms(world.clock.ms + from_h * kHourMs);
    role.set_until_ms(world.clock.ms + until_h * kHourMs);
  }
  world.import(anna, world.anna);
  Phone phone = world.phone(world.anna);
  const auto held = [&] {
    std::set<std::string> grids;
    for (int call = 0; call < 3; ++call) {
      phone.grants_version = 0;
      std::set<std::string> now;
      const auto welcome = world.sync(phone)->all<v1::Welcome>().front();
      for (const v1::Grant& grant : welcome.grants()) {
        if (grant.scope().starts_with("grid:")) now.insert(grant.scope().substr(5));
      }
      if (call > 0) CHECK(now == grids);
      grids = now;
    }
    return grids;
  };
  CHECK(held() == std::set<std::string>{kGrid1});
  world.clock.ms += kHourMs;
  CHECK(held() == std::set<std::string>{kGrid1, kGrid2});
  world.clock.ms += kHourMs;
  CHECK(held() == std::set<std::string>{kGrid2});
  world.clock.ms += kHourMs;
  CHECK(held().empty());
}

TEST_CASE("a lane that a Hello leaves out is one in which nothing was ever recorded") {
  World world;
  Phone phone = world.phone(world.anna);
  phone.record(kinds::kVisit, phone.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(phone);
  phone.lanes.clear();
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, phone.hello(world.clock));
  world.pump();
  REQUIRE(inbox.all<v1::Refusal>().size() == 1);
  CHECK(inbox.all<v1::Refusal>().front().code() == static_cast<std::uint32_t>(ErrorCode::kForked));
}

TEST_CASE("two edits of one field: one wins, the loser is kept and its author told") {
  World world;
  Phone first = world.phone(world.anna);
  Phone second = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId id = first.new_id();
  first.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  world.sync(first);
  const Seq base = world.sync(second)->rows_of(kinds::kVisit).front().last_seq;
  v1::Visit edit;
  edit.set_notes("from the first");
  first.record(kinds::kVisit, id, edit.SerializeAsString(), false, world.clock.ms + 1, base);
  edit.set_notes("from the second");
  second.record(kinds::kVisit, id, edit.SerializeAsString(), false, world.clock.ms + 2, base);
  world.clock.ms += 1000;
  world.sync(first);
  world.sync(second);
  const auto inbox = world.sync(first);
  const auto rows = inbox->rows_of(kinds::kVisit);
  REQUIRE(rows.size() == 1);
  CHECK(text_of(rows.front().set, fields::visit::kNotes) == "from the second");
  const auto outcomes = inbox->rows_of(kinds::kOutcome);
  REQUIRE(outcomes.size() == 1);
  v1::Outcome outcome;
  REQUIRE(outcome.ParseFromString(outcomes.front().set));
  CHECK(outcome.status() == v1::OUTCOME_STATUS_BEATEN);
  CHECK(text_of(outcome.lost_set(), fields::visit::kNotes) == "from the first");
}

TEST_CASE("a live call is pushed what others write") {
  World world;
  Phone watcher = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, watcher.hello(world.clock, true));
  world.pump();
  CHECK(inbox.all<v1::DownEnd>().size() == 1);
  CHECK(inbox.open);
  Phone author = world.phone(world.anna);
  author.record(kinds::kVisit, author.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(author);
  CHECK(inbox.rows_of(kinds::kVisit).size() == 1);
}

TEST_CASE("a live call ends with its worker's time") {
  World world;
  Phone watcher = world.phone(world.anna);
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, watcher.hello(world.clock, true));
  world.pump();
  v1::Worker leaves;
  leaves.set_code("W1");
  leaves.set_left_ms(world.clock.ms + kDayMs);
  v1::WorkerRole& role = *leaves.add_roles();
  role.set_role(v1::ROLE_GRID_WORKER);
  role.set_scope(kGrid1);
  world.import(leaves, world.anna);
  REQUIRE(world.county->end_what_ran_out());
  world.pump();
  CHECK(inbox.open);
  world.clock.ms += kDayMs;
  REQUIRE(world.county->end_what_ran_out());
  world.pump();
  CHECK_FALSE(inbox.open);
  CHECK(world.sync(watcher)->all<v1::Welcome>().front().grants().empty());
}

TEST_CASE("a live call hears of each backup, and that it has caught up behind each push") {
  World world;
  Phone watcher = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  Inbox inbox;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, inbox);
  world.county->on_frame(call, watcher.hello(world.clock, true));
  world.pump();
  REQUIRE(inbox.all<v1::DownEnd>().size() == 1);
  CHECK(inbox.all<v1::Acks>().empty());
  Phone author = world.phone(world.anna);
  author.record(kinds::kVisit, author.new_id(), visit(kGrid1), true, world.clock.ms);
  world.sync(author);
  const auto ends = inbox.all<v1::DownEnd>();
  REQUIRE(ends.size() == 2);
  CHECK(ends.back().caught_up() > ends.front().caught_up());
  CHECK(ends.back().caught_up() >= inbox.rows_of(kinds::kVisit).front().last_seq.value);
  // What concerns somebody else alone is no news.
  Phone elsewhere = world.phone(world.bruno);
  elsewhere.record(kinds::kVisit, elsewhere.new_id(), visit(kGrid2), true, world.clock.ms);
  world.sync(elsewhere);
  CHECK(inbox.all<v1::DownEnd>().size() == 2);

  const Seq upto = *world.county->backup(world.file("copy.db"), "test");
  world.pump();
  REQUIRE(inbox.all<v1::Acks>().size() == 1);
  CHECK(inbox.all<v1::Acks>().front().backed_up() == upto.value);
  world.pump();
  CHECK(inbox.all<v1::Acks>().size() == 1);
  CHECK(inbox.open);
}

TEST_CASE("an erasure that overtakes its record's creation does not undo what came with it") {
  World world;
  Phone phone = world.phone(world.anna);
  const RecordId gone = phone.new_id();
  const RecordId reported = phone.new_id();
  v1::Attachment picture;
  picture.set_parent(std::string(reported.bytes()));
  picture.set_parent_kind(kinds::kWhistle.value);
  picture.set_sha256(std::string(32, 'h'));
  picture.set_size_bytes(1);
  picture.set_media_type("image/jpeg");
  const KindId kind = GENERATE(kinds::kVisit, kinds::kAttachment);
  phone.record(kind, gone, kind == kinds::kVisit ? visit(kGrid1) : picture.SerializeAsString(),
               true, world.clock.ms);
  phone.record(kinds::kWhistle, reported, whistle(kGrid1), true, world.clock.ms).more = true;
  Operation erasure = phone.lanes[Lane::kWhistles].front();
  erasure.kind = kind;
  erasure.id = gone;
  erasure.type = OperationType::kErase;
  erasure.creates = true;
  erasure.more = false;
  erasure.lane_seq = LaneSeq(2);
  erasure.dev_seq = DevSeq(++phone.dev_seq);
  erasure.set.clear();
  phone.lanes[Lane::kWhistles].push_back(erasure);
  const auto inbox = world.sync(phone);
  std::uint32_t accepted = 0;
  for (const v1::AckRun& run : inbox->runs()) {
    CHECK(run.status() == static_cast<std::uint32_t>(OutcomeStatus::kAccepted));
    accepted += run.count();
  }
  CHECK(accepted == 3);
  CHECK(inbox->rows_of(kinds::kOutcome).empty());
  CHECK(*world.storage->count(kinds::kWhistle) == 1);
  Phone colleague = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const auto rows = world.sync(colleague)->rows_of(kind);
  CHECK(std::ranges::none_of(rows, [](const Row& row) { return row.change == RowChange::kWhole; }));
}

TEST_CASE("a phone that sends a year's work holds up nobody's report") {
  World world;
  Phone diligent = world.phone(world.anna);
  Phone other = world.phone(world.bruno);
  for (int i = 0; i < 6'000; ++i) {
    std::string notes;  // that no compression shortens much
    for (int word = 0; word < 8; ++word) notes += std::to_string(world.random.next());
    diligent.record(kinds::kVisit, diligent.new_id(), visit(kGrid1, notes), true, world.clock.ms);
  }
  Inbox long_call;
  const ConnectionId first = world.next_call();
  world.county->on_open(first, long_call);
  world.county->on_frame(first, diligent.hello(world.clock));
  std::span<const Operation> rest(diligent.lanes[Lane::kRecords]);
  for (; !rest.empty(); rest = rest.subspan(300)) {
    std::size_t taken = 0;
    world.county->on_frame(first, encode_operations(diligent.device, rest.first(300), taken));
    REQUIRE(taken == 300);
  }
  other.record(kinds::kWhistle, other.new_id(), whistle(kGrid2), true, world.clock.ms);
  Inbox short_call;
  const ConnectionId second = world.next_call();
  world.county->on_open(second, short_call);
  world.county->on_frame(second, other.hello(world.clock));
  world.county->on_frame(second, other.frames(Lane::kWhistles, 0).front());
  while (answers(short_call).empty() && world.county->pump().more) {
  }
  CHECK(answers(short_call) == std::vector(1, OutcomeStatus::kAccepted));
  CHECK(answers(long_call).size() < 3'000);
  world.pump();
  CHECK(answers(long_call) == std::vector(6'000, OutcomeStatus::kAccepted));
  world.county->on_closed(first);
  world.county->on_closed(second);
}
