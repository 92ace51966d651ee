#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gridwhistle/ports.h"
#include "gridwhistle/sync.h"
#include "model/digest.h"
#include "sync/actions.h"
#include "sync/backoff.h"
#include "sync/outbox.h"

namespace gridwhistle {

/// What the file says when a call begins.
struct SyncState {
  DeviceId device;
  std::array<LaneProgress, kLaneCount> lanes;
  v1::Cursor cursor;
  DevSeq own_since;
  std::vector<std::uint64_t> epochs;  ///< newest first
  std::vector<std::string> scopes;    ///< granted, as far as the file knows
  std::uint64_t grants_version = 0;
  std::uint64_t unsent = 0;
  bool has_succeeded = false;  ///< its number is a successor's
  bool compare_due = false;    ///< it believes that it has everything, and that is to be looked at
};

struct SessionLabel {
  std::uint32_t schema = 0;
  std::string software;
};

/// The phone's side of `Sync`: when to call, what to send, what to believe, when to try again.
///
/// A state machine: each function takes an event and gives the actions that follow. It knows no
/// thread, clock, socket or file; `now_ms` is any clock that never goes back. Everything a server
/// sends is held against what was sent and read before; what does not fit ends the call with
/// kProtocol, and nothing of that frame is stored. Every error leads back to a retry, or to a state
/// in which a person is told what to do.
class SyncSession {
 public:
  static constexpr std::uint32_t kProtocol = 1;
  /// A server that owes an answer and says nothing for so long is given up.
  static constexpr std::uint64_t kAnswerTimeoutMs = 60'000;
  /// A local write brings a waiting retry forward, but not closer to the last failure than this.
  static constexpr std::uint64_t kRetryAfterWriteMs = 5'000;
  /// A server may ask to wait for so long at most, and in vain while a whistle is unsent.
  static constexpr std::uint64_t kPutOffMaxMs = 900'000;
  /// A live call that held for so long went well: the next pause is a short one again.
  static constexpr std::uint64_t kSteadyMs = 60'000;
  /// A network that changed under an open call leaves it so long to show that it is alive.
  static constexpr std::uint64_t kNewNetworkMs = 5'000;
  /// Frames that are larger get the time they take on a line as slow as can be used.
  static constexpr std::size_t kSmallFrameBytes = 32 * 1024;
  static constexpr std::uint64_t kSlowestBytesPerSecond = 1024;
  /// How much is read from the file at once; a whistle waits for no more than this.
  static constexpr std::size_t kReadBytes = 256 * 1024;

  /// `random` outlives the session.
  SyncSession(SessionLabel label, Random& random);

  // What the host wants.
  SyncActions sync_once(const SyncOptions& options, std::uint64_t now_ms);
  SyncActions go_live(std::uint64_t now_ms);
  SyncActions stop();
  SyncActions network_changed(std::uint64_t now_ms);

  /// The file of a phone that was asked to wait and has restarted: so long is left of it, and so
  /// far the lanes have come. Before anything else.
  void resume(const std::array<LaneProgress, kLaneCount>& lanes, std::uint64_t wait_ms,
              std::uint64_t now_ms);

  // What happened on the phone.
  SyncActions recorded(Lane lane, LaneSeq last, std::uint64_t now_ms);
  SyncActions operations(Lane lane, std::span<const Operation> operations);
  SyncActions digests(const RangeDigests& digests);
  SyncActions contents(const std::vector<v1::RangeContents>& contents);
  SyncActions store_failed(const Error& error, std::uint64_t now_ms);
  /// The Welcome showed that the file has to be put right first; it has been, and the call begins
  /// anew with what the file says now: at once, or after a pause where that was so just before.
  SyncActions restart(std::uint64_t now_ms);
  /// The file goes on under a number of its own.
  SyncActions succeeded(std::uint64_t now_ms);

  // What happened on the line.
  SyncActions opened(const SyncState& state, std::uint64_t now_ms);
  SyncActions open_failed(const Error& error, std::uint64_t now_ms);
  SyncActions frame(const Down& frame, std::size_t bytes, std::uint64_t now_ms);
  SyncActions bad_frame(const Error& error, std::uint64_t now_ms);
  SyncActions ended(const Result<void>& how, std::uint64_t now_ms);
  SyncActions tick(std::uint64_t now_ms);

  /// Until when the server asked to wait; 0: it did not. A whistle need not.
  /// What a server asked for no longer holds: another one is to be called.
  void forget_wait() { not_before_ms_ = 0; }
  std::uint64_t not_before_ms() const { return not_before_ms_; }

  /// When to call `tick` next.
  std::optional<std::uint64_t> wake_ms() const;

  SyncPhase phase() const { return phase_; }
  /// Between `go_live` and `stop`, whatever became of the calls.
  bool live_wanted() const { return live_wanted_; }
  /// Of the last call; none while it goes well.
  const std::optional<Error>& last_error() const { return last_error_; }
  const SyncReport& report() const { return report_; }
  bool call_open() const { return call_open_; }
  /// Changes whenever a call begins or is let go of.
  std::uint64_t call_number() const { return call_number_; }

 private:
  SyncActions open(std::uint64_t now_ms);
  SyncActions begin_anew(std::uint64_t now_ms);
  SyncActions reopened(std::uint64_t now_ms);
  SyncActions succeed(bool is_unknown, std::uint64_t now_ms);
  SyncActions doubt(std::uint64_t now_ms);
  bool let_go();
  SyncActions fail_call(const Error& error, std::uint64_t now_ms);
  SyncActions time_is_up();
  std::uint64_t budget_bytes() const;
  void plan_retry(const Error& error, std::uint64_t now_ms);
  void pump(SyncActions& actions);
  void settle(SyncActions& actions);
  bool reconciles_next();

  Result<SyncActions> take(const v1::Welcome& welcome);
  Result<SyncActions> take(const v1::Acks& acks);
  Result<SyncActions> take(const CutDown& cut);
  Result<SyncActions> take(const v1::DownEnd& end);
  Result<SyncActions> take(const v1::Differences& differences);
  Result<void> check_cut(const CutDown& cut) const;
  bool owed_an_answer() const;
  std::uint64_t answer_due_ms() const;
  void put_off(std::uint64_t ms);
  std::uint64_t earliest_ms() const;
  v1::Hello hello(const SyncState& state) const;
  void add_lanes(google::protobuf::RepeatedPtrField<v1::LaneState>& lanes) const;

  const SessionLabel label_;
  Random& random_;

  bool live_wanted_ = false;
  bool once_wanted_ = false;
  bool again_ = false;                          ///< asked for after the end of this call was sent
  SyncOptions options_;                         ///< of the one-time call
  SyncOptions options_next_;                    ///< of the one behind it, while `again_`
  std::optional<std::uint64_t> once_until_ms_;  ///< it has so long

  SyncPhase phase_ = SyncPhase::kStopped;
  Backoff backoff_;
  std::uint64_t now_ms_ = 0;         ///< of the latest event
  std::uint64_t failed_ms_ = 0;      ///< when the last call failed
  std::uint64_t retry_ms_ = 0;       ///< while kWaiting
  std::uint64_t not_before_ms_ = 0;  ///< what the server asked for
  std::optional<Error> last_error_;
  SyncReport report_;

  // Of the open call.
  bool call_open_ = false;
  std::uint64_t call_number_ = 0;
  bool asking_ = false;     ///< no call: the server is asked for a number of this file's own,
  bool asked_ = false;      ///< or was, since a call last went well or failed
  bool restarted_ = false;  ///< the same of `restart`
  bool live_ = false;
  bool welcomed_ = false;
  bool software_told_ = false;  ///< to a server that answered, since this process began
  bool end_sent_ = false;
  bool end_received_ = false;
  bool reading_ = false;
  /// A comparison, which the end of a one-time call waits for.
  enum class Comparing : std::uint8_t { kNot, kWanted, kAsked, kTelling, kRepairing };
  Comparing comparing_ = Comparing::kNot;
  bool compare_put_off_ = false;  ///< it is due, and this call has something to bring first
  /// What the file holds is to be compared, in a call behind this one; and whether it has begun for
  /// that.
  bool reconcile_ = false;
  bool reconciles_ = false;
  std::uint64_t opened_ms_ = 0;
  std::uint64_t heard_ms_ = 0;
  std::optional<std::uint64_t> doubted_ms_;  ///< the network changed then, and no word came since
  Outbox outbox_;
  DeviceId device_;
  bool has_succeeded_ = false;
  Seq cursor_;
  Seq urgent_;  ///< of what came ahead in this call
  Seq backed_up_;
  std::map<std::string, Seq, std::less<>> behind_;  ///< scopes with a cursor of their own
  std::set<std::string, std::less<>> granted_;
};

}  // namespace gridwhistle
