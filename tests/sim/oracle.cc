#include "oracle.h"

#include <algorithm>
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

}  // namespace

void Oracle::wrote(const std::string& author, KindId kind, const RecordId& id, std::uint32_t field,
                   const std::string& value, const std::string& seen, Word word) {
  History& history = records_[id];
  history.kind = kind;
  history.writes[field].push_back({author, value, seen, word});
  if (word == Word::kOpen) return;
  history.promised = true;
  recorder_.note(
      "wrote",
      {{"phone", author}, {"kind", kind.value}, {"id", id}, {"field", field}, {"value", value}});
  ++promises_;
}

void Oracle::added(KindId kind, const RecordId& id, std::uint32_t field, const std::string& element,
                   Word word) {
  History& history = records_[id];
  history.kind = kind;
  if (word == Word::kOpen) return;
  history.elements[field].insert(element);
  history.promised = true;
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

bool Oracle::has_written(const std::string& author, const RecordId& id) const {
  const auto record = records_.find(id);
  if (record == records_.end()) return false;
  return std::ranges::any_of(record->second.writes, [&](const auto& field) {
    return std::ranges::find(field.second, author, &Write::author) != field.second.end();
  });
}

void Oracle::shows(const std::string& reader, const RecordId& id, std::uint32_t field,
                   const std::string& value) {
  recorder_.shows(reader, id, field, value);
  const auto record = records_.find(id);
  if (record == records_.end()) return;
  const auto writes = record->second.writes.find(field);
  if (writes == record->second.writes.end()) return;
  const auto of_value = std::ranges::find(writes->second, value, &Write::value);
  if (of_value == writes->second.end() || of_value->author != reader) return;
  const bool wrote_later = std::any_of(of_value + 1, writes->second.end(), [&](const Write& later) {
    return later.author == reader && later.word == Word::kGiven;
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
    // What a device wrote it has seen, even where an erasure hid it meanwhile.
    const bool overwritten = std::ranges::any_of(writes, [&](const Write& other) {
      const bool later = &other > &write && other.author == write.author;
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
    for (const std::string& element : elements) {
      const bool accounted = there.contains(element) || history.removed.contains(element) ||
                             told.not_applied || told.kept.find(element) != std::string::npos;
      if (!accounted) throw Violation("lost: element " + element + " of " + named(id, field));
    }
  }
}

bool Oracle::may_be_erased(const RecordId& id) const {
  const auto record = records_.find(id);
  if (record != records_.end() && record->second.erased) return true;
  const auto whole = wholes_.find(id);
  return whole != wholes_.end() && may_be_erased(whole->second);
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
    if (!history.kind) continue;
    const Told& told = outcomes[id];
    const auto row = county.get(history.kind, id);
    if (!row) throw Violation("record cannot be read: " + row.error().message);
    if (!*row) {
      if (history.promised && !told.not_applied)
        throw Violation("record " + id.text() + " never arrived");
      continue;
    }
    if ((*row)->erased) {
      if (!may_be_erased(id)) throw Violation("record " + id.text() + " was erased by nobody");
      continue;
    }
    for (const auto& [field, writes] : history.writes) {
      check_field(id, field, writes, (*row)->body, told);
    }
    check_elements(id, history, (*row)->body, told);
  }
}

void Oracle::check_nothing_made(const County& county) const {
  std::set<DeviceId> phones;
  for (const auto& [id, history] : records_) phones.insert(id.device());
  for (const KindId kind : {kinds::kVisit, kinds::kHousehold, kinds::kResident, kinds::kWhistle,
                            kinds::kWhistleAction, kinds::kWhistleContact}) {
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
