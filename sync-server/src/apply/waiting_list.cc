#include "apply/waiting_list.h"

#include <algorithm>

#include "apply/workspace.h"
#include "model/merge.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

std::vector<std::uint64_t> numbers_of(const std::multimap<RecordId, std::uint64_t>& by_record,
                                      RecordId record) {
  std::vector<std::uint64_t> numbers;
  const auto [first, last] = by_record.equal_range(record);
  for (auto entry = first; entry != last; ++entry) numbers.push_back(entry->second);
  std::ranges::sort(numbers);
  return numbers;
}

void take_out(std::multimap<RecordId, std::uint64_t>& by_record, RecordId record,
              std::uint64_t number) {
  const auto [first, last] = by_record.equal_range(record);
  const auto entry = std::find_if(first, last, [&](const auto& e) { return e.second == number; });
  if (entry != last) by_record.erase(entry);
}

// The record that a transaction of known kinds was parked for.
std::optional<RecordKey> awaited(const Schema& schema, const KeptOperation& kept,
                                 std::span<const Operation> operations) {
  if (kept.why != OutcomeStatus::kParked) return std::nullopt;
  std::optional<RecordKey> record;
  for (const Operation& operation : operations) {
    if (schema.kind(operation.kind) == nullptr) return std::nullopt;
    if (!record) record = awaited_by(schema, operation);
  }
  return record;
}

}  // namespace

Result<std::vector<Operation>> operations_of(const Schema& schema, const KeptOperation& kept) {
  auto up = decode_up(schema, kept.device, kept.frame);
  if (!up) return std::unexpected(std::move(up.error()));
  auto* frame = std::get_if<OperationsUp>(&*up);
  if (frame == nullptr) return fail(ErrorCode::kCorrupt, "a kept operation cannot be read");
  return std::move(frame->operations);
}

bool makes_whole(const Schema& schema, const Operation& operation) {
  if (!operation.creates || operation.type != OperationType::kPut) return false;
  const KindSchema* kind = schema.kind(operation.kind);
  return kind == nullptr || check_required(*kind, operation.set).has_value();
}

std::optional<RecordId> whole_of(const Schema& schema, const Operation& operation) {
  const KindSchema* kind = schema.kind(operation.kind);
  if (kind == nullptr || kind->scope_parent == 0 || !operation.creates) return std::nullopt;
  if (operation.kind == kinds::kWhistleAction) return std::nullopt;
  return RecordId::from_bytes(text_of(operation.set, kind->scope_parent).value_or(""));
}

std::optional<RecordKey> awaited_by(const Schema& schema, const Operation& operation) {
  const KindSchema* kind = schema.kind(operation.kind);
  if (kind == nullptr || operation.type != OperationType::kPut) return std::nullopt;
  const RecordKey whole = parent_of(schema, *kind, operation.set);
  if (!whole.kind || operation.kind == kinds::kWhistleAction) {
    return whole.kind ? std::optional(whole) : std::nullopt;
  }
  const bool of_another = whole.id.device() != operation.id.device();
  return operation.creates && of_another ? std::optional(whole) : std::nullopt;
}

Result<WaitingList> WaitingList::read(Storage& storage, const Schema& schema) {
  WaitingList list;
  std::vector<KeptOperation> all;
  for (const OutcomeStatus why : {OutcomeStatus::kSealed, OutcomeStatus::kParked}) {
    auto waiting = storage.waiting_operations(why);
    if (!waiting) return std::unexpected(std::move(waiting.error()));
    std::ranges::move(*waiting, std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &KeptOperation::number);
  for (const KeptOperation& kept : all) {
    auto operations = operations_of(schema, kept);
    if (!operations) return std::unexpected(std::move(operations.error()));
    list.add(schema, kept, *operations);
  }
  return list;
}

void WaitingList::add(const Schema& schema, const KeptOperation& kept,
                      std::span<const Operation> operations) {
  Entry& entry = entries_[kept.number];
  entry.why = kept.why;
  entry.device = kept.device;
  for (const Operation& operation : operations) {
    std::optional<RecordId> first = operation.id;
    if (makes_whole(schema, operation)) {
      if (creations_.try_emplace(operation.id, kept.number).second) {
        entry.makes.push_back(operation.id);
      }
      first = whole_of(schema, operation);
    }
    if (!entry.follows && first && creation_kept(kept.device, *first) &&
        creations_.at(*first) != kept.number) {
      entry.follows = first;
    }
  }
  if (entry.follows) followers_.emplace(*entry.follows, kept.number);
  if (!entry.follows) entry.awaits = awaited(schema, kept, operations);
  if (entry.awaits) awaiting_.emplace(entry.awaits->id, kept.number);
}

void WaitingList::remove(std::uint64_t number) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  const Entry& entry = found->second;
  for (const RecordId& record : entry.makes) creations_.erase(record);
  if (entry.follows) take_out(followers_, *entry.follows, number);
  if (entry.awaits) take_out(awaiting_, entry.awaits->id, number);
  entries_.erase(found);
}

std::optional<OutcomeStatus> WaitingList::creation_kept(DeviceId device, RecordId record) const {
  const auto creation = creations_.find(record);
  if (creation == creations_.end()) return std::nullopt;
  const Entry& entry = entries_.at(creation->second);
  return entry.device == device ? std::optional(entry.why) : std::nullopt;
}

std::vector<RecordId> WaitingList::made_by(std::uint64_t number) const {
  const auto entry = entries_.find(number);
  return entry != entries_.end() ? entry->second.makes : std::vector<RecordId>{};
}

std::uint64_t WaitingList::followed_by(std::uint64_t number) const {
  const auto entry = entries_.find(number);
  if (entry == entries_.end() || !entry->second.follows) return 0;
  const auto creation = creations_.find(*entry->second.follows);
  return creation != creations_.end() ? creation->second : 0;
}

std::vector<std::uint64_t> WaitingList::followers_of(RecordId record) const {
  return numbers_of(followers_, record);
}

std::optional<RecordKey> WaitingList::awaited_by(std::uint64_t number) const {
  const auto entry = entries_.find(number);
  return entry != entries_.end() ? entry->second.awaits : std::nullopt;
}

std::vector<std::uint64_t> WaitingList::awaiting(RecordId record) const {
  return numbers_of(awaiting_, record);
}

std::size_t WaitingList::awaiting_of(DeviceId device) const {
  const auto waits = [&](const auto& numbered) {
    return numbered.second.device == device && numbered.second.awaits;
  };
  return static_cast<std::size_t>(std::ranges::count_if(entries_, waits));
}

}  // namespace gridwhistle
