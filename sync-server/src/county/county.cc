#include "county/county.h"

#include <algorithm>
#include <charconv>

#include "access/audit.h"
#include "access/enrolment.h"
#include "base/limits.h"
#include "base/line.h"
#include "base/sha256.h"
#include "county/impl.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

// Which server key phones know this county by; `restore` asks for it.
constexpr std::string_view kServerKey = "server_key";
constexpr std::uint64_t kIdBits = (std::uint64_t{1} << 60) - 1;

}  // namespace

County::Impl::Impl(std::unique_ptr<Storage> storage_in, const Schema& schema_in, Clock& clock_in,
                   Random& random_in, CountyOptions options_in)
    : storage(std::move(storage_in)),
      schema(schema_in),
      clock(clock_in),
      random(random_in),
      options(std::move(options_in)),
      applier(*storage, schema, [this] { return mint(); }),
      watch(*storage),
      quotas(options.quotas) {}

// The start's own random number stands where a device's would, so that a restored server never
// gives an id that was given in the future it has lost.
RecordId County::Impl::mint() { return RecordId::make(DeviceId(epoch), ++minted); }

Result<void> County::Impl::start() {
  do {
    epoch = random.next() & kIdBits;
  } while (epoch == 0);
  if (options.serves || !storage->last_seq()) {
    const auto noted = in_batch([&]() -> Result<void> {
      if (!storage->last_seq()) storage->set_last_seq(Seq(1));
      if (!options.serves) return {};
      if (auto added = add_epoch(); !added) return added;
      const std::string key = to_hex(options.server_key_sha256);
      if (auto set = storage->set_fact(kServerKey, key); !set) return set;
      return applier.replay_parked(now_ms());
    });
    if (!noted) return noted;
  }
  auto known = storage->epochs();
  if (!known) return std::unexpected(std::move(known.error()));
  epochs = std::move(*known);
  if (auto loaded = load_backups(); !loaded) return loaded;
  if (auto read = read_swept(); !read) return read;
  return read_redraw_progress();
}

Result<void> County::Impl::add_epoch() {
  return storage->add_epoch({epoch, storage->last_seq(), now_ms()});
}

std::unexpected<Error> damaged_note(std::string_view fact) {
  const std::string name(fact);
  return fail(ErrorCode::kCorrupt,
              both("数据库中“" + name + "”一项已损坏，请从备份恢复",
                   "what the database notes as \"" + name + "\" is damaged; restore a backup"),
              name);
}

Result<std::int64_t> County::Impl::number_noted(std::string_view fact) {
  auto text = storage->fact(fact);
  if (!text) return std::unexpected(std::move(text.error()));
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [read, fault] = std::from_chars(text->data(), end, number);
  if (text->empty() || (fault == std::errc() && read == end && number >= 0)) return number;
  return damaged_note(fact);
}

Result<void> County::Impl::begin() { return storage->begin(); }

Result<void> County::Impl::commit() {
  auto done = storage->commit();
  if (!done) {
    applier.rolled_back();
    standings.rolled_back();
  }
  return done;
}

const Error& County::Impl::noted(const Error& error) {
  if (is_of_storage(error.code)) watch.failed(now_ms());
  return error;
}

Result<void> County::Impl::audit(std::string_view by, std::string_view what) {
  return add_audit_entry(*storage, random, now_ms(), std::string(by) + ": " + std::string(what));
}

Result<void> County::Impl::note_enrolment(const EnrolledDevice& enrolled) {
  const DeviceRow& device = enrolled.row;
  auto noted = audit("enrolment", "device " + std::to_string(device.device.value) + " of worker " +
                                      device.worker.text() +
                                      (enrolled.key_replaced ? ", with a new key" : ""));
  if (!noted) return noted;
  auto grants = refresh_grants(*storage, device.worker, now_ms());
  if (!grants) return std::unexpected(std::move(grants.error()));
  return {};
}

Result<v1::EnrolReply> County::Impl::enrol(const v1::EnrolRequest& request) {
  v1::EnrolReply reply;
  DeviceRow device;
  if (request.predecessor() == 0) {
    auto enrolled = enrol_device(*storage, request, options.server_key_sha256, now_ms());
    if (!enrolled) return std::unexpected(std::move(enrolled.error()));
    if (auto noted = note_enrolment(*enrolled); !noted) return std::unexpected(noted.error());
    device = std::move(enrolled->row);
  } else {
    auto successor = succeed_device(*storage, request, options.server_key_sha256, now_ms());
    if (!successor) return std::unexpected(std::move(successor.error()));
    if (auto noted = note_succession(*successor, reply); !noted) {
      return std::unexpected(noted.error());
    }
    device = std::move(successor->row);
  }
  reply.set_county(storage->county());
  reply.set_worker(std::string(device.worker.bytes()));
  reply.set_short_code(device.short_code);
  return reply;
}

Result<void> County::Impl::note_succession(const Successor& successor, v1::EnrolReply& reply) {
  const DeviceId before = successor.row.predecessor;
  for (const SettledLane& lane : successor.settled) {
    if (lane.known == 0) continue;
    auto runs = kept_runs(*storage, before, lane.lane, LaneSeq(lane.noted.value + 1),
                          LaneSeq(lane.noted.value + lane.known));
    if (!runs) return std::unexpected(std::move(runs.error()));
    for (const AckedRun& run : *runs) *reply.add_runs() = to_wire(lane.lane, run);
  }
  for (const EpochRow& start : epochs) {
    if (std::cmp_equal(reply.epochs_size(), limits::kEpochs)) break;
    v1::Epoch& out = *reply.add_epochs();
    out.set_id(start.id);
    out.set_start_seq(start.start_seq.value);
  }
  forks.erase(before);
  return audit("fork", "device " + std::to_string(successor.row.device.value) +
                           " goes on from a copy of device " + std::to_string(before.value) +
                           " of worker " + successor.row.worker.text());
}

County::County(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
County::~County() = default;

Result<std::unique_ptr<County>> County::open(std::unique_ptr<Storage> storage, const Schema& schema,
                                             Clock& clock, Random& random, CountyOptions options) {
  auto impl = std::make_unique<Impl>(std::move(storage), schema, clock, random, std::move(options));
  if (auto started = impl->start(); !started) return std::unexpected(started.error());
  return std::unique_ptr<County>(new County(std::move(impl)));
}

const std::string& County::name() const { return impl_->storage->county(); }

RecordId County::mint_id() { return impl_->mint(); }

std::size_t County::queued_bytes() const { return impl_->queue.bytes(); }

PumpResult County::pump() { return impl_->pump(); }

void County::on_open(ConnectionId connection, Sink& sink) {
  Session session;
  session.sink = &sink;
  session.cut_bytes = impl_->first_cut_bytes();
  impl_->sessions.emplace(connection, std::move(session));
}

void County::on_frame(ConnectionId connection, std::string frame) {
  const auto session = impl_->sessions.find(connection);
  if (session == impl_->sessions.end() || session->second.closing) return;
  ++session->second.frames_waiting;
  impl_->queue.push({connection, std::move(frame), false});
}

void County::on_half_close(ConnectionId connection) {
  const auto session = impl_->sessions.find(connection);
  if (session == impl_->sessions.end() || session->second.closing) return;
  ++session->second.frames_waiting;
  impl_->queue.push({connection, {}, true});
}

void County::on_closed(ConnectionId connection) {
  const auto session = impl_->sessions.find(connection);
  if (session == impl_->sessions.end()) return;
  session->second.sink = nullptr;
  impl_->forget_gone_sessions();
}

std::string County::enrol(std::string_view bytes) {
  Impl& impl = *impl_;
  v1::EnrolReply reply;
  const auto refuse = [&](const Error& error) {
    reply.set_code(static_cast<std::uint32_t>(error.code));
    reply.set_message(error.message);
    return reply.SerializeAsString();
  };
  v1::EnrolRequest request;
  if (bytes.size() > limits::kFrameBytes ||
      !request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return refuse({ErrorCode::kProtocol, "the enrolment cannot be read", {}});
  }
  const Error later{ErrorCode::kBusy, "try again later", {}};
  const auto put_off = [&](const Error& why) {
    impl.noted(why);
    return refuse(later);
  };
  if (auto begun = impl.begin(); !begun) return put_off(begun.error());
  auto enrolled = impl.enrol(request);
  // A refusal is written too: a wrong code has cost a try.
  Result<void> stored = {};
  if (!enrolled && is_of_storage(enrolled.error().code)) stored = std::unexpected(enrolled.error());
  if (!stored) {
    impl.storage->rollback();
    impl.applier.rolled_back();
    return put_off(stored.error());
  }
  if (auto committed = impl.commit(); !committed) return put_off(committed.error());
  if (!enrolled) return refuse(enrolled.error());
  return enrolled->SerializeAsString();
}

}  // namespace gridwhistle
