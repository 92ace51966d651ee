#include <algorithm>
#include <utility>

#include "access/hello.h"
#include "access/personal_writes.h"
#include "base/limits.h"
#include "county/impl.h"
#include "model/audience.h"

// What phones do: frames into one commit, then acknowledgements, then rows.
namespace gridwhistle {

namespace {

constexpr std::uint32_t kRetryAfterFailureMs = 30'000;
// A version of the grants that no list of theirs has: of a phone whose worker left.
constexpr std::uint64_t kNothingHeld = 1;
// Of one call, while the phone sends what it may have sent before: far below what it sends without
// an answer.
constexpr std::size_t kHeldBackBytes = 64 * 1024;
// How often it is looked whether a phone that waits to be compared has waited for too long.
constexpr std::int64_t kTurnAskedMs = 1'000;
// What a stream queues and how soon it has to be gone tell a line of some megabits from a worse
// one.
constexpr std::uint64_t kQuickLineMs = 1'000;

v1::Refusal refusal_of(const Error& error, std::uint32_t retry_after_ms = 0) {
  v1::Refusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(error.code));
  refusal.set_message(error.message);
  refusal.set_retry_after_ms(retry_after_ms);
  return refusal;
}

// The disk's own words are for the operator: to a phone they would speak of its own disk.
v1::Refusal busy() {
  return refusal_of({ErrorCode::kBusy,
                     "服务器暂时无法读写数据 / the server cannot read or write its data now",
                     {}},
                    kRetryAfterFailureMs);
}

v1::Refusal update_the_app() {
  return refusal_of(
      {ErrorCode::kUnsupported,
       "您的记录已收到，请升级应用后接收 / what you recorded has arrived; update the app "
       "to receive",
       {}});
}

v1::Refusal over_quota(std::int64_t wait_ms) {
  const std::string minutes = std::to_string((wait_ms + 59'999) / 60'000);
  return refusal_of({ErrorCode::kBusy,
                     "这部手机发送过多，其余内容保留在手机里，" + minutes +
                         " 分钟后再发送；哨声不受影响 / this phone has sent too much; the rest "
                         "stays on it and may "
                         "go in " +
                         minutes + " minutes; whistles go at once",
                     {}},
                    static_cast<std::uint32_t>(wait_ms));
}

// Work that is at fault has its receipt. What else fails while it is written is the server's own
// fault, whatever it is called: the batch is undone, and the phone keeps its work and tries again.
Error fault_of(Error error) {
  const bool is_before_all = error.code == ErrorCode::kProtocol;
  if (!is_before_all && !is_of_storage(error.code)) error.code = ErrorCode::kInternal;
  return error;
}

ClockPair clocks_of(const v1::Hello& hello, std::int64_t now_ms) {
  return {{.wall_ms = hello.wall_ms(), .boot_ms = hello.boot_ms(), .boot_id = hello.boot_id()},
          now_ms};
}

// The newest start of this server that the phone has seen: its place in `epochs`, newest first.
std::optional<std::size_t> newest_common(const v1::Hello& hello,
                                         const std::vector<EpochRow>& epochs) {
  for (const std::uint64_t id : hello.epochs()) {
    const auto known = std::ranges::find(epochs, id, &EpochRow::id);
    if (known != epochs.end()) return static_cast<std::size_t>(known - epochs.begin());
  }
  return std::nullopt;
}

// The newest starts; and however long the phone was away, the one that it knows and the one after,
// which tell it where the log that it knows ended.
std::vector<std::size_t> epochs_for(const v1::Hello& hello, const std::vector<EpochRow>& epochs) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < std::min(epochs.size(), limits::kEpochs); ++i) places.push_back(i);
  const std::optional<std::size_t> common = newest_common(hello, epochs);
  if (common && *common >= limits::kEpochs) {
    places[limits::kEpochs - 2] = *common - 1;
    places[limits::kEpochs - 1] = *common;
  }
  return places;
}

// What a Hello says of a lane. Of one that it leaves out nothing has ever been recorded.
v1::LaneState said_of(const v1::Hello& hello, Lane lane) {
  const auto number = static_cast<std::uint32_t>(lane);
  for (const v1::LaneState& said : hello.lanes()) {
    if (said.lane() == number) return said;
  }
  v1::LaneState nothing;
  nothing.set_lane(number);
  return nothing;
}

// The part of the runs that lies above `acked`.
std::vector<AckedRun> above(std::vector<AckedRun> runs, LaneSeq acked) {
  std::vector<AckedRun> rest;
  for (AckedRun run : runs) {
    const std::uint64_t end = run.first.value + run.count;
    if (end <= acked.value + 1) continue;
    if (run.first <= acked) {
      const std::uint64_t skip = acked.value + 1 - run.first.value;
      run.first = LaneSeq(run.first.value + skip);
      run.first_seq = Seq(run.first_seq.value + skip);
      run.count -= static_cast<std::uint32_t>(skip);
    }
    rest.push_back(run);
  }
  return rest;
}

}  // namespace

v1::Refusal swept_over() {
  return refusal_of({ErrorCode::kBusy, "请重新同步 / call again, to be compared", {}});
}

bool knows_a_lost_log(const v1::Hello& hello, const std::vector<EpochRow>& epochs) {
  if (hello.epochs().empty()) return false;
  const std::optional<std::size_t> common = newest_common(hello, epochs);
  if (!common || epochs[*common].id != hello.epochs(0)) return true;
  if (*common == 0) return false;
  // The next start began where the log of this one ended.
  const std::uint64_t end = epochs[*common - 1].start_seq.value;
  return hello.cursor().seq() > end || hello.cursor().urgent() > end ||
         hello.cursor().reached() > end ||
         std::ranges::any_of(hello.cursor().exceptions(),
                             [&](const v1::ScopeCursor& scope) { return scope.seq() > end; });
}

bool is_of_storage(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDiskFull:
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kReadOnly:
    case ErrorCode::kNotADatabase:
    case ErrorCode::kLocked:
    case ErrorCode::kInternal:
      return true;
    default:
      return false;
  }
}

PumpResult County::Impl::pump() {
  std::vector<Waiting> batch;
  std::size_t operations = 0;
  while (!queue.empty() && operations < options.commit_operations) {
    batch.push_back(queue.pop());
    // How many operations a frame has is only known once it is decoded; its size says enough.
    operations += 1 + batch.back().frame.size() / 64;
    if (careful > 0) {
      --careful;
      break;
    }
  }
  if (!batch.empty()) {
    auto effects = deal_with(batch);
    if (effects) {
      for (const Waiting& waiting : batch) {
        const auto session = sessions.find(waiting.connection);
        if (session != sessions.end()) --session->second.frames_waiting;
      }
      for (Effect& effect : *effects) carry_out(effect);
      drop_changed_sessions();
    } else if (batch.size() > 1) {
      // One frame may be at fault: each alone, so that the others pass.
      careful = batch.size();
      queue.put_back(std::move(batch));
    } else {
      put_off(batch.front(), effects.error());
    }
  }
  const auto moved = options.serves ? move_redrawn() : Result<bool>(false);
  for (auto& [connection, session] : sessions) let_go_on(session);
  send_rows();
  forget_gone_sessions();
  const bool comparing =
      std::ranges::any_of(sessions, [](const auto& entry) { return has_to_compare(entry.second); });
  const bool waits = std::ranges::any_of(
      sessions, [](const auto& entry) { return waits_to_compare(entry.second); });
  const bool its_turn = waits && std::ranges::none_of(sessions, [](const auto& entry) {
                          return entry.second.comparison.has_value();
                        });
  const std::int64_t later_ms = watch.try_again(now_ms());
  return {.more = !queue.empty() || comparing || its_turn || (moved && *moved),
          .wake_after_ms = waits ? std::min(later_ms, kTurnAskedMs) : later_ms};
}

Result<std::vector<Effect>> County::Impl::deal_with(std::vector<Waiting>& batch) {
  // That a call's frames are over writes nothing. What a power cut may take of a batch without work
  // (which calls a phone has used up, when it was seen, which acknowledgements it has) its next
  // call says again.
  const bool writes = !std::ranges::all_of(batch, &Waiting::end);
  const bool works = std::ranges::any_of(batch, [](const Waiting& waiting) {
    return !waiting.end && brings_operations(waiting.frame);
  });
  if (writes) {
    auto begun = works ? storage->begin() : storage->begin_unsynced();
    if (!begun) return std::unexpected(begun.error());
  }
  std::vector<Effect> effects;
  InBatch in_batch;
  std::set<ConnectionId> refused;
  for (const Waiting& waiting : batch) {
    if (refused.contains(waiting.connection)) continue;
    auto effect = deal_with(waiting, in_batch);
    if (!effect) {
      if (is_of_storage(effect.error().code)) {
        storage->rollback();
        applier.rolled_back();
        standings.rolled_back();
        quotas.undo();
        return std::unexpected(std::move(effect.error()));
      }
      effect = Effect{.connection = waiting.connection, .refusal = refusal_of(effect.error())};
    }
    if (effect->refusal && !effect->over_quota) refused.insert(waiting.connection);
    effects.push_back(std::move(*effect));
  }
  if (writes) {
    if (auto committed = commit(); !committed) {
      quotas.undo();
      return std::unexpected(committed.error());
    }
  }
  for (const auto& [connection, unconfirmed] : in_batch.unconfirmed) {
    sessions.at(connection).unconfirmed = unconfirmed;
  }
  quotas.keep();
  return effects;
}

Result<Effect> County::Impl::deal_with(const Waiting& waiting, InBatch& in_batch) {
  Effect effect{.connection = waiting.connection};
  const auto found = sessions.find(waiting.connection);
  if (found == sessions.end() || found->second.closing) return effect;
  const Session& session = found->second;
  if (waiting.end) {
    effect.up_ended = true;
    return effect;
  }
  const auto here = in_batch.authors.find(waiting.connection);
  const Author* author = here != in_batch.authors.end() ? &here->second
                         : session.author               ? &*session.author
                                                        : nullptr;
  Unconfirmed& unconfirmed =
      in_batch.unconfirmed.try_emplace(waiting.connection, session.unconfirmed).first->second;
  auto up = decode_up(schema, author ? author->device.device : DeviceId(), waiting.frame);
  if (!up) return std::unexpected(std::move(up.error()));
  if (const auto* hello = std::get_if<v1::Hello>(&*up)) {
    if (author) return fail(ErrorCode::kProtocol, "a second Hello");
    if (auto greeted = greet(*hello, effect, unconfirmed); !greeted) {
      return std::unexpected(greeted.error());
    }
    if (effect.author) in_batch.authors.emplace(waiting.connection, *effect.author);
    return effect;
  }
  if (!author) return fail(ErrorCode::kProtocol, "a call begins with Hello");
  if (const auto* frame = std::get_if<OperationsUp>(&*up)) {
    auto waits = confirm(*frame, author->device.device, unconfirmed, effect);
    if (!waits) return std::unexpected(std::move(waits.error()));
    if (effect.refusal) return effect;
    // In the order in which they came, the one that confirms the others too.
    if (*waits || !session.held_back.empty() || in_batch.held.contains(waiting.connection)) {
      in_batch.held.insert(waiting.connection);
      effect.held_back = waiting;
      return effect;
    }
    if (session.over_quota && frame->lane != Lane::kWhistles) return effect;
    auto passes = within_quota(*frame, waiting.frame.size(), author->device.device, effect);
    if (!passes) return std::unexpected(std::move(passes.error()));
    if (!*passes) return effect;
    if (auto taken = take(*frame, *author, effect); !taken) return std::unexpected(taken.error());
  } else if (const auto* noted = std::get_if<v1::Noted>(&*up)) {
    for (const v1::LaneState& lane : noted->lanes()) {
      if (auto done = note(*storage, author->device.device, static_cast<Lane>(lane.lane()),
                           LaneSeq(lane.noted()));
          !done) {
        return std::unexpected(fault_of(done.error()));
      }
      LaneSeq& open = unconfirmed[index_of(static_cast<Lane>(lane.lane()))];
      if (LaneSeq(lane.noted()) >= open) open = LaneSeq();
    }
  } else if (const auto* digests = std::get_if<v1::Digests>(&*up)) {
    effect.digests = *digests;
  } else if (const auto* contents = std::get_if<v1::RangeContents>(&*up)) {
    effect.contents = *contents;
  } else {
    effect.up_ended = true;
  }
  return effect;
}

Result<bool> County::Impl::confirm(const OperationsUp& frame, DeviceId device,
                                   Unconfirmed& unconfirmed, Effect& effect) {
  const auto is_open = [](LaneSeq to) { return to.value > 0; };
  const bool waits = std::ranges::any_of(unconfirmed, is_open);
  LaneSeq& here = unconfirmed[index_of(frame.lane)];
  if (is_open(here) && !frame.operations.empty()) {
    auto screened = screen(*storage, device, frame.operations);
    if (!screened) return std::unexpected(std::move(screened.error()));
    if (screened->fork) {
      effect.refusal = forked(device, *screened->fork);
      return false;
    }
    if (frame.operations.back().lane_seq >= here) here = LaneSeq();
  }
  return waits;
}

// A call that is over, or has sent so much else, confirms nothing more: it has a reason to begin
// elsewhere, like a budget that is nearly spent. Of one that broke off everything comes again.
void County::Impl::let_go_on(Session& session) {
  if (session.held_back.empty()) return;
  if (session.sink == nullptr || session.closing) {
    session.frames_waiting -= session.held_back.size();
    session.held_back.clear();
    return;
  }
  std::size_t bytes = 0;
  for (const Waiting& waiting : session.held_back) bytes += waiting.frame.size();
  if (session.up_ended || bytes > kHeldBackBytes) session.unconfirmed = {};
  if (std::ranges::any_of(session.unconfirmed, [](LaneSeq to) { return to.value > 0; })) return;
  queue.put_back(std::exchange(session.held_back, {}));
}

Result<void> County::Impl::greet(const v1::Hello& hello, Effect& effect, Unconfirmed& unconfirmed) {
  const std::int64_t now = now_ms();
  if (!is_understood(hello.protocol())) return std::unexpected(too_new());
  bool ahead = knows_a_lost_log(hello, epochs);
  auto device = recognise(*storage, hello, options.server_key_sha256, ahead, now);
  if (!device && device.error().code == ErrorCode::kForked) forks[DeviceId(hello.device())] = now;
  if (!device) return std::unexpected(std::move(device.error()));
  effect.short_code = device->short_code;
  auto found = standings.of(*storage, device->worker, now);
  if (!found) return std::unexpected(std::move(found.error()));
  standings_changed |= found->changed;
  auto holders = storage->holders(device->device);
  if (!holders) return std::unexpected(std::move(holders.error()));
  if (!holders->empty()) effect.since = holders->back().since;
  auto numbers = numbers_before(*storage, *device);
  if (!numbers) return std::unexpected(std::move(numbers.error()));
  effect.numbers_before = std::move(*numbers);
  std::uint64_t unsent = 0;
  for (const Lane lane : kLanes) {
    const v1::LaneState state = said_of(hello, lane);
    if (auto over = pass_over_lost(device->device, state); !over) return over;
    auto row = storage->lane(device->device, lane);
    if (!row) return std::unexpected(std::move(row.error()));
    ahead |= state.noted() > row->last.value;
    if (state.last() > row->last.value) unsent += state.last() - row->last.value;
  }
  // What a phone says of a log that is lost is no sign of a copy: it will say it anew.
  for (const Lane lane : kLanes) {
    if (ahead) break;
    const v1::LaneState state = said_of(hello, lane);
    const LaneClaim claim{lane, LaneSeq(state.noted()), LaneSeq(state.last())};
    auto fork = check_claim(*storage, device->device, claim);
    if (!fork) return std::unexpected(std::move(fork.error()));
    if (*fork) {
      effect.refusal = forked(device->device, **fork);
      return {};
    }
    auto row = storage->lane(device->device, lane);
    if (!row) return std::unexpected(std::move(row.error()));
    if (auto noted = note(*storage, device->device, lane, claim.noted); !noted) return noted;
    unconfirmed[index_of(lane)] = row->last > claim.noted ? row->last : LaneSeq();
  }
  // What the phone has and this server has not: it counts by acknowledgements that may be on the
  // way.
  device->unsent = static_cast<std::uint32_t>(std::min<std::uint64_t>(unsent, UINT32_MAX));
  // Of a log that is lost: how much of this one it has read the next call will say.
  if (ahead) device->cursor = Seq();
  if (auto put = storage->put_device(*device); !put) return put;
  for (const Lane lane : kLanes) {
    auto row = storage->lane(device->device, lane);
    if (!row) return std::unexpected(std::move(row.error()));
    effect.applied[index_of(lane)] = row->last;
  }
  effect.author = Author{std::move(*device), std::move(found->standing), clocks_of(hello, now)};
  effect.hello = hello;
  effect.welcome.emplace();
  if (auto filled = fill_welcome(*effect.author, hello, ahead, *effect.welcome); !filled)
    return filled;
  // Its cursor speaks of this log: one that speaks of another goes back first.
  const bool has_anything = hello.cursor().seq() > 0 || hello.cursor().reached() > 0 ||
                            std::ranges::any_of(hello.lanes(), [](const v1::LaneState& lane) {
                              return lane.noted() > 0;
                            });
  effect.welcome->set_reconcile(!ahead && has_anything && Seq(hello.cursor().seq()) < swept);
  if (ahead) {
    // The phone learns from the epochs and lanes what this server has lost, and begins anew.
    for (const Lane lane : kLanes) {
      v1::LaneState& has = *effect.welcome->add_lanes();
      has.set_lane(static_cast<std::uint32_t>(lane));
      has.set_last(effect.applied[index_of(lane)].value);
    }
    effect.refusal = refusal_of(
        {ErrorCode::kBusy, "服务器已从备份恢复 / the server was restored; call again", {}});
  }
  return {};
}

// Whose file is a copy or an older state of itself calls again and again: the operator is to know.
v1::Refusal County::Impl::forked(DeviceId device, const Fork& fork) {
  forks[device] = now_ms();
  v1::Refusal refusal =
      refusal_of({ErrorCode::kForked,
                  "本机记录与服务器不一致 / this device differs from what it sent before",
                  {}});
  refusal.set_lane(static_cast<std::uint32_t>(fork.lane));
  refusal.set_lane_seq(fork.lane_seq.value);
  return refusal;
}

// What a phone has forgotten was in every backup that it was to be kept for; when the server was
// restored from an older one, it is lost to both, and the lane goes on behind it.
Result<void> County::Impl::pass_over_lost(DeviceId device, const v1::LaneState& state) {
  const auto lane = static_cast<Lane>(state.lane());
  auto row = storage->lane(device, lane);
  if (!row) return std::unexpected(std::move(row.error()));
  if (state.first() <= row->last.value + 1) return {};
  const std::string lost =
      std::to_string(row->last.value + 1) + " to " + std::to_string(state.first() - 1);
  row->last = LaneSeq(state.first() - 1);
  if (auto put = storage->put_lane(device, lane, *row); !put) return put;
  return audit("restore",
               "operations " + lost + " of lane " + std::to_string(state.lane()) + " of device " +
                   std::to_string(device.value) +
                   " are lost: the backup restored was older than those that phones keep for");
}

Result<void> County::Impl::fill_welcome(const Author& author, const v1::Hello& hello, bool ahead,
                                        v1::Welcome& welcome) {
  welcome.set_protocol(std::min(hello.protocol(), kProtocol));
  welcome.set_schema(schema.version);
  welcome.set_server_ms(now_ms());
  const bool reads = author.device.state == DeviceState::kActive;
  const std::uint64_t version = reads ? author.standing.version : kNothingHeld;
  const bool same_start =
      !epochs.empty() && hello.epochs_size() > 0 && hello.epochs(0) == epochs[0].id;
  const BackupMarks marks = backup_marks();
  welcome.set_backed_up(marks.every.value);
  welcome.set_newest_backup(marks.newest.value);
  welcome.set_compares(reads && hello.compare());
  // A version names the same grants within one start of the server only: a restored log gives its
  // places out again.
  // Of a phone that is ahead nothing is as before, though it has seen all that this log has: its
  // number is another copy's, too.
  if (same_start && !ahead && hello.grants_version() == version && reads) {
    welcome.set_as_before(true);
    return {};
  }
  welcome.set_county(storage->county());
  welcome.set_worker(std::string(author.device.worker.bytes()));
  welcome.set_grants_version(version);
  welcome.set_server_key(options.server_public_key);
  for (const std::size_t i : epochs_for(hello, epochs)) {
    v1::Epoch& out = *welcome.add_epochs();
    out.set_id(epochs[i].id);
    out.set_start_seq(epochs[i].start_seq.value);
  }
  if (!reads) return {};
  for (const ScopeGrant& grant : author.standing.held.grants()) {
    v1::Grant& out = *welcome.add_grants();
    out.set_scope(grant.scope);
    out.set_subtree(grant.subtree);
    out.set_audiences(grant.audiences);
    out.set_roles(static_cast<std::uint32_t>(grant.roles.bits()));
    out.set_roles_inside(static_cast<std::uint32_t>(grant.roles_inside.bits()));
  }
  return {};
}

// So that `devices` is right also while a call is open.
Result<void> County::Impl::lessen_unsent(DeviceId device, std::uint64_t taken) {
  auto row = storage->device(device);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row || (*row)->unsent == 0 || taken == 0) return {};
  (*row)->unsent -= static_cast<std::uint32_t>(std::min<std::uint64_t>(taken, (*row)->unsent));
  return storage->put_device(**row);
}

// What is offered again costs nothing: a phone shall come to hear what became of it.
Result<bool> County::Impl::within_quota(const OperationsUp& frame, std::size_t bytes,
                                        DeviceId device, Effect& effect) {
  const auto lane = storage->lane(device, frame.lane);
  if (!lane) return std::unexpected(lane.error());
  const auto fresh = std::ranges::count_if(frame.operations, [&](const Operation& operation) {
    return operation.lane_seq > lane->last;
  });
  if (fresh == 0) return true;
  const auto wait_ms =
      quotas.take(device, frame.lane, static_cast<std::uint64_t>(fresh), bytes, now_ms());
  if (!wait_ms) return true;
  effect.refusal = over_quota(*wait_ms);
  effect.over_quota = true;
  return false;
}

Result<void> County::Impl::take(const OperationsUp& frame, const Author& author, Effect& effect) {
  const DeviceId device = author.device.device;
  const auto before = storage->lane(device, frame.lane);
  if (!before) return std::unexpected(before.error());
  auto applied = applier.apply(author, frame.operations, now_ms());
  if (!applied) return std::unexpected(fault_of(std::move(applied.error())));
  const auto after = storage->lane(device, frame.lane);
  if (!after) return std::unexpected(after.error());
  if (auto less = lessen_unsent(device, after->last.value - before->last.value); !less) return less;
  if (applied->fork) {
    effect.refusal = forked(device, *applied->fork);
    return {};
  }
  effect.lane = frame.lane;
  effect.runs = std::move(applied->runs);
  return note_personal_writes(frame.operations, before->last, effect.runs, author.device);
}

// One entry for all that came together: an entry costs two hashes and a row, and a worker's day is
// sent in a few frames. `last` is where the lane ended before.
Result<void> County::Impl::note_personal_writes(std::span<const Operation> operations, LaneSeq last,
                                                std::span<const AckedRun> runs,
                                                const DeviceRow& device) {
  std::vector<PersonalWrite> writes;
  for (const Operation& operation : operations) {
    const KindSchema* kind = schema.kind(operation.kind);
    if (operation.lane_seq <= last || kind == nullptr || !is_private(*kind)) continue;
    const auto run = std::ranges::find_if(runs, [&](const AckedRun& r) {
      return r.first <= operation.lane_seq && operation.lane_seq.value < r.first.value + r.count;
    });
    if (run == runs.end() || !was_applied(run->status)) continue;
    const Seq seq(run->first_seq.value + (operation.lane_seq.value - run->first.value));
    writes.push_back({{operation.kind, operation.id},
                      seq,
                      run->status,
                      operation.type == OperationType::kErase});
  }
  if (writes.empty()) return {};
  return audit("write", audit_text(schema, device, writes));
}

// A phone has one call at a time; an older one is a connection that it has given up.
void County::Impl::take_over_call(ConnectionId connection, Session& session, Effect& effect) {
  const DeviceId device = effect.author->device.device;
  const auto older = current.find(device);
  if (older != current.end() && older->second != connection) {
    const auto given_up = sessions.find(older->second);
    if (given_up != sessions.end()) finish(given_up->second);
  }
  current[device] = connection;
  const v1::Hello& hello = *effect.hello;
  const bool reads = effect.author->device.state == DeviceState::kActive;
  session.feed.emplace(*storage, schema,
                       Reader{.device = device,
                              .own_since = DevSeq(hello.own_since()),
                              .before = std::move(effect.numbers_before),
                              .schema = hello.schema(),
                              .since = effect.since,
                              .urgent_first = hello.urgent_first(),
                              .knows_grants = effect.welcome && effect.welcome->as_before()},
                       reads ? effect.author->standing.held : ScopeSet(), hello.cursor());
  session.live = hello.live();
  session.schema = hello.schema();
  session.only_brings = hello.protocol() < options.protocol_min;
  session.budget_left = hello.budget_bytes();
  session.has_budget = hello.budget_bytes() != 0;
  session.applied = effect.applied;
  if (effect.welcome) {
    session.backed_up = {Seq(effect.welcome->backed_up()), Seq(effect.welcome->newest_backup())};
    session.reconciles = effect.welcome->reconcile();
  }
  for (const v1::LaneState& lane : hello.lanes()) {
    const std::size_t at = index_of(static_cast<Lane>(lane.lane()));
    session.acked[at] = LaneSeq(lane.noted());
    session.recorded[at] = LaneSeq(lane.last());
  }
  session.author = std::move(effect.author);
}

void County::on_refused_call(std::function<void(std::string_view, ErrorCode)> tell) {
  impl_->tell_refused = std::move(tell);
}

void County::Impl::carry_out(Effect& effect) {
  const auto found = sessions.find(effect.connection);
  if (found == sessions.end()) return;
  Session& session = found->second;
  if (effect.held_back) {
    session.held_back.push_back(std::move(*effect.held_back));
    ++session.frames_waiting;
    return;
  }
  if (effect.author && effect.hello) take_over_call(effect.connection, session, effect);
  if (session.author) effect.short_code = session.author->device.short_code;
  const bool told_before = effect.over_quota && session.over_quota;
  if (effect.refusal && !effect.short_code.empty() && tell_refused && !told_before) {
    tell_refused(effect.short_code, static_cast<ErrorCode>(effect.refusal->code()));
  }
  if (session.author && !effect.runs.empty()) {
    watch.took(session.author->device.device, effect.lane);
  }
  if (session.sink == nullptr || session.closing) {
    // What came by a call that is gone is acknowledged by the one that stands in its place.
    const auto now = session.author ? current.find(session.author->device.device) : current.end();
    const auto heir = now != current.end() ? sessions.find(now->second) : sessions.end();
    if (heir == sessions.end() || effect.runs.empty()) return;
    const AckedRun& last = effect.runs.back();
    LaneSeq& applied = heir->second.applied[index_of(effect.lane)];
    applied = std::max(applied, LaneSeq(last.first.value + last.count - 1));
    return;
  }
  if (effect.welcome) session.sink->send(encode(*effect.welcome));
  if (!effect.runs.empty()) send_acks(session, effect.lane, std::move(effect.runs));
  if (effect.digests || effect.contents) take_up(session, effect);
  if (effect.up_ended) session.up_ended = true;
  if (effect.over_quota) {
    session.over_quota = std::move(effect.refusal);
  } else if (effect.refusal) {
    refuse(session, *effect.refusal);
  }
}

v1::AckRun to_wire(Lane lane, const AckedRun& run) {
  v1::AckRun out;
  out.set_lane(static_cast<std::uint32_t>(lane));
  out.set_first(run.first.value);
  out.set_count(run.count);
  out.set_first_seq(run.first_seq.value);
  out.set_status(static_cast<std::uint32_t>(run.status));
  out.set_code(run.code);
  return out;
}

void County::Impl::send_acks(Session& session, Lane lane, std::vector<AckedRun> runs) {
  const std::size_t at = index_of(lane);
  v1::Acks acks;
  for (const AckedRun& run : above(std::move(runs), session.acked[at])) {
    *acks.add_runs() = to_wire(lane, run);
    session.acked[at] = LaneSeq(run.first.value + run.count - 1);
  }
  session.applied[at] = std::max(session.applied[at], session.acked[at]);
  if (acks.runs().empty()) return;
  send_marked(session, acks);
}

// With how far backups reach.
void County::Impl::send_marked(Session& session, v1::Acks& acks) {
  session.backed_up = backup_marks();
  acks.set_backed_up(session.backed_up.every.value);
  acks.set_newest_backup(session.backed_up.newest.value);
  acks.set_server_ms(now_ms());
  session.sink->send(encode(acks));
}

// A phone that only listens may forget what backups have taken, too. Where the log's end counts as
// safe its own acknowledgements say so, and everybody else's work is no news.
void County::Impl::send_backup_mark(Session& session) {
  if (!session.live || options.replicated || session.backed_up == backup_marks()) return;
  v1::Acks acks;
  send_marked(session, acks);
}

// What the phone did not offer again although its acknowledgement may have been lost.
Result<void> County::Impl::send_kept_acks(Session& session) {
  for (const Lane lane : kLanes) {
    const std::size_t at = index_of(lane);
    if (session.acked[at] >= session.applied[at]) continue;
    auto kept = kept_after(*storage, session.author->device.device, lane, session.acked[at]);
    if (!kept) return std::unexpected(std::move(kept.error()));
    send_acks(session, lane, std::move(*kept));
    session.acked[at] = std::max(session.acked[at], session.applied[at]);
  }
  return {};
}

std::size_t County::Impl::first_cut_bytes() const {
  return options.cut_bytes != 0 ? options.cut_bytes : limits::kCutRawBytes;
}

// What breaks off within a cut is sent again, so cuts are small; but a line that soon took all that
// was queued may have them larger.
void County::Impl::pace(Session& session) {
  if (!session.full_since_ms || !session.sink->writable()) return;
  const bool quick = clock.now().boot_ms <= *session.full_since_ms + kQuickLineMs;
  session.cut_bytes =
      quick ? std::min(2 * session.cut_bytes, limits::kCutRawBytesMax) : first_cut_bytes();
  session.full_since_ms.reset();
}

// In a batch, which writes nothing, the reads need no locks of their own; without one they do.
void County::Impl::send_rows() {
  const bool anything = std::ranges::any_of(sessions, [](const auto& entry) {
    return entry.second.feed && entry.second.feed->may_have_more();
  });
  const bool together = anything && storage->begin().has_value();
  std::vector<std::pair<Session*, Error>> without_answer;
  for (auto& [connection, session] : sessions) {
    if (auto sent = send_rows(session); !sent) without_answer.emplace_back(&session, sent.error());
  }
  if (together) (void)storage->commit();
  for (const auto& [session, why] : without_answer) put_off(*session, why);
}

Result<void> County::Impl::send_rows(Session& session) {
  if (session.sink == nullptr || session.closing || !session.feed) return {};
  if (session.up_ended) {
    if (auto sent = send_kept_acks(session); !sent) return sent;
  }
  for (std::size_t at = 0; at < kLaneCount; ++at) {
    // Rows come after the acknowledgements of all that went into them. A frame that was too much
    // brought none, and a live call has no end that would bring those of before.
    if (session.acked[at] >= session.applied[at]) continue;
    if (session.over_quota && session.frames_waiting == 0) refuse(session, *session.over_quota);
    return {};
  }
  if (session.only_brings) {
    const bool all = std::ranges::equal(session.applied, session.recorded, std::greater_equal());
    const bool over = session.over_quota.has_value();
    if (session.frames_waiting == 0 && (all || over || session.up_ended)) {
      refuse(session, over ? *session.over_quota : update_the_app());
    }
    return {};
  }
  send_backup_mark(session);
  pace(session);
  while (session.sink->writable()) {
    if (session.has_budget && session.budget_left == 0) break;
    auto cut = session.feed->next(session.cut_bytes);
    if (!cut) return std::unexpected(std::move(cut.error()));
    if (!*cut) break;
    std::string frame = encode_cut(**cut);
    session.budget_left -= std::min<std::uint64_t>(session.budget_left, frame.size());
    session.sink->send(std::move(frame));
    session.cut_since_end = true;
    if (!session.sink->writable()) session.full_since_ms = clock.now().boot_ms;
  }
  auto done = compare(session);
  if (!done) return std::unexpected(std::move(done.error()));
  if (!*done) return {};
  const bool spent = session.has_budget && session.budget_left == 0;
  const bool caught_up = !session.feed->may_have_more();
  if (!spent && !caught_up) return {};
  if (session.over_quota && session.frames_waiting == 0) {
    refuse(session, *session.over_quota);
    return {};
  }
  if (!(session.up_ended || session.live)) return {};
  if (session.down_ended && !session.cut_since_end) return {};
  // A live call's end behind Differences would pass for the end of what they lead to.
  if (session.ranges_untold > 0 && !session.up_ended) return {};
  if (session.frames_waiting > 0) return {};
  v1::DownEnd end;
  if (caught_up) end.set_caught_up(session.feed->cursor().value);
  session.sink->send(encode(end));
  watch.served(session.author->device.device);
  session.down_ended = true;
  session.cut_since_end = false;
  if (!session.live || spent) finish(session);
  return {};
}

void County::Impl::refuse(Session& session, const v1::Refusal& refusal) {
  if (session.sink != nullptr && !session.closing) session.sink->send(encode(refusal));
  finish(session);
}

// A frame that the storage did not take, alone in its batch.
void County::Impl::put_off(const Waiting& waiting, const Error& why) {
  const auto found = sessions.find(waiting.connection);
  if (found == sessions.end()) return watch.failed(now_ms());
  Session& session = found->second;
  --session.frames_waiting;
  DeviceRow phone = session.author ? session.author->device : DeviceRow();
  std::optional<Lane> lane;
  const auto up = decode_up(schema, phone.device, waiting.frame);
  if (const auto* work = up ? std::get_if<OperationsUp>(&*up) : nullptr) lane = work->lane;
  if (const auto* hello = up ? std::get_if<v1::Hello>(&*up) : nullptr) {
    phone.device = DeviceId(hello->device());
  }
  watch.put_off(phone, lane, why, now_ms());
  refuse(session, busy());
}

// A call that the storage has no answer for.
void County::Impl::put_off(Session& session, const Error& why) {
  watch.put_off(session.author->device, std::nullopt, why, now_ms());
  refuse(session, busy());
}

void County::Impl::finish(Session& session) {
  if (session.sink != nullptr && !session.closing) session.sink->close({});
  session.sink = nullptr;
  session.closing = true;
}

// A call speaks for the grants and the device it began with; when they change it begins anew.
void County::Impl::drop_changed_sessions() {
  if (!std::exchange(standings_changed, false)) return;
  for (auto& [connection, session] : sessions) {
    if (!session.author || session.closing || session.sink == nullptr) continue;
    auto device = storage->device(session.author->device.device);
    auto standing = standing_of(*storage, session.author->device.worker);
    if (!device || !standing) {
      // Nobody knows what it may see now.
      put_off(session, device ? standing.error() : device.error());
    } else if (*device && (*device)->state == DeviceState::kLost) {
      refuse(session, refusal_of({ErrorCode::kDeviceLost, "本设备已报失 / reported lost", {}}));
    } else if ((*device && (*device)->state != session.author->device.state) ||
               standing->version != session.author->standing.version) {
      refuse(session,
             refusal_of({ErrorCode::kBusy, "权限已变更 / what you may see has changed", {}}));
    }
  }
}

void County::Impl::forget_gone_sessions() {
  std::erase_if(sessions, [this](const auto& entry) {
    const auto& [connection, session] = entry;
    if (session.sink != nullptr || session.frames_waiting > 0) return false;
    if (session.author) {
      const auto now = current.find(session.author->device.device);
      if (now != current.end() && now->second == connection) current.erase(now);
    }
    return true;
  });
}

}  // namespace gridwhistle
