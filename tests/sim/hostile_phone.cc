#include "hostile_phone.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>
#include <variant>

#include "base/sha256.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "oracle.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "wire/frames.h"

namespace gridwhistle::sim {

namespace {

const std::string kOwnGrid = "440811001002009";
const std::string kOwnScope = "grid:" + kOwnGrid;
constexpr std::string_view kOwnWords = "intruder<";

/// What honest phones write says which of them did.
bool is_others_word(std::string_view text) {
  return std::ranges::any_of(
      std::array<std::string_view, 4>{"<walker", "<courier", "<acceptor", "<roads"},
      [&](std::string_view name) { return text.contains(name); });
}

std::string scope_of(const StoredRow& row) {
  return "grid:" + std::string(text_of(row.body, 2).value_or(kOwnGrid));
}

}  // namespace

HostilePhone::HostilePhone(Timeline& timeline, Dice& dice, Marks& marks, Network& network,
                           Server& server, bool restores)
    : timeline_(timeline),
      dice_(dice),
      marks_(marks),
      network_(network),
      server_(server),
      restores_(restores),
      key_(*P256Key::make()) {
  line_.name = "intruder";
  line_.is_recorded = false;
  line_.hears = [](const std::function<void()>& frame) { frame(); };
  transport_ = network_.transport(line_);
  found();
  enrol();
}

void HostilePhone::found() {
  v1::Grid grid;
  grid.set_code15(kOwnGrid);
  grid.set_name("网格009");
  grid.set_type(v1::GRID_TYPE_BASIC);
  grid.set_village12(kOwnGrid.substr(0, 12));
  v1::Worker worker;
  worker.set_code("intruder");
  worker.set_name("intruder");
  v1::WorkerRole& role = *worker.add_roles();
  role.set_role(v1::ROLE_GRID_WORKER);
  role.set_scope(kOwnGrid);
  server_.operate([&](County& county) {
    worker_ = county.mint_id();
    const auto done =
        county.import_records({{kinds::kGrid, county.mint_id(), grid.SerializeAsString()},
                               {kinds::kWorker, worker_, worker.SerializeAsString()}},
                              "simulator");
    if (!done) throw std::runtime_error("import: " + done.error().message);
  });
}

// Under a number of its own, the first one or the next.
void HostilePhone::enrol() {
  std::string code;
  const bool made = server_.operate([&](County& county) {
    const auto issued = county.create_code(worker_, "simulator");
    if (!issued) throw std::runtime_error("no code: " + issued.error().message);
    code = issued->code;
  });
  if (!made) return;
  key_ = *P256Key::make();
  device_ = DeviceId(dice_.next() >> 4 | 1);
  calls_ = counter_ = dev_seq_ = 0;
  lanes_.clear();
  acknowledged_.clear();
  v1::EnrolRequest request;
  request.set_code(code);
  request.set_public_key(*key_.public_key());
  request.set_device(device_.value);
  request.set_signature(*key_.sign(enrol_to_sign(request, server_.key_sha256())));
  const auto reply = server_.enrol(request.SerializeAsString());
  v1::EnrolReply said;
  enrolled_ = reply && said.ParseFromString(*reply) && said.code() == 0;
  if (enrolled_) devices_.insert(device_);
}

std::string HostilePhone::words() {
  return std::string(kOwnWords) + std::to_string(++words_) + ">";
}

std::string HostilePhone::hello() {
  v1::Hello hello;
  hello.set_protocol(1);
  hello.set_schema(1);
  hello.set_device(device_.value);
  hello.set_call_counter(++calls_);
  hello.set_wall_ms(static_cast<std::int64_t>(timeline_.now_ms()));
  hello.set_boot_ms(1000);
  hello.set_boot_id(1);
  hello.set_live(dice_.chance(300));
  for (const auto& [lane, operations] : lanes_) {
    v1::LaneState& state = *hello.add_lanes();
    state.set_lane(static_cast<std::uint32_t>(lane));
    state.set_noted(acknowledged_[lane]);
    state.set_last(operations.size());
  }
  switch (dice_.below(6)) {
    case 0: {
      marks_.hit("hostile-phone: another's name");
      if (const auto row = others(kinds::kVisit)) hello.set_device(row->id.device().value);
      break;
    }
    case 1:
      marks_.hit("hostile-phone: another's scopes");
      for (const char* scope : {"grid:440811001001001", "town:440811001000", "county:440811"}) {
        hello.mutable_cursor()->add_exceptions()->set_scope(scope);
      }
      break;
    case 2: {
      marks_.hit("hostile-phone: absurd numbers");
      hello.mutable_cursor()->set_seq(dice_.next());
      v1::LaneState& state = *hello.add_lanes();
      state.set_lane(static_cast<std::uint32_t>(dice_.below(9)));
      state.set_noted(dice_.next());
      state.set_last(dice_.next());
      hello.set_own_since(dice_.next());
      break;
    }
    default:
      break;
  }
  const std::string signature = *key_.sign(hello_to_sign(hello, server_.key_sha256()));
  hello.set_signature(compact_signature(signature));
  return encode(hello);
}

void HostilePhone::call() {
  if (!server_.running()) return;
  if (!enrolled_) enrol();
  if (!enrolled_) return;
  CallEvents events;
  const std::uint64_t number = ++call_number_;
  events.on_frame = [this, number](const std::string& frame) {
    if (number == call_number_) hears(frame);
  };
  events.on_end = [](const Result<void>&) {};
  call_ = transport_->sync(std::move(events));
  // A signature has chance in it: nothing that is noted may hang on its bytes.
  call_->send(hello());
  for (std::uint64_t more = dice_.below(4); more > 0; --more) record_something();
  if (dice_.chance(700)) send_unsent();
  for (std::uint64_t more = dice_.below(3); more > 0; --more) say_something();
  if (dice_.chance(600)) call_->finish_sending();
}

void HostilePhone::send(std::string frame) {
  last_frame_ = frame;
  call_->send(std::move(frame));
}

void HostilePhone::send_unsent() {
  for (auto& [lane, operations] : lanes_) {
    std::span<const Operation> rest(operations);
    rest = rest.subspan(std::min<std::size_t>(acknowledged_[lane], rest.size()));
    while (!rest.empty()) {
      std::size_t taken = 0;
      send(encode_operations(device_, rest, taken));
      if (taken == 0) return;
      rest = rest.subspan(taken);
    }
  }
}

void HostilePhone::say_something() {
  switch (dice_.below(5)) {
    case 0:
      if (last_frame_.empty()) return;
      marks_.hit("hostile-phone: a replayed frame");
      return call_->send(last_frame_);
    case 1:
      if (last_frame_.empty()) return;
      marks_.hit("hostile-phone: an altered frame");
      return send_altered(last_frame_);
    case 2: {
      marks_.hit("hostile-phone: bytes of chance");
      std::string bytes(dice_.below(300), '\0');
      for (char& byte : bytes) byte = static_cast<char>(dice_.next());
      return call_->send(bytes);
    }
    case 3: {
      marks_.hit("hostile-phone: absurd numbers");
      v1::Up up;
      v1::OperationFrame& frame = *up.mutable_operations();
      frame.set_lane(static_cast<std::uint32_t>(dice_.below(6)));
      frame.set_first_lane_seq(dice_.next());
      frame.set_count(static_cast<std::uint32_t>(dice_.next()));
      frame.set_raw_size(static_cast<std::uint32_t>(dice_.next()));
      frame.set_zstd(dice_.chance(500));
      frame.set_packed(std::string(dice_.below(50), 'x'));
      return call_->send(up.SerializeAsString());
    }
    default: {
      marks_.hit("hostile-phone: absurd numbers");
      v1::Noted noted;
      v1::LaneState& state = *noted.add_lanes();
      state.set_lane(1 + static_cast<std::uint32_t>(dice_.below(3)));
      state.set_noted(dice_.next());
      state.set_last(dice_.next());
      return call_->send(encode(noted));
    }
  }
}

void HostilePhone::send_altered(std::string frame) {
  for (std::uint64_t more = 1 + dice_.below(4); more > 0 && !frame.empty(); --more) {
    frame[dice_.below(frame.size())] = static_cast<char>(dice_.next());
  }
  call_->send(std::move(frame));
}

void HostilePhone::hears(const std::string& frame) {
  const auto down = decode_down(built_schema(), frame);
  if (!down) throw Violation("the server sends what is no frame: " + down.error().message);
  if (const auto* refusal = std::get_if<v1::Refusal>(&*down)) {
    marks_.hit("hostile-phone: its call is refused");
    timeline_.note("intruder is refused: " + refusal->message());
    const auto why = static_cast<ErrorCode>(refusal->code());
    // What was altered on its way up came in the place of something else, or its number is unknown.
    if (why == ErrorCode::kForked || why == ErrorCode::kNotEnrolled) enrolled_ = false;
  }
  if (const auto* acks = std::get_if<v1::Acks>(&*down)) {
    for (const v1::AckRun& run : acks->runs()) {
      std::uint64_t& last = acknowledged_[static_cast<Lane>(run.lane())];
      last = std::max(last, run.first() + run.count() - 1);
      const bool taken = was_applied(static_cast<OutcomeStatus>(run.status()));
      marks_.hit(taken ? "hostile-phone: what it may write is taken"
                       : "hostile-phone: what it may not write is refused");
    }
  }
  const auto* cut = std::get_if<CutDown>(&*down);
  if (cut == nullptr) return;
  for (const Row& row : cut->rows) {
    if (is_others_word(row.set)) throw Violation("an intruder reads record " + row.id.text());
  }
}

Operation& HostilePhone::add(KindId kind, const RecordId& id, const std::string& message) {
  const KindSchema& schema = *built_schema().kind(kind);
  std::vector<Operation>& lane = lanes_[schema.lane];
  Operation& operation = lane.emplace_back();
  operation.kind = kind;
  operation.id = id;
  operation.creates = id.device() == device_;
  operation.lane = schema.lane;
  operation.lane_seq = LaneSeq(lane.size());
  operation.dev_seq = DevSeq(++dev_seq_);
  operation.hlc = Hlc(timeline_.now_ms() << 16);
  operation.claimed = {static_cast<std::int64_t>(timeline_.now_ms()), 1000, 1};
  operation.scope = kOwnScope;
  operation.set = canonical(schema, message).value_or(message);
  return operation;
}

std::optional<StoredRow> HostilePhone::others(KindId kind) {
  const auto rows = server_.county().all(kind);
  if (!rows) return std::nullopt;
  std::vector<StoredRow> all;
  std::ranges::copy_if(*rows, std::back_inserter(all), [this](const StoredRow& row) {
    return !devices_.contains(row.id.device());
  });
  if (all.empty()) return std::nullopt;
  return all[dice_.below(all.size())];
}

// What is no frame is said once, and what comes after it takes its place.
void HostilePhone::record_something() {
  const auto before = lanes_;
  record_anything();
  for (auto& [lane, operations] : lanes_) {
    const auto known = before.find(lane);
    const std::size_t count = known != before.end() ? known->second.size() : 0;
    if (operations.size() == count) continue;
    std::size_t taken = 0;
    const std::string frame =
        encode_operations(device_, std::span(operations).subspan(count), taken);
    if (taken > 0 && decode_up(built_schema(), device_, frame)) continue;
    marks_.hit("hostile-phone: what is no frame");
    call_->send(frame);
    operations.resize(count);
  }
}

void HostilePhone::record_anything() {
  switch (dice_.below(12)) {
    case 0:
      return edit_others_record(false);
    case 1:
      return edit_others_record(true);
    case 2:
      return take_others_id();
    case 3:
      return erase_others_record();
    case 4:
      return move_in_with_others();
    case 5:
      return act_on_others_report();
    case 6:
      return write_as_server();
    case 7:
      return absurd_numbers();
    case 8:
      return foreign_lane();
    default:
      return own_visit();
  }
}

void HostilePhone::own_visit() {
  v1::Visit visit;
  visit.set_grid(kOwnGrid);
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_notes(words());
  add(kinds::kVisit, new_id(), visit.SerializeAsString());
}

void HostilePhone::edit_others_record(bool into_own_grid) {
  const auto home = others(kinds::kHousehold);
  if (!home) return;
  marks_.hit("hostile-phone: another's record");
  v1::Household edit;
  edit.set_notes(words());
  if (into_own_grid) edit.set_grid(kOwnGrid);
  Operation& operation = add(kinds::kHousehold, home->id, edit.SerializeAsString());
  operation.base_seq = home->last_seq;
  if (!into_own_grid && dice_.chance(500)) operation.scope = scope_of(*home);
}

void HostilePhone::take_others_id() {
  const auto visit = others(kinds::kVisit);
  if (!visit) return;
  marks_.hit("hostile-phone: another's id");
  own_visit();
  Operation& operation = lanes_[built_schema().kind(kinds::kVisit)->lane].back();
  operation.id = RecordId::make(visit->id.device(), visit->id.counter() + 1 + dice_.below(4000));
}

void HostilePhone::erase_others_record() {
  const KindId kind = dice_.chance(500) ? kinds::kHousehold : kinds::kVisit;
  const auto row = others(kind);
  if (!row) return;
  marks_.hit("hostile-phone: another's record");
  Operation& operation = add(kind, row->id, {});
  operation.type = OperationType::kErase;
  operation.base_seq = row->last_seq;
  if (dice_.chance(500)) operation.scope = scope_of(*row);
}

void HostilePhone::move_in_with_others() {
  const auto home = others(kinds::kHousehold);
  if (!home || restores_) return;
  marks_.hit("hostile-phone: another's record");
  v1::Resident resident;
  resident.set_household(std::string(home->id.bytes()));
  resident.set_name(words());
  add(kinds::kResident, new_id(), resident.SerializeAsString()).scope.clear();
}

void HostilePhone::act_on_others_report() {
  const auto report = others(kinds::kWhistle);
  if (!report) return;
  marks_.hit("hostile-phone: another's record");
  v1::WhistleAction action;
  action.set_whistle(std::string(report->id.bytes()));
  action.set_type(dice_.chance(500) ? v1::WHISTLE_ACTION_TYPE_VOID
                                    : v1::WHISTLE_ACTION_TYPE_COMMENT);
  action.set_actor(std::string(worker_.bytes()));
  action.set_note(words());
  add(kinds::kWhistleAction, new_id(), action.SerializeAsString()).scope.clear();
}

void HostilePhone::write_as_server() {
  marks_.hit("hostile-phone: what only the server writes");
  v1::Worker worker;
  worker.set_code(words());
  worker.set_name(words());
  v1::WorkerRole& role = *worker.add_roles();
  role.set_role(v1::ROLE_OPERATOR);
  role.set_scope("440811000000");
  const auto other = others(kinds::kWorker);
  const RecordId own = dice_.chance(300) ? new_id() : worker_;
  add(kinds::kWorker, other && dice_.chance(300) ? other->id : own, worker.SerializeAsString());
}

void HostilePhone::absurd_numbers() {
  marks_.hit("hostile-phone: absurd numbers");
  own_visit();
  Operation& operation = lanes_[built_schema().kind(kinds::kVisit)->lane].back();
  operation.base_seq = Seq(dice_.next() >> 1);
  operation.hlc = Hlc(dice_.next());
  operation.own_since = DevSeq(dice_.next() >> 1);
  operation.claimed = {static_cast<std::int64_t>(dice_.next() >> 2), dice_.next() >> 1, 1};
}

void HostilePhone::foreign_lane() {
  marks_.hit("hostile-phone: a foreign lane");
  v1::Visit visit;
  visit.set_grid(kOwnGrid);
  visit.set_notes(words());
  std::vector<Operation>& lane = lanes_[Lane::kWhistles];
  add(kinds::kVisit, new_id(), visit.SerializeAsString());
  std::vector<Operation>& usual = lanes_[built_schema().kind(kinds::kVisit)->lane];
  Operation operation = std::move(usual.back());
  usual.pop_back();
  operation.lane = Lane::kWhistles;
  operation.lane_seq = LaneSeq(lane.size() + 1);
  lane.push_back(std::move(operation));
}

namespace {

RecordId home_of(const StoredRow& resident) {
  const auto home = text_of(resident.body, v1::Resident::kHouseholdFieldNumber);
  return (home ? RecordId::from_bytes(*home) : std::nullopt).value_or(RecordId());
}

bool stands(const County& county, RecordId household) {
  const auto row = county.get(kinds::kHousehold, household);
  if (!row) throw Violation("rows cannot be read: " + row.error().message);
  return row->has_value();
}

}  // namespace

void HostilePhone::check_end(const County& county) const {
  const std::string own_receipts = "worker:" + to_hex(worker_.bytes());
  for (const KindSchema& kind : built_schema().kinds) {
    const auto rows = county.all(kind.id);
    if (!rows) throw Violation("rows cannot be read: " + rows.error().message);
    for (const StoredRow& row : *rows) {
      if (!row.body.contains(kOwnWords)) continue;
      const bool is_receipt = kind.id == kinds::kOutcome && row.body.contains(own_receipts);
      const bool is_own = kind.id == kinds::kVisit && devices_.contains(row.id.device()) &&
                          text_of(row.body, v1::Visit::kGridFieldNumber) == kOwnGrid;
      // Of a household that was swept before it came: nobody sees it.
      const bool is_nobodys = kind.id == kinds::kResident && !stands(county, home_of(row));
      if (!is_receipt && !is_own && !is_nobodys) {
        throw Violation("an intruder wrote record " + row.id.text() + " of kind " +
                        std::string(kind.name));
      }
    }
  }
}

}  // namespace gridwhistle::sim
