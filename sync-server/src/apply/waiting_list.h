#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/operation.h"
#include "model/schema.h"
#include "storage/storage.h"

namespace gridwhistle {

/// Of the transactions that storage keeps, which of them wait for a record: decisions whose whistle
/// has not arrived, and what follows a creation that is kept itself: edits of it, and its parts.
/// Read from storage once; whoever keeps a transaction or deals with one says so here, too.
class WaitingList {
 public:
  static Result<WaitingList> read(Storage& storage, const Schema& schema);

  void add(const Schema& schema, const KeptOperation& kept, std::span<const Operation> operations);
  void remove(std::uint64_t number);
  bool contains(std::uint64_t number) const { return entries_.contains(number); }

  /// Why this device's creation of a record is kept; nothing where it is not.
  std::optional<OutcomeStatus> creation_kept(DeviceId device, RecordId record) const;
  /// The records that a kept transaction makes.
  std::vector<RecordId> made_by(std::uint64_t number) const;
  /// The kept transaction that makes the record which this one follows; 0 if none.
  std::uint64_t followed_by(std::uint64_t number) const;
  /// Kept transactions that follow a record's kept creation, oldest first.
  std::vector<std::uint64_t> followers_of(RecordId record) const;

  /// The whistle that a kept decision waits for; nothing where it waits for something else.
  std::optional<RecordId> awaited_by(std::uint64_t number) const;
  /// Kept decisions that wait for a whistle, oldest first.
  std::vector<std::uint64_t> decisions_on(RecordId whistle) const;
  /// How many decisions of a device wait for a whistle.
  std::size_t decisions_of(DeviceId device) const;

 private:
  struct Entry {
    OutcomeStatus why = OutcomeStatus::kSealed;
    DeviceId device;
    std::vector<RecordId> makes;
    std::optional<RecordId> follows;
    std::optional<RecordId> awaits;
  };

  std::map<std::uint64_t, Entry> entries_;
  std::unordered_map<RecordId, std::uint64_t> creations_;
  std::multimap<RecordId, std::uint64_t> followers_;
  std::multimap<RecordId, std::uint64_t> decisions_;
};

/// The operations of a kept transaction. kCorrupt, kProtocol: its frame cannot be read.
Result<std::vector<Operation>> operations_of(const Schema& schema, const KeptOperation& kept);

/// Whether an operation alone would make its record whole.
bool makes_whole(const Schema& schema, const Operation& operation);

/// The record that an operation makes a part of; nothing where it makes none. What is decided about
/// a whistle is no part in this sense: it waits for that, whoever sends it.
std::optional<RecordId> whole_of(const Schema& schema, const Operation& operation);

/// The whistle that an operation decides about; nothing where it is no action.
std::optional<RecordId> whistle_of(const Operation& operation);

}  // namespace gridwhistle
