#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/media_files.h"
#include "county/connection.h"
#include "county/operator.h"
#include "county/quotas.h"
#include "county/retention.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/status.h"
#include "model/schema.h"

namespace gridwhistle {

namespace v1 {
class MediaHello;
}
class Storage;

struct CountyOptions {
  /// SHA-256 of the server's public key (SPKI), 32 bytes: what devices sign over.
  std::string server_key_sha256;
  /// That key (SPKI in DER), told to phones so that they can seal bundles for it; empty: not told.
  std::string server_public_key;
  /// Whether phones may call: then this opening is a start of the server, an epoch of its own. A
  /// command on a stopped server is none: no phone hears of its log before the next start.
  bool serves = true;
  /// A phone that speaks an older version of the protocol may bring what it recorded. It is given
  /// nothing but the answer to that, and told to update.
  std::uint32_t protocol_min = 1;
  /// Operations applied in one commit, at most.
  std::size_t commit_operations = 2048;
  /// How large a cut is to begin with, before it is compressed; 0: as the limits say.
  std::size_t cut_bytes = 0;
  /// So many of the last backups may be restored without losing anything: phones keep what the
  /// oldest of them lacks. At least 1.
  std::size_t restorable_backups = 20;
  /// What is committed is safe at once, backup or not: the operator's word that the storage is
  /// replicated.
  bool replicated = false;
  /// A device not heard of for so long counts as silent.
  std::int64_t silent_after_ms = std::int64_t{3} * 24 * 3600 * 1000;
  /// So long phones are told of what was erased or has left their scopes. Then one that has not
  /// heard of it compares all that it holds.
  std::int64_t tombstones_kept_ms = std::int64_t{180} * 24 * 3600 * 1000;
  /// What a phone may send; what is more waits on it, and it is told for how long.
  QuotaLimits quotas = {};
};

/// How far the restorable backups reach, as storage notes it: numbers, the oldest first, with a
/// space between. For whoever reads a file that nobody opens.
inline constexpr std::string_view kBackupsFact = "backups";

/// The same of backups that were begun and, for all that storage knows, may be in their places: the
/// process ended, or its disk failed, before they were noted.
inline constexpr std::string_view kBackupsBegunFact = "backups_begun";

/// Up to where every backup reaches that the county may be restored to, the newest `restorable` of
/// those there are. `backups` and `begun` are sorted; nothing where no backup is noted.
Seq reach_of_every_backup(const std::deque<Seq>& backups, const std::deque<Seq>& begun,
                          std::size_t restorable);

/// A list of places as those facts keep it; nothing of one that is no list of numbers, sorted.
std::optional<std::deque<Seq>> places_in(std::string_view noted);

/// When `pump` wants to be called again.
struct PumpResult {
  bool more = false;  ///< at once: there was more than one commit holds
  /// Else after so long at the latest; what events bring is beside this.
  std::int64_t wake_after_ms = 60'000;
};

/// A county: its log, the calls of its phones, and what operators do to it. The simulator and the
/// real server both use exactly this.
///
/// One thread at a time. Does no I/O but through its storage, and takes time and randomness from
/// the doors it is given. Frames are queued by `on_frame` and dealt with by `pump`, each call in
/// its turn: one commit for everything that waits, then acknowledgements, then rows.
///
/// On one call every acknowledgement of an operation with seq s is sent before any cut made at s or
/// later, also when the operation was applied in an earlier call whose acknowledgement was lost.
/// Nothing is acknowledged before its commit is durable. When storage fails (kDiskFull, kIo) the
/// calls concerned are refused with kBusy, nothing of them is applied, and the next pump tries
/// again with whatever comes. `storage_health` tells of it, until the storage works again.
///
/// The functions for operators commit by themselves and return after the commit is durable. Their
/// `by` names who asks, for the audit. Errors of all that write: those of storage.
class County {
 public:
  /// Opens a county and, when it serves, durably notes this start and applies what waited for a
  /// build that knows it. `schema`, `clock`, `random` outlive it.
  ///
  /// Errors: those of storage.
  static Result<std::unique_ptr<County>> open(std::unique_ptr<Storage> storage,
                                              const Schema& schema, Clock& clock, Random& random,
                                              CountyOptions options);
  ~County();
  County(const County&) = delete;
  County& operator=(const County&) = delete;

  /// "440811".
  const std::string& name() const;

  // What phones do.

  /// `sink` lives until `on_closed`, or until the county closed it.
  void on_open(ConnectionId connection, Sink& sink);
  void on_frame(ConnectionId connection, std::string frame);
  /// The phone sends nothing more.
  void on_half_close(ConnectionId connection);
  /// The call is gone. Frames of it that wait are still applied: they came whole.
  void on_closed(ConnectionId connection);

  /// A serialized `v1::EnrolRequest` to a serialized `v1::EnrolReply`; refusals are in the reply.
  /// Durable when it returns.
  std::string enrol(std::string_view request);

  /// Takes what a phone had unsent and somebody carried here: a part of its bundle, opened. May be
  /// brought twice. The phone hears of it in its next call; one that is open begins anew.
  ///
  /// Errors: kProtocol, kTooLarge, kInvalid (it is malformed), kNotEnrolled, kBadSignature,
  /// kDeviceLost, kUnsupported, kConflict (an earlier part is missing, or the server was restored
  /// since the phone's last call), kForked; nothing of the part is taken then.
  Result<BundleReport> import_bundle(std::string_view part, std::string_view by);

  /// Deals with what waits.
  PumpResult pump();

  // What the records say of attachments' bytes, which lie elsewhere.

  /// The short code of the phone that calls, durably noted. Errors: kNotEnrolled, kDeviceLost,
  /// kBadSignature, kForked, and those of storage.
  Result<std::string> greet_media(const v1::MediaHello& hello);
  /// Whether the phone's worker wrote a record that names the file. kNotFound.
  Result<void> may_bring(DeviceId device, const MediaFile& file) const;
  /// Whether the phone sees a record that names the file and says that it has arrived. kNotFound;
  /// kUnavailable: it sees one, and the bytes have not arrived; kForbidden: it reads nothing.
  Result<void> may_fetch(DeviceId device, std::string_view sha256) const;
  /// The phone has brought the file, or shown that it has it: every record that its worker wrote
  /// and that names it says so, durably. Somebody else's record does not: who only knows the name
  /// of a file shall not come to its bytes. Gives the log's end.
  Result<Seq> media_brought(DeviceId device, const MediaFile& file);

  // What whoever keeps the bytes asks.

  /// Every file that a record says has arrived, each once.
  Result<std::vector<MediaFile>> stored_media() const;
  /// These files are not there, whatever the records say: they say so from now on, and the phones
  /// that have them bring them again.
  Result<void> media_lost(const std::vector<std::string>& sha256s);
  /// Those of these files that no record names.
  Result<std::vector<std::string>> unnamed_media(const std::vector<std::string>& sha256s) const;
  /// Files of what was forgotten, and of what was named or brought for it afterwards, that no record
  /// names, until somebody says that no copy of them is left. Stands in the log with the forgetting,
  /// so that a kill in between loses none.
  Result<std::vector<std::string>> media_to_purge() const;
  Result<void> media_purged();

  /// Calls `tell` for each refusal that ends a call of a phone it knows: a frame that cannot be
  /// read, a fork. For the log; says nothing of what came.
  void on_refused_call(std::function<void(std::string_view short_code, ErrorCode)> tell);

  /// Bytes of frames that wait; whoever feeds the county pauses calls on it.
  std::size_t queued_bytes() const;

  // What operators do to records.

  /// A new id for a record that the server makes. Never given twice, in no start and no restore.
  RecordId mint_id();

  Result<std::optional<StoredRow>> get(KindId kind, RecordId id) const;
  /// The record of a kind whose indexed text field has this value; erased ones are not found.
  /// kConflict: several have it, and nobody is to guess which is meant.
  Result<std::optional<StoredRow>> find(KindId kind, std::uint32_t field,
                                        std::string_view text) const;
  /// All records of a kind that are not erased, in the order of their id.
  Result<std::vector<StoredRow>> all(KindId kind) const;

  /// Writes records as the server, all or none; what is equal already is left alone. Grants, areas
  /// and routing follow in the same commit: what waits in the 无头事项 queue goes where the rules
  /// now lead. With `dry_run` nothing is written.
  ///
  /// Errors: kInvalid, kTooLarge (a record breaks its kind's rules; the message says which one).
  Result<ImportReport> import_records(const std::vector<ImportedRecord>& records,
                                      std::string_view by, bool dry_run = false);

  /// Creates or changes one record as the server: a report from the hotline, a task, a notice.
  /// A Whistle made here goes its road like any other. `set` is a message of the kind.
  ///
  /// Errors: kInvalid, kTooLarge, kNotFound (no such kind).
  Result<RecordId> write(KindId kind, RecordId id, std::string_view set,
                         const std::vector<std::uint32_t>& clear, std::string_view by);

  // Grids.

  /// Splits or merges grids: lineage, roles and where new reports go change at once; what lies in
  /// the old grids follows in small commits of `pump`, or at once where no phones are served. Ids,
  /// history and whatever is open stay as they are. With `dry_run` nothing is written. Asked for
  /// again, it does nothing twice.
  ///
  /// Errors: kNotFound (no such grid), kInvalid (a grid named twice, without a boundary, `rest` not
  /// among `to`, a worker without a role there), kConflict (a grid that is no more).
  Result<RedrawReport> redraw_grids(const RedrawRequest& request, std::string_view by,
                                    bool dry_run = false);

  /// Gives one worker's roles in these grids, none named: in all grids, to another, with the open
  /// tasks and care plans there that are given to the first by name.
  ///
  /// Errors: kNotFound (no such worker), kInvalid (the same worker; no such role), kConflict (the
  /// other one has left).
  Result<HandoverReport> hand_over(RecordId from, RecordId to,
                                   const std::vector<std::string>& grids, std::string_view by);

  /// The kind of the record with this id, whichever it is; erased ones are found too. Errors:
  /// kNotFound, kForgotten.
  Result<RecordKey> locate(RecordId id) const;

  /// Deletes records for good, with all that belongs to them, and whatever quotes them: receipts,
  /// values that lost, kept work. Beats every edit, in flight or later. Phones are told by the
  /// feed; the audit has the ids and no value. `note` is asked before the commit, with what goes:
  /// so that a journal never lacks what is gone. With `dry_run` nothing is written, and nobody
  /// asked. The file is read whole to wipe its bytes, unless `wiping` leaves that to `wipe_some`.
  ///
  /// Errors: kForbidden (reference data, and receipts), those of `note`.
  using NoteForgotten = std::function<Result<void>(const std::vector<RecordKey>&)>;
  enum class Wiping : std::uint8_t { kAtOnce, kLater };
  Result<ForgetReport> forget(const std::vector<RecordKey>& keys, std::string_view by, bool dry_run,
                              const NoteForgotten& note, Wiping wiping = Wiping::kAtOnce);
  /// Wipes a part of the file, where bytes of what was forgotten may still stand in it: left for
  /// later, cut short by a crash, or held by somebody who read the file. Costs nothing where none
  /// may; to be called every second or so. Errors: kLocked, and those of the file.
  Result<void> wipe_some();
  /// Forgets again what an older copy of the county holds of what was forgotten, whether it knows
  /// it or not. Phones see that this log parted from the one they knew. How many records it took,
  /// those that it had never heard of included; none and no write where all are forgotten already.
  Result<std::size_t> forget_again(const std::vector<RecordKey>& keys);

  /// The records that the county may not keep any longer; to be forgotten.
  Result<std::vector<RecordKey>> due(const RetentionPeriods& periods) const;
  /// Those of them that are due now, too. Looks at no other record.
  Result<std::vector<RecordKey>> still_due(const RetentionPeriods& periods,
                                           const std::vector<RecordKey>& keys) const;

  /// Takes some of the tombstones and exits that every active phone has passed, or whose time is
  /// over. To be called every day, again while there is more; open calls of phones that have not
  /// passed what goes are asked to begin anew.
  Result<SweepReport> sweep();

  // Devices.

  /// Errors: kNotFound (no such worker, or one who left).
  Result<IssuedCode> create_code(RecordId worker, std::string_view by);
  /// `how` is kLeft or kLost. Errors: kNotFound.
  Result<void> revoke(DeviceId device, DeviceState how, std::string_view by);
  /// Ends the open calls of workers whose time in a role, or at all, has run out since they began.
  /// To be called every minute or so.
  Result<void> end_what_ran_out();
  Result<std::vector<DeviceInfo>> devices() const;
  /// The phones that were turned away as FORKED since the county was opened, with the last time.
  const std::map<DeviceId, std::int64_t>& forks() const;
  /// Whether a device was not heard of for too long.
  bool is_silent(const DeviceInfo& device) const;

  // Whistles.

  /// 无头事项: whistles for which no rule found an organisation, oldest first.
  Result<std::vector<WhistleSummary>> headless() const;
  /// What an organisation owns or is called to, and is not over; most urgent first.
  Result<std::vector<InboxItem>> inbox(RecordId organisation) const;
  /// Errors: kNotFound.
  Result<Explanation> explain(RecordId whistle) const;
  /// An action of staff, judged like one from a phone. A refused one is in the result.
  ///
  /// Errors: kNotFound (no such whistle or worker), kInvalid.
  Result<ActionResult> act(const StaffAction& action, std::string_view by);
  /// Calls organisations to a whistle in the 无头事项 queue, as the county's centre; `by` stands in
  /// the note. Takes the steps that lead there, or with a refusal none of them.
  ///
  /// Errors: kNotFound, kConflict (not in that queue).
  Result<ActionResult> assign_headless(RecordId whistle, RecordId lead,
                                       const std::vector<RecordId>& co_departments,
                                       std::string_view by);

  // Review.

  Result<ReviewList> review() const;
  /// Takes what came back with this change off the list. Errors: kNotFound (nothing on it has this
  /// number).
  Result<void> close_flagged(std::uint64_t number, std::string_view by);
  /// What kept work says, a line of JSON an operation: kind, id, type, the scope its author saw,
  /// the fields it sets, removes and clears. Masked as `export_json` is, and noted like it. Errors:
  /// kNotFound.
  Result<void> show_kept(std::uint64_t number, std::string_view purpose, std::string_view by,
                         const std::function<Result<void>(std::string_view)>& line);
  /// Applies a sealed operation in its author's name. Errors: kNotFound.
  Result<OutcomeStatus> accept_sealed(std::uint64_t number, std::string_view by);
  /// Tells its author that it is not taken, and why. Errors: kNotFound.
  Result<void> return_sealed(std::uint64_t number, std::string_view reason, std::string_view by);

  // The county as a whole.

  Result<CountyStatus> status() const;
  /// Without I/O, so that it answers whatever the disk does.
  StorageHealth storage_health() const;
  /// The file itself, and when that is sound: the audit's chain, every record's digest, memberships
  /// against records, references, lanes without gaps.
  Result<VerifyReport> verify() const;
  /// Every record as a line of JSON, a kind after the other. Without a purpose, or with a blank
  /// one, personal fields are masked; with one the export is noted in the audit. Stops at the first
  /// error of `line`.
  Result<void> export_json(std::string_view purpose, std::string_view by,
                           const std::function<Result<void>(std::string_view)>& line);
  /// Copies the county into a new file, opens and checks the copy, lets `put_in_place` do what
  /// else makes it a backup, and only then moves the watermarks: phones may forget what the oldest
  /// of the restorable backups has, and pass to another worker with what this one has. After an
  /// error what there is of the file is for the caller to remove.
  /// Errors: kAlreadyExists, kCorrupt, those of files and of `put_in_place`.
  Result<Seq> backup(
      const std::string& path, std::string_view by,
      const std::function<Result<void>()>& put_in_place = [] { return Result<void>(); });

 private:
  struct Impl;
  explicit County(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gridwhistle
