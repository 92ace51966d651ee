#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sqlite/connection.h"
#include "sqlite/schema_tables.h"
#include "sqlite/transaction.h"
#include "store/store.h"
#include "store/try.h"

// What the sources of this folder share; not for others.
namespace gridwhistle::store {

/// The columns a phone keeps beside `id`, `body` and the fields. `body` is what one sees, NULL
/// where a pending erasure hides it. `base` is set only while something is pending and the server
/// has the record. `pending` lists this device's operations on it (see PendingKey). `base_seq` is
/// what the feed delivered, `last_seq` the larger of that and own acknowledgements. `scopes` is a
/// row of `scope_sets`, 0 before the feed has named any, kGone when the record left or was erased.
/// `own_since`: own writes up to there are out of sight until the feed brings the record.
inline constexpr std::int64_t kGone = -1;
inline constexpr std::string_view kOwnSince = "own_since INTEGER NOT NULL DEFAULT 0";
inline constexpr std::string_view kHashBefore = "hash_before BLOB NOT NULL DEFAULT x''";
inline constexpr std::string_view kRecordedHash = "recorded_hash BLOB NOT NULL DEFAULT x''";
/// Which of the file's numbers the server knows an operation by; 0: the one it has now.
inline constexpr std::string_view kKnownBy = "known_by INTEGER NOT NULL DEFAULT 0";
inline constexpr std::string_view kColumns[] = {"base BLOB",
                                                "pending BLOB",
                                                "base_seq INTEGER NOT NULL DEFAULT 0",
                                                "last_seq INTEGER NOT NULL DEFAULT 0",
                                                "scopes INTEGER NOT NULL DEFAULT 0",
                                                kOwnSince};
inline constexpr sqlite::TableLayout kLayout{kColumns, false};
inline constexpr sqlite::FileFormat kFormat{0x47574850, 1};

/// One kind's table and the statements on it.
struct KindTable {
  KindId id;
  const KindSchema* schema = nullptr;  ///< null: not declared in this build, kept whole
  std::string name;
  std::string select;       ///< by id
  std::string hidden;       ///< by id, what is pending on a row out of sight
  std::string upsert;       ///< all columns
  std::string remove;       ///< by id
  std::string acknowledge;  ///< the only pending operation, a put
  bool searchable = false;
  bool personal = false;   ///< has L2 or L3 fields: reads are logged
  bool sensitive = false;  ///< has fields above PUBLIC: reads are masked

  /// What the rules need of a kind; without a declaration every field is LWW.
  const KindSchema& rules() const;
};

/// A record as its table has it.
struct RecordRow {
  std::optional<std::string> body;
  std::optional<std::string> base;
  std::string pending;
  Seq base_seq;
  Seq last_seq;
  std::int64_t scopes = 0;
  DevSeq own_since;

  /// What the server has of it, as far as this file knows; nothing where it has no such record.
  const std::optional<std::string>& delivered() const { return pending.empty() ? body : base; }
};

/// What a file remembers of the server between calls; each change is written before it counts.
struct Position {
  std::optional<Enrolment> enrolment;
  Seq cursor;
  std::vector<ScopeProgress> exceptions;
  Seq complete;  ///< where `cursor` stood when the server last said that nothing was missing
  Seq urgent;    ///< so far the urgent kinds came ahead of the rest, of all granted scopes
  Seq reached;   ///< the newest place that anything came from since it was last caught up
  DevSeq own_since;
  std::vector<EpochSeen> epochs;
  std::vector<GrantHeld> grants;
  std::uint64_t grants_version = 0;
  Seq backed_up;      ///< in every backup that the server may be restored to
  Seq newest_backup;  ///< in its newest; never below `backed_up`
  bool caught_up = false;
  /// What is gone of what this file holds the feed did not say: to be compared, once caught up.
  bool reconcile = false;
  std::int64_t server_ms = 0;  ///< what the server said last,
  ClockReading server_heard;   ///< and when
  std::int64_t caught_up_wall_ms = 0;
  std::optional<Error> line_error;  ///< how the last call ended, unless it went well
};

/// A number given out in blocks, so that most uses cost no write.
struct Counter {
  std::uint64_t next = 1;
  std::uint64_t reserved_upto = 0;  ///< durably; the next opening begins behind it
};

struct WatchEntry;  // watch.cc
struct GridIndex;   // geo.h

struct StoreState {
  StoreState(StoreOptions options_given, sqlite::Connection opened);
  ~StoreState();

  StoreOptions options;
  sqlite::Connection connection;
  const Schema& schema;
  DeviceId device;
  std::vector<DeviceId> predecessors;  ///< whose file this one was a copy of, oldest first
  Position position;
  Hlc highest;
  DevSeq dev_seq;  ///< the last one given
  std::array<LaneProgress, kLaneCount> lanes;
  std::array<LaneSeq, kLaneCount> sent;
  Counter ids;
  Counter numbers;
  Counter calls;
  std::unordered_set<std::uint64_t> fresh_ids;  ///< given out, not put yet
  std::unordered_map<KindId, KindTable> kinds;
  std::unordered_set<RecordId> refused_records;
  std::map<std::string, std::int64_t, std::less<>> scope_sets;
  std::int64_t newest_scope_set = 0;
  /// The newest id of a device in a kind's table. Devices count their ids, so what is beyond it is
  /// not there, and most of what comes is. Too high costs a look and no more; too low would hide
  /// rows, so it is forgotten when a cut or a Welcome could not be written.
  std::map<std::pair<KindId, DeviceId>, RecordId> newest;
  std::vector<std::weak_ptr<WatchEntry>> watches;
  std::unique_ptr<GridIndex> grids;
  std::set<std::pair<KindId, std::uint32_t>> asked_fields;  ///< by queries, since it was opened
  bool sync_due = false;  ///< acknowledgements or rows were taken that a power cut may undo
  bool wipe_due = false;  ///< what was forgotten still stands in the file's log
  bool has_media = true;  ///< false: an older build's file, opened for reading
  /// What a queued task looks at before it touches the store.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

// --- open.cc
/// 0 where it was never put.
Result<std::int64_t> meta_number(StoreState& state, std::string_view key);
/// Empty where it was never put.
Result<std::string> meta_bytes(StoreState& state, std::string_view key);
Result<void> put_meta(StoreState& state, std::string_view key, std::int64_t value);
Result<void> put_meta(StoreState& state, std::string_view key, std::string_view bytes);
/// 60 random bits.
DeviceId random_device(Random& random);
/// The kind's table; null where the file has none.
KindTable* table_of(StoreState& state, KindId kind);
KindTable make_table(const Schema& schema, KindId kind);
/// Which records have refused operations, as the file has it.
Result<void> reload_refused(StoreState& state);
/// Begins a write. kReadOnly in a read-only store.
Result<sqlite::Transaction> begin(StoreState& state);
/// As `begin`, of what the server still has: its commit does not wait for the disk. See
/// `Store::make_durable`.
Result<sqlite::Transaction> begin_unsynced(StoreState& state);

// --- position.cc
Result<void> load_position(StoreState& state);
/// Writes what is to take the place of `state.position`, which stands for what the file has.
Result<void> save_position(StoreState& state, const Position& position);
/// Of these how far backups reach, inside a transaction of the caller's.
Result<void> save_backup_marks(StoreState& state, const Position& position);

/// Takes from a Welcome or Acks how far backups reach, where that is further; whether it is.
template <typename Message>
bool take_backup_marks(Position& position, const Message& message) {
  const Seq every = std::max(position.backed_up, Seq(message.backed_up()));
  const Seq newest = std::max({position.newest_backup, every, Seq(message.newest_backup())});
  const bool further = every > position.backed_up || newest > position.newest_backup;
  position.backed_up = every;
  position.newest_backup = newest;
  return further;
}
/// The latest place in the log that a row or an operation of this file speaks of.
Result<Seq> newest_seen(StoreState& state, const Position& position);
/// Of a log that is the server's up to `shared` alone: neither a backup nor the bytes of a file are
/// known to be beyond. Inside a write.
Result<void> forget_beyond(StoreState& state, Seq shared, Position& position);
/// The scope is to be read anew, rows that are there already too.
void fetch_from_beginning(Position& position, const std::string& scope);
/// A server passes over rows of kinds that this file's build did not know. When the build is a
/// newer one than the last that opened the file, and brings such kinds, all scopes are to be read
/// anew.
Result<void> read_new_kinds(StoreState& state);
/// The server's time now, as far as it can be reckoned; 0 before the first contact.
std::int64_t server_time(const Position& position, const ClockReading& now);
/// Milliseconds between a reading and a later one, by the clock that can be trusted.
std::int64_t elapsed_ms(const ClockReading& from, const ClockReading& to);

// --- outbox.cc
/// An operation's place in the outbox: lane and number in one.
using OutboxKey = std::int64_t;
OutboxKey key_of(Lane lane, LaneSeq lane_seq);
Lane lane_of(OutboxKey key);
LaneSeq lane_seq_of(OutboxKey key);
/// kParked: the server has it and will decide; it stays in the list of its record until then.
enum class OutboxState : std::uint8_t { kPending, kApplied, kRefused, kDismissed, kParked };
Result<void> append_operation(StoreState& state, const Operation& operation);
Result<std::optional<Operation>> load_operation(StoreState& state, OutboxKey key);
/// Forgets what the backup has and nothing needs any more.
Result<void> forget_backed_up(StoreState& state, Seq backed_up);
Operation read_operation(const sqlite::Statement& row);

// --- drafts.cc
/// From `name, kind, record, saved_ms`.
Store::Draft read_draft(const sqlite::Statement& row);

// --- forget.cc
/// Takes a record that was forgotten, with its parts: rows, index, drafts, purposes in the access
/// log, and what own operations on them say. Gives their kinds.
Result<std::vector<KindId>> forget_record(StoreState& state, const KindTable& table,
                                          const RecordId& id);
/// Takes what an own operation says, and what notices of a lost log quote of it; it keeps its
/// place, and its hash.
Result<void> empty_operation(StoreState& state, OutboxKey key);
/// Terms that were taken out of the search index would stand in it until its parts are merged.
Result<void> compact_index(StoreState& state);
/// Removes what commits have left in the file's log, now or, while others read it, later.
void wipe(StoreState& state);
/// The log alone, now; the rest when the phone has caught up. For what comes cut by cut.
void wipe_later(StoreState& state);
/// What the open transaction removes is to be wiped, whenever the process ends. Inside a write.
Result<void> note_traces(StoreState& state);

// --- media.cc
/// A record was committed that names a file, or several.
Result<void> note_media_named(StoreState& state, const Operation& operation);
/// The server shows a record that this phone made, in canonical form: bytes that it lacks and that
/// lie here are this phone's to send, also where its file is older than the record.
Result<void> note_media_owed(StoreState& state, KindId kind, std::string_view record);
/// Of the files that a record which is forgotten names, and no other record, nothing is kept.
Result<void> forget_media(StoreState& state, std::string_view attachment);
/// A restored server may lack what it had behind `shared`.
Result<void> rewind_media(StoreState& state, Seq shared);

// --- rows.cc
/// One operation in a record's list. Folded: the base has it already, but an earlier operation of
/// this device (of another lane) is still under way and must not overwrite it.
struct PendingKey {
  OutboxKey key = 0;
  bool folded = false;
};
std::vector<PendingKey> pending_of(std::string_view list);
std::string pending_list(const std::vector<PendingKey>& keys);
Result<std::optional<RecordRow>> load_row(StoreState& state, const KindTable& table,
                                          const RecordId& id);
/// The first column of every row that is left, records' ids.
Result<std::vector<RecordId>> ids_of(sqlite::Statement& query);
/// A number in a canonical record, by the field's name; 0 where it is not set, or not known.
std::uint64_t number_in(const KindSchema& kind, std::string_view body, std::string_view field);
/// Writes the row, or removes it when nobody has the record.
Result<void> save_row(StoreState& state, const KindTable& table, const RecordId& id,
                      const RecordRow& row);
/// What the file knows of the record, in sight or hidden by an erasure that is under way.
Result<std::string> content_of(StoreState& state, const KindTable& table, const RecordRow& row);
/// Lays an operation that was just recorded over the row; what is seen then the caller says.
void put_on_top(RecordRow& row, OutboxKey key);
/// Sets `row.body` to base ⊕ pending, given what the server has.
Result<void> rebase(StoreState& state, const KindTable& table, RecordRow& row,
                    std::optional<std::string> delivered);
/// Takes an operation off the row's list.
Result<void> take_off(StoreState& state, const KindTable& table, OutboxKey key, RecordRow& row);
/// Lays one decided operation into what the server has, or takes it off where it was refused.
Result<void> fold(StoreState& state, const KindTable& table, const Operation& operation,
                  OutcomeStatus status, RecordRow& row);
Result<void> remove_row(StoreState& state, const KindTable& table, const RecordId& id);

// --- parts.cc
// What follows a record as its scope parent is a part of it: out of sight while an erasure of the
// whole is under way, gone with it, and back in sight when the server says that the whole stands. A
// part that is hidden has the whole's erasure in its list of pending operations.

struct Parent {
  KindId kind;
  RecordId id;

  bool operator==(const Parent&) const = default;
};
struct Part {
  const KindTable* table = nullptr;
  RecordId id;
};
/// The parts of a record that are in sight, not those of its parts.
Result<std::vector<Part>> parts_in_sight(StoreState& state, const Parent& whole);
/// Hides the parts of a record that are in sight, and theirs; says which it hid.
Result<std::vector<Parent>> hide_parts(StoreState& state, KindId whole, const RecordId& id,
                                       OutboxKey erasure);
/// The parts that an erasure hides.
Result<std::vector<Part>> hidden_by(StoreState& state, OutboxKey erasure);
/// The pending erasure of what a record belongs to; nothing where that is not there or in sight.
Result<std::optional<OutboxKey>> erasure_over(StoreState& state, const Parent& whole);
/// Whether any erasure is without acknowledgement.
Result<bool> has_open_erasures(StoreState& state);
/// As `hide_parts` for every erasure that is under way again.
Result<void> hide_parts_again(StoreState& state);

// --- commit.cc
/// What else becomes durable with a commit.
struct Restoring {
  std::optional<OutboxKey> dismisses;  ///< a refused operation that it restores
  std::optional<RecordId> settles{};   ///< an outcome whose values it writes again
};
Result<std::vector<RecordId>> commit_changes(StoreState& state, const Changes& changes,
                                             const Restoring& restoring = {});

// --- validate.cc
/// A change that was found good: what its operation will carry and what the record will say.
struct Checked {
  std::string set;
  std::string remove;
  std::vector<std::uint32_t> clear;  ///< in order, without what is empty anyway
  std::string body;
  std::string scope;
  bool empty = false;  ///< it would change nothing
};
/// `before` is null for a creation, `creates` says that the server has not acknowledged one yet.
/// `number` is for a new Whistle without one.
Result<Checked> check_put(StoreState& state, const KindTable& table, const Change& change,
                          const RecordRow* before, bool creates, std::string_view number);
/// `set` with what the server cannot do without when it hears of the record by it first: scope,
/// required and IMMUTABLE fields, as `body` has them.
std::string as_creation(const KindSchema& kind, std::string_view set, std::string_view body);
/// Whether all that this file has of a record are its own edits: the rest was erased, left, was
/// refused, or has not come again since the server was restored. What becomes of edits the server
/// decides, who knows the record; nothing may hold back what a worker has to say of it meanwhile.
bool is_fragment(const KindSchema& kind, const RecordRow& row);
/// Whether somebody but the server may write the kind into this file.
Result<void> check_writable(const KindTable* table);

// --- scopes.cc
/// The scope a record's own field names, with its prefix; empty where a kind follows a parent.
Result<std::string> scope_of(const StoreState& state, const KindSchema& kind,
                             std::string_view body);
/// The record that one of this kind follows, as `body` names it; nothing where it names none.
std::optional<Parent> parent_of(const KindSchema& kind, std::string_view body);
/// A grant as the server named it.
GrantHeld held(const v1::Grant& grant);
/// Whether a grant holds that scope, for whatever audience.
bool holds(const std::vector<GrantHeld>& grants, std::string_view scope);
/// Whether a grant lets this device see rows of that kind in that scope.
bool covers(const std::vector<GrantHeld>& grants, std::string_view scope, const KindSchema& kind);
/// Valid within the write it is called in; see `drop_scope_sets_after`.
Result<std::int64_t> intern_scopes(StoreState& state, const std::vector<std::string>& scopes);
/// Those that a write made that failed: `number` was the newest before it. Cannot fail: a row of a
/// set that nobody knows would be taken for one that this phone may not see any more. What was
/// known of the newest ids goes too.
void drop_scope_sets_after(StoreState& state, std::int64_t number);
/// When a file is opened.
Result<void> load_scope_sets(StoreState& state);
struct Uncovered {
  std::vector<KindId> kinds;  ///< that lost rows
  /// Among them parts without their whole: they may lie in a scope that is still held, and are to
  /// be brought again.
  bool in_doubt = false;
};
/// Removes the rows that no grant covers any more.
Result<Uncovered> drop_uncovered(StoreState& state, const std::vector<GrantHeld>& grants);

// --- rewind.cc
/// Which own writes are out of sight in a row that shows own work above nothing: those before the
/// first that waits, if that is not the creation.
Result<DevSeq> own_out_of_sight(StoreState& state, const KindTable& table, const RecordRow& row);
/// What a restored server says it has of each lane, where it does.
using LanesHeld = std::array<std::optional<LaneSeq>, kLaneCount>;
/// Goes back to `shared`, up to where this file and a restored server have one log: drops rows that
/// speak of later changes, makes the operations it does not have pending again: those acknowledged
/// later, or, where the parting is not known, those behind what the server says it holds. Gives the
/// lanes as they are then.
Result<std::array<LaneProgress, kLaneCount>> rewind(StoreState& state, Seq shared,
                                                    bool is_known_parting, const LanesHeld& held,
                                                    Position& position);

// --- succession.cc
/// Whether the id was given out by this file, under whichever number it had then.
bool made_here(const StoreState& state, const RecordId& id);
/// Whether the id was given out in this run and has not been put since.
bool is_fresh(const StoreState& state, const RecordId& id);
/// The id that a record has by now: what this file alone had recorded was renamed when the file
/// turned out to be a copy. An id that the other file gave out too, and whose record has come from
/// there, is that record's. `table` null: of whichever kind.
Result<RecordId> current_id(StoreState& state, const KindTable* table, const RecordId& id);

/// Changes that name records by ids they had once, by those they have now.
Result<Changes> current_changes(StoreState& state, const Changes& changes);

// --- mask.cc
/// The record as somebody without purpose sees it. `masked` says whether anything was left out.
std::string masked_record(const KindSchema& kind, std::string_view body, bool& masked);
std::string masked_text(Mask mask, std::string_view text);

// --- read.cc
/// What a reader gets of a row.
FoundBytes found_of(const StoreState& state, const KindTable& table, const RecordId& id,
                    const RecordRow& row, const Purpose& purpose);
/// kPurposeRequired, kReadOnly, kTooLarge where the purpose cannot be honoured.
Result<void> check_purpose(const StoreState& state, const Purpose& purpose);
/// Nothing is handed out before it is logged.
Result<void> log_reads(StoreState& state, const KindTable& table, const std::vector<RecordId>& ids,
                       const Purpose& purpose);

// --- query.cc
/// Not logged: whoever hands the result out does `log_found` first.
Result<std::vector<FoundBytes>> query_records(StoreState& state, KindId kind, const Query& query,
                                              const Purpose& purpose);
Result<void> log_found(StoreState& state, KindId kind, const std::vector<FoundBytes>& found,
                       const Purpose& purpose);

// --- search.cc
Result<void> mark_unindexed(StoreState& state, const KindTable& table, const RecordId& id);
/// The same for many records at once, which costs a row and not one each: first collected, then
/// written with what made them new.
void collect_unindexed(std::string& places, const KindTable& table, const RecordId& id);
Result<void> mark_unindexed(StoreState& state, const std::string& places);
Result<void> drop_from_index(StoreState& state, const KindTable& table, const RecordId& id);

// --- geo.cc
void forget_grids(StoreState& state);

// --- watch.cc
void touched(StoreState& state, const std::vector<KindId>& kinds);

// --- counters.cc
struct CounterKind {
  std::string_view key;
  std::uint64_t block = 0;  ///< how many are reserved with one write
};
inline constexpr CounterKind kIds{"ids", 4096};
inline constexpr CounterKind kNumbers{"numbers", 64};
inline constexpr CounterKind kCalls{"calls", 64};
/// Takes the next value; writes a new block where the old one is used up. Within a write; the
/// counter is the caller's copy until that is committed.
Result<std::uint64_t> take(StoreState& state, Counter& counter, const CounterKind& kind);

}  // namespace gridwhistle::store
