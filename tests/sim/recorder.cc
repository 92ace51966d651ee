#include "recorder.h"

#include <stdexcept>
#include <utility>
#include <variant>

#include "base/sha256.h"
#include "schema/tables.h"
#include "wire/frames.h"

namespace gridwhistle::sim {

namespace {

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + '"';
}

std::string listed(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (const std::uint32_t number : numbers) {
    text += (text.empty() ? "" : " ") + std::to_string(number);
  }
  return text;
}

}  // namespace

Recorder::Fact::Fact(std::string_view name, std::string_view text)
    : json_(quoted(name) + ":" + quoted(text)) {}

Recorder::Fact::Fact(std::string_view name, const RecordId& id) : Fact(name, to_hex(id.bytes())) {}

Recorder::Fact::Fact(std::string_view name, std::uint64_t number)
    : json_(quoted(name) + ":" + std::to_string(number)) {}

Recorder::Recorder(Timeline& timeline, const std::string& folder) : timeline_(timeline) {
  if (folder.empty()) return;
  file_.open(folder + "/history.jsonl");
  if (!file_) throw std::runtime_error("the history cannot be written in " + folder);
  timeline_.tell_notes([this](std::string_view what) { note("note", {{"what", what}}); });
}

Recorder::~Recorder() { timeline_.tell_notes({}); }

void Recorder::note(std::string_view event, std::initializer_list<Fact> facts) {
  if (!file_.is_open()) return;
  file_ << "{\"at\":" << timeline_.now_ms() << ",\"event\":" << quoted(event);
  for (const Fact& fact : facts) file_ << "," << fact.json();
  file_ << "}\n";
}

void Recorder::shows(const std::string& phone, const RecordId& id, std::uint32_t field,
                     const std::string& value) {
  if (!file_.is_open()) return;
  std::string& before = shown_[phone + "/" + to_hex(id.bytes()) + "/" + std::to_string(field)];
  if (before == value) return;
  before = value;
  note("shows", {{"phone", phone}, {"id", id}, {"field", field}, {"value", value}});
}

void Recorder::sent(std::uint64_t call, const std::string& phone, const std::string& frame) {
  if (!file_.is_open()) return;
  DeviceId& caller = callers_[call];
  auto up = decode_up(built_schema(), caller, frame);
  if (!up) throw std::runtime_error(phone + " sends what is no frame: " + up.error().message);
  if (const auto* hello = std::get_if<v1::Hello>(&*up)) {
    caller = DeviceId(hello->device());
    note("called", {{"phone", phone}, {"device", caller.value}, {"read", hello->cursor().seq()}});
  }
  const auto* operations = std::get_if<OperationsUp>(&*up);
  if (operations == nullptr) return;
  for (const Operation& op : operations->operations) {
    const std::string place = std::to_string(caller.value) + "/" +
                              std::to_string(static_cast<unsigned>(op.lane)) + "/" +
                              std::to_string(op.lane_seq.value);
    // What is offered again keeps its hash, and claims to have seen something else.
    Operation claimed = op;
    claimed.recorded_hash.clear();
    std::string content = hash_of(claimed);
    if (sent_[place] == content) continue;
    sent_[place] = std::move(content);
    note("sent", {{"phone", phone},
                  {"device", caller.value},
                  {"lane", static_cast<std::uint64_t>(op.lane)},
                  {"lane_seq", op.lane_seq.value},
                  {"dev_seq", op.dev_seq.value},
                  {"kind", op.kind.value},
                  {"id", op.id},
                  {"type", static_cast<std::uint64_t>(op.type)},
                  {"creates", std::uint64_t{op.creates}},
                  {"more", std::uint64_t{op.more}},
                  {"base_seq", op.base_seq.value},
                  {"own_since", op.own_since.value},
                  {"hlc", op.hlc.value},
                  {"scope", op.scope},
                  {"set", to_hex(op.set)},
                  {"clear", listed(op.clear)},
                  {"remove", to_hex(op.remove)}});
  }
}

void Recorder::answered(std::uint64_t call, const std::string& frame) {
  if (!file_.is_open()) return;
  const auto down = decode_down(built_schema(), frame);
  if (!down) throw std::runtime_error("the server sends what is no frame: " + down.error().message);
  const auto* acks = std::get_if<v1::Acks>(&*down);
  if (acks == nullptr) return;
  for (const v1::AckRun& run : acks->runs()) {
    note("acknowledged", {{"device", callers_[call].value},
                          {"lane", run.lane()},
                          {"first", run.first()},
                          {"count", run.count()},
                          {"seq", run.first_seq()},
                          {"status", run.status()},
                          {"code", run.code()}});
  }
}

}  // namespace gridwhistle::sim
