#include "checks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::demo {

namespace {

// The rules of who sees what, written down once more: this is what the server's filter is held
// against.
std::string digits_of(const std::string& scope) {
  const std::size_t colon = scope.find(':');
  if (scope.starts_with("town:")) return scope.substr(colon + 1, 9);
  if (scope.starts_with("org:") || scope.starts_with("worker:")) return {};
  return scope.substr(colon + 1);
}

bool reaches(const Held& held, const std::string& place) {
  if (held.scope == place) return true;
  const std::string area = digits_of(held.scope);
  return held.subtree && !area.empty() && digits_of(place).starts_with(area);
}

bool shows(const Held& held, const KindSchema& kind) {
  if ((held.audiences >> static_cast<unsigned>(kind.audience) & 1U) != 0) return true;
  constexpr v1::Role kCaseStaff[] = {v1::ROLE_VILLAGE_ACCEPTOR, v1::ROLE_TOWN_ACCEPTOR,
                                     v1::ROLE_DISPATCHER,       v1::ROLE_SUPERVISOR,
                                     v1::ROLE_DEPARTMENT,       v1::ROLE_RETURN_VISITOR};
  const bool case_staff = std::ranges::any_of(
      kCaseStaff, [&](v1::Role role) { return (held.roles >> role & 1U) != 0; });
  return kind.audience == Audience::kPersonal && kind.scope_parent_kind == kinds::kWhistle &&
         case_staff;
}

// The outcomes that stand in one phone's file, by the record they are about.
std::multimap<RecordId, v1::Outcome> outcomes_on(const PhoneFacts& phone) {
  std::multimap<RecordId, v1::Outcome> outcomes;
  for (const auto& [key, body] : phone.records) {
    if (KindId(key.kind) != kinds::kOutcome) continue;
    v1::Outcome outcome;
    if (!outcome.ParseFromString(body)) continue;
    if (const auto record = RecordId::from_bytes(outcome.record())) {
      outcomes.emplace(*record, std::move(outcome));
    }
  }
  return outcomes;
}

class Examination {
 public:
  Examination(const ServerFacts& server, const std::vector<PhoneFacts>& phones,
              const CountyView& county)
      : server_(server), phones_(phones), county_(county) {
    for (const PhoneFacts& phone : phones_) outcomes_.push_back(outcomes_on(phone));
  }

  Findings run() {
    for (std::size_t i = 0; i < phones_.size(); ++i) {
      nothing_waits(phones_[i]);
      creations_arrived(i);
      edits_arrived(i);
      shows_what_it_should(phones_[i]);
    }
    nothing_twice();
    every_whistle_has_somebody();
    beaten_values_are_kept();
    refused_proposals_are_answered();
    return std::move(found_);
  }

 private:
  void fault(std::string words) { found_.faults.push_back(std::move(words)); }

  void nothing_waits(const PhoneFacts& phone) {
    if (phone.pending == 0) return;
    fault(phone.name + " still holds " + std::to_string(phone.pending) +
          " operations that the server has not acknowledged");
  }

  void creations_arrived(std::size_t i) {
    const PhoneFacts& phone = phones_[i];
    for (const Note& note : phone.journal.acknowledged) {
      if (!note.creates) continue;
      ++found_.recorded;
      const KindSchema* kind = built_schema().kind(note.kind);
      if (kind != nullptr && server_.records.contains({kind->id.value, note.record})) {
        ++found_.on_server;
      } else if (refused(i, note.record)) {
        ++found_.refused;
      } else {
        ++found_.lost;
        fault(phone.name + " was told that " + note.kind + " " + note.record.text() +
              " is kept, and it is not on the server");
      }
    }
  }

  // Told, with the reason and what was recorded; what is sealed its reviewer has.
  bool refused(std::size_t phone, const RecordId& record) const {
    const auto [begin, end] = outcomes_[phone].equal_range(record);
    return std::any_of(begin, end, [](const auto& one) {
      const v1::Outcome& told = one.second;
      if (told.status() == v1::OUTCOME_STATUS_SEALED) return true;
      return told.status() == v1::OUTCOME_STATUS_REJECTED && told.code() != 0 &&
             !told.lost_set().empty();
    });
  }

  // Of several changes of one field by one phone the last one counts.
  void edits_arrived(std::size_t i) {
    std::map<std::pair<Key, std::uint32_t>, std::string> wanted;
    for (const Note& note : phones_[i].journal.acknowledged) {
      const KindSchema* kind = built_schema().kind(note.kind);
      if (note.creates || kind == nullptr) continue;
      const auto set = canonical(*kind, note.set);
      if (!set) {
        fault(phones_[i].name + ": its journal has an edit that cannot be read");
        continue;
      }
      for (const FieldView& field : fields_of(*set)) {
        wanted[{Key{kind->id.value, note.record}, field.number}] = field.entries;
      }
    }
    for (const auto& [what, entries] : wanted) edit_arrived(i, what.first, what.second, entries);
  }

  void edit_arrived(std::size_t i, const Key& key, std::uint32_t field,
                    const std::string& entries) {
    ++found_.edits;
    const auto record = server_.records.find(key);
    if (record != server_.records.end() && says(key, record->second, field, entries)) return;
    if (kept_for_author(i, key.id, field, entries)) return;
    ++found_.lost;
    fault(phones_[i].name + ": its change of field " + std::to_string(field) + " of record " +
          key.id.text() + " is neither on the server nor in an outcome");
  }

  static bool says(const Key& key, const std::string& body, std::uint32_t field,
                   const std::string& entries) {
    const FieldView stored = field_of(body, field);
    const FieldSchema* schema = built_schema().kind(KindId(key.kind))->field(field);
    if (schema == nullptr || !schema->repeated) return stored.entries == entries;
    const auto all = values_of(stored.entries);
    return std::ranges::all_of(values_of(entries), [&](const ValueView& value) {
      return std::ranges::any_of(all,
                                 [&](const ValueView& one) { return one.entry == value.entry; });
    });
  }

  bool kept_for_author(std::size_t phone, const RecordId& record, std::uint32_t field,
                       const std::string& entries) const {
    const auto [begin, end] = outcomes_[phone].equal_range(record);
    return std::any_of(begin, end, [&](const auto& one) {
      return field_of(one.second.lost_set(), field).entries == entries;
    });
  }

  std::set<Key> due_to(const PhoneFacts& phone) const {
    std::set<Key> due;
    const auto worker = server_.worker_of_device.find(phone.device);
    if (worker == server_.worker_of_device.end()) return due;
    const auto held = server_.held.find(worker->second);
    if (held == server_.held.end()) return due;
    for (const auto& [key, places] : server_.places) {
      const KindSchema* kind = built_schema().kind(KindId(key.kind));
      if (kind == nullptr || !server_.records.contains(key)) continue;
      const bool sees = std::ranges::any_of(held->second, [&](const Held& grant) {
        return shows(grant, *kind) && std::ranges::any_of(places, [&](const std::string& place) {
                 return reaches(grant, place);
               });
      });
      if (sees) due.insert(key);
    }
    return due;
  }

  void shows_what_it_should(const PhoneFacts& phone) {
    const std::set<Key> due = due_to(phone);
    std::uint64_t missing = 0;
    std::uint64_t different = 0;
    for (const Key& key : due) {
      const auto row = phone.records.find(key);
      if (row == phone.records.end()) {
        ++missing;
      } else if (row->second != server_.records.at(key)) {
        ++different;
      }
    }
    found_.rows_compared += due.size();
    const std::uint64_t extra = static_cast<std::uint64_t>(std::ranges::count_if(
        phone.records, [&](const auto& row) { return !due.contains(row.first); }));
    if (due.empty()) fault(phone.name + " holds no scope on the server");
    if (missing + different + extra == 0) return;
    fault(phone.name + " does not agree with the server: of " + std::to_string(due.size()) +
          " records of its scopes " + std::to_string(missing) + " are missing, " +
          std::to_string(different) + " differ, and " + std::to_string(extra) +
          " are there that should not be");
  }

  void nothing_twice() {
    std::set<RecordId> tried;
    std::set<std::uint64_t> devices;
    for (const PhoneFacts& phone : phones_) {
      devices.insert(phone.device);
      for (const Note& note : phone.journal.tried) tried.insert(note.record);
    }
    for (const auto& [key, body] : server_.records) {
      if (!key.id.well_formed() || !devices.contains(key.id.device().value)) continue;
      if (tried.contains(key.id)) continue;
      ++found_.duplicated;
      fault("the server has a record " + key.id.text() + " that its phone never wrote");
    }
    std::set<std::string> numbers;
    for (const WhistleStory& story : county_.whistles) {
      if (numbers.insert(story.whistle.number()).second) continue;
      ++found_.duplicated;
      fault("two whistles have the number " + story.whistle.number());
    }
  }

  void every_whistle_has_somebody() {
    for (const WhistleStory& story : county_.whistles) {
      ++found_.whistles;
      if (story.whistle.state() == v1::WHISTLE_STATE_CLOSED) ++found_.closed;
      if (story.whistle.owner_org().empty()) {
        fault("whistle " + story.whistle.number() + " has no owning organisation");
      }
      switch (place_of(story)) {
        case Place::kBeforeAcceptance:
        case Place::kBeforeBlowing:
          ++found_.waiting;
          break;
        case Place::kOnTheSpot:
          ++found_.on_the_spot;
          break;
        case Place::kRouted:
          ++found_.routed;
          break;
        case Place::kHeadless:
          ++found_.headless;
          break;
        case Place::kRefused:
          ++found_.turned_down;
          break;
        case Place::kNowhere:
          fault("whistle " + story.whistle.number() +
                " was blown, and is neither routed nor in the 无头事项 queue");
          break;
      }
    }
  }

  std::optional<std::size_t> phone_of(std::uint64_t device) const {
    for (std::size_t i = 0; i < phones_.size(); ++i) {
      if (phones_[i].device == device) return i;
    }
    return std::nullopt;
  }

  void beaten_values_are_kept() {
    for (const LostMerge& lost : server_.lost_merges) {
      const auto phone = phone_of(lost.writer);
      if (!phone) continue;
      const auto [begin, end] = outcomes_[*phone].equal_range(lost.key.id);
      const bool kept = std::any_of(begin, end, [](const auto& one) {
        return one.second.status() == v1::OUTCOME_STATUS_BEATEN &&
               (!one.second.lost_set().empty() || one.second.lost_clear_size() > 0);
      });
      if (kept) {
        ++found_.conflicts_kept;
      } else {
        fault(phones_[*phone].name + " lost a value of record " + lost.key.id.text() +
              " to a colleague, and its phone does not say so");
      }
    }
  }

  void refused_proposals_are_answered() {
    for (const auto& [key, body] : server_.records) {
      if (KindId(key.kind) != kinds::kWhistleAction) continue;
      v1::WhistleAction action;
      if (!action.ParseFromString(body)) continue;
      if (action.status() == v1::OUTCOME_STATUS_ACCEPTED) continue;
      const auto phone = phone_of(key.id.device().value);
      if (!phone) continue;
      const auto [begin, end] = outcomes_[*phone].equal_range(key.id);
      const bool told = std::any_of(
          begin, end, [&](const auto& one) { return one.second.status() == action.status(); });
      if (told) {
        ++found_.proposals_answered;
      } else {
        fault(phones_[*phone].name + " proposed an action that was not accepted, " + key.id.text() +
              ", and its phone does not say so");
      }
    }
  }

  const ServerFacts& server_;
  const std::vector<PhoneFacts>& phones_;
  const CountyView& county_;
  std::vector<std::multimap<RecordId, v1::Outcome>> outcomes_;  ///< by phone
  Findings found_;
};

}  // namespace

Findings examine(const ServerFacts& server, const std::vector<PhoneFacts>& phones,
                 const CountyView& county) {
  return Examination(server, phones, county).run();
}

}  // namespace gridwhistle::demo
