#include "check_end.h"

#include <map>
#include <set>

#include "base/sha256.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::sim {

namespace {

using Rows = std::map<RecordId, std::string>;

/// Where the wholes lie that others follow.
struct Places {
  std::map<RecordId, std::string> home;                  ///< the grid of every household
  std::map<RecordId, std::string> grid;                  ///< of every whistle
  std::map<RecordId, RecordId> reporter;                 ///< of every whistle
  std::map<RecordId, std::set<RecordId>> organisations;  ///< that have to do with a whistle
};

std::vector<StoredRow> all(const County& county, KindId kind) {
  auto rows = county.all(kind);
  if (!rows) throw Violation("the server's rows cannot be read: " + rows.error().message);
  return std::move(*rows);
}

RecordId id_at(const std::string& body, std::uint32_t field) {
  return RecordId::from_bytes(text_of(body, field).value_or("")).value_or(RecordId());
}

Places places_of(const County& county) {
  Places places;
  for (const StoredRow& row : all(county, kinds::kHousehold)) {
    places.home[row.id] = text_of(row.body, v1::Household::kGridFieldNumber).value_or("");
  }
  for (const StoredRow& row : all(county, kinds::kWhistle)) {
    places.grid[row.id] = text_of(row.body, v1::Whistle::kGridFieldNumber).value_or("");
    places.reporter[row.id] = id_at(row.body, v1::Whistle::kReporterFieldNumber);
  }
  for (const StoredRow& row : all(county, kinds::kAssignment)) {
    places.organisations[id_at(row.body, v1::Assignment::kWhistleFieldNumber)].insert(
        id_at(row.body, v1::Assignment::kOrganisationFieldNumber));
  }
  return places;
}

bool place_covers(const Person& person, const std::string& grid, bool personal) {
  if (person.place.empty()) return false;
  if (person.walks) return person.place == grid;
  constexpr std::size_t kTownDigits = 9;
  return !personal && grid.substr(0, kTownDigits) == person.place.substr(0, kTownDigits);
}

/// A volunteer has the own reports in sight, and what was said of them by the own hand.
bool is_own_word(const Places& places, const Person& person, KindId kind, const StoredRow& row) {
  if (kind == kinds::kWhistle) return places.reporter.at(row.id) == person.worker;
  return kind == kinds::kWhistleAction &&
         id_at(row.body, v1::WhistleAction::kActorFieldNumber) == person.worker;
}

/// What a person's phone should hold of a kind, as the server has it.
Rows expected(const County& county, const Places& places, const Person& person, KindId kind) {
  Rows rows;
  for (const StoredRow& row : all(county, kind)) {
    bool belongs = false;
    if (person.volunteers && kind != kinds::kOutcome) {
      belongs = is_own_word(places, person, kind, row);
    } else if (kind == kinds::kVisit || kind == kinds::kHousehold) {
      const std::string grid(text_of(row.body, 2).value_or(""));
      belongs = place_covers(person, grid, kind == kinds::kHousehold);
    } else if (kind == kinds::kResident) {
      const auto grid = places.home.find(id_at(row.body, v1::Resident::kHouseholdFieldNumber));
      belongs = grid != places.home.end() && place_covers(person, grid->second, true);
    } else if (kind == kinds::kOutcome) {
      belongs = text_of(row.body, v1::Outcome::kWorkerFieldNumber) ==
                "worker:" + to_hex(person.worker.bytes());
    } else {
      const RecordId whistle = kind == kinds::kWhistle ? row.id : id_at(row.body, 2);
      const auto grid = places.grid.find(whistle);
      if (grid == places.grid.end()) continue;
      belongs = place_covers(person, grid->second, false);
      const auto called = places.organisations.find(whistle);
      if (person.place.empty() && called != places.organisations.end()) {
        belongs = called->second.contains(person.organisation);
      }
    }
    if (belongs) rows[row.id] = row.body;
  }
  return rows;
}

/// A receipt's words of a record whose kind a build does not know stay with the server: they may be
/// of a kind that the phone's file may not hold.
void leave_out_unknown(const Phone& phone, Rows& outcomes) {
  for (auto& [id, body] : outcomes) {
    v1::Outcome outcome;
    if (!outcome.ParseFromString(body)) throw Violation("an outcome cannot be read");
    const KindId kind(static_cast<std::uint32_t>(outcome.record_kind()));
    const KindSchema* const known = built_schema().kind(kind);
    if (known != nullptr && phone.knows(known->name)) continue;
    body = replace_fields(body, "", {v1::Outcome::kLostSetFieldNumber});
  }
}

Rows held(Phone& phone, const char* kind) {
  const auto found = phone.client().query(kind, Query().first(100'000), Purpose{"check"});
  if (!found) throw Violation("a phone's rows cannot be read: " + found.error().message);
  Rows rows;
  for (const FoundBytes& row : *found) {
    // A notice of a log that was lost has no place in the one that took its place.
    if (row.info.kind == kinds::kOutcome && !row.info.last_seq) continue;
    rows[row.info.id] = replace_fields(row.record, "", {1});
  }
  return rows;
}

/// The fields in which two canonical records differ, with both values.
std::string difference(const std::string& server, const std::string& phone) {
  std::string text;
  for (std::uint32_t number = 1; number < 100; ++number) {
    const auto there = field_of(server, number).entries;
    const auto here = field_of(phone, number).entries;
    if (there == here) continue;
    text += " field " + std::to_string(number) + " server \"" + std::string(there) + "\" phone \"" +
            std::string(here) + "\"";
  }
  return text;
}

/// What its author sees, and the server can show to nobody yet: a decision whose whistle has not
/// come, or what was written of a resident whose household has not. A restored server may have
/// refused that, for it had lost what gave the grid to whoever recorded it.
std::set<RecordId> waiting_of(const County& county, const Oracle& oracle, const Places& places,
                              Phone& phone) {
  const auto review = county.review();
  if (!review) throw Violation("what waits cannot be read: " + review.error().message);
  std::set<RecordId> waiting;
  for (const WaitingOperation& operation : review->waiting) {
    if (operation.worker == phone.person().worker) waiting.insert(operation.record);
  }
  for (const StoredRow& row : all(county, kinds::kResident)) {
    const RecordId household = id_at(row.body, v1::Resident::kHouseholdFieldNumber);
    if (!places.home.contains(household) && oracle.has_written(phone.name(), row.id)) {
      waiting.insert(row.id);
    }
  }
  return waiting;
}

void compare(const std::string& who, const std::string& kind, const Rows& server, const Rows& phone,
             const std::set<RecordId>& waiting) {
  for (const auto& [id, body] : server) {
    const auto row = phone.find(id);
    const std::string name = kind + " " + id.text();
    if (row == phone.end()) throw Violation(who + " lacks " + name);
    if (row->second != body) {
      throw Violation(who + " differs from the server in " + name + difference(body, row->second));
    }
  }
  for (const auto& [id, body] : phone) {
    if (!server.contains(id) && !waiting.contains(id)) {
      throw Violation(who + " holds what is not in its scopes: " + kind + " " + id.text());
    }
  }
}

void check_replicas(const County& county, const Oracle& oracle, Phone& phone) {
  constexpr std::pair<KindId, const char*> kKinds[] = {
      {kinds::kVisit, "Visit"},           {kinds::kHousehold, "Household"},
      {kinds::kWhistle, "Whistle"},       {kinds::kWhistleAction, "WhistleAction"},
      {kinds::kAssignment, "Assignment"}, {kinds::kWhistleContact, "WhistleContact"},
      {kinds::kResident, "Resident"},     {kinds::kOutcome, "Outcome"}};
  const Places places = places_of(county);
  const std::set<RecordId> waiting = waiting_of(county, oracle, places, phone);
  for (const auto& [kind, name] : kKinds) {
    if (!phone.knows(name)) continue;
    Rows rows = expected(county, places, phone.person(), kind);
    if (kind == kinds::kOutcome) leave_out_unknown(phone, rows);
    compare(phone.name(), name, rows, held(phone, name), waiting);
  }
}

void check_inboxes(const County& county) {
  for (const StoredRow& unit : all(county, kinds::kOrgUnit)) {
    const auto items = county.inbox(unit.id);
    if (!items) throw Violation("an inbox cannot be read: " + items.error().message);
  }
}

}  // namespace

void check_end(County& county, Oracle& oracle, const std::vector<std::unique_ptr<Phone>>& phones) {
  for (const auto& phone : phones) {
    const auto outcomes = phone->client().outcomes(Purpose{"check"});
    if (!outcomes) throw Violation("no outcomes: " + outcomes.error().message);
    for (const OutcomeView& outcome : *outcomes) oracle.told(outcome.record, outcome.lost);
  }
  oracle.check_nothing_lost(county);
  oracle.check_nothing_made(county);
  for (const auto& phone : phones) check_replicas(county, oracle, *phone);
  check_inboxes(county);
  const auto report = county.verify();
  if (!report) throw Violation("verify: " + report.error().message);
  if (!report->faults.empty()) throw Violation("verify: " + report->faults.front().en);
  if (!report->orphans.empty()) throw Violation("verify: " + report->orphans.front().en);
}

void check_forgotten(Server& server, const Oracle& oracle,
                     const std::vector<std::unique_ptr<Phone>>& phones) {
  for (const RecordKey& key : server.forgotten()) {
    const auto row = server.county().get(key.kind, key.id);
    if (!row) throw Violation("record cannot be read: " + row.error().message);
    if (!*row || !(*row)->erased || !(*row)->body.empty()) {
      throw Violation("forgotten, and there again: record " + key.id.text());
    }
  }
  for (const std::string& value : oracle.forgotten_values()) {
    if (server.holds(value)) throw Violation("forgotten, and in the county's file: " + value);
    for (const auto& phone : phones) {
      if (phone->holds(value)) {
        throw Violation("forgotten, and in " + phone->name() + "'s file: " + value);
      }
    }
  }
}

}  // namespace gridwhistle::sim
