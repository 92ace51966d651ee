#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/operation.h"
#include "model/schema.h"

// The merge: what a server makes of an operation and what it knows of the record. Pure. The laws
// stand in docs/merge-laws.md and are tested under the same names.
namespace gridwhistle {

/// Who wrote something last, and when. Of a field, or of every field that says nothing else.
struct Stamp {
  Seq seq;          ///< of the write
  DeviceId writer;  ///< 0: the server
  DevSeq dev_seq;   ///< of that write
  Hlc hlc;          ///< of that write, clamped
  /// The feed shows the field to cursors below this. Usually `seq`; later when a write lost to it,
  /// so that the loser learns the value.
  Seq feed_seq;
  /// The writer's own file has exactly this value by its acknowledgement, so the feed leaves it out
  /// for that device. False after anything the writer did not write itself.
  bool known_to_writer = true;

  bool operator==(const Stamp&) const = default;
};

/// A stamp that differs from the record's common one. Of a group, the lowest number stands for all.
struct FieldStamp {
  std::uint32_t number = 0;
  Stamp stamp;
  /// Concurrent writes of the very same value. They lost nothing, until the value is written over
  /// by somebody who had not seen them.
  std::vector<Stamp> agreed{};
  bool operator==(const FieldStamp&) const = default;
};

/// One element of a SET or APPEND field and who added it; or, `removed`, that a device removed its
/// own addition before that addition arrived from another lane.
struct ElementStamp {
  std::uint32_t number = 0;
  std::string entry;  ///< tag and value
  Seq seq;
  DeviceId writer;
  DevSeq dev_seq;
  Hlc hlc;
  bool removed = false;
  bool operator==(const ElementStamp&) const = default;
};

/// What the server knows of one record.
struct RecordState {
  bool exists = false;     ///< false: never heard of, or its tombstone is gone
  bool erased = false;     ///< a tombstone; `body` is what it was
  bool forgotten = false;  ///< a tombstone for ever, and without content (model/forget.h)
  std::string body;        ///< canonical
  Seq created;
  Seq last_seq;                        ///< of its last change, whichever field
  Hlc hlc;                             ///< the highest of all its writes
  Stamp common;                        ///< of all fields that have no stamp of their own
  std::vector<FieldStamp> fields;      ///< by number, ascending
  std::vector<ElementStamp> elements;  ///< of SET and APPEND fields
  Stamp erasure;                       ///< of the erase, when erased
  /// The last write, and the last by anybody but its writer: an erasure asks whether somebody else
  /// wrote since, and a write that lost or was written over counts like any other.
  DeviceId last_writer;
  Seq last_write;
  Seq last_write_by_others;

  bool operator==(const RecordState&) const = default;
};

/// The stamps as bytes for storage: everything of a state but `body`.
std::string encode_stamps(const RecordState& state);
/// Into a state whose body is set already. kCorrupt when the bytes are not such.
Result<RecordState> decode_stamps(std::string_view bytes, std::string body);

/// A value that lost, for the audit and for its author's notice.
struct Loser {
  DeviceId writer;  ///< who wrote what lost
  DevSeq dev_seq;
  Seq seq;  ///< of the losing write, where it had been applied before; else of the operation
  Hlc hlc;
  std::string set;                   ///< the values that lost, canonical
  std::vector<std::uint32_t> clear;  ///< fields whose emptying lost
  bool by_erasure = false;           ///< it is an erasure that lost, or lost to one
};

/// What an operation did to a record.
struct Merged {
  OutcomeStatus status = OutcomeStatus::kAccepted;
  ErrorCode code{};      ///< of a refusal
  std::string message;   ///< of a refusal: which field, which rule
  RecordState next;      ///< unchanged when nothing was applied
  bool changed = false;  ///< `next` differs
  std::vector<Loser> losers;
};

/// Applies `operation` of `device` (0: the server) to `state` as change number `seq`.
///
/// - A field, or group, that nobody else wrote after `operation.base_seq` takes the value; writes
///   of the same device count as seen, but for those that `operation.own_since` says were out of
///   sight: they are written over too, and the author told. A value delivered while a write of the
///   same device that lost to it still hid it is written over too, and its author told. An older
///   write of the same device that arrives late is skipped.
/// - Otherwise the two are concurrent and the field's policy decides: LWW by (hlc, device) where
/// the
///   operation's clock is clamped to `receipt_ms`; a SET takes the additions, and removes only what
///   stood at `base_seq` or came from the same device earlier; APPEND keeps all, ordered by
///   (hlc, device, dev_seq); IMMUTABLE and SERVER fields are refused from devices.
/// - An IMMUTABLE field may be written by operations that create; or by the server.
/// - Erasing a record that somebody else changed after `base_seq` erases nothing (kRevived);
///   editing a record that somebody erased after `base_seq` brings it back whole (kRevived). An
///   erasure whose author saw everything erases.
/// - A put on a record that does not exist creates it if `operation.creates` or the device is the
///   server; else the result is kGone and the values are a loser.
/// - What was forgotten stays so, whoever writes: kGone, and nothing of the write is a loser.
/// - A losing value appears in `losers` exactly once; a value equal to the winner's loses nothing.
///
/// Preconditions: set and remove are canonical; seq is above state.last_seq.
Merged merge(const KindSchema& kind, const RecordState& state, const Operation& operation,
             DeviceId device, Seq seq, std::int64_t receipt_ms);

/// The devices whose stamps a state holds, each once; the server is none.
std::vector<DeviceId> writers_of(const RecordState& state);

/// What one device wrote up to `upto` becomes another's own, whose file has all of it. Nothing
/// without a first.
void take_over(RecordState& state, DeviceId predecessor, DevSeq upto, DeviceId successor);

/// What no device may write, whatever the record's state: a kind or field of the server, an erasure
/// of what is never erased, a value that `check_values` refuses, the emptying of a log, of a
/// required or an immutable field, a removal from what is not a set. A phone asks before it
/// records, the merge asks again. kForbidden, kInvalid.
Result<void> check_device_write(const KindSchema& kind, const Operation& operation);

/// Whether a device may erase records of this kind. kForbidden.
Result<void> check_erasure(const KindSchema& kind);

/// Whether a whole record has what its kind requires. kInvalid; the message names the field.
Result<void> check_required(const KindSchema& kind, std::string_view body);

/// The part of a record that a device at `cursor` does not have. Of an erased record it is the
/// erasure: `empty` says whether the device knows.
struct RowDelta {
  bool empty = false;  ///< nothing new for this device
  bool whole = false;  ///< it is all there is: `set` may replace what the device has
  std::string set;     ///< whole fields
  std::vector<std::uint32_t> clear;
};

/// What is new in `state` for `device` whose file has read up to `cursor` and holds all own writes
/// above `own_since`. For a row that entered the device's scopes after `cursor`, ask with cursor 0
/// and device 0: everything.
RowDelta delta_since(const KindSchema& kind, const RecordState& state, Seq cursor, DeviceId device,
                     DevSeq own_since);

}  // namespace gridwhistle
