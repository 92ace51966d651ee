#include "phone.h"

#include <set>
#include <utility>

#include "files.h"
#include "gridwhistle/road.h"
#include "model/operation.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::sim {

namespace {

const Purpose kPurpose{"simulated work"};

constexpr auto kVisitNotes = v1::Visit::kNotesFieldNumber;
constexpr auto kHouseholdNotes = v1::Household::kNotesFieldNumber;
constexpr auto kNeeds = v1::Household::kServiceNeedsFieldNumber;
constexpr auto kTitle = v1::Whistle::kTitleFieldNumber;
constexpr auto kName = v1::Resident::kNameFieldNumber;
constexpr auto kRelation = v1::Resident::kRelationFieldNumber;

}  // namespace

Phone::Phone(Timeline& timeline, Dice& dice, Network& network, Oracle& oracle, Person& person,
             std::string name, const std::string& folder)
    : timeline_(timeline),
      dice_(dice),
      network_(network),
      oracle_(oracle),
      person_(person),
      name_(std::move(name)),
      path_(folder + "/" + name_ + ".db"),
      clock_(timeline, dice.next()) {
  line_.name = name_;
  open();
}

void Phone::open() {
  executor_ = std::make_unique<SimExecutor>(timeline_);
  ClientOptions options;
  options.path = path_;
  options.clock = &clock_;
  options.random = &dice_;
  options.secrets = &secrets_;
  options.executor = executor_.get();
  options.connect = [this](const ServerAddress&) -> Result<std::unique_ptr<Transport>> {
    return network_.transport(line_);
  };
  auto client = Client::open(std::move(options));
  if (!client) throw Violation(name_ + " does not open: " + client.error().message);
  client_ = std::move(*client);
}

void Phone::kill() {
  if (!client_) return;
  timeline_.note(name_ + " killed");
  die_with_files(path_, [this] {
    client_.reset();
    executor_.reset();
  });
}

void Phone::reboot() {
  kill();
  clock_.restart(dice_.next());
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

void Phone::go_live() { client_->start_live(); }

std::string Phone::fresh(const char* what) {
  return std::string(what) + "<" + name_ + "/" + std::to_string(++values_) + ">";
}

std::optional<FoundBytes> Phone::any(const char* kind) {
  auto found = client_->query(kind, Query(), kPurpose);
  if (!found) throw Violation(name_ + " cannot read: " + found.error().message);
  if (found->empty()) return std::nullopt;
  return (*found)[dice_.below(found->size())];
}

void Phone::count(const Error* error, const char* what) {
  timeline_.note(name_ + " " + what + (error == nullptr ? "" : " refused"));
  if (error == nullptr) {
    ++done_;
    return;
  }
  ++refused_;
  const ErrorCode code = error->code;
  const bool expected = code == ErrorCode::kOutOfScope || code == ErrorCode::kConflict ||
                        code == ErrorCode::kForbidden || code == ErrorCode::kNotFound ||
                        code == ErrorCode::kNotEnrolled;
  if (!expected) {
    throw Violation(name_ + " cannot " + what + ": " + std::string(name_of(code)) + " " +
                    error->message);
  }
}

void Phone::do_something() {
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
  look();
}

void Phone::new_visit() {
  v1::Visit visit;
  visit.set_grid(person_.place);
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_notes(fresh("visit"));
  const auto id = client_->put(visit);
  if (id) oracle_.wrote(name_, kinds::kVisit, *id, kVisitNotes, visit.notes(), "");
  count(id, "record a visit");
}

void Phone::new_household() {
  v1::Household household;
  household.set_grid(person_.place);
  household.set_address("人民路12号");
  household.set_notes(fresh("household"));
  const auto id = client_->put(household);
  if (id) {
    oracle_.wrote(name_, kinds::kHousehold, *id, kHouseholdNotes, household.notes(), "");
  }
  count(id, "record a household");
}

void Phone::new_resident() {
  const auto home = any("Household");
  if (!home) return;
  v1::Resident resident;
  resident.set_household(std::string(home->info.id.bytes()));
  resident.set_name(fresh("resident"));
  const auto id = client_->put(resident);
  if (id) {
    oracle_.wrote(name_, kinds::kResident, *id, kName, resident.name(), "");
    oracle_.belongs(*id, home->info.id);
  }
  count(id, "record a resident");
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
  if (!id) throw Violation("no id");
  std::optional<RecordId> caller;
  v1::WhistleContact contact;
  if (dice_.chance(500)) {
    contact.set_whistle(std::string(id->bytes()));
    contact.set_name(fresh("caller"));
    const auto put = transaction.put(contact);
    if (!put) throw Violation("no id");
    caller = *put;
  }
  const auto how = transaction.commit();
  if (how) oracle_.wrote(name_, kinds::kWhistle, *id, kTitle, whistle.title(), "");
  if (how && caller) {
    oracle_.wrote(name_, kinds::kWhistleContact, *caller, v1::WhistleContact::kNameFieldNumber,
                  contact.name(), "");
  }
  count(how, "blow a whistle");
}

void Phone::edit_text(const char* kind, std::uint32_t field) {
  const auto found = any(kind);
  if (!found) return;
  const std::string seen(text_of(found->record, field).value_or(""));
  const std::string value = fresh("edit");
  std::string change;
  append_text(change, 1, found->info.id.bytes());
  append_text(change, field, value);
  const auto id = client_->put(Change{kind, change, {}, {}});
  if (id) oracle_.wrote(name_, found->info.kind, *id, field, value, seen);
  count(id, "edit");
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
  const auto id = client_->put(change, {}, options);
  if (id && removes) oracle_.removed(kinds::kHousehold, *id, kNeeds, element);
  if (id && !removes) oracle_.added(kinds::kHousehold, *id, kNeeds, element);
  count(id, "tag a household");
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
  if (how) oracle_.erased(found->info.kind, found->info.id);
  count(how, "erase something");
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
  if (!home || !walk) throw Violation("no ids");
  const auto how = transaction.commit();
  if (how) {
    oracle_.wrote(name_, kinds::kHousehold, *home, kHouseholdNotes, household.notes(), "");
    oracle_.wrote(name_, kinds::kVisit, *walk, kVisitNotes, visit.notes(), "");
  }
  count(how, "record together");
}

void Phone::act_on_whistle() {
  const auto found = any("Whistle");
  if (!found) return;
  const auto road = client_->road(found->info.id);
  if (!road) throw Violation("no road: " + road.error().message);
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
  const auto id = client_->act(action);
  if (id) {
    oracle_.wrote(name_, kinds::kWhistleAction, *id, v1::WhistleAction::kNoteFieldNumber, note, "");
  }
  count(id, "act");
}

void Phone::look() {
  // What was refused is taken off its record again: there an older write may be all that stands.
  const auto outcomes = client_->outcomes();
  if (!outcomes) throw Violation("no outcomes: " + outcomes.error().message);
  std::set<RecordId> refused;
  for (const OutcomeView& outcome : *outcomes) {
    if (!was_applied(static_cast<OutcomeStatus>(outcome.status))) refused.insert(outcome.record);
  }
  const auto check = [this, &refused](const char* kind, std::uint32_t field) {
    const auto found = client_->query(kind, Query(), kPurpose);
    if (!found) throw Violation("cannot read: " + found.error().message);
    for (const FoundBytes& row : *found) {
      if (refused.contains(row.info.id)) continue;
      oracle_.shows(name_, row.info.id, field,
                    std::string(text_of(row.record, field).value_or("")));
    }
  };
  check("Household", kHouseholdNotes);
  check("Visit", kVisitNotes);
}

}  // namespace gridwhistle::sim
