#include <algorithm>

#include "store/state.h"

namespace gridwhistle::store {

namespace {

// Lists are kept in the shape they have on the wire.
std::string grants_bytes(const Position& position) {
  v1::Welcome welcome;
  welcome.set_grants_version(position.grants_version);
  for (const GrantHeld& grant : position.grants) {
    v1::Grant& entry = *welcome.add_grants();
    entry.set_scope(grant.scope);
    entry.set_subtree(grant.subtree);
    entry.set_audiences(grant.audiences);
    entry.set_roles(grant.roles);
    entry.set_roles_inside(grant.roles_inside);
  }
  for (const EpochSeen& epoch : position.epochs) {
    v1::Epoch& entry = *welcome.add_epochs();
    entry.set_id(epoch.id);
    entry.set_start_seq(epoch.start.value);
  }
  return welcome.SerializeAsString();
}

std::string cursor_bytes(const Position& position) {
  v1::Cursor cursor;
  cursor.set_seq(position.cursor.value);
  cursor.set_complete(position.complete.value);
  cursor.set_urgent(position.urgent.value);
  cursor.set_reached(position.reached.value);
  for (const ScopeProgress& lag : position.exceptions) {
    v1::ScopeCursor& entry = *cursor.add_exceptions();
    entry.set_scope(lag.scope);
    entry.set_seq(lag.seq.value);
  }
  return cursor.SerializeAsString();
}

Result<void> load_lists(StoreState& state) {
  GW_TRY_LET(grants, meta_bytes(state, "server"));
  GW_TRY_LET(progress, meta_bytes(state, "cursor"));
  v1::Welcome welcome;
  v1::Cursor cursor;
  if (!welcome.ParseFromString(grants) || !cursor.ParseFromString(progress)) {
    return fail(ErrorCode::kCorrupt, "the file's sync position cannot be read", "position");
  }
  Position& position = state.position;
  position.grants_version = welcome.grants_version();
  for (const v1::Grant& grant : welcome.grants()) {
    position.grants.push_back(held(grant));
  }
  for (const v1::Epoch& epoch : welcome.epochs()) {
    position.epochs.push_back({epoch.id(), Seq(epoch.start_seq())});
  }
  position.cursor = Seq(cursor.seq());
  position.complete = Seq(cursor.complete());
  position.urgent = Seq(cursor.urgent());
  position.reached = Seq(cursor.reached());
  for (const v1::ScopeCursor& lag : cursor.exceptions()) {
    position.exceptions.push_back({lag.scope(), Seq(lag.seq())});
    position.reached = std::max(position.reached, Seq(lag.seq()));  // an older build did not say
  }
  return {};
}

Result<void> load_enrolment(StoreState& state) {
  Enrolment enrolment;
  GW_TRY_LET(county, meta_bytes(state, "county"));
  if (county.empty()) return {};
  GW_TRY_LET(worker, meta_bytes(state, "worker"));
  GW_TRY_LET(short_code, meta_bytes(state, "short_code"));
  GW_TRY_LET(key, meta_bytes(state, "server_key"));
  GW_TRY_LET(address, meta_bytes(state, "server_address"));
  state.position.enrolment = Enrolment{county, RecordId::from_bytes(worker).value_or(RecordId{}),
                                       short_code, key, address};
  return {};
}

}  // namespace

Result<std::string> meta_bytes(StoreState& state, std::string_view key) {
  GW_TRY_LET(query, state.connection.prepare("SELECT value FROM meta WHERE key=?"));
  query.bind(key);
  GW_TRY_LET(row, query.step());
  return row ? std::string(query.blob(0)) : std::string();
}

std::int64_t elapsed_ms(const ClockReading& from, const ClockReading& to) {
  if (from.boot_id == to.boot_id && to.boot_ms >= from.boot_ms) {
    return static_cast<std::int64_t>(to.boot_ms - from.boot_ms);
  }
  return std::max<std::int64_t>(to.wall_ms - from.wall_ms, 0);
}

std::int64_t server_time(const Position& position, const ClockReading& now) {
  if (position.server_ms == 0 || position.server_heard.boot_id != now.boot_id) {
    return position.server_ms;
  }
  return position.server_ms + elapsed_ms(position.server_heard, now);
}

Result<Seq> newest_seen(StoreState& state, const Position& position) {
  GW_TRY_LET(acknowledged, state.connection.number("SELECT max(seq) FROM outbox", 0));
  return std::max(
      {position.cursor, position.reached, Seq(static_cast<std::uint64_t>(acknowledged))});
}

Result<void> forget_beyond(StoreState& state, Seq shared, Position& position) {
  position.backed_up = std::min(position.backed_up, shared);
  position.newest_backup = std::min(position.newest_backup, shared);
  return rewind_media(state, shared);
}

void fetch_from_beginning(Position& position, const std::string& scope) {
  position.urgent = Seq();
  if (!position.cursor) return;  // everything comes from the beginning anyway
  std::erase_if(position.exceptions, [&](const ScopeProgress& lag) { return lag.scope == scope; });
  position.exceptions.push_back({scope, Seq()});
  position.caught_up = false;
}

Result<void> read_new_kinds(StoreState& state) {
  GW_TRY_LET(read_with, meta_number(state, "read_with"));
  const std::int64_t version = state.schema.version;
  if (read_with == version || state.options.read_only) return {};
  const bool passed_over =
      read_with != 0 && std::ranges::any_of(state.schema.kinds, [&](const KindSchema& kind) {
        return kind.since > read_with && kind.since <= version;
      });
  GW_TRY_LET(transaction, begin(state));
  Position position = state.position;
  if (passed_over) {
    for (const GrantHeld& grant : position.grants) fetch_from_beginning(position, grant.scope);
    GW_TRY(save_position(state, position));
  }
  GW_TRY(put_meta(state, "read_with", version));
  GW_TRY(transaction.commit());
  state.position = std::move(position);
  return {};
}

Result<void> load_position(StoreState& state) {
  GW_TRY(load_lists(state));
  GW_TRY(load_enrolment(state));
  GW_TRY_LET(own_since, meta_number(state, "own_since"));
  GW_TRY_LET(backed_up, meta_number(state, "backed_up"));
  GW_TRY_LET(newest_backup, meta_number(state, "newest_backup"));
  GW_TRY_LET(caught_up, meta_number(state, "caught_up"));
  GW_TRY_LET(reconcile, meta_number(state, "reconcile"));
  GW_TRY_LET(server_ms, meta_number(state, "server_ms"));
  GW_TRY_LET(wall_ms, meta_number(state, "heard_wall_ms"));
  GW_TRY_LET(boot_ms, meta_number(state, "heard_boot_ms"));
  GW_TRY_LET(boot_id, meta_number(state, "heard_boot_id"));
  GW_TRY_LET(caught_up_ms, meta_number(state, "caught_up_ms"));
  Position& position = state.position;
  position.own_since = DevSeq(static_cast<std::uint64_t>(own_since));
  position.backed_up = Seq(static_cast<std::uint64_t>(backed_up));
  // A file of an older build was told of the newest alone.
  position.newest_backup =
      std::max(position.backed_up, Seq(static_cast<std::uint64_t>(newest_backup)));
  position.caught_up = caught_up != 0;
  position.reconcile = reconcile != 0;
  position.server_ms = server_ms;
  position.server_heard = {wall_ms, static_cast<std::uint64_t>(boot_ms),
                           static_cast<std::uint64_t>(boot_id)};
  position.caught_up_wall_ms = caught_up_ms;
  GW_TRY_LET(line_error, meta_number(state, "line_error"));
  if (line_error == 0) return {};
  GW_TRY_LET(line_message, meta_bytes(state, "line_message"));
  position.line_error = Error{static_cast<ErrorCode>(line_error), line_message, "last call"};
  return {};
}

Result<void> save_backup_marks(StoreState& state, const Position& position) {
  const Position& before = state.position;
  if (position.backed_up != before.backed_up) {
    GW_TRY(put_meta(state, "backed_up", static_cast<std::int64_t>(position.backed_up.value)));
  }
  if (position.newest_backup == before.newest_backup) return {};
  return put_meta(state, "newest_backup", static_cast<std::int64_t>(position.newest_backup.value));
}

// What has not changed stands in the file already, but for the clocks: those are also heard without
// a write.
Result<void> save_position(StoreState& state, const Position& position) {
  const Position& before = state.position;
  if (position.grants != before.grants || position.grants_version != before.grants_version ||
      position.epochs != before.epochs) {
    GW_TRY(put_meta(state, "server", std::string_view(grants_bytes(position))));
  }
  if (position.cursor != before.cursor || position.complete != before.complete ||
      position.urgent != before.urgent || position.reached != before.reached ||
      position.exceptions != before.exceptions) {
    GW_TRY(put_meta(state, "cursor", std::string_view(cursor_bytes(position))));
  }
  if (position.own_since != before.own_since) {
    GW_TRY(put_meta(state, "own_since", static_cast<std::int64_t>(position.own_since.value)));
  }
  GW_TRY(save_backup_marks(state, position));
  if (position.caught_up != before.caught_up) {
    GW_TRY(put_meta(state, "caught_up", std::int64_t{position.caught_up}));
  }
  if (position.reconcile != before.reconcile) {
    GW_TRY(put_meta(state, "reconcile", std::int64_t{position.reconcile}));
  }
  GW_TRY(put_meta(state, "server_ms", position.server_ms));
  GW_TRY(put_meta(state, "heard_wall_ms", position.server_heard.wall_ms));
  GW_TRY(
      put_meta(state, "heard_boot_ms", static_cast<std::int64_t>(position.server_heard.boot_ms)));
  GW_TRY(
      put_meta(state, "heard_boot_id", static_cast<std::int64_t>(position.server_heard.boot_id)));
  GW_TRY(put_meta(state, "caught_up_ms", position.caught_up_wall_ms));
  if (!position.enrolment || position.enrolment == before.enrolment) return {};
  const Enrolment& enrolment = *position.enrolment;
  GW_TRY(put_meta(state, "county", std::string_view(enrolment.county)));
  GW_TRY(put_meta(state, "worker", enrolment.worker.bytes()));
  GW_TRY(put_meta(state, "short_code", std::string_view(enrolment.short_code)));
  GW_TRY(put_meta(state, "server_key", std::string_view(enrolment.server_key_sha256)));
  return put_meta(state, "server_address", std::string_view(enrolment.server_address));
}

// Only a change costs a write: a phone without a network tries all day.
Result<void> Store::note_line(const std::optional<Error>& error) {
  std::optional<Error>& known = state_->position.line_error;
  if (error.has_value() == known.has_value() && (!error || error->code == known->code)) return {};
  GW_TRY_LET(transaction, begin(*state_));
  const auto code = error ? static_cast<std::int64_t>(error->code) : std::int64_t{0};
  GW_TRY(put_meta(*state_, "line_error", code));
  GW_TRY(put_meta(*state_, "line_message", std::string_view(error ? error->message : "")));
  GW_TRY(transaction.commit());
  known = error;
  return {};
}

Result<void> Store::note_wait(std::uint64_t wait_ms, const ClockReading& now) {
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(put_meta(*state_, "wait_ms", static_cast<std::int64_t>(wait_ms)));
  GW_TRY(put_meta(*state_, "wait_wall_ms", now.wall_ms));
  GW_TRY(put_meta(*state_, "wait_boot_ms", static_cast<std::int64_t>(now.boot_ms)));
  GW_TRY(put_meta(*state_, "wait_boot_id", static_cast<std::int64_t>(now.boot_id)));
  return transaction.commit();
}

// The clock since the start of the phone cannot be set; the other one can, and one that was set
// back would prolong the wait at each start of the app.
Result<std::uint64_t> Store::wait_left_ms(const ClockReading& now) {
  GW_TRY_LET(wait_ms, meta_number(*state_, "wait_ms"));
  if (wait_ms == 0) return 0;
  GW_TRY_LET(wall_ms, meta_number(*state_, "wait_wall_ms"));
  GW_TRY_LET(boot_ms, meta_number(*state_, "wait_boot_ms"));
  GW_TRY_LET(boot_id, meta_number(*state_, "wait_boot_id"));
  const bool same_boot = static_cast<std::uint64_t>(boot_id) == now.boot_id;
  const std::int64_t passed_ms =
      same_boot ? static_cast<std::int64_t>(now.boot_ms) - boot_ms : now.wall_ms - wall_ms;
  if (passed_ms < 0 || passed_ms >= wait_ms) return 0;
  return static_cast<std::uint64_t>(wait_ms - passed_ms);
}

const std::optional<Error>& Store::line_error() const { return state_->position.line_error; }

}  // namespace gridwhistle::store
