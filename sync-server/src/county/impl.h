#pragma once

#include <array>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "access/enrolment.h"
#include "access/grants.h"
#include "apply/applier.h"
#include "apply/succession.h"
#include "apply/sweeping.h"
#include "county/county.h"
#include "county/storage_watch.h"
#include "county/waiting_frames.h"
#include "feed/comparison.h"
#include "feed/feed.h"
#include "wire/frames.h"

// The inside of County, shared by the sources of this folder; not for others.
namespace gridwhistle {

/// Of each lane how far the server has it from a file with this phone's number, and the phone has
/// not noted it: the acknowledgement was lost, or the file is a copy of the one that sent it. Zero:
/// there is nothing to confirm. While any lane has to be, nothing new is taken: a copy's first
/// frame may be of a lane in which the other file has sent nothing yet.
using Unconfirmed = std::array<LaneSeq, kLaneCount>;

/// How far backups reach.
struct BackupMarks {
  Seq every;   ///< each one that may be restored
  Seq newest;  ///< the newest
  bool operator==(const BackupMarks&) const = default;
};

/// One call of a phone.
struct Session {
  Sink* sink = nullptr;  ///< null: the call is gone, frames of it may still wait
  bool closing = false;  ///< nothing more is read or sent
  bool up_ended = false;
  bool down_ended = false;
  bool cut_since_end = false;  ///< of a live call: rows went down behind its last end
  bool live = false;
  std::uint32_t schema = 0;  ///< the phone was built with
  bool reconciles = false;   ///< it was told to
  bool only_brings = false;  ///< it speaks too old a protocol to be given anything
  std::optional<Author> author;
  std::optional<Feed> feed;
  std::array<LaneSeq, kLaneCount> acked;     ///< told the phone, in this call or before
  std::array<LaneSeq, kLaneCount> applied;   ///< taken over
  std::array<LaneSeq, kLaneCount> recorded;  ///< by the phone, when the call began
  BackupMarks backed_up;                     ///< told the phone
  std::uint64_t budget_left = 0;
  bool has_budget = false;
  std::optional<v1::Refusal> over_quota;  ///< it has sent too much, and hears so behind its rows
  std::size_t frames_waiting = 0;         ///< those that are held back, too
  Unconfirmed unconfirmed{};
  std::vector<Waiting> held_back;              ///< in order, until everything is confirmed
  std::size_t cut_bytes = 0;                   ///< of the next cut, before it is compressed
  std::optional<std::uint64_t> full_since_ms;  ///< by the boot clock: its line took no more
  std::optional<v1::Digests> digests;          ///< asked, and not compared yet
  std::optional<std::uint64_t> turn_since_ms;  ///< it waits for its turn, by the boot clock
  std::optional<Comparison> comparison;
  bool compared = false;                   ///< the answer to `digests` is given
  int ranges_untold = 0;                   ///< of those that differ, until their contents come
  std::deque<v1::RangeContents> contents;  ///< told in its turn, and not answered yet
};

/// Whether a call's comparison goes on by itself, not waiting for the phone or its line.
bool has_to_compare(const Session& session);
/// Whether it waits until another's comparison is over.
bool waits_to_compare(const Session& session);

/// What a frame leads to once its batch is durable.
struct Effect {
  ConnectionId connection;
  std::optional<v1::Welcome> welcome;
  std::optional<Author> author;
  std::optional<v1::Hello> hello;
  Seq since;                             ///< when the device was enrolled for its worker
  std::vector<DeviceId> numbers_before;  ///< of its file
  std::array<LaneSeq, kLaneCount> applied{};
  Lane lane = Lane::kRecords;
  std::vector<AckedRun> runs;
  std::optional<Waiting> held_back;
  std::optional<v1::Digests> digests;
  std::optional<v1::RangeContents> contents;
  bool up_ended = false;
  std::optional<v1::Refusal> refusal;
  bool over_quota = false;  ///< `refusal` comes behind the rows, and what else is sent is dropped
  std::string short_code;   ///< of a phone that was recognised
};

/// What frames of a batch have changed for those behind them, as long as it is not durable.
struct InBatch {
  std::map<ConnectionId, Author> authors;  ///< of calls whose Hello came in this batch
  std::map<ConnectionId, Unconfirmed> unconfirmed;
  std::set<ConnectionId> held;  ///< calls of which a frame was held back
};

/// Faults of storage concern everybody; all others concern the call.
bool is_of_storage(ErrorCode code);

struct County::Impl {
  Impl(std::unique_ptr<Storage> storage_in, const Schema& schema_in, Clock& clock_in,
       Random& random_in, CountyOptions options_in);

  std::int64_t now_ms() { return clock.now().wall_ms; }
  RecordId mint();

  // Opening.
  Result<void> start();
  /// A number that storage notes; 0 when it notes nothing. kCorrupt.
  Result<std::int64_t> number_noted(std::string_view fact);
  Result<void> load_backups();
  /// How far the restorable backups reach, with one more.
  std::deque<Seq> backups_with(Seq upto) const;
  Result<void> note_begun(Seq upto);
  Result<void> fill_backup_status(CountyStatus& status);

  // Calls.
  PumpResult pump();
  Result<std::vector<Effect>> deal_with(std::vector<Waiting>& batch);
  Result<Effect> deal_with(const Waiting& waiting, InBatch& in_batch);
  Result<void> greet(const v1::Hello& hello, Effect& effect, Unconfirmed& unconfirmed);
  /// Whether the frame has to wait: it came while something was to be confirmed, be it by itself.
  Result<bool> confirm(const OperationsUp& frame, DeviceId device, Unconfirmed& unconfirmed,
                       Effect& effect);
  void let_go_on(Session& session);
  v1::Refusal forked(DeviceId device, const Fork& fork);
  Result<void> pass_over_lost(DeviceId device, const v1::LaneState& state);
  /// `ahead`: the phone has noted what this server lacks.
  Result<void> fill_welcome(const Author& author, const v1::Hello& hello, bool ahead,
                            v1::Welcome& welcome);
  Result<void> lessen_unsent(DeviceId device, std::uint64_t taken);
  /// Whether the phone may send this now; else `effect` says when.
  Result<bool> within_quota(const OperationsUp& frame, std::size_t bytes, DeviceId device,
                            Effect& effect);
  Result<void> take(const OperationsUp& frame, const Author& author, Effect& effect);
  Result<void> note_personal_writes(std::span<const Operation> operations, LaneSeq last,
                                    std::span<const AckedRun> runs, const DeviceRow& device);
  void carry_out(Effect& effect);
  void take_over_call(ConnectionId connection, Session& session, Effect& effect);
  void put_off(const Waiting& waiting, const Error& why);
  void put_off(Session& session, const Error& why);
  void send_acks(Session& session, Lane lane, std::vector<AckedRun> runs);
  Result<void> send_kept_acks(Session& session);
  void send_marked(Session& session, v1::Acks& acks);
  void send_backup_mark(Session& session);
  /// What phones may forget, and what one may leave to another worker.
  BackupMarks backup_marks() const;
  std::size_t first_cut_bytes() const;
  void pace(Session& session);
  void take_up(Session& session, Effect& effect);
  Result<bool> compare(Session& session);
  bool may_compare(DeviceId device);
  Result<bool> answer_later(Session& session);
  Result<void> repair(Session& session);
  Result<void> check_bundle(const Author& author, const v1::Hello& hello);
  Result<void> take_bundle(const v1::Bundle& bundle, const Author& author, BundleReport& report);
  void begin_anew(DeviceId device);
  void send_rows();
  Result<void> send_rows(Session& session);
  void refuse(Session& session, const v1::Refusal& refusal);
  void finish(Session& session);
  void drop_changed_sessions();
  void forget_gone_sessions();

  // Writing outside of calls.
  Result<void> begin();
  Result<v1::EnrolReply> enrol(const v1::EnrolRequest& request);
  Result<void> note_enrolment(const EnrolledDevice& enrolled);
  Result<void> note_succession(const Successor& successor, v1::EnrolReply& reply);
  Result<void> commit();
  /// The error, after the watch was told of it when it is of storage.
  const Error& noted(const Error& error);
  Result<void> audit(std::string_view by, std::string_view what);
  /// Runs `write` in a batch and commits it; undoes it when either fails.
  template <typename Write>
  auto in_batch(Write write) -> decltype(write()) {
    auto result = in_quiet_batch(std::move(write));
    if (!result) return result;
    standings_changed = true;
    drop_changed_sessions();
    return result;
  }
  /// The same where nobody's standing changes.
  template <typename Write>
  auto in_quiet_batch(Write write) -> decltype(write()) {
    if (auto begun = begin(); !begun) return std::unexpected(noted(begun.error()));
    auto result = write();
    if (!result) {
      storage->rollback();
      applier.rolled_back();
      return std::unexpected(noted(result.error()));
    }
    if (auto committed = commit(); !committed) return std::unexpected(noted(committed.error()));
    return result;
  }

  Result<void> add_epoch();

  // Tombstones.
  Result<void> read_swept();
  Result<Seq> kept_since(std::int64_t now_ms);
  Result<Seq> passed_by_all();
  Result<void> mark_log(std::int64_t now_ms);
  Result<void> begin_sweep();

  /// Inside a batch: writes what a redrawing changes at once, and reckons what follows.
  Result<void> order_redraw(const RedrawRequest& request, RedrawReport& report);
  /// Moves some of what lies in redrawn grids; whether there is more.
  Result<bool> move_redrawn();
  Result<void> read_redraw_progress();
  /// Removes what commits have left in so many of the file's bytes, from where it was left off; why
  /// not, where that has to wait.
  std::optional<Error> wipe(std::uint64_t bytes);
  static constexpr std::uint64_t kWholeFile = std::numeric_limits<std::uint64_t>::max();
  std::optional<Error> wipe_all();
  /// From the start of the file on, for what was forgotten just now.
  void wipe_begins();

  // Reading.
  Result<WhistleSummary> summary_of(RecordId whistle);
  /// Inside a batch: leads what waits in the queue by the rules as they are. How many left it.
  Result<std::size_t> lead_headless();
  /// Inside a batch.
  Result<ActionResult> act(const StaffAction& action, const Actor& actor, std::string_view by);
  Result<void> note_action(const StaffAction& action, OutcomeStatus status, std::string_view by);
  /// The centre that answers for the whole county; nil when its lists name none.
  Result<RecordId> county_centre();
  Result<Actor> actor_of(RecordId worker, RecordId whistle);
  Result<std::vector<InboxItem>> assignments_of(RecordId whistle);

  const std::unique_ptr<Storage> storage;
  const Schema& schema;
  Clock& clock;
  Random& random;
  const CountyOptions options;
  Applier applier;
  Standings standings;
  StorageWatch watch;
  Quotas quotas;
  std::uint64_t epoch = 0;
  std::uint64_t minted = 0;
  std::vector<EpochRow> epochs;
  std::deque<Seq> backups;        ///< how far each restorable one reaches, the newest last
  std::deque<Seq> backups_begun;  ///< of those that may be in their places unnoted
  /// How far redrawings are carried out: so many of them; of the next one's old grids so many; and
  /// of the next of these the feed up to there.
  struct RedrawProgress {
    std::size_t redraws = 0;
    std::size_t grids = 0;
    Seq upto;
  };
  RedrawProgress redrawn;
  Seq swept;  ///< up to there, at most, tombstones and exits are gone
  std::optional<SweepProgress> sweep;

  std::map<ConnectionId, Session> sessions;
  WaitingFrames queue;
  std::map<DeviceId, ConnectionId> current;  ///< a device's one call
  std::map<DeviceId, std::int64_t> forks;    ///< when it was last turned away as FORKED
  std::map<DeviceId, std::deque<std::int64_t>> comparisons;  ///< when, of the last hour
  bool standings_changed = false;
  /// What was forgotten still stands in the file's log; at a start nobody knows.
  bool wipe_due = true;
  std::uint64_t wiped_bytes = 0;  ///< the part of the file that is done, while `wipe_due`
  std::function<void(std::string_view, ErrorCode)> tell_refused;
  std::size_t careful = 0;  ///< so many frames go one a commit, after a batch that failed
};

/// The newest version of docs/protocol.md that is spoken here.
inline constexpr std::uint32_t kProtocol = 1;
/// Older ones are understood, and the next one's phones know this one.
inline bool is_understood(std::uint32_t protocol) {
  return protocol >= 1 && protocol <= kProtocol + 1;
}
inline Error too_new() {
  return {ErrorCode::kUnsupported,
          "版本不兼容，请联系管理员升级服务器 / this app is newer than the server: have the server "
          "updated",
          {}};
}

/// Whether a phone has seen a future that this log does not have, because it was restored.
bool knows_a_lost_log(const v1::Hello& hello, const std::vector<EpochRow>& epochs);

/// kCorrupt: what storage notes under this name cannot be what was written.
std::unexpected<Error> damaged_note(std::string_view fact);

/// To an open call of a phone that has not passed what is swept.
v1::Refusal swept_over();

/// Acknowledgements as they travel.
v1::AckRun to_wire(Lane lane, const AckedRun& run);

/// What the audit has of kept work that was shown, before the purpose.
std::string shown_kept_text(std::uint64_t number);

/// What waits under this number. Errors: kNotFound.
Result<KeptOperation> waiting_one(Storage& storage, std::uint64_t number);

}  // namespace gridwhistle
