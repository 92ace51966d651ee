#include "county_day.h"

#include <algorithm>
#include <set>

namespace gridwhistle::test {

namespace {

std::string about(std::size_t who, Lane lane, std::uint64_t lane_seq) {
  return "operation " + std::to_string(lane_seq) + " of lane " +
         std::to_string(static_cast<int>(lane)) + " of phone " + std::to_string(who);
}

std::string inspection(int number) {
  v1::Place shop;
  shop.add_inspections()->set_text("inspection " + std::to_string(number));
  return shop.SerializeAsString();
}

}  // namespace

CountyDay::CountyDay() : world_(std::make_unique<World>(disk_.name())) {
  phones_.reserve(kPhones);
  phones_.push_back(world_->phone(world_->anna));
  phones_.push_back(world_->phone(world_->bruno));
  phones_.push_back(world_->phone(world_->worker("W9", Role::kGridWorker, kGrid1)));
  newcomer_ = world_->worker("W10", Role::kGridWorker, kGrid1);
  phones_.push_back({.device = DeviceId(world_->random.next() >> 4 | 1), .key = *P256Key::make()});
  phones_.push_back(world_->phone(world_->worker("W11", Role::kGridWorker, kGrid1)));
  Phone& anna = phones_[kAnna];
  shop_ = anna.new_id();
  v1::Place shop;
  shop.set_grid(kGrid1);
  anna.record(kinds::kPlace, shop_, shop.SerializeAsString(), true, world_->clock.ms);
  exchange({kAnna});
  note(kAnna);
}

void CountyDay::run() {
  enrol_newcomer();
  Phone& anna = phones_[kAnna];
  whistle_ = anna.new_id();
  anna.record(kinds::kWhistle, whistle_, whistle(kGrid1), true, world_->clock.ms);
  write_visits(kAnna, 3);
  write_visits(kBruno, 2);
  inspect(kCarla, 2);
  exchange({kAnna, kBruno, kCarla});
  act(WhistleActionType::kAccept, world_->dora);
  act(WhistleActionType::kBlow, world_->dora);
  inspect(kAnna, 1);
  write_visits(kCarla, 2);
  write_visits(kNewcomer, 2);
  exchange({kCarla, kAnna, kNewcomer});
  note(kAnna);
  act(WhistleActionType::kCheckIn, world_->erik, true);
  back_up();
  write_visits(kBruno, 2);
  phones_[kBruno].lanes[Lane::kRecords].end()[-2].more = true;
  inspect(kCarla, 1);
  exchange({kBruno, kCarla});
  inspect(kNewcomer, 1);
  exchange({kNewcomer, kAnna});
}

void CountyDay::enrol_newcomer() {
  const auto code = world_->county->create_code(newcomer_, "test");
  if (!code) return;
  const v1::EnrolReply reply = world_->enrol(phones_[kNewcomer], code->code);
  enrolled_ = reply.code() == 0;
  if (!enrolled_ && static_cast<ErrorCode>(reply.code()) != ErrorCode::kBusy) {
    wrong_refusals_.push_back("enrolment: " + std::to_string(reply.code()));
  }
}

void CountyDay::write_visits(Who who, int count) {
  for (int i = 0; i < count; ++i) {
    phones_[who].record(kinds::kVisit, phones_[who].new_id(),
                        visit(who == kBruno ? kGrid2 : kGrid1, std::string(700, 'v')), true,
                        ++world_->clock.ms);
  }
}

void CountyDay::inspect(Who who, int count) {
  for (int i = 0; i < count; ++i) {
    phones_[who].record(kinds::kPlace, shop_, inspection(++inspections_), false,
                        ++world_->clock.ms);
  }
}

// Calls that come together, so that one commit is for all of them.
void CountyDay::exchange(const std::vector<Who>& who) {
  std::vector<std::pair<Who, ConnectionId>> calls;
  std::vector<std::unique_ptr<Inbox>> inboxes;
  for (const Who one : who) {
    if (one == kNewcomer && !enrolled_) continue;
    calls.emplace_back(one, world_->next_call());
    inboxes.push_back(std::make_unique<Inbox>());
    County& county = *world_->county;
    county.on_open(calls.back().second, *inboxes.back());
    county.on_frame(calls.back().second, phones_[one].hello(world_->clock));
    for (const Lane lane : kLanes) {
      for (std::string& frame : phones_[one].frames(lane, phones_[one].noted[lane])) {
        county.on_frame(calls.back().second, std::move(frame));
      }
    }
    county.on_frame(calls.back().second, encode(v1::UpEnd()));
  }
  world_->pump();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    world_->county->on_closed(calls[i].second);
    hear(calls[i].first, *inboxes[i]);
  }
}

void CountyDay::hear(Who who, const Inbox& inbox) {
  for (const v1::Refusal& refusal : inbox.all<v1::Refusal>()) {
    const bool later = static_cast<ErrorCode>(refusal.code()) == ErrorCode::kBusy;
    if (later && refusal.retry_after_ms() > 0) continue;
    wrong_refusals_.push_back("phone " + std::to_string(who) + ": " +
                              std::to_string(refusal.code()) + " " + refusal.message());
  }
  for (const v1::AckRun& run : inbox.runs()) {
    for (std::uint64_t i = 0; i < run.count(); ++i) {
      const Place place(who, static_cast<Lane>(run.lane()), run.first() + i);
      const Acked said{run.first_seq() + i, run.status()};
      const auto [known, is_new] = acked_.emplace(place, said);
      if (is_new || known->second == said) continue;
      changed_answers_.push_back(about(who, std::get<1>(place), std::get<2>(place)) +
                                 " was answered otherwise before");
    }
  }
  Inbox without_acks;
  for (const Down& frame : inbox.frames) {
    if (!std::holds_alternative<v1::Acks>(frame)) without_acks.frames.push_back(frame);
  }
  World::note(phones_[who], without_acks);
}

void CountyDay::note(Who who) {
  for (const Lane lane : kLanes) {
    std::uint64_t& noted = phones_[who].noted[lane];
    while (acked_.contains({who, lane, noted + 1})) ++noted;
  }
}

void CountyDay::act(WhistleActionType type, RecordId actor, bool at_assignment) {
  StaffAction action{.whistle = whistle_, .type = type, .actor = actor};
  if (at_assignment) {
    const auto items = world_->county->inbox(world_->road_org);
    if (!items || items->empty()) return;
    action.assignment = items->front().assignment;
  }
  ++actions_tried_;
  const auto done = world_->county->act(action, "test");
  if (done && done->status == OutcomeStatus::kAccepted) actions_.push_back(done->action);
}

void CountyDay::back_up() {
  const auto upto = world_->county->backup("copy.db", "test");
  if (upto) backed_up_ = *upto;
}

std::vector<std::string> CountyDay::faults() {
  disk_.heal();
  std::vector<std::string> faults;
  if (!enrolled_) enrol_newcomer();
  for (const Who who : {kCarla, kNewcomer, kBruno, kAnna}) exchange({who});
  for (std::size_t who = 0; who < kPhones; ++who) {
    for (const auto& [lane, operations] : phones_[who].lanes) {
      for (std::uint64_t i = phones_[who].noted[lane] + 1; i <= operations.size(); ++i) {
        if (!acked_.contains({who, lane, i})) faults.push_back(about(who, lane, i) + " is lost");
      }
    }
  }
  phones_[kReader].cursor.Clear();
  const auto read = world_->sync(phones_[kReader], false);
  if (read->refused() != ErrorCode{}) faults.emplace_back("the reader is refused");
  check_reader(read->rows(), faults);
  check_records(faults);
  check_backup(faults);
  check_epochs(faults);
  const auto report = world_->county->verify();
  if (!report) return {"verify: " + report.error().message};
  for (const Line& fault : report->faults) faults.push_back(fault.en);
  faults.insert(faults.end(), wrong_refusals_.begin(), wrong_refusals_.end());
  faults.insert(faults.end(), changed_answers_.begin(), changed_answers_.end());
  return faults;
}

void CountyDay::check_records(std::vector<std::string>& faults) {
  std::set<RecordId> made;
  for (const Phone& phone : phones_) {
    for (const auto& [lane, operations] : phone.lanes) {
      for (const Operation& operation : operations) {
        if (operation.kind == kinds::kVisit) made.insert(operation.id);
      }
    }
  }
  std::set<RecordId> there;
  const auto scanned =
      world_->storage->scan(kinds::kVisit, [&](RecordId id, const StoredRecord&) -> Result<void> {
        there.insert(id);
        return {};
      });
  if (!scanned || there != made) faults.emplace_back("visits are missing or too many");
  v1::Place shop;
  const auto row = world_->county->get(kinds::kPlace, shop_);
  if (!row || !*row || !shop.ParseFromString((*row)->body)) {
    faults.emplace_back("the shop is missing");
  }
  std::set<std::string> texts;
  for (const auto& inspected : shop.inspections()) texts.insert(inspected.text());
  const auto expected = static_cast<std::size_t>(inspections_);
  if (shop.inspections().size() != inspections_ || texts.size() != expected) {
    faults.emplace_back("inspections are missing or doubled");
  }
  for (const RecordId action : actions_) {
    const auto found = world_->county->get(kinds::kWhistleAction, action);
    if (!found || !*found) faults.emplace_back("an action of staff is missing");
  }
  const auto actions = world_->storage->count(kinds::kWhistleAction);
  // Beside those of staff: the report, and what the road does by itself.
  if (!actions || *actions > actions_tried_ + 2) faults.emplace_back("actions are doubled");
}

void CountyDay::check_reader(const std::vector<Row>& rows, std::vector<std::string>& faults) {
  std::set<RecordId> read;
  for (const Row& row : rows) {
    if (!read.insert(row.id).second) faults.emplace_back("a row comes twice");
    if (row.change != RowChange::kWhole) faults.emplace_back("a new phone is sent half a row");
  }
  for (const std::size_t who : {kAnna, kCarla, kNewcomer}) {
    for (const auto& [lane, operations] : phones_[who].lanes) {
      for (const Operation& operation : operations) {
        if (!read.contains(operation.id)) faults.emplace_back("a row does not reach a new phone");
      }
    }
  }
}

void CountyDay::check_backup(std::vector<std::string>& faults) {
  const auto status = world_->county->status();
  if (!status || status->backed_up < backed_up_) faults.emplace_back("the watermark fell back");
  if (!status || status->backed_up.value == 0) return;
  const auto copy = open_sqlite_storage("copy.db", built_schema(), disk_.name());
  if (!copy || (*copy)->last_seq() < status->backed_up) {
    faults.emplace_back("the watermark says more than the backup holds");
    return;
  }
  for (const auto& [place, acked] : acked_) {
    const auto& [who, lane, lane_seq] = place;
    if (acked.seq > status->backed_up.value) continue;
    const Operation& operation = phones_[who].lanes[lane][lane_seq - 1];
    const auto found = (*copy)->record({operation.kind, operation.id});
    if (!found || !*found) faults.push_back(about(who, lane, lane_seq) + " is in no backup");
  }
}

// Every start of the server is there, newest first, each where the one before had come to.
void CountyDay::check_epochs(std::vector<std::string>& faults) {
  const auto epochs = world_->storage->epochs();
  if (!epochs || epochs->empty()) {
    faults.emplace_back("there are no epochs");
    return;
  }
  if (!std::ranges::is_sorted(*epochs, std::ranges::greater_equal{}, &EpochRow::start_seq)) {
    faults.emplace_back("an epoch begins before the one that it follows");
  }
  const std::uint64_t seen = phones_[kAnna].epochs.empty() ? 0 : phones_[kAnna].epochs.front();
  if (seen != epochs->front().id) faults.emplace_back("a phone is told of another epoch");
}

}  // namespace gridwhistle::test
