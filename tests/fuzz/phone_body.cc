#include <array>
#include <memory>
#include <stdexcept>

#include "bodies.h"
#include "bytes.h"
#include "gridwhistle/v1/records.pb.h"
#include "samples.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "store/store.h"
#include "support/power_cut_vfs.h"
#include "wire/frames.h"

// A phone's file under a server that may say anything: a script of what its worker records and of
// what frames come, each past the phone's door.
namespace gridwhistle::fuzz {
namespace {

using store::Store;

const std::string kFile = "phone.gw";
const std::string kEnrolled = "enrolled.gw";
const std::string kGrid = "440811001001001";
constexpr std::int64_t kNow = 1'780'000'000'000;

class StandingClock final : public Clock {
 public:
  ClockReading now() override { return {kNow, 5'000, 1}; }
};

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return state = state * 6364136223846793005ULL + 1; }
  std::uint64_t state = 42;
};

template <typename T>
T must(Result<T> done) {
  if (!done) throw std::runtime_error(done.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*done);
}

v1::Welcome welcome(std::uint32_t scopes) {
  v1::Welcome welcome;
  welcome.set_county("440811");
  welcome.set_server_ms(kNow);
  for (const char* scope : {"grid:440811001001001", "grid:440811001001002", "county:440811"}) {
    const bool held = (scopes & 1) != 0;
    scopes >>= 1;
    if (!held) continue;
    v1::Grant& grant = *welcome.add_grants();
    grant.set_scope(scope);
    grant.set_subtree(true);
    grant.set_audiences(0x1E);
    grant.set_roles(2);
  }
  welcome.set_grants_version(1 + scopes);
  return welcome;
}

/// One enrolled file, made once and put back before each script.
class Enrolled {
 public:
  Enrolled() {
    open();
    must(store_->set_enrolment({.county = "440811",
                                .worker = RecordId::make(DeviceId(1), 1),
                                .short_code = "a7k",
                                .server_key_sha256 = std::string(32, 'k'),
                                .server_address = "localhost:7443"}));
    must(store_->welcome(welcome(1), clock_.now()));
    store_.reset();
    disk_.copy(kFile, kEnrolled);
  }

  void open() {
    store_.reset();
    store_ = must(Store::open({.path = kFile,
                               .schema = &built_schema(),
                               .clock = &clock_,
                               .random = &random_,
                               .vfs = disk_.name()}));
  }
  void again() {
    store_.reset();
    for (const char* part : {"-wal", "-journal"}) {
      if (disk_.has(kFile + part)) disk_.remove(kFile + part);
    }
    disk_.copy(kEnrolled, kFile);
    random_.state = 42;
    open();
  }
  Store& store() { return *store_; }
  Clock& clock() { return clock_; }

 private:
  test::PowerCutDisk disk_{"gw-fuzz-phone"};
  StandingClock clock_;
  CountingRandom random_;
  std::unique_ptr<Store> store_;
};

class Script {
 public:
  Script(Enrolled& phone, std::string_view bytes) : phone_(phone), bytes_(bytes) {
    for (std::uint64_t counter = 1; counter <= 4; ++counter) {
      known_.push_back(RecordId::make(DeviceId(999), counter));
    }
  }

  std::string broken_law() {
    phone_.again();
    for (int steps = 0; bytes_.left() && steps < 120 && broken_.empty(); ++steps) {
      step();
      sound();
    }
    if (broken_.empty()) same_after_opening();
    return broken_;
  }

 private:
  void step() {
    switch (bytes_.below(12)) {
      case 0:
      case 1:
      case 2:
        return record();
      case 3:
        return acknowledge();
      case 4:
      case 5:
      case 6:
        return cut();
      case 7:
        return greet();
      case 8: {
        v1::DownEnd end;
        end.set_caught_up(bytes_.below(4) == 0 ? bytes_.number() >> 8 : seq_);
        return hears(encode(end));
      }
      case 9: {
        v1::Acks acks;
        acks.set_backed_up(bytes_.below(4) == 0 ? bytes_.number() >> 8 : seq_);
        return hears(encode(acks));
      }
      case 10:
        return hears(std::string(bytes_.raw(bytes_.next())));
      default:
        return same_after_opening();
    }
  }

  RecordId some_id() { return known_[bytes_.below(known_.size())]; }

  std::string some_record(KindId kind) {
    const std::string notes(1 + bytes_.below(3), static_cast<char>('a' + bytes_.below(26)));
    if (kind == kinds::kVisit) {
      v1::Visit visit;
      visit.set_grid(kGrid);
      visit.set_kind(v1::VISIT_KIND_PATROL);
      visit.set_notes(notes);
      return visit.SerializeAsString();
    }
    if (kind == kinds::kResident) {
      v1::Resident resident;
      resident.set_household(std::string(some_id().bytes()));
      resident.set_name(notes);
      return resident.SerializeAsString();
    }
    if (kind == kinds::kWhistle) {
      v1::Whistle whistle;
      whistle.set_grid(kGrid);
      whistle.set_title(notes);
      whistle.add_tags(notes);
      return whistle.SerializeAsString();
    }
    v1::Household household;
    household.set_grid(kGrid);
    household.set_address(notes);
    return household.SerializeAsString();
  }

  KindId usual_kind() {
    constexpr std::array kUsual = {kinds::kVisit, kinds::kHousehold, kinds::kResident,
                                   kinds::kWhistle};
    return kUsual[bytes_.below(kUsual.size())];
  }

  void record() {
    store::Changes changes;
    for (std::size_t left = 1 + bytes_.below(2); left > 0; --left) {
      store::Change change{.kind = usual_kind()};
      if (bytes_.yes()) change.id = some_id();
      if (bytes_.below(6) == 0 && change.id != RecordId()) {
        change.type = OperationType::kErase;
      } else {
        change.set = some_record(change.kind);
      }
      changes.push_back(std::move(change));
    }
    const auto done = phone_.store().commit(changes);
    if (done) known_.insert(known_.end(), done->begin(), done->end());
    if (!done) judge(done.error(), "a commit");
  }

  void acknowledge() {
    const auto state = phone_.store().sync_state();
    if (!state) return judge(state.error(), "the state");
    v1::Acks acks;
    for (std::size_t left = 1 + bytes_.below(2); left > 0; --left) {
      const Lane lane = kLanes[bytes_.below(kLanes.size())];
      const store::LaneProgress& progress = state->lanes[index_of(lane)];
      const std::uint64_t waiting = progress.last.value - progress.noted.value;
      v1::AckRun& run = *acks.add_runs();
      run.set_lane(static_cast<std::uint32_t>(lane));
      run.set_first(progress.noted.value + (bytes_.below(8) == 0 ? bytes_.next() : 1));
      run.set_count(static_cast<std::uint32_t>(
          bytes_.below(8) == 0 || waiting == 0 ? bytes_.next() : 1 + bytes_.next() % waiting));
      run.set_first_seq(bytes_.below(8) == 0 ? bytes_.number() >> 8 : seq_ + 1);
      run.set_status(static_cast<std::uint32_t>(1 + bytes_.below(8)));
      if (bytes_.below(8) == 0) run.set_code(static_cast<std::uint32_t>(bytes_.below(60)));
      seq_ += run.count();
    }
    hears(encode(acks));
  }

  Row row() {
    Row row;
    const auto& kinds = built_schema().kinds;
    row.kind = bytes_.below(4) == 0 ? kinds[bytes_.below(kinds.size())].id : usual_kind();
    row.id = some_id();
    row.last_seq = Seq(bytes_.below(8) == 0 ? bytes_.number() >> 8 : ++seq_);
    row.hlc = Hlc(bytes_.below(8) == 0 ? bytes_.number() >> 1 : seq_);
    row.change = static_cast<RowChange>(bytes_.below(8) < 5 ? bytes_.below(2) : bytes_.below(4));
    const bool stays = row.change == RowChange::kFields || row.change == RowChange::kWhole;
    row.forgotten = !stays && bytes_.yes();
    if (stays) {
      const KindSchema& kind = *built_schema().kind(row.kind);
      row.set = bytes_.below(3) == 0 ? full_message(kind) : some_record(row.kind);
      if (bytes_.below(4) == 0) {
        row.clear.push_back(2 + static_cast<std::uint32_t>(bytes_.below(40)));
      }
    }
    if (bytes_.below(8) != 0) row.scopes = {"grid:" + kGrid};
    if (bytes_.below(8) == 0) row.scopes.emplace_back("grid:440811001001002");
    return row;
  }

  void cut() {
    CutDown cut;
    for (std::size_t left = bytes_.below(5); left > 0; --left) cut.rows.push_back(row());
    cut.upto = Seq(bytes_.below(8) == 0 ? bytes_.number() >> 8 : seq_);
    if (bytes_.below(4) == 0) cut.scope = "grid:" + kGrid;
    cut.repairs = bytes_.below(8) == 0;
    hears(encode_cut(cut));
  }

  void greet() {
    v1::Welcome said = welcome(bytes_.next());
    for (std::size_t left = bytes_.below(4); left > 0; --left) {
      v1::Epoch& epoch = *said.add_epochs();
      epoch.set_id(1 + bytes_.below(6));
      epoch.set_start_seq(bytes_.next());
    }
    if (bytes_.yes()) {
      for (const Lane lane : kLanes) {
        v1::LaneState& state = *said.add_lanes();
        state.set_lane(static_cast<std::uint32_t>(lane));
        state.set_last(bytes_.below(16));
      }
    }
    said.set_backed_up(bytes_.below(4) == 0 ? bytes_.next() : 0);
    hears(encode(said));
  }

  /// A frame: turned away at the door, or the file's to deal with.
  void hears(const std::string& frame) {
    const auto down = decode_down(built_schema(), frame);
    if (!down) return;
    Store& store = phone_.store();
    Result<void> done;
    if (const auto* said = std::get_if<v1::Welcome>(&*down)) {
      done = store.welcome(*said, phone_.clock().now());
    } else if (const auto* acks = std::get_if<v1::Acks>(&*down)) {
      done = store.acknowledge(*acks);
    } else if (const auto* cut = std::get_if<CutDown>(&*down)) {
      done = store.apply_cut(*cut);
    } else if (const auto* end = std::get_if<v1::DownEnd>(&*down)) {
      done = store.caught_up(Seq(end->caught_up()));
    }
    if (!done) judge(done.error(), "a frame");
  }

  /// Whatever it is, the fault is the other side's, never the file's.
  void judge(const Error& error, const char* what) {
    switch (error.code) {
      case ErrorCode::kInternal:
      case ErrorCode::kCorrupt:
      case ErrorCode::kIo:
      case ErrorCode::kPoisoned:
        broken_ = std::string(what) + " leaves the file sound: " + error.message + " (" +
                  error.detail + ")";
        break;
      default:
        break;
    }
  }

  /// Everything recorded and not acknowledged is there to be sent, and all can be read.
  void sound() {
    Store& store = phone_.store();
    const auto state = store.sync_state();
    if (!state) return judge(state.error(), "the state");
    std::uint64_t unsent = 0;
    for (const Lane lane : kLanes) {
      const store::LaneProgress& progress = state->lanes[index_of(lane)];
      const auto waiting = store.operations(lane, progress.noted, std::size_t{1} << 24);
      if (!waiting) return judge(waiting.error(), "the outbox");
      std::uint64_t next = progress.noted.value;
      for (const Operation& operation : *waiting) {
        if (operation.lane_seq.value != ++next) broken_ = "what waits has no gap";
      }
      if (next != progress.last.value) broken_ = "nothing that is unsent is lost";
      unsent += waiting->size();
    }
    if (unsent != store.unsent()) broken_ = "what is unsent is counted";
    if (const auto told = store.status(); !told) judge(told.error(), "the status");
    if (const auto digests = store.digests(); !digests) judge(digests.error(), "the digests");
    for (const KindId kind : {kinds::kVisit, kinds::kHousehold, kinds::kWhistle}) {
      const auto rows = store.query(kind, {});
      if (!rows) judge(rows.error(), "a query");
    }
  }

  void same_after_opening() {
    const auto before = phone_.store().sync_state();
    const auto digests = phone_.store().digests();
    const auto shown = phone_.store().query(kinds::kWhistle, {});
    phone_.open();
    const auto after = phone_.store().sync_state();
    if (!before || !after) return;
    bool same = before->cursor == after->cursor && before->epochs == after->epochs &&
                before->grants == after->grants && before->unsent == after->unsent;
    for (const Lane lane : kLanes) {
      same &= before->lanes[index_of(lane)].last == after->lanes[index_of(lane)].last &&
              before->lanes[index_of(lane)].noted == after->lanes[index_of(lane)].noted;
    }
    if (!same) broken_ = "where the file stands is the same when it is opened again";
    const auto digests_after = phone_.store().digests();
    if (digests && digests_after && *digests != *digests_after) {
      broken_ = "what the file holds is the same when it is opened again";
    }
    const auto shown_after = phone_.store().query(kinds::kWhistle, {});
    if (shown && shown_after && shown->size() != shown_after->size()) {
      broken_ = "what the file shows is the same when it is opened again";
    }
  }

  Enrolled& phone_;
  Bytes bytes_;
  std::vector<RecordId> known_;
  std::uint64_t seq_ = 1;
  std::string broken_;
};

std::string phone_law(std::string_view bytes) {
  static Enrolled phone;
  return Script(phone, bytes).broken_law();
}

std::vector<std::string> phone_seeds() {
  std::vector<std::string> seeds;
  CountingRandom random;
  for (const std::size_t size : {40U, 400U, 1600U}) {
    std::string seed;
    while (seed.size() < size) seed += static_cast<char>(random.next() >> 32);
    seeds.push_back(seed);
  }
  return seeds;
}

}  // namespace

const Body kPhone = {"phone", phone_law, phone_seeds};

}  // namespace gridwhistle::fuzz
