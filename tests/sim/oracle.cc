#include "oracle.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "schema/kinds.h"

namespace gridwhistle::sim {

/// What Outcomes told about one record.
struct Oracle::Told {
  std::string kept;          ///< every value that lost, one after the other
  bool not_applied = false;  ///< some operation was refused, sealed, parked or came too late
};

namespace {

std::string named(const RecordId& id, std::uint32_t field) {
  return "record " + id.text() + " field " + std::to_string(field);
}

/// Who holds what of a phone's file was put away.
std::string put_away_of(const std::string& phone) { return phone + ", put away"; }

}  // namespace

template <typename Each>
void Oracle::for_each_write(Each each) {
  for (auto& [id, history] : records_) {
    for (Writes* writes : {&history.writes, &history.elements}) {
      for (auto& [field, all] : *writes) std::ranges::for_each(all, each);
    }
  }
}

bool Oracle::History::is_promised() const {
  const auto has_word = [](const auto& field) {
    return std::ranges::find(field.second, Word::kGiven, &Write::word) != field.second.end();
  };
  return std::ranges::any_of(writes, has_word) || std::ranges::any_of(elements, has_word);
}

// What is not recorded after all has left its id to another, of another kind perhaps.
KindId Oracle::History::kind() const {
  KindId kind;
  for (const Writes* all : {&writes, &elements}) {
    for (const auto& [field, of_field] : *all) {
      for (const Write& write : of_field) {
        if (write.word == Word::kGiven) return write.kind;
        kind = write.kind;
      }
    }
  }
  return kind;
}

void Oracle::wrote(const std::string& author, KindId kind, const RecordId& id, std::uint32_t field,
                   const std::string& value, const std::string& seen, Word word) {
  records_[id].writes[field].push_back({kind, author, value, seen, word, ++writes_, {author}});
  if (is_forgotten(id)) ++written_on_forgotten_;
  if (word == Word::kOpen) return;
  recorder_.note(
      "wrote",
      {{"phone", author}, {"kind", kind.value}, {"id", id}, {"field", field}, {"value", value}});
  ++promises_;
}

void Oracle::added(const std::string& author, KindId kind, const RecordId& id, std::uint32_t field,
                   const std::string& element, Word word) {
  records_[id].elements[field].push_back({kind, author, element, {}, word, ++writes_, {author}});
  if (word == Word::kOpen) return;
  recorder_.note("added", {{"kind", kind.value}, {"id", id}, {"field", field}, {"value", element}});
  ++promises_;
}

void Oracle::removed(KindId kind, const RecordId& id, std::uint32_t field,
                     const std::string& element, Word word) {
  records_[id].removed.insert(element);
  if (word == Word::kOpen) return;
  recorder_.note("removed",
                 {{"kind", kind.value}, {"id", id}, {"field", field}, {"value", element}});
}

void Oracle::erased(KindId kind, const RecordId& id, Word word) {
  records_[id].erased = true;
  if (word == Word::kGiven) recorder_.note("erased", {{"kind", kind.value}, {"id", id}});
}

void Oracle::forgot(const RecordId& id) {
  if (forgotten_.insert(id).second) recorder_.note("forgot", {{"id", id}});
}

bool Oracle::has_written(const std::string& phone, const RecordId& id) const {
  const auto record = records_.find(id);
  if (record == records_.end()) return false;
  return std::ranges::any_of(record->second.writes, [&](const auto& field) {
    return std::ranges::any_of(field.second,
                               [&](const Write& write) { return write.holders.contains(phone); });
  });
}

void Oracle::copied(const std::string& phone, const std::string& copy) {
  for_each_write([&](Write& write) {
    if (write.holders.contains(phone)) write.holders.insert(copy);
  });
}

void Oracle::put_away(const std::string& phone) {
  drop_put_away(phone);
  copied(phone, put_away_of(phone));
}

void Oracle::put_back(const std::string& phone, bool server_has_it) {
  for_each_write([&](Write& write) {
    if (write.holders.contains(put_away_of(phone))) {
      write.holders.insert(phone);
    } else if (write.holders.erase(phone) > 0) {
      if (write.author == phone) write.author += " before it was put back";
      if (write.holders.empty() && !server_has_it) write.word = Word::kOpen;
    }
  });
}

// What a file that was put back has lost, the county alone had.
void Oracle::restored() {
  for_each_write([](Write& write) {
    if (write.holders.empty()) write.word = Word::kOpen;
  });
}

// What lies nowhere else has another id by now, in the file that it was copied from.
void Oracle::drop_put_away(const std::string& phone) {
  for (auto& [id, history] : records_) {
    for (Writes* writes : {&history.writes, &history.elements}) {
      for (auto& [field, all] : *writes) {
        std::erase_if(all, [&](const Write& write) {
          return write.holders.size() == 1 && write.holders.contains(put_away_of(phone));
        });
      }
      std::erase_if(*writes, [](const auto& field) { return field.second.empty(); });
    }
  }
  for_each_write([&](Write& write) { write.holders.erase(put_away_of(phone)); });
}

// Two files may have given one id to different records, so each takes what it holds along. What
// stands there already may have come from another copy before: the order is that of writing.
bool Oracle::move(Writes& from, Writes& to, const std::string& phone) {
  bool is_left = false;
  for (auto& [field, all] : from) {
    std::vector<Write> left;
    std::vector<Write> moved;
    for (Write& write : all) {
      if (write.holders.erase(phone) == 0) {
        left.push_back(std::move(write));
        continue;
      }
      if (!write.holders.empty()) left.push_back(write);
      is_left |= !write.holders.empty();
      write.holders = {phone};
      moved.push_back(std::move(write));
    }
    all = std::move(left);
    if (moved.empty()) continue;
    std::vector<Write>& there = to[field];
    std::ranges::move(moved, std::back_inserter(there));
    std::ranges::stable_sort(there, {}, &Write::place);
  }
  std::erase_if(from, [](const auto& field) { return field.second.empty(); });
  return is_left;
}

bool Oracle::holds_any(const History& history, const std::string& phone) {
  return std::ranges::any_of(
      std::array{&history.writes, &history.elements}, [&](const Writes* all) {
        return std::ranges::any_of(*all, [&](const auto& field) {
          return std::ranges::any_of(
              field.second, [&](const Write& write) { return write.holders.contains(phone); });
        });
      });
}

std::size_t Oracle::renamed(const std::string& phone, const std::map<RecordId, RecordId>& now) {
  std::size_t twice = 0;
  for (const auto& [before, after] : now) {
    const auto known = records_.find(before);
    if (known == records_.end()) continue;
    // What was given out and never put has another id now, too, and another file may have put it.
    if (!holds_any(known->second, phone)) continue;
    History& history = records_[after];
    const bool was_left = move(known->second.writes, history.writes, phone);
    if (move(known->second.elements, history.elements, phone) || was_left) ++twice;
    history.removed.insert(known->second.removed.begin(), known->second.removed.end());
    history.erased |= known->second.erased;
  }
  const auto now_of = [&](const RecordId& id) {
    const auto other = now.find(id);
    return other != now.end() ? other->second : id;
  };
  for (const auto& [part, wholes] : std::map(wholes_)) {
    for (const RecordId& whole : wholes) belongs(now_of(part), now_of(whole));
  }
  return twice;
}

void Oracle::shows(const std::string& reader, const RecordId& id, std::uint32_t field,
                   const std::string& value) {
  recorder_.shows(reader, id, field, value);
  const auto record = records_.find(id);
  // A later own write may be gone already, and the record not yet.
  if (record == records_.end() || is_forgotten(id)) return;
  const auto writes = record->second.writes.find(field);
  if (writes == record->second.writes.end()) return;
  const auto of_value = std::ranges::find(writes->second, value, &Write::value);
  if (of_value == writes->second.end() || of_value->author != reader) return;
  const bool wrote_later = std::any_of(of_value + 1, writes->second.end(), [&](const Write& later) {
    // What two files held comes twice where both have taken one number.
    return later.author == reader && later.word == Word::kGiven && later.place > of_value->place;
  });
  if (wrote_later) {
    throw Violation(reader + " reads its own older write again: " + named(id, field) + " shows " +
                    value);
  }
}

void Oracle::check_field(const RecordId& id, std::uint32_t field, const std::vector<Write>& writes,
                         const std::string& body, const Told& told) const {
  const std::string final(text_of(body, field).value_or(""));
  const bool known =
      final.empty() || std::ranges::find(writes, final, &Write::value) != writes.end();
  if (!known) throw Violation(named(id, field) + " has a value that nobody wrote: " + final);
  for (const Write& write : writes) {
    if (write.value == final || told.not_applied || write.word == Word::kOpen) continue;
    // What a device wrote, or the file that it was copied from, it has seen, even where an erasure
    // hid it meanwhile.
    const bool overwritten = std::ranges::any_of(writes, [&](const Write& other) {
      const bool is_own = other.author == write.author || write.holders.contains(other.author);
      const bool later = &other > &write && is_own;
      return other.seen == write.value || (later && other.word == Word::kGiven);
    });
    const bool kept = told.kept.find(write.value) != std::string::npos;
    if (!overwritten && !kept) {
      throw Violation("lost: " + named(id, field) + ", " + write.author + " wrote " + write.value +
                      ", final is " + final);
    }
  }
}

void Oracle::check_elements(const RecordId& id, const History& history, const std::string& body,
                            const Told& told) const {
  for (const auto& [field, elements] : history.elements) {
    std::set<std::string> there;
    for (const ValueView& value : values_of(field_of(body, field).entries)) {
      there.emplace(value.bytes);
    }
    for (const Write& write : elements) {
      const std::string& element = write.value;
      const bool accounted = write.word == Word::kOpen || there.contains(element) ||
                             history.removed.contains(element) || told.not_applied ||
                             told.kept.find(element) != std::string::npos;
      if (!accounted) throw Violation("lost: element " + element + " of " + named(id, field));
    }
  }
}

// Of two files under one number each may have given an id to something else: then what one of them
// has as a part of the other is a whole of it in the second.
template <typename Says>
bool Oracle::any_whole(const RecordId& id, const Says& says) const {
  std::set<RecordId> seen = {id};
  std::vector<RecordId> open = {id};
  while (!open.empty()) {
    const RecordId next = open.back();
    open.pop_back();
    if (says(next)) return true;
    const auto wholes = wholes_.find(next);
    if (wholes == wholes_.end()) continue;
    for (const RecordId& whole : wholes->second) {
      if (seen.insert(whole).second) open.push_back(whole);
    }
  }
  return false;
}

bool Oracle::may_be_erased(const RecordId& id) const {
  return any_whole(id, [this](const RecordId& one) {
    const auto record = records_.find(one);
    return record != records_.end() && record->second.erased;
  });
}

bool Oracle::is_forgotten(const RecordId& id) const {
  return any_whole(id, [this](const RecordId& one) { return forgotten_.contains(one); });
}

std::set<std::string> Oracle::forgotten_values() const {
  std::set<std::string> gone;
  std::set<std::string> stand;
  for (const auto& [id, history] : records_) {
    for (const Writes* all : {&history.writes, &history.elements}) {
      for (const auto& [field, writes] : *all) {
        for (const Write& write : writes) (is_forgotten(id) ? gone : stand).insert(write.value);
      }
    }
  }
  std::erase_if(gone, [&](const std::string& value) { return stand.contains(value); });
  return gone;
}

std::set<RecordId> Oracle::forgotten_with_parts() const {
  std::set<RecordId> gone;
  for (const auto& [id, history] : records_) {
    if (is_forgotten(id)) gone.insert(id);
  }
  return gone;
}

void Oracle::check_nothing_lost(const County& county) const {
  std::map<RecordId, Told> outcomes;
  const auto rows = county.all(kinds::kOutcome);
  if (!rows) throw Violation("outcomes cannot be read: " + rows.error().message);
  // Of an operation that was kept the last word counts: it may have been applied since.
  std::set<std::tuple<std::uint64_t, std::int64_t, std::int64_t>> decided;
  std::vector<v1::Outcome> receipts;
  for (const StoredRow& row : *rows) {
    v1::Outcome& outcome = receipts.emplace_back();
    if (!outcome.ParseFromString(row.body)) throw Violation("an outcome cannot be read");
    if (outcome.lane_seq() != 0 && was_applied(static_cast<OutcomeStatus>(outcome.status()))) {
      decided.insert({outcome.device(), outcome.lane(), outcome.lane_seq()});
    }
  }
  for (const v1::Outcome& outcome : receipts) {
    Told& told = outcomes[RecordId::from_bytes(outcome.record()).value_or(RecordId())];
    told.kept += outcome.lost_set();
    told.not_applied |= !was_applied(static_cast<OutcomeStatus>(outcome.status())) &&
                        !decided.contains({outcome.device(), outcome.lane(), outcome.lane_seq()});
  }
  for (const auto& [id, lost] : listed_) outcomes[id].kept += lost;
  for (const auto& [id, history] : records_) {
    if (!history.kind() || is_forgotten(id)) continue;
    const Told& told = outcomes[id];
    const auto row = county.get(history.kind(), id);
    if (!row) throw Violation("record cannot be read: " + row.error().message);
    const auto swept = county.locate(id);
    if (!*row && swept && swept->kind == history.kind()) {
      if (!may_be_erased(id)) throw Violation("record " + id.text() + " was erased by nobody");
      continue;
    }
    if (!*row) {
      if (history.is_promised() && !told.not_applied)
        throw Violation("record " + id.text() + " never arrived");
      continue;
    }
    if ((*row)->erased) {
      if (!may_be_erased(id)) throw Violation("record " + id.text() + " was erased by nobody");
      continue;
    }
    for (const auto& [field, writes] : history.writes) {
      if (std::ranges::find(writes, history.kind(), &Write::kind) == writes.end()) continue;
      check_field(id, field, writes, (*row)->body, told);
    }
    check_elements(id, history, (*row)->body, told);
  }
}

void Oracle::check_nothing_made(const County& county) const {
  std::set<DeviceId> phones;
  for (const auto& [id, history] : records_) phones.insert(id.device());
  for (const KindId kind : {kinds::kVisit, kinds::kHousehold, kinds::kResident, kinds::kWhistle,
                            kinds::kWhistleAction, kinds::kWhistleContact, kinds::kAttachment}) {
    const auto rows = county.all(kind);
    if (!rows) throw Violation("rows cannot be read: " + rows.error().message);
    for (const StoredRow& row : *rows) {
      if (phones.contains(row.id.device()) && !records_.contains(row.id)) {
        throw Violation("record " + row.id.text() + " is there, and nobody recorded it");
      }
    }
  }
}

}  // namespace gridwhistle::sim
