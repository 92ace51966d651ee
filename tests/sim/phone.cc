#include "phone.h"

#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "client/build.h"
#include "disk_faults.h"
#include "gridwhistle/road.h"
#include "model/operation.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "sqlite/connection.h"

namespace gridwhistle::sim {

namespace {

const Purpose kPurpose{"simulated work"};

// Of a database.
constexpr const char* kParts[] = {"", "-wal"};

constexpr auto kVisitNotes = v1::Visit::kNotesFieldNumber;
constexpr auto kHouseholdNotes = v1::Household::kNotesFieldNumber;
constexpr auto kNeeds = v1::Household::kServiceNeedsFieldNumber;
constexpr auto kTitle = v1::Whistle::kTitleFieldNumber;
constexpr auto kName = v1::Resident::kNameFieldNumber;
constexpr auto kRelation = v1::Resident::kRelationFieldNumber;

}  // namespace

Phone::Phone(const Surroundings& around, Person& person, std::string name, Age age,
             std::function<void()> died, Phone* original)
    : timeline_(around.timeline),
      dice_(around.dice),
      fault_dice_(around.fault_dice),
      marks_(around.marks),
      memory_(around.memory),
      network_(around.network),
      oracle_(around.oracle),
      person_(person),
      name_(std::move(name)),
      file_(name_ + ".db"),
      put_away_(name_ + ".away.db"),
      media_folder_(around.folder.empty() ? "" : around.folder + "/" + name_),
      album_(around.album),
      died_(std::move(died)),
      version_dice_(around.version_dice),
      age_(original != nullptr ? original->age_ : age),
      disk_("gw-sim-" + name_),
      clock_(timeline_, dice_.next()),
      secrets_(original != nullptr ? original->secrets_ : std::make_shared<SimSecretStore>()) {
  line_.name = name_;
  line_.hears = [this](const std::function<void()>& frame) {
    memory_.during("phone syncs", MemoryFaults::kOften, frame);
  };
  if (around.bug != nullptr) around.bug->on_disk(disk_);
  disk_.on_strike([this](DiskFault fault) { struck(fault); });
  if (original != nullptr) {
    for (const char* part : kParts) {
      if (!original->disk_.has(original->file_ + part)) continue;
      disk_.copy_from(original->disk_, original->file_ + part, file_ + part);
    }
    if (std::filesystem::exists(original->media_folder_)) {
      std::filesystem::copy(original->media_folder_, media_folder_,
                            std::filesystem::copy_options::recursive);
    }
    oracle_.copied(original->name_, name_);
    album_.copied(original->name_, name_);
  }
  open();
}

Phone::~Phone() { leaving_ = true; }

Build Phone::build() const { return version_dice_ != nullptr ? build_of(age_) : Build{}; }

bool Phone::open() {
  const Phase phase(phase_, "opens");
  failures_before_ = failures();
  executor_ = std::make_unique<SimExecutor>(timeline_);
  ClientOptions options;
  options.path = file_;
  options.vfs = disk_.name();
  options.media_folder = media_folder_;
  options.clock = &clock_;
  options.random = &dice_;
  options.secrets = secrets_.get();
  options.executor = executor_.get();
  options.connect = [this](const ServerAddress&) -> Result<std::unique_ptr<Transport>> {
    return network_.transport(line_);
  };
  Result<std::unique_ptr<Client>> client;
  memory_.during("phone opens", MemoryFaults::kOften,
                 [&] { client = open_as(build(), std::move(options)); });
  if (client) {
    client_ = std::move(*client);
    if (!storage_failed()) check_recorded();
    look_for_number();
    return true;
  }
  if (!storage_failed()) throw Violation(name_ + " does not open: " + client.error().message);
  timeline_.note(name_ + " does not open: " + client.error().message);
  executor_.reset();
  return false;
}

// Within an operation of the disk: whoever asked for it goes on until the event is over.
void Phone::struck(DiskFault fault) {
  if (leaving_) return;
  marks_.hit(mark_of(fault, std::string("phone ") + phase_));
  timeline_.note(name_ + " " + phase_ + ", and its disk " + std::string(name_of_strike(fault)));
  if (!ends_process(fault)) return;
  line_.dead = true;
  timeline_.after(0, [this, fault] {
    let_go(fault);
    died_();
  });
}

void Phone::let_go(DiskFault how) {
  leaving_ = true;
  disk_.fail_after(0, how);
  end_amid_files(media_folder_, how == DiskFault::kPower, fault_dice_, [this] {
    client_.reset();
    executor_.reset();
  });
  if (how == DiskFault::kPower) {
    disk_.restore_power(fault_dice_.next());
    clock_.restart(fault_dice_.next());
  } else {
    disk_.restart();
  }
  line_.dead = false;
  leaving_ = false;
}

void Phone::kill() {
  if (!client_) return;
  timeline_.note(name_ + " killed");
  let_go(DiskFault::kKill);
}

void Phone::reboot() {
  if (!client_) return;
  timeline_.note(name_ + " killed");
  let_go(DiskFault::kPower);
  clock_.restart(dice_.next());
}

void Phone::quit() {
  if (!client_) return;
  timeline_.note(name_ + " quits");
  const Phase phase(phase_, "closes");
  memory_.during("phone closes", MemoryFaults::kSeldomDone, [this] { client_.reset(); });
  executor_.reset();
}

bool Phone::holds(std::string_view bytes) const {
  return std::ranges::any_of(kParts, [&](const char* part) {
    return disk_.has(file_ + part) && disk_.content(file_ + part).contains(bytes);
  });
}

void Phone::put_away() {
  timeline_.note(name_ + "'s file is put away");
  for (const char* part : kParts) {
    disk_.remove(put_away_ + part);
    if (disk_.has(file_ + part)) disk_.copy(file_ + part, put_away_ + part);
  }
  oracle_.put_away(name_);
}

void Phone::put_back(bool server_has_all) {
  timeline_.note(name_ + "'s file is put back");
  let_go(DiskFault::kKill);
  for (const char* part : kParts) {
    disk_.remove(file_ + part);
    if (disk_.has(put_away_ + part)) disk_.copy(put_away_ + part, file_ + part);
  }
  recorded_ = 0;
  device_ = {};
  renamed_.clear();
  oracle_.put_back(name_, server_has_all);
}

void Phone::look_for_number() {
  if (!running()) return;
  const DeviceId now = client_->status().device;
  if (now == device_) return;
  const bool is_known = std::exchange(device_, now).value != 0;
  std::map<DeviceId, std::map<RecordId, RecordId>> steps = other_ids();
  if (!is_known) {
    // Whoever copied the file, or put it away, knew them.
    for (const auto& [number, ids] : steps) renamed_.insert(number);
    return;
  }
  timeline_.note(name_ + " has another number");
  marks_.hit("clones: one goes on under another number");
  std::erase_if(steps, [this](const auto& step) { return renamed_.contains(step.first); });
  // From number to number, for it may have had several.
  while (!steps.empty()) {
    const auto first = std::ranges::find_if(steps, [&steps](const auto& step) {
      return std::ranges::none_of(steps, [&step](const auto& other) {
        return other.second.begin()->second.device() == step.first;
      });
    });
    if (oracle_.renamed(name_, first->second) > 0) {
      marks_.hit("clones: what both had unsent is there twice");
    }
    renamed_.insert(first->first);
    steps.erase(first);
  }
}

// In a copy of the file: this disk knows one program at a time.
std::map<DeviceId, std::map<RecordId, RecordId>> Phone::other_ids() const {
  test::PowerCutDisk desk(disk_.name() + "-desk");
  for (const char* part : kParts) {
    if (disk_.has(file_ + part)) desk.copy_from(disk_, file_ + part, file_ + part);
  }
  auto file = sqlite::Connection::open({.path = file_, .vfs = desk.name()});
  if (!file) throw Violation(name_ + "'s file cannot be read: " + file.error().message);
  auto rows = file->prepare("SELECT before, now FROM renamed");
  if (!rows) throw Violation(name_ + "'s ids cannot be read: " + rows.error().message);
  std::map<DeviceId, std::map<RecordId, RecordId>> ids;
  while (rows->step().value()) {
    ids[rows->record_id(0).device()][rows->record_id(0)] = rows->record_id(1);
  }
  return ids;
}

std::uint64_t Phone::recorded() const {
  std::uint64_t recorded = 0;
  for (const LaneStatus& lane : client_->status().lanes) recorded += lane.unsent + lane.delivered;
  return recorded;
}

void Phone::check_recorded() const {
  const std::uint64_t now = recorded();
  if (now >= recorded_) return;
  throw Violation(name_ + " forgot what it had promised: it has " + std::to_string(now) + " of " +
                  std::to_string(recorded_) + " operations");
}

void Phone::enrol(const EnrolmentCode& code) {
  client_->enrol(code, name_, [name = name_](Result<void> how) {
    if (!how) throw Violation(name + " cannot enrol: " + how.error().message);
  });
}

void Phone::sync() {
  client_->sync_once({}, [this](Result<SyncReport> report) {
    timeline_.note(name_ + (report ? " synced" : " failed " + report.error().detail));
  });
}

void Phone::compare(std::function<void(const SyncReport&)> done) {
  client_->sync_once({.compare = true}, [this, done = std::move(done)](Result<SyncReport> report) {
    timeline_.note(name_ + (report ? " compared" : " failed " + report.error().detail));
    if (report) done(*report);
  });
}

void Phone::go_live() { client_->start_live(); }

std::string Phone::fresh(const char* what) {
  return std::string(what) + "<" + name_ + "/" + std::to_string(++values_) + ">";
}

RecordId Phone::new_id() {
  const auto id = client_->new_id();
  if (!id) cannot("get an id", id.error());
  return *id;
}

std::vector<FoundBytes> Phone::all(const char* kind) {
  if (!knows(kind)) return {};
  auto found = client_->query(kind, Query(), kPurpose);
  if (!found) cannot("read", found.error());
  return std::move(*found);
}

std::optional<FoundBytes> Phone::any(const char* kind) {
  auto found = all(kind);
  if (found.empty()) return std::nullopt;
  return std::move(found[dice_.below(found.size())]);
}

void Phone::cannot(const std::string& what, const Error& error) const {
  const std::string words =
      name_ + " cannot " + what + ": " + std::string(name_of(error.code)) + " " + error.message;
  const bool is_of_disk = error.code == ErrorCode::kIo || error.code == ErrorCode::kDiskFull;
  if (is_of_disk && storage_failed()) throw Hindered(words);
  throw Violation(words);
}

std::optional<Word> Phone::count(const Error* error, const char* what) {
  timeline_.note(name_ + " " + what + (error == nullptr ? "" : " refused"));
  if (error == nullptr) {
    ++done_;
    return Word::kGiven;
  }
  ++refused_;
  const ErrorCode code = error->code;
  // A full disk says that nothing was written, one that fails says nothing.
  if (code == ErrorCode::kIo && storage_failed()) return Word::kOpen;
  const bool expected = code == ErrorCode::kOutOfScope || code == ErrorCode::kConflict ||
                        code == ErrorCode::kForbidden || code == ErrorCode::kNotFound ||
                        code == ErrorCode::kNotEnrolled ||
                        (code == ErrorCode::kDiskFull && storage_failed());
  if (!expected) cannot(what, *error);
  return std::nullopt;
}

void Phone::do_something() {
  look_for_number();
  const Phase phase(phase_, "records");
  failures_before_ = failures();
  try {
    memory_.during("phone records", MemoryFaults::kOften, [this] {
      act();
      look();
    });
    if (!storage_failed()) recorded_ = recorded();
  } catch (const Hindered& hindered) {
    timeline_.note(hindered.what());
  }
}

void Phone::act() {
  if (age_ == Age::kNewer && person_.walks && version_dice_->chance(300)) return say_mood();
  if (person_.volunteers) {
    report();
  } else if (!person_.walks) {
    act_on_whistle();
  } else {
    switch (dice_.below(13)) {
      case 0:
        new_visit();
        break;
      case 1:
        new_household();
        break;
      case 2:
        new_whistle();
        break;
      case 3:
      case 4:
        edit_household();
        break;
      case 5:
        edit_visit();
        break;
      case 6:
        tag_household();
        break;
      case 7:
        if (dice_.chance(400)) erase_something();
        break;
      case 8:
        record_together();
        break;
      case 9:
        new_resident();
        break;
      case 10:
        edit_text("Resident", kRelation);
        break;
      case 11:
        if (dice_.chance(300)) move_household();
        break;
      default:
        act_on_whistle();
        break;
    }
  }
}

void Phone::new_visit() {
  v1::Visit visit;
  const RecordId id = new_id();
  visit.set_id(std::string(id.bytes()));
  visit.set_grid(person_.place);
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_notes(fresh("visit"));
  const auto word = count(client_->put(visit), "record a visit");
  if (word) oracle_.wrote(name_, kinds::kVisit, id, kVisitNotes, visit.notes(), "", *word);
}

void Phone::new_household() {
  v1::Household household;
  const RecordId id = new_id();
  household.set_id(std::string(id.bytes()));
  household.set_grid(person_.place);
  household.set_address("人民路12号");
  household.set_notes(fresh("household"));
  const auto word = count(client_->put(household), "record a household");
  if (!word) return;
  oracle_.wrote(name_, kinds::kHousehold, id, kHouseholdNotes, household.notes(), "", *word);
}

void Phone::new_resident() {
  if (!knows("Resident")) return;
  const auto home = any("Household");
  if (!home) return;
  v1::Resident resident;
  const RecordId id = new_id();
  resident.set_id(std::string(id.bytes()));
  resident.set_household(std::string(home->info.id.bytes()));
  resident.set_name(fresh("resident"));
  const auto word = count(client_->put(resident), "record a resident");
  if (!word) return;
  oracle_.wrote(name_, kinds::kResident, id, kName, resident.name(), "", *word);
  oracle_.belongs(id, home->info.id);
}

void Phone::move_household() {
  const auto home = any("Household");
  if (!home) return;
  v1::Household change;
  change.set_id(std::string(home->info.id.bytes()));
  change.set_grid(kGrids[dice_.below(std::size(kGrids))]);
  count(client_->put(change), "move a household");
}

void Phone::new_whistle() {
  Transaction transaction = client_->transaction();
  v1::Whistle whistle;
  whistle.set_grid(person_.place);
  whistle.set_title(fresh("whistle"));
  whistle.set_category(dice_.chance(700) ? "01" : "99");
  whistle.set_whistle_class(v1::WHISTLE_CLASS_ROUTINE);
  const auto id = transaction.put(whistle);
  if (!id) cannot("blow a whistle", id.error());
  std::optional<RecordId> caller;
  v1::WhistleContact contact;
  if (dice_.chance(500)) {
    contact.set_whistle(std::string(id->bytes()));
    contact.set_name(fresh("caller"));
    const auto put = transaction.put(contact);
    if (!put) cannot("name a caller", put.error());
    caller = *put;
  }
  const auto word = count(transaction.commit(), "blow a whistle");
  if (!word) return;
  oracle_.wrote(name_, kinds::kWhistle, *id, kTitle, whistle.title(), "", *word);
  if (!caller) return;
  oracle_.wrote(name_, kinds::kWhistleContact, *caller, v1::WhistleContact::kNameFieldNumber,
                contact.name(), "", *word);
  oracle_.belongs(*caller, *id);
}

void Phone::edit_text(const char* kind, std::uint32_t field) {
  const auto found = any(kind);
  if (!found) return;
  const KindSchema& known = *kind_of(age_, kind);
  const auto is_unknown = [&](const FieldView& there) {
    return known.field(there.number) == nullptr;
  };
  if (version_dice_ != nullptr && std::ranges::any_of(fields_of(found->record), is_unknown)) {
    marks_.hit("versions: what a phone knows in part is edited");
  }
  const std::string seen(text_of(found->record, field).value_or(""));
  const std::string value = fresh("edit");
  std::string change;
  append_text(change, 1, found->info.id.bytes());
  append_text(change, field, value);
  const auto word = count(client_->put(Change{kind, change, {}, {}}), "edit");
  if (word) oracle_.wrote(name_, found->info.kind, found->info.id, field, value, seen, *word);
}

// Of something that is there, or with something new.
void Phone::say_mood() {
  marks_.hit("versions: what others do not know is written");
  if (version_dice_->chance(750)) {
    static constexpr const char* kKinds[] = {"Visit", "Household", "Resident"};
    return edit_text(kKinds[version_dice_->below(std::size(kKinds))], kMood);
  }
  v1::Visit visit;
  const RecordId id = new_id();
  visit.set_id(std::string(id.bytes()));
  visit.set_grid(person_.place);
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_notes(fresh("visit"));
  const std::string mood = fresh("mood");
  std::string record = visit.SerializeAsString();
  append_text(record, kMood, mood);
  const auto word = count(client_->put(Change{"Visit", record, {}, {}}), "record a visit");
  if (!word) return;
  oracle_.wrote(name_, kinds::kVisit, id, kVisitNotes, visit.notes(), "", *word);
  oracle_.wrote(name_, kinds::kVisit, id, kMood, mood, "", *word);
}

void Phone::report() {
  switch (dice_.below(4)) {
    case 0:
      act_on_whistle();
      break;
    case 1:
      edit_text("Whistle", kTitle);
      break;
    default:
      new_whistle();
      break;
  }
}

void Phone::edit_household() { edit_text("Household", kHouseholdNotes); }

void Phone::edit_visit() { edit_text("Visit", kVisitNotes); }

void Phone::tag_household() {
  if (kind_of(age_, "Household")->field(kNeeds) == nullptr) return;
  const auto found = any("Household");
  if (!found) return;
  v1::Household now;
  now.ParseFromString(found->record);
  v1::Household change;
  change.set_id(std::string(found->info.id.bytes()));
  PutOptions<v1::Household> options;
  const bool removes = now.service_needs_size() > 0 && dice_.chance(400);
  const std::string element = removes ? now.service_needs(static_cast<int>(dice_.below(
                                            static_cast<std::uint64_t>(now.service_needs_size()))))
                                      : fresh("need");
  if (removes) {
    options.remove.add_service_needs(element);
  } else {
    change.add_service_needs(element);
  }
  const auto word = count(client_->put(change, {}, options), "tag a household");
  if (!word) return;
  if (removes) {
    oracle_.removed(kinds::kHousehold, found->info.id, kNeeds, element, *word);
  } else {
    oracle_.added(name_, kinds::kHousehold, found->info.id, kNeeds, element, *word);
  }
}

void Phone::erase_something() {
  static constexpr const char* kKinds[] = {"Household", "Household", "Visit",
                                           "Resident",  "Whistle",   "WhistleAction"};
  const char* const kind = kKinds[dice_.below(std::size(kKinds))];
  const auto found = any(kind);
  if (!found) return;
  const auto how = client_->erase(kind, found->info.id);
  if (how && built_schema().kind(kind)->never_erased) {
    throw Violation(name_ + " erased " + kind + " " + found->info.id.text());
  }
  const auto word = count(how, "erase something");
  if (word) oracle_.erased(found->info.kind, found->info.id, *word);
}

void Phone::record_together() {
  Transaction transaction = client_->transaction();
  v1::Household household;
  household.set_grid(person_.place);
  household.set_notes(fresh("together"));
  const auto home = transaction.put(household);
  v1::Visit visit;
  visit.set_grid(person_.place);
  visit.set_kind(v1::VISIT_KIND_HOUSEHOLD);
  visit.set_notes(fresh("together"));
  if (home) visit.set_household(std::string(home->bytes()));
  const auto walk = transaction.put(visit);
  if (!home || !walk) cannot("record together", (home ? walk : home).error());
  const auto word = count(transaction.commit(), "record together");
  if (!word) return;
  oracle_.wrote(name_, kinds::kHousehold, *home, kHouseholdNotes, household.notes(), "", *word);
  oracle_.wrote(name_, kinds::kVisit, *walk, kVisitNotes, visit.notes(), "", *word);
}

void Phone::act_on_whistle() {
  const auto found = any("Whistle");
  if (!found) return;
  const auto road = client_->road(found->info.id);
  if (!road) cannot("see a road", road.error());
  // What brings a whistle on its way comes oftener than what takes it off.
  static constexpr v1::WhistleActionType kTypes[] = {
      v1::WHISTLE_ACTION_TYPE_ACCEPT,   v1::WHISTLE_ACTION_TYPE_ACCEPT,
      v1::WHISTLE_ACTION_TYPE_BLOW,     v1::WHISTLE_ACTION_TYPE_BLOW,
      v1::WHISTLE_ACTION_TYPE_CHECK_IN, v1::WHISTLE_ACTION_TYPE_CHECK_IN,
      v1::WHISTLE_ACTION_TYPE_START,    v1::WHISTLE_ACTION_TYPE_REPORT_BACK,
      v1::WHISTLE_ACTION_TYPE_COMMENT,  v1::WHISTLE_ACTION_TYPE_CHECK,
      v1::WHISTLE_ACTION_TYPE_REJECT,   v1::WHISTLE_ACTION_TYPE_MERGE,
      v1::WHISTLE_ACTION_TYPE_UNMERGE,  v1::WHISTLE_ACTION_TYPE_VOID};
  v1::WhistleAction action;
  const RecordId id = new_id();
  action.set_id(std::string(id.bytes()));
  action.set_whistle(std::string(found->info.id.bytes()));
  action.set_type(kTypes[dice_.below(std::size(kTypes))]);
  if (const auto other = any("Whistle"); other && action.type() == v1::WHISTLE_ACTION_TYPE_MERGE) {
    action.set_other_whistle(std::string(other->info.id.bytes()));
  }
  const std::string note = fresh("action");
  action.set_note(note);
  if (!road->parts.empty() && action.type() != v1::WHISTLE_ACTION_TYPE_COMMENT) {
    const auto& part = road->parts[dice_.below(road->parts.size())];
    action.set_assignment(std::string(part.assignment.info.id.bytes()));
  }
  const auto word = count(client_->act(action), "act");
  if (!word) return;
  oracle_.wrote(name_, kinds::kWhistleAction, id, v1::WhistleAction::kNoteFieldNumber, note, "",
                *word);
  oracle_.belongs(id, found->info.id);
}

void Phone::look() {
  // What was refused is taken off its record again: there an older write may be all that stands.
  const auto outcomes = client_->outcomes();
  if (!outcomes) cannot("see outcomes", outcomes.error());
  std::set<RecordId> refused;
  for (const OutcomeView& outcome : *outcomes) {
    if (!was_applied(static_cast<OutcomeStatus>(outcome.status))) refused.insert(outcome.record);
  }
  const auto check = [this, &refused](const char* kind, std::uint32_t field) {
    for (const FoundBytes& row : all(kind)) {
      if (refused.contains(row.info.id)) continue;
      oracle_.shows(name_, row.info.id, field,
                    std::string(text_of(row.record, field).value_or("")));
    }
  };
  check("Household", kHouseholdNotes);
  check("Visit", kVisitNotes);
}

}  // namespace gridwhistle::sim
