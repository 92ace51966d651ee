#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/varint.h"
#include "model/merge.h"
#include "model/operation.h"
#include "model/record.h"
#include "model/whistle_number.h"
#include "store/epochs.h"
#include "store/search_index.h"
#include "store/state.h"
#include "wire/limits.h"

namespace gridwhistle::store {

namespace {

// The bytes of an id that its device alone decides.
constexpr std::size_t kDeviceBytes = 8;

std::string key_name_of(DeviceId device) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(device.value));
  return text;
}

// The same bytes with other ids in them: `now` gives what an id of `device` is to become. Ids are
// as long after it as before, so that nothing around them changes.
template <typename Now>
Result<std::string> with_ids(std::string_view bytes, DeviceId device, Now now) {
  const RecordId any = RecordId::make(device, 0);
  const std::string_view prefix = any.bytes().substr(0, kDeviceBytes);
  std::string out(bytes);
  for (std::size_t at = out.find(prefix); at != std::string::npos; at = out.find(prefix, at + 1)) {
    const auto id = RecordId::from_bytes(std::string_view(out).substr(at, RecordId::kSize));
    if (!id) break;
    GW_TRY_LET(current, now(*id));
    out.replace(at, RecordId::kSize, current.bytes());
  }
  return out;
}

// What is behind a place of a lane, at most so many.
Result<std::vector<Operation>> behind(StoreState& state, Lane lane, LaneSeq noted,
                                      std::size_t most) {
  GW_TRY_LET(query, state.connection.prepare(
                        "SELECT key FROM outbox WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?"));
  query.bind(key_of(lane, LaneSeq(noted.value + 1)), key_of(lane, state.lanes[index_of(lane)].last),
             static_cast<std::int64_t>(most));
  std::vector<Operation> operations;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return operations;
    GW_TRY_LET(operation, load_operation(state, query.integer(0)));
    operations.push_back(std::move(*operation));
  }
}

// Gives what the file has recorded alone another identity: in the outbox, and in every row that
// shows it. All inside a write.
class Renaming {
 public:
  Renaming(StoreState& state, DeviceId successor, std::string_view short_code)
      : state_(state), successor_(successor), short_code_(short_code), numbers_(state.numbers) {}

  Result<void> run() {
    GW_TRY(load());
    GW_TRY(choose_ids());
    for (Operation& operation : operations_) GW_TRY(rename(operation));
    for (const auto& [kind, id] : touched_) GW_TRY(rename_row(*table_of(state_, kind), id));
    GW_TRY(rename_in_drafts());
    return rename_elsewhere();
  }

  std::vector<KindId> kinds() const {
    std::set<KindId> kinds;
    for (const auto& [kind, id] : touched_) kinds.insert(kind);
    return {kinds.begin(), kinds.end()};
  }
  const Counter& numbers() const { return numbers_; }

 private:
  Result<void> load() {
    for (const Lane lane : kLanes) {
      const LaneSeq noted = state_.lanes[index_of(lane)].noted;
      GW_TRY_LET(all, behind(state_, lane, noted, limits::kPendingOperations));
      std::ranges::move(all, std::back_inserter(operations_));
    }
    for (const Operation& operation : operations_) {
      if (table_of(state_, operation.kind) != nullptr) {
        touched_.insert({operation.kind, operation.id});
      }
    }
    return {};
  }

  // A record that the server has heard of keeps its id. Who recorded more on it before that was
  // known need not say so any more.
  Result<bool> is_known(const Operation& operation) {
    if (const KindTable* table = table_of(state_, operation.kind)) {
      GW_TRY_LET(row, load_row(state_, *table, operation.id));
      if (row && (row->delivered() || row->last_seq)) return true;
    }
    for (const Lane lane : kLanes) {
      GW_TRY_LET(query, state_.connection.prepare(
                            "SELECT 1 FROM outbox WHERE key BETWEEN ? AND ? AND id=? LIMIT 1"));
      query.bind(key_of(lane, LaneSeq(0)), key_of(lane, state_.lanes[index_of(lane)].noted),
                 operation.id);
      GW_TRY_LET(found, query.step());
      if (found) return true;
    }
    return false;
  }

  Result<void> choose_ids() {
    std::set<RecordId> known;
    for (Operation& operation : operations_) {
      if (!operation.creates || operation.id.device() != state_.device) continue;
      if (ids_.contains(operation.id)) continue;
      if (!known.contains(operation.id)) {
        GW_TRY_LET(is_known_already, is_known(operation));
        if (!is_known_already) {
          ids_.emplace(operation.id, RecordId::make(successor_, operation.id.counter()));
          continue;
        }
        known.insert(operation.id);
      }
      operation.creates = false;
    }
    // Ids that were given out and not put yet, too: the other file has given out the same.
    for (const std::uint64_t counter : state_.fresh_ids) {
      ids_.emplace(RecordId::make(state_.device, counter), RecordId::make(successor_, counter));
    }
    GW_TRY(choose_ids_of_drafts());
    for (const auto& [before, after] : ids_) {
      GW_TRY(state_.connection.run("INSERT OR REPLACE INTO renamed VALUES(?, ?)", before, after));
    }
    return {};
  }

  // A draft of a record that was never put may have had its id for long.
  Result<void> choose_ids_of_drafts() {
    GW_TRY_LET(query, state_.connection.prepare("SELECT kind, record FROM drafts"));
    for (;;) {
      GW_TRY_LET(row, query.step());
      if (!row) return {};
      const KindTable* table =
          table_of(state_, KindId(static_cast<std::uint32_t>(query.integer(0))));
      const auto id = RecordId::from_bytes(text_of(query.blob(1), 1).value_or(""));
      if (table == nullptr || !id || id->device() != state_.device) continue;
      GW_TRY_LET(was_put, load_row(state_, *table, *id));
      if (!was_put) ids_.emplace(*id, RecordId::make(successor_, id->counter()));
    }
  }

  Result<std::string> renamed(std::string_view bytes) const {
    return with_ids(bytes, state_.device,
                    [this](const RecordId& id) { return Result<RecordId>(renamed(id)); });
  }

  Result<std::string> renamed_part(const KindTable* table, std::string_view bytes) const {
    GW_TRY_LET(out, renamed(bytes));
    if (out == bytes || table == nullptr || table->schema == nullptr) return out;
    return canonical_record(*table->schema, out);
  }

  RecordId renamed(const RecordId& id) const {
    const auto found = ids_.find(id);
    return found != ids_.end() ? found->second : id;
  }

  Result<void> rename(Operation& operation) {
    const KindTable* table = table_of(state_, operation.kind);
    const RecordId before = operation.id;
    operation.id = renamed(before);
    GW_TRY_LET(set, renamed_part(table, operation.set));
    GW_TRY_LET(remove, renamed_part(table, operation.remove));
    operation.set = std::move(set);
    operation.remove = std::move(remove);
    if (before != operation.id && table != nullptr) GW_TRY(number_anew(*table, operation));
    const OutboxKey key = key_of(operation.lane, operation.lane_seq);
    return state_.connection.run(
        "UPDATE outbox SET id=?, creates=?, fields=?, remove=?, recorded_hash=x'' WHERE key=?",
        operation.id, operation.creates, sqlite::Blob{operation.set},
        sqlite::Blob{operation.remove}, key);
  }

  // Both files have counted on, and two whistles must not answer to one number.
  Result<void> number_anew(const KindTable& table, Operation& operation) {
    const FieldSchema* field = table.rules().field("number");
    if (table.rules().name != "Whistle" || field == nullptr) return {};
    const auto given = text_of(operation.set, field->number);
    const std::string before = whistle_number(state_.position.enrolment->short_code, 1);
    if (!given || short_code_in(*given) != short_code_in(before)) return {};
    std::string& number = whistles_[operation.id];
    if (number.empty()) {
      GW_TRY_LET(counter, take(state_, numbers_, kNumbers));
      number = whistle_number(short_code_, counter);
    }
    std::string part;
    append_text(part, field->number, number);
    operation.set = overlay(table.rules(), operation.set, part, {}, {});
    return {};
  }

  Result<void> rename_row(const KindTable& table, const RecordId& id) {
    GW_TRY_LET(found, load_row(state_, table, id));
    if (!found) return {};
    RecordRow row = std::move(*found);
    const RecordId now = renamed(id);
    if (now != id) GW_TRY(remove_row(state_, table, id));
    std::optional<std::string> delivered = row.delivered();
    GW_TRY(rebase(state_, table, row, std::move(delivered)));
    GW_TRY(save_row(state_, table, now, row));
    return mark_unindexed(state_, table, now);
  }

  Result<void> rename_in_drafts() {
    GW_TRY_LET(query, state_.connection.prepare("SELECT name, record FROM drafts"));
    std::map<std::string, std::string> changed;
    for (;;) {
      GW_TRY_LET(row, query.step());
      if (!row) break;
      GW_TRY_LET(now, renamed(query.blob(1)));
      if (now != query.blob(1)) changed.emplace(query.text(0), std::move(now));
    }
    for (const auto& [name, record] : changed) {
      GW_TRY(state_.connection.run("UPDATE drafts SET record=? WHERE name=?", sqlite::Blob{record},
                                   name));
    }
    return {};
  }

  Result<void> rename_elsewhere() {
    GW_TRY(
        state_.connection.run("UPDATE access_log SET id=(SELECT now FROM renamed WHERE before=id) "
                              "WHERE id IN (SELECT before FROM renamed)"));
    return state_.connection.run(
        "UPDATE restored SET record=(SELECT now FROM renamed WHERE before=record) "
        "WHERE record IN (SELECT before FROM renamed)");
  }

  StoreState& state_;
  const DeviceId successor_;
  const std::string_view short_code_;
  Counter numbers_;
  std::vector<Operation> operations_;
  std::set<std::pair<KindId, RecordId>> touched_;
  std::unordered_map<RecordId, RecordId> ids_;
  std::unordered_map<RecordId, std::string> whistles_;  ///< their numbers from now on
};

// A device in a file of its own would have read nothing yet: what its predecessor wrote, the server
// has never sent it.
void read_anew(const StoreState& state, Position& position) {
  position.complete = Seq();
  position.exceptions.clear();
  position.urgent = Seq();
  for (const GrantHeld& grant : position.grants) {
    if (position.cursor) position.exceptions.push_back({grant.scope, Seq()});
  }
  position.own_since = state.dev_seq;
  position.caught_up = false;
}

}  // namespace

namespace {

// The operations behind `noted` that the server may have, by their hashes.
Result<v1::UnsettledLane> asked_of(StoreState& state, Lane lane, LaneSeq noted) {
  v1::UnsettledLane asked;
  asked.set_lane(static_cast<std::uint32_t>(lane));
  asked.set_noted(noted.value);
  GW_TRY_LET(operations, behind(state, lane, noted, limits::kUnsettledOperations));
  for (const Operation& operation : operations) {
    asked.mutable_hashes()->append(hash_of(operation), 0, limits::kUnsettledHashBytes);
    asked.add_dev_seqs(operation.dev_seq.value);
  }
  return asked;
}

}  // namespace

std::string Store::key_name() const {
  return state_->predecessors.empty() ? std::string() : key_name_of(state_->device);
}

Result<Succession> Store::plan_succession() {
  GW_TRY_LET(planned, meta_number(*state_, "successor"));
  DeviceId successor(static_cast<std::uint64_t>(planned));
  if (!successor) {
    successor = random_device(*state_->options.random);
    GW_TRY_LET(transaction, begin(*state_));
    GW_TRY(put_meta(*state_, "successor", static_cast<std::int64_t>(successor.value)));
    GW_TRY(transaction.commit());
  }
  Succession plan{.successor = successor,
                  .key_name = key_name_of(successor),
                  .predecessor = state_->device,
                  .predecessor_key = key_name(),
                  .dev_seq = state_->dev_seq,
                  .lanes = {}};
  for (const Lane lane : kLanes) {
    GW_TRY_LET(asked, asked_of(*state_, lane, state_->lanes[index_of(lane)].noted));
    plan.lanes.push_back(std::move(asked));
  }
  return plan;
}

Result<Succession> Store::plan_return(std::size_t back) {
  std::vector<DeviceId> numbers = state_->predecessors;
  numbers.push_back(state_->device);
  if (back + 1 >= numbers.size()) {
    return fail(ErrorCode::kNotEnrolled, "this device is not enrolled: ask the operator for a code",
                "succession");
  }
  const std::size_t at = numbers.size() - 1 - back;
  const auto key_of_number = [&](std::size_t which) {
    return which == 0 ? std::string() : key_name_of(numbers[which]);
  };
  Succession plan{.successor = numbers[at],
                  .key_name = key_of_number(at),
                  .predecessor = numbers[at - 1],
                  .predecessor_key = key_of_number(at - 1),
                  .dev_seq = state_->dev_seq,
                  .lanes = {},
                  .is_return = true};
  // What the server has of the predecessor is what this file still holds of it, or more.
  for (const Lane lane : kLanes) {
    const LaneProgress& progress = state_->lanes[index_of(lane)];
    const std::uint64_t newest =
        progress.last.value -
        std::min<std::uint64_t>(progress.last.value, limits::kUnsettledOperations);
    GW_TRY_LET(asked, asked_of(*state_, lane, LaneSeq(std::max(progress.first.value - 1, newest))));
    plan.lanes.push_back(std::move(asked));
  }
  return plan;
}

namespace {

// The places in the log that the file is about to be told are of starts that no Welcome has told it
// of: not knowing them, it would take the next Welcome for that of a restored server. Of a log that
// did part from this file's the Welcome tells, and what to do about it is done then.
Result<void> note_epochs(StoreState& state, const v1::EnrolReply& reply) {
  Position position = state.position;
  position.epochs = epochs_of(reply.epochs());
  if (position.epochs.empty()) return {};
  const std::optional<Seq> shared = parting(state.position.epochs, position.epochs);
  GW_TRY_LET(newest, newest_seen(state, position));
  if (shared && newest > *shared) return {};
  GW_TRY_LET(transaction, begin(state));
  if (shared) GW_TRY(forget_beyond(state, *shared, position));
  GW_TRY(save_position(state, position));
  GW_TRY(transaction.commit());
  state.position = std::move(position);
  return {};
}

}  // namespace

Result<void> Store::succeed(DeviceId successor, const v1::EnrolReply& reply) {
  StoreState& state = *state_;
  GW_TRY(note_epochs(state, reply));
  v1::Acks shared;
  *shared.mutable_runs() = reply.runs();
  GW_TRY(acknowledge(shared));
  if (!state.position.enrolment) return fail(ErrorCode::kNotEnrolled, "the file is not enrolled");
  Position position = state.position;
  position.enrolment->short_code = reply.short_code();
  read_anew(state, position);
  GW_TRY_LET(transaction, begin(state));
  Renaming renaming(state, successor, reply.short_code());
  GW_TRY(renaming.run());
  for (const Lane lane : kLanes) {
    GW_TRY(state.connection.run(
        "UPDATE outbox SET known_by=? WHERE known_by=0 AND key BETWEEN ? AND ?",
        static_cast<std::int64_t>(state.device.value), key_of(lane, LaneSeq(0)),
        key_of(lane, state.lanes[index_of(lane)].noted)));
  }
  std::vector<DeviceId> predecessors = state.predecessors;
  predecessors.push_back(state.device);
  GW_TRY(put_meta(state, "device", static_cast<std::int64_t>(successor.value)));
  std::string packed;
  for (const DeviceId device : predecessors) append_fixed64(packed, device.value);
  GW_TRY(put_meta(state, "predecessors", std::string_view(packed)));
  GW_TRY(state.connection.run("DELETE FROM meta WHERE key='successor'"));
  GW_TRY(save_position(state, position));
  GW_TRY(transaction.commit());
  state.device = successor;
  state.predecessors = std::move(predecessors);
  state.numbers = renaming.numbers();
  state.position = std::move(position);
  touched(state, renaming.kinds());
  return {};
}

bool made_here(const StoreState& state, const RecordId& id) {
  return id.device() == state.device ||
         std::ranges::find(state.predecessors, id.device()) != state.predecessors.end();
}

bool is_fresh(const StoreState& state, const RecordId& id) {
  return id.device() == state.device && state.fresh_ids.contains(id.counter());
}

namespace {

Result<bool> is_here(StoreState& state, const KindTable* table, const RecordId& id) {
  for (const auto& [kind, one] : state.kinds) {
    if (table != nullptr && &one != table) continue;
    GW_TRY_LET(row, load_row(state, one, id));
    if (row) return true;
  }
  return false;
}

// What became of an id in this file, whoever else may use it.
Result<RecordId> own_id(StoreState& state, const RecordId& id) {
  if (state.predecessors.empty() || id.device() == state.device || !made_here(state, id)) return id;
  GW_TRY_LET(query, state.connection.prepare("SELECT now FROM renamed WHERE before=?"));
  RecordId current = id;
  // A file may have been copied more than once.
  for (std::size_t i = 0; i < state.predecessors.size(); ++i) {
    query.reset();
    query.bind(current);
    GW_TRY_LET(found, query.step());
    if (!found) break;
    current = query.record_id(0);
  }
  return current;
}

// The other file's record may have come under an id that was reserved here and not put yet. Who
// gives a whole record wants the own one; who changes something of it has seen the other's.
Result<bool> creates(StoreState& state, const KindTable* table, const Change& change,
                     const RecordId& own) {
  if (change.id == own || !is_fresh(state, own) || change.type != OperationType::kPut) return false;
  if (table == nullptr || table->schema == nullptr) return false;
  GW_TRY_LET(set, canonical(*table->schema, change.set));
  return check_required(*table->schema, set).has_value();
}

}  // namespace

Result<RecordId> current_id(StoreState& state, const KindTable* table, const RecordId& id) {
  GW_TRY_LET(own, own_id(state, id));
  if (own == id) return id;
  GW_TRY_LET(is_of_other_file, is_here(state, table, id));
  return is_of_other_file ? id : own;
}

Result<Changes> current_changes(StoreState& state, const Changes& changes) {
  Changes current = changes;
  if (state.predecessors.empty()) return current;
  std::unordered_map<RecordId, RecordId> created;
  for (const Change& change : changes) {
    GW_TRY_LET(own, own_id(state, change.id));
    GW_TRY_LET(is_new, creates(state, table_of(state, change.kind), change, own));
    if (is_new) created.emplace(change.id, own);
  }
  const auto now_of = [&](const KindTable* table, const RecordId& id) -> Result<RecordId> {
    const auto found = created.find(id);
    return found != created.end() ? found->second : current_id(state, table, id);
  };
  for (Change& change : current) {
    const KindTable* table = table_of(state, change.kind);
    GW_TRY_LET(id, now_of(table, change.id));
    change.id = id;
    for (std::string* part : {&change.set, &change.remove}) {
      std::string bytes = *part;
      for (const DeviceId device : state.predecessors) {
        GW_TRY_LET(now, with_ids(bytes, device,
                                 [&](const RecordId& named) { return now_of(nullptr, named); }));
        bytes = std::move(now);
      }
      if (bytes == *part || table == nullptr || table->schema == nullptr) continue;
      GW_TRY_LET(sorted, canonical(*table->schema, bytes));
      *part = std::move(sorted);
    }
  }
  return current;
}

}  // namespace gridwhistle::store
