#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/query.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/digest.h"
#include "model/operation.h"
#include "model/schema.h"
#include "store/change.h"
#include "store/sync_state.h"
#include "wire/frames.h"

namespace gridwhistle::store {

struct StoreState;

struct StoreOptions {
  std::string path;
  const Schema* schema = nullptr;  ///< outlives the store
  Clock* clock = nullptr;          ///< outlives the store
  Random* random = nullptr;        ///< outlives the store
  /// Where watches run their queries and callbacks: the strand the store is used on. Null: `watch`
  /// is refused.
  Executor* executor = nullptr;
  /// Nothing is written, no lock taken: a second store beside the one that writes, or a file on a
  /// read-only disk. It reads masked only, because reads of personal data are logged in the file.
  bool read_only = false;
  /// A registered SQLite VFS; empty: the system's. For tests.
  std::string vfs;
};

/// A query that is asked again until the handle, or the store, goes. Let go of it on the strand.
class WatchHandle {
 public:
  WatchHandle() = default;
  explicit WatchHandle(std::shared_ptr<void> token) : token_(std::move(token)) {}
  explicit operator bool() const { return token_ != nullptr; }

 private:
  std::shared_ptr<void> token_;
};

/// The phone's file. What one sees is *base ⊕ pending*: what the feed delivered and the server
/// acknowledged, and over it this device's operations that wait for their acknowledgement.
///
/// One strand uses a store; nothing is locked inside. Every write is one SQLite transaction that
/// would survive a power cut when the function returns (docs/decisions/0003).
///
/// Errors of every function: kDiskFull (nothing was written; free space and call again), kReadOnly,
/// kIo, kCorrupt, kLocked (another process writes; only where the operating system's lock failed to
/// say so at `open`), kInternal. Others stand beside the functions. A failed write has changed
/// nothing, neither in the file nor in the store.
class Store {
 public:
  /// Opens the file, or makes it with a new device id. A file of an older schema is brought up to
  /// date from itself; what a newer schema added is kept.
  ///
  /// kNotADatabase: the file is something else; it is left untouched. kNewerFile: a newer build
  /// wrote it in another form. kLocked: another process or store writes to it. kReadOnly: also for
  /// a read-only opening of a file that has to be brought up to date first.
  static Result<std::unique_ptr<Store>> open(StoreOptions options);

  /// Goes on from a damaged file: a new one in its place with all that only this phone has (what is
  /// unsent or not in a backup yet, refused work, drafts, the log of reads) as far as it can be
  /// read, and the damaged one beside it under another name. Records come again with the next sync.
  ///
  /// kLocked: somebody has the file open. kNotADatabase, kCorrupt: too much of it is damaged; it is
  /// left as it is. kNotFound, kDiskFull, kIo, kReadOnly.
  static Result<Salvaged> salvage(StoreOptions options);

  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const Schema& schema() const;
  DeviceId device() const;
  /// Which of the phone's keys this file's number is known by; see SecretStore.
  std::string key_name() const;

  // --- recording ----------------------------------------------------------------------------

  /// Records all changes, or none, as one transaction in the most urgent lane of their kinds, and
  /// gives their records' ids in the same order. A new Whistle without `number` gets one where the
  /// device is enrolled.
  ///
  /// kInvalid (a field breaks its rule, is IMMUTABLE and written already, or a required one is
  /// missing; the message names it), kForbidden (only the server writes the kind or field),
  /// kOutOfScope (no grant of this device covers the record's scope), kNotFound (an edit or erasure
  /// of a record that is not there), kEncryptionRequired (a CARE kind), kNoLocation (a track
  /// outside an open patrol of the worker's own), kTooLarge, kTooMany (limits.h).
  Result<std::vector<RecordId>> commit(const Changes& changes);

  /// A commit of one put.
  Result<RecordId> put(Change change);
  /// A commit of one erasure.
  Result<void> erase(KindId kind, const RecordId& id);

  /// An id of this device that nobody has had, for a record that others are to name. It may be put
  /// much later, after a restart too. Few calls cost a disk sync.
  Result<RecordId> new_id();

  // --- reading ------------------------------------------------------------------------------
  // Records are serialized messages of their kind, id included (field 1). Fields above PUBLIC are
  // masked unless a purpose is named. Every read of a kind with L2 or L3 fields stands in the
  // access log, with its purpose or without. In a read-only store a purpose is refused with
  // kReadOnly.

  /// kNotFound: no such record, erased, or gone with its scope.
  Result<FoundBytes> get(KindId kind, const RecordId& id, const Purpose& purpose = {});

  /// kInvalid: a field that is unknown or has no index, or a value that does not fit it; a near
  /// point that is none. An indexed field above PUBLIC needs a purpose: kPurposeRequired.
  Result<std::vector<FoundBytes>> query(KindId kind, const Query& query,
                                        const Purpose& purpose = {});

  /// How many records `query` finds without its limit. Personal fields as above; not logged.
  Result<std::uint64_t> count(KindId kind, const Query& query, const Purpose& purpose = {});

  /// Records whose searchable fields contain every word: first those with something unsent or
  /// refused, then this device's, then others', reference data last; newest first among equals.
  /// Kinds with searchable
  /// personal fields are searched in those fields only with a purpose. Finds what was committed a
  /// moment ago. kInvalid: no word, or an unknown kind.
  Result<std::vector<Hit>> search(const Search& search, const Purpose& purpose = {});

  /// Which grid a point lies in. kInvalid: no point on earth, or an accuracy below 0.
  Result<Location> locate(double latitude, double longitude, double accuracy_m);

  /// Asks the query soon, and again when a write has touched its kind; `changed` gets each result
  /// that differs from the one before. Writes close together come as one. Both run as tasks of the
  /// options' executor, never inside a call of the store. kConflict: no executor.
  Result<WatchHandle> watch(KindId kind, Query query, Purpose purpose,
                            std::function<void(Result<std::vector<FoundBytes>>)> changed);

  struct AccessLogEntry {
    std::uint64_t number = 0;
    std::int64_t at_ms = 0;  ///< by the device's wall clock
    RecordId worker;         ///< nil before the enrolment
    KindId kind;
    std::vector<RecordId> ids;  ///< all that one read gave
    std::string purpose;        ///< empty: read masked
  };
  /// Reads of personal data, newest first, before number `before`; 0: from the newest. A watch
  /// stands there with what it delivered; a worker's own Outcomes do not. The latest 100,000 reads
  /// are kept.
  Result<std::vector<AccessLogEntry>> access_log(std::uint64_t before, std::size_t limit);

  // --- drafts -------------------------------------------------------------------------------

  struct Draft {
    std::string name;
    KindId kind;
    std::string record;  ///< as saved; not checked
    std::int64_t saved_ms = 0;
  };
  /// Keeps an unfinished record under a name, replacing what is there. kTooLarge;
  /// kEncryptionRequired for a CARE kind.
  Result<void> save_draft(std::string_view name, KindId kind, std::string_view record);
  /// kNotFound.
  Result<Draft> draft(std::string_view name);
  /// All, the latest first.
  Result<std::vector<Draft>> drafts();
  /// Without effect when there is none.
  Result<void> drop_draft(std::string_view name);

  // --- attachments' bytes --------------------------------------------------------------------
  // The bytes lie in files of their own (base/media_files.h); here stands what becomes of them.

  /// The file is there, and a power cut would leave it. `own`: this phone may be the only one that
  /// has it.
  Result<void> note_media(const MediaFile& file, bool own);
  /// Nothing where this phone does not have it.
  Result<std::optional<MediaKept>> media(std::string_view sha256);
  /// Files that lie there and that nothing here speaks of: taken for own, and unsent.
  Result<void> adopt_media(const std::vector<MediaFile>& files);
  /// The next own file that the server lacks and that a record names; none while all of them wait
  /// for a time that the server named.
  Result<std::optional<MediaFile>> next_unsent_media();
  /// The server has it since `seq`.
  Result<void> media_stored(std::string_view sha256, Seq seq);
  /// Others go on. Nothing is tried with this one for so long. Of a file that the server knows no
  /// record of, and this phone neither, nothing is kept.
  Result<void> media_refused(std::string_view sha256, const Error& why,
                             std::uint32_t retry_after_ms);
  /// Own files that the server lacks.
  Result<std::vector<MediaKept>> unsent_media();
  /// Whether this file knows of any; and whether a record of its names this one.
  Result<bool> has_media();
  Result<bool> names_media(std::string_view sha256);
  /// Somebody looked at it: it is among the last to go.
  Result<void> note_media_used(std::string_view sha256);
  /// What need not be kept: what no record in this file names any more, and of what the server has
  /// safely, or had given, the longest unused beyond `cache_bytes`. What this phone alone may have
  /// stays. The caller removes the files, then says so.
  Result<std::vector<std::string>> spare_media(std::uint64_t cache_bytes);
  Result<void> media_gone(const std::vector<std::string>& sha256s);

  // --- a file that is a copy -----------------------------------------------------------------

  /// What to ask the server for. Asked again, it is the same successor.
  Result<Succession> plan_succession();
  /// Goes on as the successor that the server has registered. The reply says what it has of the
  /// operations that were asked about. All others get the new number; records that they made get
  /// new ids, and whistles new numbers. An old id still finds its record. Everything is read anew.
  Result<void> succeed(DeviceId successor, const v1::EnrolReply& reply);
  /// What to ask a server that was restored from before this file took its number, and so knows its
  /// predecessor alone: to take it as a successor again, under the same number. `back`: of how many
  /// numbers that the file had since the server must hear before; 0 for the file's own.
  ///
  /// Errors: kNotEnrolled when the file had no such numbers; those of SQLite.
  Result<Succession> plan_return(std::size_t back);
  /// The server did: goes back to where its log and this file's part. Nothing is renamed.
  Result<void> returned(const v1::EnrolReply& reply);

  // --- the outbox, for people ---------------------------------------------------------------

  Result<StoreStatus> status();
  /// Operations, and files of attachments, that the server does not have, or would not have again
  /// after a restore. While there are any the phone stays with its worker: they could only come in
  /// another's name.
  Result<std::uint64_t> not_safe_yet();

  /// Operations the server has not taken into their records, newest first. They stay until restored
  /// or dismissed.
  Result<std::vector<Refused>> refused();
  /// Commits what a refused operation held once more, on the record as it is now, or as a new
  /// record where it was refused with its creation; the refused one is then dismissed. Gives the
  /// record's id. kNotFound; kConflict: it holds nothing that can be written again (an erasure).
  /// `outcome` is settled by it.
  Result<RecordId> restore_refused(Lane lane, LaneSeq lane_seq,
                                   const std::optional<RecordId>& outcome = {});
  /// The worker has seen it. Without effect when there is none.
  Result<void> dismiss_refused(Lane lane, LaneSeq lane_seq);
  /// Commits the values that an Outcome record kept as lost once more, on the record as it is now,
  /// or as a new one where it is gone; the outcome is then settled, and asking again gives the same
  /// record. kNotFound; kConflict: it kept nothing.
  Result<RecordId> restore_outcome(const RecordId& outcome);
  /// The record that an outcome's values were written to again on this phone; none where they were
  /// not.
  Result<std::optional<RecordId>> restored_as(const RecordId& outcome);
  /// The worker has seen it, and it is settled; whether there is such a record is not asked.
  Result<void> dismiss_outcome(const RecordId& outcome);
  /// Restored or dismissed, on this phone.
  Result<std::set<RecordId>> settled_outcomes();
  /// Values that an outcome or a refused operation kept, as this reader may see them: masked where
  /// no purpose is named, logged where one is. `id` is their record's.
  Result<FoundBytes> lost_values(KindId kind, const RecordId& id, std::string_view values,
                                 const Purpose& purpose);

  // --- the session's side -------------------------------------------------------------------

  Result<SyncState> sync_state();
  /// Operations without acknowledgement.
  std::uint64_t unsent() const;

  /// The server's public key (SPKI in DER), as it told it; empty: not since the enrolment.
  Result<std::string> server_public_key();

  /// A number above every one given before, across restarts. Most calls cost no disk sync.
  Result<std::uint64_t> next_call_counter();

  /// Operations of a lane behind `after`, whole transactions, in order, of about `bytes_max` bytes,
  /// at least one transaction where there is any. Refused and acknowledged ones are among them as
  /// long as the file has them.
  Result<std::vector<Operation>> operations(Lane lane, LaneSeq after, std::size_t bytes_max);

  /// Handed to a call up to here; `sent` to people until the call ends. Not kept in the file.
  void note_sent(Lane lane, LaneSeq upto);
  /// The call ended: what has no acknowledgement is unsent again.
  void note_call_ended();

  /// A second time for another server key or address, or for another worker: then drafts and the
  /// list of refused changes go. kConflict: another county, once anything was recorded or the old
  /// one's server was heard; another worker, while something is without acknowledgement.
  Result<void> set_enrolment(const Enrolment& enrolment);

  /// What the server says when a call begins. New scopes are to be fetched from their beginning;
  /// rows that only lost scopes held go, with index and search entries, while operations on them
  /// stay and are still sent. An epoch list without the newest epoch this file knows is a restored
  /// server: cursor and acknowledgements go back to where the two part. `at` is when it arrived.
  /// kProtocol: another county's server.
  Result<void> welcome(const v1::Welcome& welcome, const ClockReading& at);

  // Acknowledgements and rows are taken without waiting for the disk: a power cut may undo the last
  // of them, and the server gives them again. It does so until this phone says that it has noted
  // them, or read so far; before it does, they are made durable.

  /// Returns when everything that was taken would survive a power cut. Costs nothing when it would
  /// already.
  Result<void> make_durable();

  /// What became of operations. Applied ones go into the base, refused ones leave the visible
  /// record; operations the backup has passed are forgotten. Repeating it changes nothing.
  /// kProtocol: acknowledgements that leave a gap, or of operations never recorded.
  Result<void> acknowledge(const v1::Acks& acks);

  /// Rows as of one moment, visible together; pending operations are laid over them again.
  Result<void> apply_cut(const CutDown& cut);

  /// Everything up to here has come, for every scope held.
  Result<void> caught_up(Seq seq);

  // Comparing what the file holds with what the server has for it; see model/digest.h. Reads every
  // record: some 5 microseconds each.

  /// Of what the server delivered, pending operations left out.
  Result<RangeDigests> digests();
  Result<std::vector<v1::RangeContents>> contents(const std::vector<std::uint32_t>& ranges);
  /// It was compared now, and put right.
  Result<void> note_compared();
  /// Whether the file believes that it has everything, and was not compared for a week, or since
  /// the server said that it is to be.
  Result<bool> compare_due();

  /// How the last call ended, across restarts: nothing where it went well.
  Result<void> note_line(const std::optional<Error>& error);
  const std::optional<Error>& line_error() const;

  /// The server asked to wait for so long from now on; 0: no longer.
  Result<void> note_wait(std::uint64_t wait_ms, const ClockReading& now);
  /// What is left of it: never more than was asked for, and nothing where the clocks don't tell.
  Result<std::uint64_t> wait_left_ms(const ClockReading& now);

  /// Whether the last call ended caught up and nothing was granted or rewound since.
  bool is_caught_up() const;

 private:
  explicit Store(std::unique_ptr<StoreState> state);

  std::unique_ptr<StoreState> state_;
};

}  // namespace gridwhistle::store
