#include <deque>

#include "county_world.h"
#include "store/store.h"
#include "support/temp_folder.h"
#include "sync/session.h"

// Builds of different ages against each other: a phone's real file and session on one side, the
// county on the other, frames between them.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

constexpr std::uint32_t kMood = 90;

/// What the schema was, is and will be: it had a kind less, and will have a field more.
enum class Build { kBefore, kNow, kAfter };

Schema without_places(std::vector<KindSchema>& kinds) {
  kinds.assign(built_schema().kinds.begin(), built_schema().kinds.end());
  std::erase_if(kinds, [](const KindSchema& kind) { return kind.id == kinds::kPlace; });
  return {built_schema().version, kinds};
}

Schema with_moods(std::vector<KindSchema>& kinds) {
  kinds.assign(built_schema().kinds.begin(), built_schema().kinds.end());
  static std::vector<FieldSchema> of_visits;
  for (KindSchema& kind : kinds) {
    if (kind.id != kinds::kVisit) continue;
    of_visits.assign(kind.fields.begin(), kind.fields.end());
    of_visits.push_back({.number = kMood, .name = "mood", .name_zh = "心情"});
    kind.fields = of_visits;
  }
  return {built_schema().version + 1, kinds};
}

const Schema& schema_of(Build build) {
  static std::vector<KindSchema> kinds_before;
  static std::vector<KindSchema> kinds_after;
  static const Schema before = without_places(kinds_before);
  static const Schema after = with_moods(kinds_after);
  return build == Build::kBefore ? before : build == Build::kAfter ? after : built_schema();
}

std::string visit_with(const std::string& notes, const std::string& mood = {}) {
  std::string message = visit(kGrid1, notes);
  if (!mood.empty()) append_text(message, kMood, mood);
  return message;
}

std::string shop(const std::string& name) {
  v1::Place place;
  place.set_grid(kGrid1);
  place.set_name(name);
  return place.SerializeAsString();
}

/// A phone's file and session, as the client has them, without its threads and its line.
class RealPhone {
 public:
  RealPhone(World& world, Build build) : world_(world) {
    open(build);
    enrolled_.device = store_->device();
    enrolled_.key = *P256Key::make();
    const auto code = world.county->create_code(world.anna, "test");
    REQUIRE(code);
    const v1::EnrolReply reply = world.enrol(enrolled_, code->code);
    REQUIRE(reply.code() == 0);
    REQUIRE(store_->set_enrolment({.county = reply.county(),
                                   .worker = world.anna,
                                   .short_code = reply.short_code(),
                                   .server_key_sha256 = kServerKey,
                                   .server_address = "localhost:7443"}));
  }

  /// The next build opens its file.
  void open(Build build) {
    session_.reset();
    store_.reset();
    schema_ = &schema_of(build);
    auto opened = store::Store::open({.path = folder_.file("phone.gw"),
                                      .schema = schema_,
                                      .clock = &world_.clock,
                                      .random = &world_.random});
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    store_ = std::move(*opened);
    session_ = std::make_unique<SyncSession>(SessionLabel{schema_->version, "test"}, world_.random);
  }

  /// What the call came to.
  ErrorCode sync() {
    finished_.reset();
    perform(session_->sync_once({}, ++now_ms_));
    for (int turns = 0; !finished_ && turns < 100; ++turns) {
      world_.pump();
      while (line_ && !line_->frames.empty()) {
        const std::string frame = std::move(line_->frames.front());
        line_->frames.pop_front();
        const auto down = decode_down(*schema_, frame);
        REQUIRE(down);
        perform(session_->frame(*down, frame.size(), ++now_ms_));
      }
      if (line_ && !line_->open) {
        line_.reset();
        perform(session_->ended({}, ++now_ms_));
      }
    }
    REQUIRE(finished_.has_value());
    return finished_->has_value() ? ErrorCode{} : finished_->error().code;
  }

  RecordId put(KindId kind, const std::string& set, RecordId id = {}) {
    const auto put = store_->put({.kind = kind, .id = id, .set = set});
    INFO((put ? "" : put.error().message));
    REQUIRE(put);
    return *put;
  }
  /// The record without its id; empty where it is not there.
  std::string get(KindId kind, RecordId id) {
    const auto found = store_->get(kind, id);
    if (!found) return "";
    const std::size_t of_id = 2 + RecordId::kSize;
    return found->record.substr(of_id);
  }
  std::uint64_t unsent() const { return store_->unsent(); }
  std::uint32_t protocol = SyncSession::kProtocol;

 private:
  struct Line final : Sink {
    std::deque<std::string> frames;
    bool open = true;
    void send(std::string frame) override { frames.push_back(std::move(frame)); }
    bool writable() const override { return true; }
    void close(Result<void>) override { open = false; }
  };

  void perform(SyncActions actions) {
    std::deque<SyncAction> todo(actions.begin(), actions.end());
    while (!todo.empty()) {
      const SyncAction action = std::move(todo.front());
      todo.pop_front();
      for (SyncAction& more : carry_out(action)) todo.push_back(std::move(more));
    }
  }

  SyncActions stored(const Result<void>& how) {
    INFO((how ? "" : how.error().message));
    REQUIRE(how);
    return {};
  }

  SyncActions carry_out(const SyncAction& action) {
    if (std::holds_alternative<OpenCall>(action)) return begin();
    if (const auto* hello = std::get_if<SendHello>(&action)) return greet(hello->hello);
    if (const auto* read = std::get_if<ReadOperations>(&action)) {
      const auto operations = store_->operations(read->lane, read->after, read->bytes_max);
      REQUIRE(operations);
      return session_->operations(read->lane, *operations);
    }
    if (const auto* send = std::get_if<Send>(&action)) {
      world_.county->on_frame(call_, send->frame);
    } else if (std::holds_alternative<FinishSending>(action)) {
      world_.county->on_half_close(call_);
    } else if (const auto* welcome = std::get_if<StoreWelcome>(&action)) {
      return stored(store_->welcome(welcome->welcome, world_.clock.now()));
    } else if (const auto* acks = std::get_if<StoreAcks>(&action)) {
      return stored(store_->acknowledge(acks->acks));
    } else if (const auto* cut = std::get_if<StoreCut>(&action)) {
      return stored(store_->apply_cut(cut->cut));
    } else if (const auto* caught_up = std::get_if<StoreCaughtUp>(&action)) {
      return stored(store_->caught_up(caught_up->upto));
    } else if (std::holds_alternative<CloseCall>(action)) {
      world_.county->on_closed(call_);
      line_.reset();
    } else if (const auto* finished = std::get_if<Finished>(&action)) {
      finished_ = finished->how;
    }
    return {};
  }

  SyncActions begin() {
    call_ = world_.next_call();
    line_ = std::make_unique<Line>();
    world_.county->on_open(call_, *line_);
    const auto file = store_->sync_state();
    REQUIRE(file);
    SyncState state;
    state.device = file->device;
    for (std::size_t i = 0; i < kLaneCount; ++i) {
      state.lanes[i] = {file->lanes[i].noted, file->lanes[i].last, file->lanes[i].first};
    }
    state.cursor.set_seq(file->cursor.value);
    state.cursor.set_complete(file->complete.value);
    for (const store::ScopeProgress& scope : file->exceptions) {
      v1::ScopeCursor& cursor = *state.cursor.add_exceptions();
      cursor.set_scope(scope.scope);
      cursor.set_seq(scope.seq.value);
    }
    for (const store::EpochSeen& epoch : file->epochs) state.epochs.push_back(epoch.id);
    for (const store::GrantHeld& grant : file->grants) state.scopes.push_back(grant.scope);
    state.grants_version = file->grants_version;
    state.unsent = file->unsent;
    return session_->opened(state, ++now_ms_);
  }

  SyncActions greet(v1::Hello hello) {
    const ClockReading now = world_.clock.now();
    hello.set_protocol(protocol);
    hello.set_device(store_->device().value);
    hello.set_call_counter(*store_->next_call_counter());
    hello.set_wall_ms(now.wall_ms);
    hello.set_boot_ms(now.boot_ms);
    hello.set_boot_id(now.boot_id);
    hello.set_signature(*enrolled_.key.sign(hello_to_sign(hello, kServerKey)));
    world_.county->on_frame(call_, encode(hello));
    return {};
  }

  World& world_;
  TempFolder folder_;
  Phone enrolled_{.device = {}, .key = *P256Key::make()};
  const Schema* schema_ = nullptr;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<SyncSession> session_;
  std::unique_ptr<Line> line_;
  ConnectionId call_;
  std::uint64_t now_ms_ = 0;
  std::optional<Result<void>> finished_;
};

const char* name_of(Build build) {
  return build == Build::kBefore ? "before" : build == Build::kNow ? "now" : "after";
}

constexpr ErrorCode kWell{};

}  // namespace

TEST_CASE("builds of any age work together, and what one of them does not know survives it") {
  const Build author = GENERATE(Build::kBefore, Build::kNow, Build::kAfter);
  const Build server = GENERATE(Build::kBefore, Build::kNow, Build::kAfter);
  const Build colleague = GENERATE(Build::kBefore, Build::kNow, Build::kAfter);
  INFO("author " << name_of(author) << ", server " << name_of(server) << ", colleague "
                 << name_of(colleague));
  World world;
  world.open(schema_of(server));
  RealPhone writes(world, author);
  RealPhone edits(world, colleague);
  const bool knows_moods = author == Build::kAfter;
  const bool knows_places = author != Build::kBefore;
  REQUIRE(writes.sync() == kWell);
  const RecordId visited =
      writes.put(kinds::kVisit, visit_with("quiet", knows_moods ? "glad" : std::string()));
  RecordId sat;
  if (knows_places) sat = writes.put(kinds::kPlace, shop("by the well"));
  CHECK(writes.sync() == kWell);
  CHECK(edits.sync() == kWell);
  REQUIRE(edits.get(kinds::kVisit, visited) != "");

  // Whoever does not know the field writes another one, and the field goes on.
  v1::Visit other;
  other.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  edits.put(kinds::kVisit, other.SerializeAsString(), visited);
  CHECK(edits.sync() == kWell);
  CHECK(writes.sync() == kWell);

  // One after the other they are brought up to date: the server first.
  world.open(schema_of(Build::kAfter));
  for (RealPhone* phone : {&writes, &edits}) {
    phone->open(Build::kAfter);
    CHECK(phone->sync() == kWell);
    CHECK(phone->sync() == kWell);
    CHECK(phone->unsent() == 0);
  }
  std::string expected = visit_with("quiet", knows_moods ? "glad" : std::string());
  v1::Visit whole;
  REQUIRE(whole.ParseFromString(expected));
  whole.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  expected = *canonical(*schema_of(Build::kAfter).kind(kinds::kVisit), whole.SerializeAsString());
  for (RealPhone* phone : {&writes, &edits}) {
    const std::string body = phone->get(kinds::kVisit, visited);
    CHECK(field_of(body, kMood).entries == field_of(expected, kMood).entries);
    v1::Visit shown;
    REQUIRE(shown.ParseFromString(body));
    CHECK(shown.notes() == "quiet");
    CHECK(shown.kind() == v1::VISIT_KIND_HOUSEHOLD);
    if (!knows_places) continue;
    v1::Place place;
    REQUIRE(place.ParseFromString(phone->get(kinds::kPlace, sat)));
    CHECK(place.name() == "by the well");
  }
  const auto report = world.county->verify();
  REQUIRE(report);
  CHECK(report->faults.empty());
}

TEST_CASE("a phone that speaks too old a protocol brings its work, is told to update, keeps all") {
  World world;
  RealPhone old(world, Build::kNow);
  RealPhone colleague(world, Build::kNow);
  REQUIRE(old.sync() == kWell);
  const RecordId before = colleague.put(kinds::kVisit, visit_with("before"));
  REQUIRE(colleague.sync() == kWell);
  REQUIRE(old.sync() == kWell);

  world.protocol_min = SyncSession::kProtocol + 1;
  world.open();
  colleague.protocol = SyncSession::kProtocol + 1;
  const RecordId later = colleague.put(kinds::kVisit, visit_with("later"));
  CHECK(colleague.sync() == kWell);
  const RecordId own = old.put(kinds::kVisit, visit_with("own"));
  const RecordId urgent = old.put(kinds::kWhistle, whistle(kGrid1));
  for (int call = 0; call < 2; ++call) {
    CHECK(old.sync() == ErrorCode::kUnsupported);
    CHECK(old.unsent() == 0);
  }
  CHECK(old.get(kinds::kVisit, before) != "");
  CHECK(old.get(kinds::kVisit, later) == "");
  CHECK(colleague.sync() == kWell);
  CHECK(colleague.get(kinds::kVisit, own) != "");
  CHECK(colleague.get(kinds::kWhistle, urgent) != "");

  // Brought up to date it goes on where it was.
  old.protocol = SyncSession::kProtocol + 1;
  CHECK(old.sync() == kWell);
  CHECK(old.get(kinds::kVisit, later) != "");
}

TEST_CASE("a phone that is newer than the server by more than one protocol keeps its work") {
  World world;
  RealPhone phone(world, Build::kNow);
  REQUIRE(phone.sync() == kWell);
  phone.put(kinds::kVisit, visit_with("own"));
  phone.protocol = SyncSession::kProtocol + 2;
  CHECK(phone.sync() == ErrorCode::kUnsupported);
  CHECK(phone.unsent() == 1);
  phone.protocol = SyncSession::kProtocol + 1;
  CHECK(phone.sync() == kWell);
  CHECK(phone.unsent() == 0);
}
