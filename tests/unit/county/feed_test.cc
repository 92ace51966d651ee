#include "feed/feed.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "access/grants.h"
#include "county_world.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

// More than a cut holds.
void write_filler(World& world, Phone& phone, const std::string& grid) {
  for (int i = 0; i < 200; ++i) {
    phone.record(kinds::kVisit, phone.new_id(), visit(grid, std::string(4000, 'x')), true,
                 world.clock.ms);
  }
  world.sync(phone);
}

// Works in the first grid and the second.
RecordId walker_of(World& world, const std::vector<std::string>& grids) {
  v1::Worker message;
  message.set_code("W8");
  for (const std::string& grid : grids) {
    v1::WorkerRole& role = *message.add_roles();
    role.set_role(v1::ROLE_GRID_WORKER);
    role.set_scope(grid);
  }
  return world.import(message);
}

RecordId walker_of_both(World& world) { return walker_of(world, {kGrid1, kGrid2}); }

std::string household(const std::string& grid) {
  v1::Household home;
  home.set_grid(grid);
  return home.SerializeAsString();
}

}  // namespace

TEST_CASE("rows of a kind that is newer than the phone stay back, and come when it reads anew") {
  World world;
  Phone author = world.phone(world.anna);
  author.record(kinds::kVisit, author.new_id(), visit(kGrid1), true, world.clock.ms);
  author.record(kinds::kWhistle, author.new_id(), whistle(kGrid1), true, world.clock.ms);
  world.sync(author);
  std::vector<KindSchema> kinds(built_schema().kinds.begin(), built_schema().kinds.end());
  for (KindSchema& kind : kinds) kind.since = kind.id == kinds::kVisit ? 2 : 0;
  const Schema newer{2, kinds};
  const auto standing = standing_of(*world.storage, world.anna);
  REQUIRE(standing);
  const auto visits_for = [&](std::uint32_t schema, const v1::Cursor& cursor) {
    Feed feed(*world.storage, newer, Reader{DeviceId(77), DevSeq(), {}, schema}, standing->held,
              cursor);
    std::vector<KindId> rows;
    for (auto cut = feed.next(); cut.value(); cut = feed.next()) {
      for (const Row& row : (*cut)->rows) rows.push_back(row.kind);
    }
    CHECK(feed.cursor() == world.storage->last_seq());
    CHECK((!cursor.exceptions().empty() || std::ranges::count(rows, kinds::kWhistle) == 1));
    return std::ranges::count(rows, kinds::kVisit);
  };
  v1::Cursor cursor;
  CHECK(visits_for(1, cursor) == 0);
  CHECK(visits_for(2, cursor) == 1);
  cursor.set_seq(world.storage->last_seq().value);
  cursor.set_complete(cursor.seq());
  v1::ScopeCursor& anew = *cursor.add_exceptions();
  anew.set_scope("grid:" + kGrid1);
  CHECK(visits_for(1, cursor) == 0);
  CHECK(visits_for(2, cursor) == 1);
}

TEST_CASE("a record edited late in the log comes whole to a phone that reads it in many cuts") {
  World world;
  Phone author = world.phone(world.anna);
  const RecordId id = author.new_id();
  author.record(kinds::kVisit, id, visit(kGrid1, "first"), true, world.clock.ms);
  world.sync(author);
  write_filler(world, author, kGrid1);
  v1::Visit later;
  later.set_notes("later");
  author.record(kinds::kVisit, id, later.SerializeAsString(), false, world.clock.ms + 1);
  world.sync(author);
  Phone fresh = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const auto inbox = world.sync(fresh);
  REQUIRE(inbox->all<CutDown>().size() > 2);
  for (const Row& row : inbox->rows_of(kinds::kVisit)) CHECK(row.change == RowChange::kWhole);
}

namespace {

/// A line that takes one cut at a time.
struct NarrowLine final : Sink {
  Inbox inbox;
  bool full = false;

  void send(std::string frame) override {
    inbox.send(std::move(frame));
    full = true;
  }
  bool writable() const override { return !full; }
  void close(Result<void> how) override { inbox.close(std::move(how)); }
};

/// How many rows each cut had for a phone whose line is free again so long after it was full.
std::vector<std::size_t> rows_a_cut(World& world, Phone& phone, std::int64_t free_after_ms) {
  NarrowLine line;
  const ConnectionId call = world.next_call();
  world.county->on_open(call, line);
  world.county->on_frame(call, phone.hello(world.clock));
  world.county->on_frame(call, encode(v1::UpEnd()));
  for (int i = 0; i < 100 && line.inbox.open; ++i) {
    world.pump();
    world.clock.ms += free_after_ms;
    line.full = false;
  }
  world.county->on_closed(call);
  std::vector<std::size_t> rows;
  for (const CutDown& cut : line.inbox.all<CutDown>()) rows.push_back(cut.rows.size());
  return rows;
}

}  // namespace

TEST_CASE("a quick line gets its cuts larger and larger, a slow one small ones to the end") {
  World world;
  Phone author = world.phone(world.anna);
  for (int i = 0; i < 5; ++i) write_filler(world, author, kGrid1);
  Phone quick = world.phone(world.worker("W8", Role::kGridWorker, kGrid1));
  Phone slow = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const auto large = rows_a_cut(world, quick, 100);
  const auto small = rows_a_cut(world, slow, 5'000);
  // The first cut begins with the reference, whose rows are small.
  REQUIRE(large.size() > 3);
  REQUIRE(small.size() > large.size());
  for (std::size_t i = 2; i + 1 < large.size(); ++i) CHECK(large[i] >= large[i - 1]);
  const std::size_t small_rows = *std::max_element(small.begin() + 1, small.end());
  const std::size_t large_rows = *std::max_element(large.begin() + 1, large.end());
  CHECK(large_rows > 4 * small_rows);
  CHECK(large_rows <= limits::kCutRawBytesMax / 4000 + 1);
  CHECK(std::accumulate(large.begin(), large.end(), std::size_t{}) ==
        std::accumulate(small.begin(), small.end(), std::size_t{}));
}

TEST_CASE("no row is newer than its cut, wherever its record has moved meanwhile") {
  World world;
  v1::Worker both;
  both.set_code("W9");
  for (const std::string& grid : {kGrid1, kGrid2}) {
    v1::WorkerRole& role = *both.add_roles();
    role.set_role(v1::ROLE_GRID_WORKER);
    role.set_scope(grid);
  }
  const RecordId roamer = world.import(both);
  Phone author = world.phone(roamer);
  Phone reader = world.phone(roamer);
  const RecordId id = author.new_id();
  author.record(
      kinds::kHousehold, id,
      [] {
        v1::Household home;
        home.set_grid(kGrid1);
        home.set_notes("red door");
        return home.SerializeAsString();
      }(),
      true, world.clock.ms);
  world.sync(author);
  world.sync(reader);
  v1::Household moved;
  moved.set_grid(kGrid2);
  author.record(kinds::kHousehold, id, moved.SerializeAsString(), false, world.clock.ms + 1,
                world.storage->last_seq());
  world.sync(author);
  write_filler(world, author, kGrid1);
  v1::Household edited;
  edited.set_notes("blue door");
  author.record(kinds::kHousehold, id, edited.SerializeAsString(), false, world.clock.ms + 2);
  world.sync(author);

  const auto inbox = world.sync(reader);
  REQUIRE(inbox->all<CutDown>().size() > 2);
  for (const CutDown& cut : inbox->all<CutDown>()) {
    for (const Row& row : cut.rows) CHECK(row.last_seq <= cut.upto);
  }
  v1::Household have;
  have.set_grid(kGrid1);
  have.set_notes("red door");
  for (const Row& row : inbox->rows_of(kinds::kHousehold)) {
    if (row.change == RowChange::kWhole) have.Clear();
    v1::Household part;
    REQUIRE(part.ParseFromString(row.set));
    have.MergeFrom(part);
  }
  CHECK(have.grid() == kGrid2);
  CHECK(have.notes() == "blue door");
}

TEST_CASE("a scope lost and held again between two calls: what left it or was erased is told") {
  World world;
  Phone author = world.phone(walker_of_both(world));
  const RecordId walker = world.worker("W9", Role::kGridWorker, kGrid1);
  Phone roamer = world.phone(walker);
  const RecordId erased = author.new_id();
  const RecordId moved = author.new_id();
  const RecordId stays = author.new_id();
  for (const RecordId id : {erased, moved, stays}) {
    author.record(kinds::kHousehold, id, household(kGrid1), true, world.clock.ms);
  }
  world.sync(author);
  REQUIRE(world.sync(roamer)->rows_of(kinds::kHousehold).size() == 3);

  const auto walks = [&](const std::string& grid) {
    v1::Worker message;
    message.set_code("W9");
    v1::WorkerRole& role = *message.add_roles();
    role.set_role(v1::ROLE_GRID_WORKER);
    role.set_scope(grid);
    world.import(message, walker);
  };
  walks(kGrid2);
  const Seq seen = world.storage->last_seq();
  author.record(kinds::kHousehold, erased, {}, false, world.clock.ms + 1, seen).type =
      OperationType::kErase;
  author.record(kinds::kHousehold, moved, household(kGrid2), false, world.clock.ms + 1, seen);
  world.sync(author);
  walks(kGrid1);

  std::map<RecordId, RowChange> told;
  for (const Row& row : world.sync(roamer)->rows_of(kinds::kHousehold)) told[row.id] = row.change;
  CHECK(told.size() == 3);
  CHECK(told[erased] == RowChange::kErased);
  CHECK(told[moved] == RowChange::kLeft);
  CHECK(told[stays] == RowChange::kWhole);
}

TEST_CASE("a phone that has read nothing yet is not told what left or was erased") {
  World world;
  Phone author = world.phone(world.anna);
  const RecordId id = author.new_id();
  author.record(kinds::kHousehold, id, household(kGrid1), true, world.clock.ms);
  world.sync(author);
  author.record(kinds::kHousehold, id, {}, false, world.clock.ms + 1, world.storage->last_seq())
      .type = OperationType::kErase;
  world.sync(author);
  Phone fresh = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  CHECK(world.sync(fresh)->rows_of(kinds::kHousehold).empty());
}

TEST_CASE("a scope that is read anew tells what left or was erased of what the phone has of it") {
  World world;
  Phone author = world.phone(world.anna);
  Phone reader = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  const RecordId id = author.new_id();
  author.record(kinds::kVisit, id, visit(kGrid1), true, world.clock.ms);
  world.sync(author);
  world.sync(reader);
  author.record(kinds::kVisit, id, {}, false, world.clock.ms + 1, world.storage->last_seq()).type =
      OperationType::kErase;
  world.sync(author);
  v1::ScopeCursor& wider = *reader.cursor.add_exceptions();
  wider.set_scope("grid:" + kGrid1);
  wider.set_seq(0);
  const auto rows = world.sync(reader)->rows_of(kinds::kVisit);
  REQUIRE(rows.size() == 1);
  CHECK(rows.front().change == RowChange::kErased);
}

TEST_CASE(
    "who wrote to a record is told that it left or was erased, though it never came by a row") {
  World world;
  Phone author = world.phone(world.anna);
  Phone colleague = world.phone(walker_of_both(world));
  world.sync(author);
  const v1::Cursor before = author.cursor;
  const RecordId erased = author.new_id();
  const RecordId moved = author.new_id();
  for (const RecordId id : {erased, moved}) {
    author.record(kinds::kHousehold, id, household(kGrid1), true, world.clock.ms);
  }
  world.sync(author);
  const Seq seen = world.storage->last_seq();
  world.sync(colleague);
  colleague.record(kinds::kHousehold, erased, {}, false, world.clock.ms + 1, seen).type =
      OperationType::kErase;
  colleague.record(kinds::kHousehold, moved, household(kGrid2), false, world.clock.ms + 1, seen);
  world.sync(colleague);
  // The acknowledgements arrived, and the line broke before any row.
  author.cursor = before;
  // Or a rewind has begun anew and offered it again: then the file does not speak for own writes.
  author.own_since = GENERATE(as<std::uint64_t>{}, 0, 100);

  std::map<RecordId, RowChange> told;
  for (const Row& row : world.sync(author)->rows_of(kinds::kHousehold)) told[row.id] = row.change;
  CHECK(told ==
        std::map<RecordId, RowChange>{{erased, RowChange::kErased}, {moved, RowChange::kLeft}});
}

namespace {

/// What a phone holds by the cuts that reached it, and where it stands.
struct FedPhone {
  std::map<std::pair<KindId, RecordId>, Seq> rows;
  v1::Cursor cursor;
  std::vector<Row> arrived;  ///< in this call
  std::set<std::string> scopes;

  void take(const CutDown& cut) {
    for (const Row& row : cut.rows) {
      const bool goes = row.change == RowChange::kLeft || row.change == RowChange::kErased;
      if (goes) {
        rows.erase({row.kind, row.id});
      } else {
        rows[{row.kind, row.id}] = row.last_seq;
      }
      arrived.push_back(row);
    }
    cursor.set_reached(std::max(cursor.reached(), cut.upto.value));
    if (cut.urgent) {
      cursor.set_urgent(std::max(cursor.urgent(), cut.upto.value));
    } else if (cut.scope.empty()) {
      cursor.set_seq(std::max(cursor.seq(), cut.upto.value));
    } else {
      for (v1::ScopeCursor& lag : *cursor.mutable_exceptions()) {
        if (lag.scope() == cut.scope) lag.set_seq(cut.upto.value);
      }
    }
  }

  bool is_new_to(const ScopeSet& held) const {
    return std::ranges::any_of(
        held.grants(), [&](const ScopeGrant& grant) { return !scopes.contains(grant.scope); });
  }

  // As the store does with the grants of a Welcome.
  void learn(const ScopeSet& held) {
    for (const ScopeGrant& grant : held.grants()) {
      if (!scopes.insert(grant.scope).second) continue;
      cursor.set_urgent(0);
      if (cursor.seq() != 0) cursor.add_exceptions()->set_scope(grant.scope);
    }
  }

  void caught_up(Seq upto) {
    cursor.Clear();
    cursor.set_seq(upto.value);
    cursor.set_complete(upto.value);
  }

  /// A call that breaks after so many cuts, each about so large.
  void call(World& world, const ScopeSet& held, std::size_t raw_bytes, int cuts, bool urgent) {
    arrived.clear();
    Reader reader{.device = DeviceId(77),
                  .schema = built_schema().version,
                  .urgent_first = urgent,
                  .knows_grants = !is_new_to(held)};
    Feed feed(*world.storage, built_schema(), std::move(reader), held, cursor);
    learn(held);
    for (int i = 0; i < cuts; ++i) {
      const auto cut = feed.next(raw_bytes);
      REQUIRE(cut);
      if (!*cut) return caught_up(feed.cursor());
      take(**cut);
    }
  }
};

bool is_urgent(const Row& row) { return built_schema().kind(row.kind)->lane == Lane::kWhistles; }

constexpr int kAllCuts = 1'000'000;

}  // namespace

TEST_CASE("what is urgent comes ahead of the rest, of all scopes, and each row once") {
  World world;
  Phone author = world.phone(walker_of_both(world));
  for (const std::string& grid : {kGrid1, kGrid2}) {
    for (int i = 0; i < 40; ++i) {
      author.record(kinds::kVisit, author.new_id(), visit(grid, std::string(400, 'x')), true,
                    world.clock.ms);
      author.record(kinds::kWhistle, author.new_id(), whistle(grid), true, world.clock.ms);
    }
  }
  world.sync(author);
  const auto standing = standing_of(*world.storage, walker_of_both(world));
  REQUIRE(standing);
  FedPhone plain;
  plain.call(world, standing->held, 2'000, kAllCuts, false);
  FedPhone phone;
  SECTION("in one call") { phone.call(world, standing->held, 2'000, kAllCuts, true); }
  SECTION("in calls that break after two cuts each, no row again") {
    std::vector<Row> arrived;
    for (int calls = 0; phone.cursor.complete() == 0; ++calls) {
      REQUIRE(calls < 1'000);
      phone.call(world, standing->held, 2'000, 2, true);
      arrived.insert(arrived.end(), phone.arrived.begin(), phone.arrived.end());
    }
    phone.arrived = arrived;
  }
  CHECK(phone.rows == plain.rows);
  CHECK(phone.arrived.size() == plain.arrived.size());
  CHECK(std::ranges::is_partitioned(phone.arrived, is_urgent));
  CHECK_FALSE(std::ranges::is_partitioned(plain.arrived, is_urgent));
  CHECK(std::ranges::count_if(phone.arrived, is_urgent) == 80);
}

TEST_CASE("a record that left, came again and left between two calls leaves the phone") {
  World world;
  Phone author = world.phone(walker_of_both(world));
  const RecordId id = author.new_id();
  author.record(kinds::kHousehold, id, household(kGrid1), true, world.clock.ms);
  world.sync(author);
  Phone reader = world.phone(world.anna);
  REQUIRE(world.sync(reader)->rows_of(kinds::kHousehold).size() == 1);
  for (const std::string& grid : {kGrid2, kGrid1, kGrid2}) {
    author.record(kinds::kHousehold, id, household(grid), false, ++world.clock.ms);
    world.sync(author);
  }
  const auto rows = world.sync(reader)->rows_of(kinds::kHousehold);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].change == RowChange::kLeft);
}

TEST_CASE("a first call that breaks goes on where it stopped, whenever the phone was enrolled") {
  World world;
  Phone author = world.phone(world.anna);
  write_filler(world, author, kGrid1);
  Phone fresh = world.phone(world.worker("W9", Role::kGridWorker, kGrid1));
  std::multiset<RecordId> arrived;
  for (int calls = 0; arrived.size() < 200; ++calls) {
    REQUIRE(calls < 100);
    const auto inbox = world.sync(fresh, false);
    for (const v1::Welcome& welcome : inbox->all<v1::Welcome>()) {
      if (!welcome.as_before()) fresh.grants_version = welcome.grants_version();
      for (const v1::Epoch& epoch : welcome.epochs()) fresh.epochs.push_back(epoch.id());
    }
    // Of each call one cut arrives.
    const CutDown cut = inbox->all<CutDown>().front();
    REQUIRE(cut.scope.empty());
    fresh.cursor.set_seq(cut.upto.value);
    for (const Row& row : cut.rows) {
      if (row.kind == kinds::kVisit) arrived.insert(row.id);
    }
  }
  CHECK(arrived.size() == 200);
  CHECK(std::set(arrived.begin(), arrived.end()).size() == 200);
}

TEST_CASE("whatever happens while cuts are lost, a phone ends with what a fresh one gets") {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    std::mt19937 dice(seed);
    const auto random = [&] { return static_cast<int>(dice() % 1'000'000); };
    World world;
    Phone author = world.phone(walker_of_both(world));
    v1::Worker late;
    late.set_code("W7");
    const auto grant = [&](const std::string& grid) {
      v1::WorkerRole& role = *late.add_roles();
      role.set_role(v1::ROLE_GRID_WORKER);
      role.set_scope(grid);
      return world.import(late);
    };
    const RecordId reader = grant(kGrid1);
    const auto held = [&] { return standing_of(*world.storage, reader).value().held; };
    std::vector<std::pair<KindId, RecordId>> records;
    FedPhone phone;
    const auto happens = [&] {
      const std::string& grid = random() % 2 == 0 ? kGrid1 : kGrid2;
      const bool is_whistle = random() % 2 == 0;
      const KindId kind = is_whistle ? kinds::kWhistle : kinds::kVisit;
      if (records.empty() || random() % 2 == 0) {
        records.emplace_back(kind, author.new_id());
        author.record(kind, records.back().second,
                      is_whistle ? whistle(grid) : visit(grid, std::string(200, 'x')), true,
                      world.clock.ms);
        return;
      }
      const auto& [of, id] = records[static_cast<std::size_t>(random()) % records.size()];
      v1::Whistle moved;
      moved.set_grid(grid);
      Operation& op = author.record(
          of, id, of == kinds::kWhistle ? moved.SerializeAsString() : visit(grid, "later"), false,
          ++world.clock.ms);
      if (of == kinds::kWhistle || random() % 3 != 0) return;
      op.type = OperationType::kErase;
      op.set.clear();
    };
    // The second grid comes later: a phone has to hear all of it, the urgent kinds too.
    const int grants_at = random() % 12;
    for (int round = 0; round < 12; ++round) {
      for (int i = random() % 12; i > 0; --i) happens();
      world.sync(author);
      if (round == grants_at) grant(kGrid2);
      phone.call(world, held(), static_cast<std::size_t>(1 + random() % 1'500), random() % 6, true);
    }
    phone.call(world, held(), 700, kAllCuts, true);
    FedPhone fresh;
    fresh.call(world, held(), 700, kAllCuts, random() % 2 == 0);
    CHECK(phone.rows == fresh.rows);
  }
}
