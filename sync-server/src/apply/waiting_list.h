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
/// has not arrived, parts of what another device made and has not brought, and what follows a
/// creation that is kept itself: edits of it, and its parts.
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

  /// The record that has to arrive before a kept transaction is taken up; nothing where it waits
  /// for something else.
  std::optional<RecordKey> awaited_by(std::uint64_t number) const;
  /// Kept transactions that wait for a record to arrive, oldest first.
  std::vector<std::uint64_t> awaiting(RecordId record) const;
  /// How many of a device's transactions wait for a record to arrive.
  std::size_t awaiting_of(DeviceId device) const;

 private:
  struct Entry {
    OutcomeStatus why = OutcomeStatus::kSealed;
    DeviceId device;
    std::vector<RecordId> makes;
    std::optional<RecordId> follows;
    std::optional<RecordKey> awaits;
  };

  std::map<std::uint64_t, Entry> entries_;
  std::unordered_map<RecordId, std::uint64_t> creations_;
  std::multimap<RecordId, std::uint64_t> followers_;
  std::multimap<RecordId, std::uint64_t> awaiting_;
};

/// The operations of a kept transaction. kCorrupt, kProtocol: its frame cannot be read.
Result<std::vector<Operation>> operations_of(const Schema& schema, const KeptOperation& kept);

/// Whether an operation alone would make its record whole.
bool makes_whole(const Schema& schema, const Operation& operation);

/// The record that an operation makes a part of; nothing where it makes none. What is decided about
/// a whistle is no part in this sense: it waits for that, whoever sends it.
std::optional<RecordId> whole_of(const Schema& schema, const Operation& operation);

/// The record that has to be there before an operation is judged: the whistle that it decides
/// about, or what another device made and this makes a part of. Whether its author may write there
/// only that record says; one that made it itself brings it first. Nothing for any other.
std::optional<RecordKey> awaited_by(const Schema& schema, const Operation& operation);

}  // namespace gridwhistle
