#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gridwhistle/default_ports.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/media.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/query.h"
#include "gridwhistle/status.h"
#include "gridwhistle/sync.h"

namespace gridwhistle {

namespace v1 {
class Attachment;
class Outcome;
class WhistleAction;
}  // namespace v1

struct Road;  // gridwhistle/road.h
class ClientState;
struct Build;  // client/build.h

/// What a client needs from its host. Everything pointed at outlives the client, and the executor
/// also outlives every transport that `connect` gave.
struct ClientOptions {
  std::string path;  ///< of the phone's file; made, for its owner alone, when it does not exist
  std::string vfs;   ///< the disk it lies on, as a VFS registered with SQLite; empty: the system's
  std::string media_folder;  ///< of attachments' bytes, on the system's disk; empty: `path`.media
  /// Only reads, masked: beside another program that has the file, or where it cannot be written.
  /// Whatever writes, and every call to the server, is kReadOnly. The file must be there.
  bool read_only = false;
  Clock* clock = nullptr;
  Random* random = nullptr;
  SecretStore* secrets = nullptr;
  Executor* executor = nullptr;   ///< network events and timers of this client run here
  Executor* callbacks = nullptr;  ///< the host's callbacks run here; null: `executor`
  /// Makes the transport to the server this device is enrolled with, `grpc_transport` for instance.
  std::function<Result<std::unique_ptr<Transport>>(const ServerAddress&)> connect;
  std::string software = "gridwhistle";  ///< for the operator's list of devices, 64 bytes at most
};

/// What could be saved of a damaged file.
struct Salvage {
  std::string kept;          ///< where the damaged file is now
  std::uint64_t unsent = 0;  ///< operations that wait for the server in the new file
  bool whole = true;         ///< all that only this phone has could be read
};

/// What `Client::export_bundle` wrote.
struct ExportedBundle {
  std::uint64_t operations = 0;  ///< 0: nothing is unsent, and nothing was written
  std::uint64_t whistles = 0;    ///< of these, in the most urgent lane
};

/// What the operator gave the worker, usually as a QR code.
struct EnrolmentCode {
  ServerAddress server;
  std::string code;

  /// From the code's text, "gw1:HOST:PORT:KEY:CODE" with the key's SHA-256 in hexadecimal. kInvalid
  /// says which part is wrong.
  static Result<EnrolmentCode> parse(std::string_view text);
  std::string text() const;
};

/// A record of any kind, serialized, and its kind's name ("Visit").
struct AnyRecord {
  std::string kind;
  std::string record;
};

/// An emergency that has not left the phone for five minutes: the worker should telephone.
struct EmergencyUnsent {
  RecordId whistle;
  std::string number;
  std::string title;
  std::uint64_t unsent_ms = 0;  ///< for so long
  std::string advice;           ///< for the worker, in Chinese and English
};

struct LaneStatus {
  Lane lane = Lane::kWhistles;
  std::uint64_t unsent = 0;         ///< operations only this phone has
  std::uint64_t sent = 0;           ///< of these, handed to a call that has not answered yet
  std::uint64_t delivered = 0;      ///< taken over by the server, ever
  /// Taken over by the server, and kept here because a backup that it may be restored to lacks it.
  std::uint64_t not_backed_up = 0;
};

/// What became of an operation, or of a change that was beaten later, with its words for people.
struct OutcomeView {
  RecordId outcome;
  std::string record_kind;
  RecordId record;
  std::uint32_t status = 0;  ///< a v1::OutcomeStatus
  std::uint32_t code = 0;
  std::string why_zh;                      ///< what became of it and why, in Chinese
  std::string why_en;                      ///< the same in English
  std::string message;                     ///< what the server added, as it wrote it
  std::vector<std::uint32_t> lost_fields;  ///< whose values are not in the record, by number
  std::string lost;  ///< those values, a part of the record's message; emptied ones are not there
  bool masked = false;  ///< personal values among them are shown in part: no purpose was named
  RecordId winner;      ///< the worker whose values are in the record; nil where nobody is named
  bool restorable = false;  ///< it keeps values that `restore` can write again
  std::int64_t at_ms = 0;
};

/// One read of personal data on this phone: who saw which records, and what for.
struct AccessEntry {
  std::uint64_t number = 0;  ///< of this phone's log, ascending
  std::int64_t at_ms = 0;    ///< by the phone's clock
  RecordId worker;           ///< whose phone it was then; nil before it was enrolled
  std::string kind;
  std::vector<RecordId> records;  ///< all that one question gave
  std::string purpose;            ///< as named; empty: what was seen was masked
};

/// What `Client::restore` did.
struct Restored {
  RecordId record;      ///< a new one when the record was gone
  bool before = false;  ///< an earlier call had written it already, and nothing was written now
};

/// How this phone stands. Where its disk cannot be read, `last_error` says so, and what is unsent is
/// told all the same.
struct ClientStatus {
  bool enrolled = false;
  std::string county;
  std::string server;  ///< host and port
  RecordId worker;
  DeviceId device;
  std::string short_code;
  /// "grid:440811001001001"; a record's `grid` takes the digits alone.
  std::vector<std::string> scopes;

  std::vector<LaneStatus> lanes;            ///< most urgent first
  std::uint64_t unsent = 0;                 ///< over all lanes
  std::uint64_t refused = 0;                ///< as many as `Client::outcomes` lists
  std::vector<OutcomeView> newest_refused;  ///< the newest three of them, masked
  std::vector<EmergencyUnsent> emergencies;
  MediaStatus media;

  SyncPhase phase = SyncPhase::kStopped;
  std::optional<Error>
      last_error;                 ///< of the last call; none when it went well. Outlives a restart
  std::uint64_t retry_in_ms = 0;  ///< while kWaiting
  std::optional<std::uint64_t> since_sync_ms;  ///< since the last call that ended caught up
  bool caught_up = false;
  Seq cursor;

  std::optional<Error> poisoned;  ///< why this client writes no more
};

/// A query that is asked again. Letting go of it ends it; no callback begins afterwards. May
/// outlive the client.
class Watch {
 public:
  Watch() = default;
  explicit Watch(std::shared_ptr<void> token) : token_(std::move(token)) {}
  void stop() { token_.reset(); }
  explicit operator bool() const { return token_ != nullptr; }

 private:
  std::shared_ptr<void> token_;
};

/// A serialized change: what a put writes.
struct Change {
  std::string kind;    ///< "Visit"
  std::string record;  ///< a serialized message; its id names the record, unset: a new one
  std::vector<std::uint32_t> clear;  ///< fields to empty, by number
  std::string remove;  ///< of SET fields the elements to remove, as a message of the kind
};

/// Field numbers of a generated class, `{v1::Visit::kNotesFieldNumber}`.
using Fields = std::vector<std::uint32_t>;

template <typename T>
concept GeneratedRecord = requires(const T& record, T& parsed, const std::string& bytes) {
  { record.GetTypeName() } -> std::convertible_to<std::string>;
  { record.SerializeAsString() } -> std::convertible_to<std::string>;
  { parsed.ParseFromString(bytes) } -> std::convertible_to<bool>;
  { record.id() } -> std::convertible_to<std::string>;
};

/// "Visit" for v1::Visit.
template <GeneratedRecord T>
std::string kind_name() {
  const std::string full = T::default_instance().GetTypeName();
  return full.substr(full.rfind('.') + 1);
}

template <GeneratedRecord T>
struct PutOptions {
  T remove{};  ///< of SET fields the elements to remove
};

class Client;

/// Several changes that are recorded, sent, applied or refused as a whole: at most 1,024, 1 MB. One
/// thread. Dropped without `commit` it leaves nothing behind.
class Transaction {
 public:
  /// As `Client::put`, at commit. The id is known at once, so that other records may name it.
  template <GeneratedRecord T>
  Result<RecordId> put(const T& record, const Fields& clear = {},
                       const PutOptions<T>& options = {}) {
    return put(Change{kind_name<T>(), record.SerializeAsString(), clear,
                      options.remove.SerializeAsString()});
  }
  Result<RecordId> put(Change change);

  /// As `Client::erase`, at commit.
  template <GeneratedRecord T>
  void erase(const RecordId& id) {
    erase(kind_name<T>(), id);
  }
  void erase(std::string kind, const RecordId& id);

  /// Durable when it returns. Errors as of `Client::put`; nothing was written then, and the
  /// transaction may be committed again.
  Result<void> commit();

 private:
  friend class Client;
  struct Item {
    bool erases = false;
    Change change;
    RecordId id;
  };
  explicit Transaction(std::shared_ptr<ClientState> state) : state_(std::move(state)) {}
  std::shared_ptr<ClientState> state_;
  std::vector<Item> items_;
};

/// One phone: its file, its outbox and its line to the county's server.
///
/// Every function may be called from any thread, also from callbacks. Reads and writes block for
/// the disk, never for the network. Callbacks run on `ClientOptions::callbacks`, never inside a
/// call and never under a lock.
///
/// What a broken invariant does: the client is *poisoned*, it writes and syncs no more, everything
/// stays readable, and `status().poisoned` says why. Opening the file again starts afresh.
class Client {
 public:
  /// Goes on from a file that is damaged (kCorrupt): makes a new one in its place with all that
  /// only this phone has, as far as it can be read: what is unsent or in no backup yet, refused
  /// work, drafts, the log of reads. The damaged file stays beside it under another name and is
  /// never deleted. Records come again with the next sync. Nobody may have the file open.
  ///
  /// Errors: kLocked, kNotFound, kNotADatabase and kCorrupt (too much is damaged: the file is left
  /// as it is), kReadOnly, kDiskFull, kIo, kInvalid (a door is missing).
  static Result<Salvage> salvage(const ClientOptions& options);

  /// Opens the phone's file, or makes it.
  ///
  /// Errors: kLocked (another process has it), kNotADatabase, kCorrupt (the file is left as it is),
  /// kNewerFile, kReadOnly, kDiskFull, kIo, kInvalid (a door is missing).
  static Result<std::unique_ptr<Client>> open(ClientOptions options);

  /// As `close`.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // --- recording ------------------------------------------------------------------------------

  /// Records a change of one record and returns once it would survive a power cut (one disk sync,
  /// about 1 to 10 ms on a phone).
  ///
  /// Fields that are set are written, fields in `clear` are emptied, all others stay as they are.
  /// Elements of SET fields are added, of APPEND fields appended. Without an id the record is a new
  /// one, of this device; a new Whistle gets its number, reporter, source and time, and a new Task
  /// its author, time and state here where they are unset.
  ///
  /// Errors: kInvalid (a field breaks its rule; the message names it), kNotFound (the id is of no
  /// record on this phone and was not given out by it, or what the record belongs to has been
  /// erased), kOutOfScope (no scope of this worker holds the record; one who left holds none),
  /// kForbidden (only the server writes this kind or field), kEncryptionRequired, kNoLocation (a
  /// track outside an open patrol of one's own), kTooLarge, kTooMany (too many unsent operations),
  /// kNotEnrolled, kDiskFull (nothing was written; free space and try again), kReadOnly, kIo,
  /// kPoisoned, kClosed.
  template <GeneratedRecord T>
  Result<RecordId> put(const T& record, const Fields& clear = {},
                       const PutOptions<T>& options = {}) {
    return put(Change{kind_name<T>(), record.SerializeAsString(), clear,
                      options.remove.SerializeAsString()});
  }
  Result<RecordId> put(Change change);

  /// Removes a record and what belongs to it: the residents of a household, a patrol's track, a
  /// shop's pictures. A concurrent edit by somebody else brings the whole record back, with what
  /// belongs to it, and an outcome tells both. Errors as of `put`.
  template <GeneratedRecord T>
  Result<void> erase(const RecordId& id) {
    return erase(kind_name<T>(), id);
  }
  Result<void> erase(std::string_view kind, const RecordId& id);

  /// Begins a transaction. May outlive the client; it then commits to kClosed.
  Transaction transaction();

  /// A new id of this device, for a record that others are to name before it is put.
  Result<RecordId> new_id();

  /// Proposes an action on a whistle: fills in actor, organisation, time, round and `after` (the
  /// last action this phone knows in that assignment, own pending ones included) where they are
  /// unset, and puts it.
  ///
  /// Errors: kConflict (the phone can see that the action is not possible now; the message says
  /// why), kForbidden (no role of this worker allows it), kNotFound (no such whistle on this
  /// phone), and those of `put`.
  Result<RecordId> act(const v1::WhistleAction& action);
  /// The same with evidence that is recorded with it, all or nothing: each attachment becomes one
  /// of the whistle's and is named by the action. Given is what `keep` gave, and the `stage`.
  Result<RecordId> act(const v1::WhistleAction& action,
                       const std::vector<v1::Attachment>& evidence);

  // --- attachments' bytes -----------------------------------------------------------------------

  /// Keeps the bytes of an attachment beside the phone's file and returns once they would survive a
  /// power cut. Gives an Attachment with `sha256`, `size_bytes`, `media_type` and `evidence` set,
  /// which the caller completes and puts, or gives to `act`. The same bytes are kept once. They are
  /// sent behind all reports, and stay on the phone until the server and its backup have them; kept
  /// for no record, for 30 days.
  ///
  /// Any thread; hashes and writes on the caller's. Errors: kInvalid (empty, or not of the type it
  /// is said to be), kTooLarge (64 MB), kDiskFull (nothing was kept; free space and try again),
  /// kReadOnly, kIo, kPoisoned, kClosed.
  Result<v1::Attachment> keep(std::string_view bytes, const KeepOptions& options);
  /// The same of a file, which stays where it is. kNotFound: it cannot be read.
  Result<v1::Attachment> keep_file(const std::string& path, const KeepOptions& options);

  /// Gives the path of a file with the attachment's bytes: this phone's own, or fetched from the
  /// server, from where an earlier try broke off, and found to be what the record says. The file is
  /// the client's: read it, do not write to it. It may go once its record has gone, or when much
  /// else was fetched since; somebody who has it open can read on.
  ///
  /// `done` gets kNotFound (no such record on this phone, or the server shows it to this worker no
  /// more), kUnavailable (the bytes have not arrived at the server yet, or the server cannot be
  /// reached), kNotEnrolled, kDiskFull, kReadOnly, kIo, kDamaged, kTimeout. While the line is live
  /// a call that broke off is begun again before anything is told.
  void fetch(const RecordId& attachment, std::function<void(Result<std::string>)> done);

  /// Sends the bytes that the server lacks, once, until all are there or a call fails. By itself
  /// this goes on while the line is live, whenever no report waits. A file that the server refuses
  /// is passed over and stands in `status().media`.
  ///
  /// `done` gets kConflict (something is recorded and unsent: `sync_once` first), kNotEnrolled, or
  /// why the call failed.
  void send_media(std::function<void(Result<MediaReport>)> done);

  // --- reading --------------------------------------------------------------------------------

  /// One record as this phone sees it: what the server sent, and its own changes over it.
  /// kNotFound: no such record, erased, or outside this phone's scopes.
  template <GeneratedRecord T>
  Result<Found<T>> get(const RecordId& id, const Purpose& purpose = {}) {
    auto found = get(kind_name<T>(), id, purpose);
    if (!found) return std::unexpected(std::move(found.error()));
    return parsed<T>(std::move(*found));
  }
  Result<FoundBytes> get(std::string_view kind, const RecordId& id, const Purpose& purpose = {});

  /// kInvalid: a field is unknown or not indexed.
  template <GeneratedRecord T>
  Result<std::vector<Found<T>>> query(const Query& query, const Purpose& purpose = {}) {
    return parsed_all<T>(this->query(kind_name<T>(), query, purpose));
  }
  Result<std::vector<FoundBytes>> query(std::string_view kind, const Query& query,
                                        const Purpose& purpose = {});

  /// Records whose searchable fields contain every word, Chinese words of one character too. First
  /// those with something unsent or refused, then this phone's, then others', reference data last.
  Result<std::vector<Hit>> search(const Search& search, const Purpose& purpose = {});

  /// Asks a query now, and again whenever its result may have changed; changes close together come
  /// as one.
  template <GeneratedRecord T>
  Watch watch(Query query, std::function<void(Result<std::vector<Found<T>>>)> changed,
              Purpose purpose = {}) {
    return watch(
        kind_name<T>(), std::move(query),
        [changed = std::move(changed)](Result<std::vector<FoundBytes>> found) {
          changed(parsed_all<T>(std::move(found)));
        },
        std::move(purpose));
  }
  Watch watch(std::string kind, Query query,
              std::function<void(Result<std::vector<FoundBytes>>)> changed, Purpose purpose = {});

  /// Which grid a point lies in, or between which the worker must choose.
  Result<Location> locate(double latitude, double longitude, double accuracy_m);

  /// A whistle with its actions and assignments, and the state it will have when everything this
  /// phone proposes is accepted. Include gridwhistle/road.h.
  Result<Road> road(const RecordId& whistle);

  /// Who read personal data on this phone, newest first: at most `limit` entries, of those before
  /// number `before`, 0 for the newest. A read is logged before it is answered, without network
  /// too; the latest 100,000 are kept. They never leave the phone.
  Result<std::vector<AccessEntry>> access_log(std::size_t limit = 100, std::uint64_t before = 0);

  // --- drafts ---------------------------------------------------------------------------------

  /// Keeps an unfinished record under a name of the host's choice; survives a kill, is never sent.
  template <GeneratedRecord T>
  Result<void> save_draft(std::string_view name, const T& record) {
    return save_draft(name, AnyRecord{kind_name<T>(), record.SerializeAsString()});
  }
  Result<void> save_draft(std::string_view name, const AnyRecord& draft);
  /// kNotFound: no draft of that name.
  Result<AnyRecord> draft(std::string_view name);
  Result<std::vector<std::string>> drafts();
  /// Without effect when there is none.
  Result<void> drop_draft(std::string_view name);

  // --- the line to the server -----------------------------------------------------------------

  /// Registers this device. `done` gets nothing or kCodeWrong, kCodeUsed, kCodeExpired, kCodeSpent,
  /// kWrongServerKey, kUnavailable, kTimeout, kConflict (of another county, or of another worker
  /// while something is unsent, or in no backup of the server yet).
  ///
  /// Until the server has accepted it nothing changes: a live line stays as it is. Then calls that
  /// are open end with kUnavailable, and a live line goes on with the new server. A phone that
  /// passes to another worker loses the drafts of the one before.
  void enrol(const EnrolmentCode& code, const std::string& device_name,
             std::function<void(Result<void>)> done);

  /// One call: sends everything, receives everything, ends. While another call runs it is that
  /// call's end that `done` reports. Does not retry by itself.
  void sync_once(const SyncOptions& options, std::function<void(Result<SyncReport>)> done);

  /// Keeps a call open: what is recorded is sent at once, what others change arrives. Broken calls
  /// are opened again with growing pauses (at most 5 minutes). Without effect when live already.
  void start_live();

  /// Ends the call and all retries.
  void stop();

  /// The host noticed that there is a network, or another one: retries at once.
  void network_changed();

  /// Everything that the server has not acknowledged, to be carried to it by hand where there will
  /// be no network for long: sealed for the server, signed by this phone, the most urgent first.
  /// Gives the file's bytes to `write` from its beginning to its end, about 4 MB at a time; stops
  /// at its first error. Nothing changes here: what was carried is kept, and sent again to no
  /// effect, until a call has brought the acknowledgements.
  ///
  /// Blocks the client meanwhile; `write` must not call it. Errors: kNotEnrolled, kUnavailable (it
  /// has never spoken with its server), those of `write` and of the secret store, kIo, kPoisoned,
  /// kClosed.
  Result<ExportedBundle> export_bundle(const std::function<Result<void>(std::string_view)>& write);

  // --- how things stand -----------------------------------------------------------------------

  /// Poisoned and closed clients answer too.
  ClientStatus status();

  /// What became of this worker's operations, where it was not simply "accepted", and was neither
  /// restored nor dismissed since; newest first.
  Result<std::vector<OutcomeView>> outcomes(const Purpose& purpose = {});

  /// Writes the values that an outcome kept again, as a new change over what is there now; once,
  /// however often it is asked. The outcome is settled by it: `outcomes` and `status` no longer
  /// count it.
  ///
  /// Errors: kNotFound (no such outcome), kConflict (it keeps nothing that can be written again),
  /// and those of `put`.
  Result<Restored> restore(const RecordId& outcome);

  /// The worker has seen an outcome and leaves it at that: `outcomes` and `status` no longer count
  /// it. kNotFound.
  Result<void> dismiss(const RecordId& outcome);

  /// Ends the call, closes the file. Everything afterwards is kClosed. Reads and writes under way
  /// in other threads end first.
  void close();

 private:
  friend Result<std::unique_ptr<Client>> open_as(const Build& build, ClientOptions options);

  explicit Client(std::shared_ptr<ClientState> state) : state_(std::move(state)) {}

  template <GeneratedRecord T>
  static Result<Found<T>> parsed(FoundBytes found) {
    Found<T> typed{{}, found.info};
    if (!typed.record.ParseFromString(found.record)) {
      return fail(ErrorCode::kCorrupt, "a stored record cannot be read", "kind " + kind_name<T>());
    }
    return typed;
  }

  template <GeneratedRecord T>
  static Result<std::vector<Found<T>>> parsed_all(Result<std::vector<FoundBytes>> found) {
    if (!found) return std::unexpected(std::move(found.error()));
    std::vector<Found<T>> all;
    all.reserve(found->size());
    for (FoundBytes& one : *found) {
      auto typed = parsed<T>(std::move(one));
      if (!typed) return std::unexpected(std::move(typed.error()));
      all.push_back(std::move(*typed));
    }
    return all;
  }

  std::shared_ptr<ClientState> state_;
};

}  // namespace gridwhistle
