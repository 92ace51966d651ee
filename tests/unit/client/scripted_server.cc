#include "scripted_server.h"

#include <utility>

#include "schema/tables.h"

namespace gridwhistle {

namespace {

constexpr std::uint64_t kLatencyMs = 10;
constexpr std::uint32_t kEveryAudience = 0xFE;

}  // namespace

class ScriptedCall final : public Call {
 public:
  ScriptedCall(ScriptedServer& server, CallEvents events)
      : server_(server), events_(std::make_shared<CallEvents>(std::move(events))) {
    if (!server_.reachable) end(fail(ErrorCode::kUnavailable, "nobody there"));
  }

  void send(std::string frame) override {
    if (!server_.reachable || !server_.answers) return;
    answer(server_.answer(frame));
  }

  void finish_sending() override {
    if (!server_.reachable || !server_.answers || server_.talks_nonsense) return;
    answer(server_.rows_and_end());
    end({});
  }

 private:
  void answer(std::vector<std::string> frames) {
    for (std::string& frame : frames) {
      later([frame = std::move(frame)](CallEvents& events) { events.on_frame(frame); });
    }
  }
  void later(std::function<void(CallEvents&)> what) {
    const std::weak_ptr<CallEvents> alive = events_;
    server_.timeline_.after(kLatencyMs, [alive, what = std::move(what)] {
      if (const auto events = alive.lock()) what(*events);
    });
  }
  void end(Result<void> how) {
    later([how = std::move(how)](CallEvents& events) { events.on_end(how); });
  }

  ScriptedServer& server_;
  std::shared_ptr<CallEvents> events_;
};

class ScriptedTransport final : public Transport {
 public:
  explicit ScriptedTransport(ScriptedServer& server) : server_(server) {}

  std::unique_ptr<Call> sync(CallEvents events) override {
    return std::make_unique<ScriptedCall>(server_, std::move(events));
  }

  void enrol(std::string, std::function<void(Result<std::string>)> done) override {
    v1::EnrolReply reply;
    reply.set_code(static_cast<std::uint32_t>(server_.enrol_answer));
    reply.set_message("as the script says");
    reply.set_county("440811");
    reply.set_worker(std::string(RecordId::make(DeviceId(0), 7).bytes()));
    reply.set_short_code("A1");
    server_.timeline_.after(
        kLatencyMs, [done = std::move(done), bytes = reply.SerializeAsString()] { done(bytes); });
  }

 private:
  ScriptedServer& server_;
};

ScriptedServer::ScriptedServer(sim::Timeline& timeline) : timeline_(timeline) {}

std::unique_ptr<Transport> ScriptedServer::transport() {
  return std::make_unique<ScriptedTransport>(*this);
}

v1::Welcome ScriptedServer::welcome() const {
  v1::Welcome welcome;
  welcome.set_protocol(1);
  welcome.set_schema(built_schema().version);
  welcome.set_server_ms(static_cast<std::int64_t>(timeline_.now_ms()));
  welcome.set_county("440811");
  for (const auto& [id, start_seq] : epochs) {
    v1::Epoch& epoch = *welcome.add_epochs();
    epoch.set_id(id);
    epoch.set_start_seq(start_seq);
  }
  welcome.set_grants_version(1);
  welcome.set_worker(std::string(RecordId::make(DeviceId(0), 7).bytes()));
  for (const char* scope : {"grid:440811001001001", "county:440811"}) {
    v1::Grant& grant = *welcome.add_grants();
    grant.set_scope(scope);
    grant.set_audiences(kEveryAudience);
    grant.set_roles(roles);
  }
  return welcome;
}

v1::Acks ScriptedServer::take(const OperationsUp& up) {
  v1::Acks acks;
  acks.set_server_ms(static_cast<std::int64_t>(timeline_.now_ms()));
  acks.set_backed_up(backed_up);
  for (const Operation& operation : up.operations) {
    if (hashes_.insert(hash_of(operation)).second) taken.push_back(operation);
    v1::AckRun& run = *acks.add_runs();
    run.set_lane(static_cast<std::uint32_t>(up.lane));
    run.set_first(operation.lane_seq.value);
    run.set_count(1);
    run.set_first_seq(++seq);
    run.set_status(static_cast<std::uint32_t>(outcome));
    if (!was_applied(outcome)) {
      run.set_code(static_cast<std::uint32_t>(ErrorCode::kForbidden));
    }
  }
  return acks;
}

std::vector<std::string> ScriptedServer::rows_and_end() {
  if (busy_ms > 0) {
    v1::Refusal refusal;
    refusal.set_code(static_cast<std::uint32_t>(ErrorCode::kBusy));
    refusal.set_retry_after_ms(busy_ms);
    return {encode(refusal)};
  }
  std::vector<std::string> frames;
  for (const CutDown& cut : std::exchange(cuts, {})) {
    seq = std::max(seq, cut.upto.value);
    frames.push_back(encode_cut(cut));
  }
  v1::DownEnd end;
  end.set_caught_up(seq);
  frames.push_back(encode(end));
  return frames;
}

std::vector<std::string> ScriptedServer::answer(const std::string& frame) {
  if (talks_nonsense) return {"this is no frame"};
  const DeviceId device(hellos.empty() ? 0 : hellos.back().device());
  const Result<Up> up = decode_up(built_schema(), device, frame);
  if (!up) throw std::runtime_error("the phone broke the protocol: " + up.error().message);
  if (const auto* hello = std::get_if<v1::Hello>(&*up)) {
    hellos.push_back(*hello);
    std::vector<std::string> frames{encode(welcome())};
    if (hello->live()) {
      for (std::string& more : rows_and_end()) frames.push_back(std::move(more));
    }
    return frames;
  }
  if (busy_ms > 0) return {};
  if (const auto* operations = std::get_if<OperationsUp>(&*up)) return {encode(take(*operations))};
  return {};
}

}  // namespace gridwhistle
