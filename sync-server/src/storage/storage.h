#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/line.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/schema.h"
#include "storage/rows.h"
#include "storage/scopes.h"

namespace gridwhistle {

/// A value to find records by; text is also for fields of bytes.
using LookupValue = std::variant<std::int64_t, std::string_view, RecordId>;

/// A county's data. The only door to its disk; knows no rule beyond who sees what.
///
/// One thread at a time, one process. Writes belong to a batch: between `begin` and `commit` reads
/// see them, after `rollback` they never were. Reads outside a batch see the last commit.
///
/// Errors: kDiskFull, kIo, kCorrupt, kReadOnly. After an error in a batch only `rollback` is valid.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual const std::string& county() const = 0;

  virtual Result<void> begin() = 0;
  /// Begins a batch whose commit does not wait for the disk: a power cut may undo it, and with it
  /// those of its kind since the last that did wait.
  virtual Result<void> begin_unsynced() = 0;
  /// Returns when the batch would survive a power cut. After an error nothing of it is there.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;

  // The log.

  /// Of everything written, the open batch included.
  virtual Seq last_seq() const = 0;
  virtual void set_last_seq(Seq seq) = 0;

  /// Small facts by name; empty when there is none.
  virtual Result<std::string> fact(std::string_view name) = 0;
  virtual Result<void> set_fact(std::string_view name, std::string_view value) = 0;

  // Records.

  /// Null when there is none.
  virtual Result<std::shared_ptr<const StoredRecord>> record(const RecordKey& key) = 0;
  /// Replaces the row and, from `before` (as they are stored), its memberships. `new_parent` is the
  /// record it follows from now on, nil when that is none or as it was.
  virtual Result<void> put_record(const KindSchema& kind, RecordId id, StoredRecord next,
                                  const std::vector<Membership>& before, RecordId new_parent) = 0;
  /// Records that follow this one, or once did, whichever kind.
  virtual Result<std::vector<RecordKey>> children(RecordId parent) = 0;
  /// Not erased, whose indexed field has this value, in the order of their id.
  virtual Result<std::vector<RecordId>> find(const KindSchema& kind, std::uint32_t field,
                                             const LookupValue& value) = 0;
  /// At most `limit` erased records of a kind, forgotten ones not, whose last change lies behind
  /// `after` and not behind `upto`, in that order.
  virtual Result<std::vector<Tombstone>> tombstones(KindId kind, const Tombstone& after, Seq upto,
                                                    std::size_t limit) = 0;
  /// Takes a record with its memberships and all that lists it, or lists others, as a part;
  /// `parent` is what it follows, nil when that is nothing. That it is gone stays noted.
  virtual Result<void> remove_record(const RecordKey& key, const StoredRecord& stored,
                                     RecordId parent) = 0;
  /// Notes that there is no such record any more, nor ever will be. `erased_ms`: since when.
  virtual Result<void> note_gone(const RecordKey& key, std::int64_t erased_ms) = 0;
  /// Whether that is noted of a record. Says nothing of one that is there.
  virtual Result<bool> is_gone(const RecordKey& key) = 0;
  /// All of a kind of which that is noted, with when they were erased, in the order of their id.
  virtual Result<void> scan_gone(
      KindId kind, const std::function<Result<void>(RecordId, std::int64_t erased_ms)>& each) = 0;
  /// All of a kind in the order of their id, erased ones too. Stops at the first error of `each`.
  virtual Result<void> scan(KindId kind,
                            const std::function<Result<void>(RecordId, StoredRecord)>& each) = 0;
  /// Whether each stored record of a kind is, byte by byte, what was written, and found by what it
  /// says. Stops at the first error of `each`.
  virtual Result<void> scan_digests(
      KindId kind, const std::function<Result<void>(RecordId, bool as_written)>& each) = 0;
  /// Not erased.
  virtual Result<std::uint64_t> count(KindId kind) = 0;

  // Scopes and the feed.

  /// Makes the number when the scope is new.
  virtual Result<ScopeNo> scope_no(std::string_view leaf) = 0;
  virtual const std::string& scope_name(ScopeNo scope) const = 0;
  /// The last line of a scope's feed, without touching the disk.
  virtual Seq scope_last(ScopeNo scope) const = 0;
  /// Every known leaf scope that a grant reaches.
  virtual std::vector<ScopeNo> leaves_of(const ScopeGrant& grant) const = 0;
  /// Grows with each new leaf scope.
  virtual std::size_t scope_count() const = 0;
  /// At most `limit` lines of a scope's feed after `after`, in order; of these kinds alone, if any
  /// are given.
  virtual Result<std::vector<FeedEntry>> feed(ScopeNo scope, Seq after, std::size_t limit,
                                              std::span<const KindId> kinds = {}) = 0;

  /// Some `limit` lines, of all scopes' feeds, that say that a record has left, behind `after` and
  /// not behind `upto`, in order; all lines of a place in the log or none.
  virtual Result<std::vector<FeedEntry>> exits(Seq after, Seq upto, std::size_t limit) = 0;

  // Lanes.

  virtual Result<LaneRow> lane(DeviceId device, Lane lane) = 0;
  virtual Result<void> put_lane(DeviceId device, Lane lane, const LaneRow& row) = 0;
  /// Those that hold any operation from `first` to `last`, in order.
  virtual Result<std::vector<LaneChunk>> chunks(DeviceId device, Lane lane, LaneSeq first,
                                                LaneSeq last) = 0;
  virtual Result<void> add_chunk(DeviceId device, Lane lane, const LaneChunk& chunk) = 0;
  virtual Result<void> drop_chunk(DeviceId device, Lane lane, LaneSeq first) = 0;

  // Devices, workers' grants, codes.

  virtual Result<std::optional<DeviceRow>> device(DeviceId device) = 0;
  virtual Result<void> put_device(const DeviceRow& row) = 0;
  virtual Result<std::vector<DeviceRow>> devices() = 0;
  /// Whom a device was enrolled for, first to last; nothing where that has been its worker all
  /// along.
  virtual Result<std::vector<HolderRow>> holders(DeviceId device) = 0;
  virtual Result<void> add_holder(DeviceId device, const HolderRow& row) = 0;
  virtual Result<std::vector<GrantRow>> grants(RecordId worker) = 0;
  virtual Result<void> put_grants(RecordId worker, const std::vector<GrantRow>& rows) = 0;
  virtual Result<std::optional<CodeRow>> code(std::string_view lookup) = 0;
  virtual Result<void> put_code(const CodeRow& row) = 0;

  // The county's own books.

  /// Newest first.
  virtual Result<std::vector<EpochRow>> epochs() = 0;
  virtual Result<void> add_epoch(const EpochRow& row) = 0;
  /// Oldest first.
  virtual Result<std::vector<LogMark>> log_marks() = 0;
  virtual Result<void> add_log_mark(const LogMark& mark) = 0;
  virtual Result<void> drop_log_marks_before(std::int64_t at_ms) = 0;
  virtual Result<std::optional<AuditRow>> last_audit() = 0;
  virtual Result<void> add_audit(const AuditRow& row) = 0;
  /// Takes an entry's content and salt; its place in the chain stays.
  virtual Result<void> forget_audit(std::uint64_t number) = 0;
  /// In order.
  virtual Result<void> scan_audit(const std::function<Result<void>(const AuditRow&)>& each) = 0;
  virtual Result<void> add_lost_value(const LostValue& value) = 0;
  virtual Result<std::vector<LostValue>> lost_values(const RecordKey& key) = 0;
  virtual Result<void> drop_lost_values(const RecordKey& key) = 0;
  /// Every value that an erasure's revival brought back, in order.
  virtual Result<std::vector<LostValue>> revivals() = 0;
  /// Gives it its number.
  virtual Result<std::uint64_t> keep_operation(const KeptOperation& operation) = 0;
  virtual Result<std::optional<KeptOperation>> kept_operation(std::uint64_t number) = 0;
  virtual Result<std::vector<KeptOperation>> waiting_operations(OutcomeStatus why) = 0;
  virtual Result<void> set_kept_state(std::uint64_t number, KeptState state) = 0;
  /// Everything that was ever kept, dealt with or not, in order.
  virtual Result<std::vector<KeptOperation>> kept_operations() = 0;
  virtual Result<void> set_kept_frame(std::uint64_t number, std::string_view frame) = 0;

  /// Memberships as stored, for `verify`: every line of every scope's feed.
  virtual Result<void> scan_feed(
      const std::function<Result<void>(ScopeNo, const FeedEntry&)>& each) = 0;

  /// What is wrong with the file below what it holds, for `verify`; empty is well.
  virtual Result<std::vector<std::string>> damage() = 0;
  /// Books that have not as many rows as were written: devices, grants, epochs, values that lost,
  /// kept work. For `verify`; empty is well.
  virtual Result<std::vector<Line>> short_books() = 0;

  /// Sees to it that nothing that commits have removed stands in the file or beside it any more.
  /// Looks at the file from this byte on, at so many or a few more, and gives the byte to go on
  /// from; 0: the end is reached, and gone is what was removed before the call that began at 0. Not
  /// within a batch. kLocked: somebody reads the file; what was removed stays beside it until then.
  virtual Result<std::uint64_t> wipe(std::uint64_t from, std::uint64_t bytes) = 0;
  /// The part of that which costs little: what the log of commits still holds.
  virtual Result<void> cut_log() = 0;

  /// Copies everything, as of the last commit, into a new file that has this fact besides, and
  /// opens and checks the copy.
  virtual Result<void> back_up(const std::string& path, std::string_view fact,
                               std::string_view value) = 0;
};

}  // namespace gridwhistle
