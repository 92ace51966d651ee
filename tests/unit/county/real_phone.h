#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "county_world.h"
#include "store/store.h"
#include "support/temp_folder.h"
#include "sync/session.h"

namespace gridwhistle::test {

/// A phone's file and session, as the client has them, without its threads and its line.
class RealPhone {
 public:
  RealPhone(World& world, const Schema& schema, RecordId worker) : world_(world) {
    open(schema);
    enrolled_.device = store_->device();
    enrolled_.key = *P256Key::make();
    const auto code = world.county->create_code(worker, "test");
    REQUIRE(code);
    const v1::EnrolReply reply = world.enrol(enrolled_, code->code);
    REQUIRE(reply.code() == 0);
    REQUIRE(store_->set_enrolment({.county = reply.county(),
                                   .worker = worker,
                                   .short_code = reply.short_code(),
                                   .server_key_sha256 = kServerKey,
                                   .server_address = "localhost:7443"}));
  }

  explicit RealPhone(World& world, const Schema& schema = built_schema())
      : RealPhone(world, schema, world.anna) {}

  /// The build of that schema opens its file.
  void open(const Schema& schema) {
    session_.reset();
    store_.reset();
    schema_ = &schema;
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
  ErrorCode sync(const SyncOptions& options = {}) {
    finished_.reset();
    perform(session_->sync_once(options, ++now_ms_));
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
  void erase(KindId kind, RecordId id) { REQUIRE(store_->erase(kind, id)); }
  store::Store& store() { return *store_; }
  const SyncReport& report() const { return session_->report(); }
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
      const std::uint64_t call = session_->call_number();
      SyncActions more = carry_out(action);
      // What was to follow on a call that is over has lost its meaning.
      if (call != session_->call_number()) todo.clear();
      for (SyncAction& next : more) todo.push_back(std::move(next));
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
    } else if (std::holds_alternative<ReadDigests>(action)) {
      return session_->digests(*store_->digests());
    } else if (const auto* ranges = std::get_if<ReadContents>(&action)) {
      return session_->contents(*store_->contents(ranges->ranges));
    } else if (std::holds_alternative<StoreCompared>(action)) {
      return stored(store_->note_compared());
    } else if (const auto* welcome = std::get_if<StoreWelcome>(&action)) {
      return greeted(welcome->welcome);
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

  // A restored server's Welcome takes the file back, and the call begins anew.
  SyncActions greeted(const v1::Welcome& welcome) {
    const Seq before = store_->sync_state()->cursor;
    stored(store_->welcome(welcome, world_.clock.now()));
    if (store_->sync_state()->cursor < before) return session_->restart(++now_ms_);
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
    state.own_since = file->own_since;
    state.compare_due = *store_->compare_due();
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

}  // namespace gridwhistle::test
