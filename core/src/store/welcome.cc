#include <algorithm>
#include <set>

#include "base/sha256.h"
#include "store/epochs.h"
#include "store/state.h"
#include "wire/limits.h"

namespace gridwhistle::store {

namespace {

constexpr std::string_view kServerPublicKey = "server_public_key";

LanesHeld lanes_held(const v1::Welcome& welcome) {
  LanesHeld held;
  for (const v1::LaneState& lane : welcome.lanes()) {
    held[index_of(static_cast<Lane>(lane.lane()))] = LaneSeq(lane.last());
  }
  return held;
}

std::vector<GrantHeld> grants_of(const v1::Welcome& welcome) {
  std::vector<GrantHeld> grants;
  for (const v1::Grant& grant : welcome.grants()) {
    grants.push_back(held(grant));
  }
  return grants;
}

// Whether `now` shows rows that `before` did not: these were never fetched. Some kinds are shown to
// some roles alone.
bool widened(const std::vector<GrantHeld>& before, const GrantHeld& now) {
  return std::ranges::none_of(before, [&](const GrantHeld& held) {
    return held.scope == now.scope && (held.audiences & now.audiences) == now.audiences &&
           (held.roles & now.roles) == now.roles &&
           (held.roles_inside & now.roles_inside) == now.roles_inside &&
           (held.subtree || !now.subtree);
  });
}

class Arrival {
 public:
  Arrival(StoreState& state, const v1::Welcome& welcome, const ClockReading& at)
      : state_(state), welcome_(welcome), position_(state.position), lanes_(state.lanes) {
    position_.server_ms = welcome.server_ms();
    position_.server_heard = at;
  }
  /// Of a Welcome that says nothing but how the server's log goes.
  Arrival(StoreState& state, const v1::Welcome& epochs_and_lanes)
      : Arrival(state, epochs_and_lanes, state.position.server_heard) {
    position_.server_ms = state.position.server_ms;
    tells_grants_ = false;
  }

  Result<void> run() {
    // A server that knows this start of its own, and the grants of this phone, is the county's.
    const bool named = tells_grants_ && (!welcome_.as_before() || !welcome_.county().empty());
    if (named && position_.enrolment && position_.enrolment->county != welcome_.county()) {
      return fail(ErrorCode::kProtocol, "this is another county's server", "welcome");
    }
    // Of what is as it was only the clock is news; it is written with what comes next.
    Position heard = position_;
    const bool further = take_backup_marks(heard, welcome_);
    const bool reconciles = welcome_.reconcile() && !position_.reconcile;
    if (welcome_.as_before() && !further && !reconciles) {
      state_.position = std::move(position_);
      return {};
    }
    const std::int64_t newest_scope_set = state_.newest_scope_set;
    if (auto written = write(); !written) {
      // Scope sets that were made within are undone with it.
      drop_scope_sets_after(state_, newest_scope_set);
      return written;
    }
    // What this phone may not see any more does not stay in its file's log either.
    if (rewound_ || dropped_) wipe(state_);
    touched(state_, {kinds_.begin(), kinds_.end()});
    return rewound_ ? reload_refused(state_) : Result<void>();
  }

 private:
  Result<void> write() {
    GW_TRY_LET(transaction, begin(state_));
    position_.reconcile |= welcome_.reconcile();
    if (!welcome_.as_before()) {
      GW_TRY(compare_epochs());
      if (tells_grants_) GW_TRY(compare_grants());
      if (tells_grants_) GW_TRY(keep_server_key());
    }
    const auto before = state_.lanes;
    state_.lanes = lanes_;
    Result<void> done = finish(transaction);
    if (!done) state_.lanes = before;
    return done;
  }

  Result<void> compare_epochs() {
    const std::vector<EpochSeen> theirs = epochs_of(welcome_.epochs());
    const std::optional<Seq> shared = parting(position_.epochs, theirs);
    // Of a log that parted too long ago only the lanes tell what the server still has. To offer it
    // all again would look like a copy of this file.
    const bool is_known = share_a_start(position_.epochs, theirs);
    if (shared && welcome_.lanes().empty() && !is_known) {
      return fail(ErrorCode::kProtocol, "the server knows nothing of what this file has seen",
                  "welcome");
    }
    position_.epochs = theirs;
    if (!shared) return holds_less() ? fork() : Result<void>();
    GW_TRY(forget_beyond(state_, *shared, position_));
    GW_TRY_LET(newest, newest_seen(state_, position_));
    if (newest <= *shared) return holds_less() ? fork() : Result<void>();
    GW_TRY_LET(lanes, rewind(state_, *shared, is_known, lanes_held(welcome_), position_));
    lanes_ = lanes;
    rewound_ = true;
    for (const auto& [id, table] : state_.kinds) kinds_.insert(id);
    return {};
  }

  // Nothing of the log is lost, and of a lane something is missing: another copy of this file took
  // its number, from an older state.
  bool holds_less() const {
    const LanesHeld held = lanes_held(welcome_);
    return std::ranges::any_of(kLanes, [&](Lane lane) {
      const std::optional<LaneSeq>& last = held[index_of(lane)];
      return last && *last < lanes_[index_of(lane)].noted;
    });
  }

  static std::unexpected<Error> fork() {
    return fail(ErrorCode::kForked, "the server has less of this file than it acknowledged",
                "welcome");
  }

  // Whatever a server calls its key, the pinned one is the one.
  Result<void> keep_server_key() {
    const std::string& key = welcome_.server_key();
    if (!position_.enrolment || sha256(key) != position_.enrolment->server_key_sha256) return {};
    return put_meta(state_, kServerPublicKey, std::string_view(key));
  }

  Result<void> compare_grants() {
    const std::vector<GrantHeld> grants = grants_of(welcome_);
    for (const GrantHeld& grant : grants) {
      if (widened(position_.grants, grant)) fetch_from_beginning(position_, grant.scope);
    }
    std::erase_if(position_.exceptions, [&](const ScopeProgress& lag) {
      return std::ranges::find(grants, lag.scope, &GrantHeld::scope) == grants.end();
    });
    const bool lost = std::ranges::any_of(
        position_.grants, [&](const GrantHeld& held) { return widened(grants, held); });
    position_.grants = grants;
    position_.grants_version = welcome_.grants_version();
    if (!lost) return {};
    GW_TRY_LET(gone, drop_uncovered(state_, grants));
    const std::vector<KindId>& kinds = gone.kinds;
    kinds_.insert(kinds.begin(), kinds.end());
    // Own writes went with the rows: should the scope come back, the feed must bring those too.
    if (!kinds.empty()) position_.own_since = state_.dev_seq;
    dropped_ = !kinds.empty();
    if (gone.in_doubt) {
      for (const GrantHeld& grant : grants) fetch_from_beginning(position_, grant.scope);
    }
    // Terms of removed records would linger in the index until its parts are merged.
    if (!kinds.empty()) GW_TRY(compact_index(state_));
    return {};
  }

  Result<void> finish(sqlite::Transaction& transaction) {
    const Seq before = position_.backed_up;
    take_backup_marks(position_, welcome_);
    if (position_.backed_up > before) GW_TRY(forget_backed_up(state_, position_.backed_up));
    if (rewound_ || dropped_) GW_TRY(note_traces(state_));
    GW_TRY(save_position(state_, position_));
    GW_TRY(transaction.commit());
    state_.position = std::move(position_);
    return {};
  }

  StoreState& state_;
  const v1::Welcome& welcome_;
  Position position_;
  std::array<LaneProgress, kLaneCount> lanes_;
  std::set<KindId> kinds_;
  bool tells_grants_ = true;
  bool rewound_ = false;
  bool dropped_ = false;  ///< rows of scopes that it holds no more
};

}  // namespace

Result<void> Store::welcome(const v1::Welcome& welcome, const ClockReading& at) {
  return Arrival(*state_, welcome, at).run();
}

Result<void> Store::returned(const v1::EnrolReply& reply) {
  GW_TRY_LET(asked, plan_return(0));
  if (!state_->position.enrolment) return fail(ErrorCode::kNotEnrolled, "the file is not enrolled");
  Enrolment enrolment = *state_->position.enrolment;
  enrolment.short_code = reply.short_code();
  // Where no start in common is told, the next Welcome tells one, and how much there is of each
  // lane.
  if (!share_a_start(state_->position.epochs, epochs_of(reply.epochs()))) {
    return set_enrolment(enrolment);
  }
  v1::Welcome parted;
  *parted.mutable_epochs() = reply.epochs();
  for (const v1::UnsettledLane& lane : asked.lanes) {
    v1::LaneState& held = *parted.add_lanes();
    held.set_lane(lane.lane());
    held.set_last(lane.noted());
    for (const v1::AckRun& run : reply.runs()) {
      if (run.lane() != lane.lane()) continue;
      held.set_last(std::max(held.last(), run.first() + run.count() - 1));
    }
  }
  GW_TRY(Arrival(*state_, parted).run());
  v1::Acks acks;
  *acks.mutable_runs() = reply.runs();
  GW_TRY(acknowledge(acks));
  for (const v1::AckRun& run : acks.runs()) {
    const auto lane = static_cast<Lane>(run.lane());
    GW_TRY(state_->connection.run(
        "UPDATE outbox SET known_by=? WHERE known_by=0 AND key BETWEEN ? AND ?",
        static_cast<std::int64_t>(asked.predecessor.value), key_of(lane, LaneSeq(run.first())),
        key_of(lane, LaneSeq(run.first() + run.count() - 1))));
  }
  return set_enrolment(enrolment);
}

Result<std::uint64_t> Store::not_safe_yet() {
  std::uint64_t count = 0;
  for (const Lane lane : kLanes) {
    const LaneProgress& progress = state_->lanes[index_of(lane)];
    count += progress.last.value - progress.noted.value;
    // What was refused (2) or is done with (3) is nothing that a restored server would miss.
    GW_TRY_LET(kept, state_->connection.number(
                         "SELECT count(*) FROM outbox WHERE key BETWEEN ? AND ? AND seq>? "
                         "AND state IN (0, 1, 4)",
                         0, key_of(lane, LaneSeq(0)), key_of(lane, progress.noted),
                         state_->position.newest_backup));
    count += static_cast<std::uint64_t>(kept);
  }
  if (!state_->has_media) return count;
  // What is refused waits for nobody.
  GW_TRY_LET(files, state_->connection.number("SELECT count(*) FROM media WHERE own=1 AND named=1 "
                                              "AND code=0 AND (seq=0 OR seq>?)",
                                              0, state_->position.newest_backup));
  count += static_cast<std::uint64_t>(files);
  return count;
}

Result<void> Store::set_enrolment(const Enrolment& enrolment) {
  Position position = state_->position;
  const auto& before = position.enrolment;
  const bool other_county = before && before->county != enrolment.county;
  const bool other_worker = before && before->worker != enrolment.worker;
  std::uint64_t recorded = 0;
  for (const LaneProgress& lane : state_->lanes) recorded += lane.last.value;
  // What was acknowledged may be offered again after a restore, and rows and counters belong to one
  // log: a file never changes the county it has spoken with.
  if (other_county && (recorded > 0 || position.server_ms != 0)) {
    return fail(ErrorCode::kConflict, "this file belongs to another county; begin a new one",
                "enrolment");
  }
  if (other_worker) {
    GW_TRY_LET(not_safe, not_safe_yet());
    if (not_safe > 0) {
      return fail(
          ErrorCode::kConflict,
          "this phone still has another worker's work; send it and let the server be backed "
          "up first",
          "enrolment");
    }
  }
  position.enrolment = enrolment;
  GW_TRY_LET(transaction, begin(*state_));
  if (other_worker) {
    GW_TRY(state_->connection.run("DELETE FROM drafts"));
    GW_TRY(state_->connection.run("UPDATE outbox SET state=3 WHERE state=2"));
    // What is kept for older backups would be offered in the other's name.
    position.backed_up = position.newest_backup;
  }
  const auto lanes = state_->lanes;
  Result<void> done = save_position(*state_, position);
  if (done && other_worker) done = forget_backed_up(*state_, position.backed_up);
  if (done) done = transaction.commit();
  if (!done) {
    state_->lanes = lanes;
    return done;
  }
  state_->position = std::move(position);
  return other_worker ? reload_refused(*state_) : Result<void>();
}

Result<std::string> Store::server_public_key() {
  const auto& enrolment = state_->position.enrolment;
  GW_TRY_LET(key, meta_bytes(*state_, kServerPublicKey));
  if (!enrolment || sha256(key) != enrolment->server_key_sha256) return std::string();
  return key;
}

std::uint64_t Store::unsent() const {
  std::uint64_t unsent = 0;
  for (const LaneProgress& lane : state_->lanes) unsent += lane.last.value - lane.noted.value;
  return unsent;
}

Result<SyncState> Store::sync_state() {
  const Position& position = state_->position;
  SyncState out;
  out.device = state_->device;
  out.has_succeeded = !state_->predecessors.empty();
  out.enrolment = position.enrolment;
  out.cursor = position.cursor;
  out.exceptions = position.exceptions;
  out.complete = position.complete;
  out.urgent = position.urgent;
  out.reached = position.reached;
  out.own_since = position.own_since;
  out.epochs = position.epochs;
  out.grants = position.grants;
  out.grants_version = position.grants_version;
  out.lanes = state_->lanes;
  out.unsent = unsent();
  out.highest = state_->highest;
  return out;
}

}  // namespace gridwhistle::store
