#include "media/media_desk.h"

#include <utility>
#include <vector>

#include "base/sha256.h"
#include "media/limits.h"
#include "wire/media.h"

namespace gridwhistle {
namespace {

constexpr std::size_t kNonceWords = 4;

bool is_of_disk(ErrorCode code) {
  return code == ErrorCode::kDiskFull || code == ErrorCode::kIo || code == ErrorCode::kReadOnly ||
         code == ErrorCode::kInternal || code == ErrorCode::kCorrupt || code == ErrorCode::kLocked;
}

// When to come back with it; 0: the phone knows better.
std::uint32_t retry_after(ErrorCode code) {
  return code == ErrorCode::kBusy ? limits::kMediaFileBusyMs : 0;
}

Error damaged() {
  return {
      ErrorCode::kDamaged,
      "内容在途中或在手机上损坏，须重新传送 / the bytes were damaged on the way or on the phone; "
      "they are to be sent anew",
      {}};
}

}  // namespace

struct MediaDesk::Call {
  MediaLine* line = nullptr;  ///< null: closed from this side, its end is still to come
  std::optional<MediaCaller> caller;
  bool greeting = false;
  MediaFile file;                   ///< that is being brought; without a digest: none
  std::unique_ptr<MediaPart> part;  ///< of that
  std::string nonce;                ///< the phone is asked to show that it has the file
  std::int64_t heard_ms = 0;
  int questions = 0;     ///< that the county has not answered
  bool wanting = false;  ///< the line was asked for a frame, and none has come

  void set_down() {
    file = {};
    part.reset();
    nonce.clear();
  }
  void send(MediaDown part_down) {
    if (line != nullptr) line->send(encode_media_down(part_down));
  }
  void want_frame() {
    if (line == nullptr || questions > 0 || std::exchange(wanting, true)) return;
    line->want_frame();
  }
};

std::string media_owner(DeviceId device) {
  std::string name;
  for (int shift = 60; shift >= 0; shift -= 4) {
    name += "0123456789abcdef"[device.value >> shift & 15];
  }
  return name;
}

MediaDesk::MediaDesk(MediaFiles& files, MediaCounty& county, Clock& clock, Random& random)
    : files_(files), county_(county), clock_(clock), random_(random) {}

MediaDesk::~MediaDesk() = default;

void MediaDesk::on_refused(std::function<void(std::string_view, ErrorCode)> tell) {
  tell_refused_ = std::move(tell);
}

MediaFigures MediaDesk::figures() const {
  MediaFigures figures = figures_;
  figures.calls_open = calls_.size();
  return figures;
}

template <typename T>
std::function<void(Result<T>)> MediaDesk::then(CallId id,
                                               std::function<void(Call&, Result<T>)> go_on) {
  ++calls_.at(id)->questions;
  return [this, id, go_on = std::move(go_on)](Result<T> answer) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    --found->second->questions;
    if (found->second->line == nullptr) return;
    go_on(*found->second, std::move(answer));
    found->second->want_frame();
  };
}

void MediaDesk::on_open(CallId id, MediaLine& line) {
  Call& call = *calls_.emplace(id, std::make_unique<Call>()).first->second;
  call.line = &line;
  call.heard_ms = clock_.now().wall_ms;
  if (calls_.size() > limits::kMediaCalls) {
    return refuse_call(
        call,
        {ErrorCode::kBusy, "传送附件的手机太多，请稍后再试 / too many phones bring files now", {}});
  }
  call.want_frame();
}

void MediaDesk::on_closed(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  if (found->second->caller) {
    const auto current = current_.find(found->second->caller->device);
    if (current != current_.end() && current->second == id) current_.erase(current);
  }
  calls_.erase(found);
}

void MediaDesk::tick() {
  const std::int64_t now = clock_.now().wall_ms;
  for (auto& [id, call] : calls_) {
    const bool clock_went_back = now < call->heard_ms;
    if (clock_went_back) call->heard_ms = now;
    if (call->line == nullptr || now - call->heard_ms < limits::kMediaIdleMs) continue;
    call->set_down();
    std::exchange(call->line, nullptr)->close();
  }
}

void MediaDesk::close_all() {
  for (auto& [id, call] : calls_) {
    call->set_down();
    if (call->line != nullptr) std::exchange(call->line, nullptr)->close();
  }
}

void MediaDesk::on_frame(CallId id, std::string frame) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second->line == nullptr) return;
  Call& call = *found->second;
  call.heard_ms = clock_.now().wall_ms;
  call.wanting = false;
  deal_with(id, call, std::move(frame));
}

// Asks for the next frame itself where the county need not be asked first.
void MediaDesk::deal_with(CallId id, Call& call, std::string frame) {
  auto up = decode_media_up(frame);
  if (!up) return refuse_call(call, up.error());
  if (auto* hello = std::get_if<v1::MediaHello>(&*up)) return greet(id, call, std::move(*hello));
  if (!call.caller) {
    return refuse_call(call, {ErrorCode::kProtocol, "a call begins with MediaHello", {}});
  }
  if (const auto* wanted = std::get_if<v1::MediaPut>(&*up)) return put(id, call, *wanted);
  if (const auto* bytes = std::get_if<v1::MediaChunk>(&*up)) return chunk(id, call, *bytes);
  if (const auto* shown = std::get_if<v1::MediaProof>(&*up)) return proof(id, call, *shown);
  get(id, call, std::get<v1::MediaGet>(*up));
}

void MediaDesk::greet(CallId id, Call& call, v1::MediaHello hello) {
  if (std::exchange(call.greeting, true)) {
    return refuse_call(call, {ErrorCode::kProtocol, "a second MediaHello", {}});
  }
  county_.greet(std::move(hello),
                then<MediaCaller>(id, [this, id](Call& greeted_call, Result<MediaCaller> caller) {
                  greeted(id, greeted_call, std::move(caller));
                }));
}

// A phone has one such call; an older one is a connection that it has given up.
void MediaDesk::greeted(CallId id, Call& call, Result<MediaCaller> caller) {
  if (!caller) return refuse_call(call, caller.error());
  const auto older = current_.find(caller->device);
  if (older != current_.end()) {
    Call& given_up = *calls_.at(older->second);
    given_up.set_down();
    if (given_up.line != nullptr) std::exchange(given_up.line, nullptr)->close();
  }
  current_[caller->device] = id;
  call.caller = std::move(*caller);
}

void MediaDesk::put(CallId id, Call& call, const v1::MediaPut& put) {
  call.set_down();
  call.file = {put.sha256(), put.size()};
  county_.may_bring(call.caller->device, call.file,
                    then<void>(id, [this, id](Call& asked, Result<void> may) {
                      if (!may) return refuse_file(asked, asked.file.sha256, may.error());
                      auto there = files_.size_of(asked.file.sha256);
                      if (!there) return disk_failed(asked);
                      if (!*there) {
                        begin_part(asked);
                        if (asked.part && asked.part->size() == asked.file.size) whole(id, asked);
                        return;
                      }
                      for (std::size_t i = 0; i < kNonceWords; ++i) {
                        const std::uint64_t word = random_.next();
                        asked.nonce.append(reinterpret_cast<const char*>(&word), sizeof word);
                      }
                      v1::MediaProve prove;
                      prove.set_nonce(asked.nonce);
                      asked.send(prove);
                    }));
}

void MediaDesk::begin_part(Call& call) {
  const std::string owner = media_owner(call.caller->device);
  const auto others = files_.unfinished(owner, call.file.sha256);
  if (!others) return disk_failed(call);
  if (*others + call.file.size > limits::kMediaUnfinishedBytes) {
    return refuse_file(
        call, call.file.sha256,
        {ErrorCode::kBusy,
         "本机未传完的附件太多 / this phone has begun too many files and finished none",
         {}});
  }
  auto part = files_.part(owner, call.file);
  if (!part) return disk_failed(call);
  call.part = std::move(*part);
  v1::MediaHas has;
  has.set_offset(call.part->size());
  call.send(has);
}

void MediaDesk::chunk(CallId id, Call& call, const v1::MediaChunk& chunk) {
  // Of a file that was refused chunks may be on their way.
  if (!call.part) return call.want_frame();
  if (chunk.offset() != call.part->size() ||
      chunk.content().size() > call.file.size - call.part->size()) {
    return refuse_call(call, {ErrorCode::kProtocol, "a chunk does not follow the one before", {}});
  }
  if (!is_intact(chunk)) {
    refuse_file(call, call.file.sha256, damaged());
    return call.want_frame();
  }
  if (auto appended = call.part->append(chunk.content()); !appended) return disk_failed(call);
  figures_.bytes_in += chunk.content().size();
  if (call.part->size() == call.file.size) return whole(id, call);
  v1::MediaHas has;
  has.set_offset(call.part->size());
  call.send(has);
  call.want_frame();
}

void MediaDesk::whole(CallId id, Call& call) {
  const auto finished = call.part->finish();
  if (!finished && is_of_disk(finished.error().code)) return disk_failed(call);
  call.part.reset();
  if (!finished) {
    refuse_file(call, call.file.sha256, damaged());
    return call.want_frame();
  }
  ++figures_.files_brought;
  tell_brought(id);
}

void MediaDesk::proof(CallId id, Call& call, const v1::MediaProof& proof) {
  if (call.nonce.empty()) {
    return refuse_call(call, {ErrorCode::kProtocol, "nothing was to be shown", {}});
  }
  const std::string nonce = std::exchange(call.nonce, {});
  const auto expected = files_.digest_behind(nonce, call.file.sha256);
  if (!expected) return disk_failed(call);
  if (*expected == proof.sha256()) return tell_brought(id);
  refuse_file(call, call.file.sha256, damaged());
  call.want_frame();
}

void MediaDesk::tell_brought(CallId id) {
  Call& call = *calls_.at(id);
  county_.brought(call.caller->device, call.file,
                  then<Seq>(id, [this](Call& asked, Result<Seq> at) {
                    if (!at && is_of_disk(at.error().code)) return disk_failed(asked);
                    if (!at) return refuse_file(asked, asked.file.sha256, at.error());
                    asked.set_down();
                    v1::MediaStored stored;
                    stored.set_seq(at->value);
                    asked.send(stored);
                  }));
}

void MediaDesk::get(CallId id, Call& call, const v1::MediaGet& get) {
  county_.may_fetch(
      call.caller->device, get.sha256(), then<void>(id, [this, get](Call& asked, Result<void> may) {
        if (!may) return refuse_file(asked, get.sha256(), may.error());
        auto bytes = files_.read(get.sha256(), get.offset(), get.bytes_max());
        const bool missing = bytes ? bytes->empty() : bytes.error().code == ErrorCode::kNotFound;
        if (missing) {
          return refuse_file(
              asked, get.sha256(),
              {ErrorCode::kUnavailable, "附件尚未到达服务器 / the server has no such bytes", {}});
        }
        if (!bytes) return disk_failed(asked);
        figures_.bytes_out += bytes->size();
        asked.send(chunk_of(get.offset(), std::move(*bytes)));
      }));
}

void MediaDesk::refuse_file(Call& call, const std::string& sha256, const Error& why) {
  ++figures_.files_refused;
  if (tell_refused_) tell_refused_(call.caller->short_code, why.code);
  v1::MediaRefused refused;
  refused.set_sha256(sha256);
  refused.set_code(static_cast<std::uint32_t>(why.code));
  refused.set_message(why.message);
  refused.set_retry_after_ms(retry_after(why.code));
  call.send(refused);
  if (call.file.sha256 == sha256) call.set_down();
}

void MediaDesk::refuse_call(Call& call, const Error& why) {
  if (tell_refused_) tell_refused_(call.caller ? call.caller->short_code : "", why.code);
  v1::Refusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(why.code));
  refusal.set_message(why.message);
  if (why.code == ErrorCode::kBusy) refusal.set_retry_after_ms(limits::kMediaBusyMs);
  call.send(refusal);
  call.set_down();
  if (call.line != nullptr) std::exchange(call.line, nullptr)->close();
}

// The disk's own words are for the operator: to a phone they would speak of its own disk.
void MediaDesk::disk_failed(Call& call) {
  ++figures_.disk_failures;
  refuse_call(
      call,
      {ErrorCode::kBusy, "服务器暂时无法读写附件 / the server cannot read or write files now", {}});
}

}  // namespace gridwhistle
