#include "sync/media_session.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace gridwhistle {

void MediaSession::hold(bool held, std::uint64_t now_ms) {
  if (std::exchange(held_, held) == held) return;
  if (!held) return go_on(now_ms);
  if (call_open_ && on_way_.empty()) idle_since_ms_ = now_ms;
}

void MediaSession::persist(bool live, std::uint64_t now_ms) {
  live_ = live;
  if (live_) wake(now_ms);
}

void MediaSession::wake(std::uint64_t now_ms) {
  if (retry_ms_ && *retry_ms_ > now_ms) return;
  retry_ms_.reset();
  go_on(now_ms);
}

void MediaSession::pass(std::uint64_t now_ms) {
  if (!std::exchange(passing_, true)) before_pass_ = counts_;
  retry_ms_.reset();
  go_on(now_ms);
}

void MediaSession::fetch(const MediaFile& file, std::uint64_t now_ms) {
  const bool is_coming = doing_ == Doing::kFetching && file_ == file;
  if (!is_coming && std::ranges::find(wanted_, file) == wanted_.end()) wanted_.push_back(file);
  // Somebody waits for it.
  retry_ms_.reset();
  go_on(now_ms);
}

void MediaSession::network_changed(std::uint64_t now_ms) {
  backoff_.reset();
  retry_ms_.reset();
  go_on(now_ms);
}

void MediaSession::stop() {
  live_ = passing_ = false;
  retry_ms_.reset();
  const Error stopped{ErrorCode::kUnavailable, "the line was closed", "media stopped"};
  if (doing_ == Doing::kFetching) wanted_.push_front(file_);
  rest();
  for (const MediaFile& file : std::exchange(wanted_, {})) {
    host_.fetched(file, std::unexpected(stopped));
  }
}

// Fetching is what a person waits for; all else waits for reports.
void MediaSession::go_on(std::uint64_t now_ms) {
  if (retry_ms_ && *retry_ms_ > now_ms) return;
  if (doing_ == Doing::kSending) return send_pieces(now_ms);
  if (doing_ == Doing::kFetching) return ask_pieces(now_ms);
  if (doing_ == Doing::kNothing) begin_next(now_ms);
}

void MediaSession::begin_next(std::uint64_t now_ms) {
  while (!wanted_.empty()) {
    if (begin_get(now_ms)) return;
  }
  if (!live_ && !passing_) return rest();
  if (held_) {
    if (call_open_ && !idle_since_ms_) idle_since_ms_ = now_ms;
    return;
  }
  auto next = host_.next_unsent();
  if (!next) return fail_call(next.error(), now_ms);
  if (*next) return begin_put(**next, now_ms);
  rest();
  last_error_.reset();
  backoff_.reset();
  if (std::exchange(passing_, false)) ended_pass_ = counts_ - before_pass_;
}

void MediaSession::begin_put(const MediaFile& file, std::uint64_t now_ms) {
  if (!call_open_) {
    if (auto opened = host_.open_call(); !opened) return fail_call(opened.error(), now_ms);
    call_open_ = true;
  }
  idle_since_ms_.reset();
  doing_ = Doing::kAsking;
  file_ = file;
  heard_ms_ = now_ms;
  v1::MediaPut put;
  put.set_sha256(file.sha256);
  put.set_size(file.size);
  host_.send(encode_media_up(put));
}

// False: it will not come, and its owner was told.
bool MediaSession::begin_get(std::uint64_t now_ms) {
  const MediaFile file = wanted_.front();
  const auto here = host_.begin_fetch(file);
  if (!here) {
    wanted_.pop_front();
    host_.fetched(file, std::unexpected(here.error()));
    return false;
  }
  if (!call_open_) {
    if (auto opened = host_.open_call(); !opened) {
      fail_call(opened.error(), now_ms);
      return wanted_.empty() ? false : true;
    }
    call_open_ = true;
  }
  wanted_.pop_front();
  idle_since_ms_.reset();
  doing_ = Doing::kFetching;
  file_ = file;
  offset_ = *here;
  heard_ms_ = now_ms;
  if (offset_ < file_.size) {
    ask_pieces(now_ms);
    return true;
  }
  // It had come whole, and was not taken for that.
  fetch_ended({});
  return false;
}

void MediaSession::send_pieces(std::uint64_t now_ms) {
  while (!held_ && on_way_.size() < kPiecesInFlight && offset_ < file_.size) {
    auto bytes = host_.read(file_, offset_, piece_bytes_);
    if (bytes && bytes->empty()) {
      bytes = fail(ErrorCode::kNotFound, "the file on this phone is shorter than it was", "media");
    }
    if (!bytes) {
      // Its bytes are not here any more, or cannot be read now: others can.
      return file_refused(bytes.error(), 0, now_ms);
    }
    if (on_way_.empty()) heard_ms_ = now_ms;
    const std::uint64_t size = bytes->size();
    host_.send(encode_media_up(chunk_of(offset_, std::move(*bytes))));
    offset_ += size;
    counts_.bytes_up += size;
    on_way_.push_back({offset_, now_ms});
  }
  if (held_ && on_way_.empty() && !idle_since_ms_) idle_since_ms_ = now_ms;
  if (!held_) idle_since_ms_.reset();
}

void MediaSession::ask_pieces(std::uint64_t now_ms) {
  while (on_way_.size() < kPiecesInFlight && offset_ < file_.size) {
    if (on_way_.empty()) heard_ms_ = now_ms;
    const std::uint64_t size = std::min<std::uint64_t>(piece_bytes_, file_.size - offset_);
    v1::MediaGet get;
    get.set_sha256(file_.sha256);
    get.set_offset(offset_);
    get.set_bytes_max(static_cast<std::uint32_t>(size));
    host_.send(encode_media_up(get));
    offset_ += size;
    on_way_.push_back({offset_, now_ms});
  }
}

void MediaSession::frame(std::string_view frame, std::uint64_t now_ms) {
  if (!call_open_) return;
  const auto down = decode_media_down(frame);
  if (!down) return fail_call(down.error(), now_ms);
  heard_ms_ = now_ms;
  std::visit([&](const auto& part) { take(part, now_ms); }, *down);
}

void MediaSession::take(const v1::MediaHas& has, std::uint64_t now_ms) {
  if (doing_ == Doing::kAsking && has.offset() <= file_.size) {
    doing_ = Doing::kSending;
    offset_ = has.offset();
    // All had come, but not its end: the server says what becomes of it.
    return send_pieces(now_ms);
  }
  if (doing_ != Doing::kSending || on_way_.empty() || has.offset() != on_way_.front().end) {
    return fail_call({ErrorCode::kProtocol, "the server has more, or less, than was sent", "media"},
                     now_ms);
  }
  pace(now_ms);
  send_pieces(now_ms);
}

void MediaSession::take(const v1::MediaProve& prove, std::uint64_t now_ms) {
  if (doing_ != Doing::kAsking) {
    return fail_call({ErrorCode::kProtocol, "nothing is to be shown", "media"}, now_ms);
  }
  auto digest = host_.digest_behind(prove.nonce(), file_);
  if (!digest) return file_refused(digest.error(), 0, now_ms);
  doing_ = Doing::kProving;
  v1::MediaProof proof;
  proof.set_sha256(*digest);
  host_.send(encode_media_up(proof));
}

void MediaSession::take(const v1::MediaStored& stored, std::uint64_t now_ms) {
  const bool is_whole = doing_ == Doing::kSending && offset_ == file_.size && on_way_.size() <= 1;
  if (!is_whole && doing_ != Doing::kProving) {
    return fail_call({ErrorCode::kProtocol, "a file is stored that was not sent", "media"}, now_ms);
  }
  ++counts_.files_sent;
  const auto noted = host_.stored(file_, Seq(stored.seq()));
  set_down();
  if (!done(noted, now_ms)) return;
  backoff_.reset();
  last_error_.reset();
  begin_next(now_ms);
}

void MediaSession::take(const v1::MediaChunk& chunk, std::uint64_t now_ms) {
  if (doing_ != Doing::kFetching || on_way_.empty() ||
      chunk.offset() + chunk.content().size() != on_way_.front().end) {
    return fail_call({ErrorCode::kProtocol, "the server sent what was not asked for", "media"},
                     now_ms);
  }
  if (!is_intact(chunk)) {
    return fail_call({ErrorCode::kDamaged, "a chunk was damaged on its way", "media"}, now_ms);
  }
  counts_.bytes_down += chunk.content().size();
  const std::uint64_t end = on_way_.front().end;
  pace(now_ms);
  if (auto appended = host_.append(file_, chunk.content()); !appended) {
    fetch_ended(appended);
    return begin_next(now_ms);
  }
  if (end < file_.size) return ask_pieces(now_ms);
  ++counts_.files_fetched;
  backoff_.reset();
  last_error_.reset();
  fetch_ended({});
  begin_next(now_ms);
}

void MediaSession::take(const v1::MediaRefused& refused, std::uint64_t now_ms) {
  if (doing_ == Doing::kNothing || refused.sha256() != file_.sha256) return;
  file_refused({static_cast<ErrorCode>(refused.code()), refused.message(), "media refused"},
               refused.retry_after_ms(), now_ms);
}

void MediaSession::take(const v1::Refusal& refusal, std::uint64_t now_ms) {
  fail_call({static_cast<ErrorCode>(refusal.code()), refusal.message(), "media call refused"},
            now_ms, refusal.retry_after_ms());
}

void MediaSession::file_refused(const Error& why, std::uint32_t retry_after_ms,
                                std::uint64_t now_ms) {
  if (doing_ == Doing::kFetching) {
    // Pieces that were asked for beside it are refused, too.
    on_way_.clear();
    fetch_ended(std::unexpected(why));
    return begin_next(now_ms);
  }
  ++counts_.files_refused;
  const auto noted = host_.refused(file_, why, retry_after_ms);
  set_down();
  if (done(noted, now_ms)) begin_next(now_ms);
}

void MediaSession::fetch_ended(const Result<void>& how) {
  const MediaFile file = file_;
  set_down();
  host_.fetched(file, how);
}

// The oldest piece was answered.
void MediaSession::pace(std::uint64_t now_ms) {
  const std::uint64_t took_ms = now_ms - on_way_.front().sent_ms;
  on_way_.pop_front();
  if (took_ms < kPieceQuickMs) piece_bytes_ = std::min(piece_bytes_ * 2, limits::kMediaChunkBytes);
  if (took_ms > kPieceSlowMs) piece_bytes_ = std::max(piece_bytes_ / 2, kPieceBytesMin);
}

void MediaSession::set_down() {
  doing_ = Doing::kNothing;
  file_ = {};
  offset_ = 0;
  on_way_.clear();
}

void MediaSession::rest() {
  set_down();
  idle_since_ms_.reset();
  if (std::exchange(call_open_, false)) host_.close_call();
}

bool MediaSession::done(const Result<void>& result, std::uint64_t now_ms) {
  if (!result) fail_call(result.error(), now_ms);
  return result.has_value();
}

void MediaSession::ended(const Result<void>& how, std::uint64_t now_ms) {
  if (!call_open_) return;
  // A server may end a call in which nothing is under way.
  if (how && doing_ == Doing::kNothing) {
    rest();
    return go_on(now_ms);
  }
  fail_call(
      how ? Error{ErrorCode::kUnavailable, "the server ended the call", "media"} : how.error(),
      now_ms);
}

void MediaSession::fail_call(const Error& error, std::uint64_t now_ms, std::uint64_t pause_ms) {
  if (doing_ == Doing::kFetching) wanted_.push_front(file_);
  rest();
  last_error_ = error;
  const bool is_for_long = error.code == ErrorCode::kUnsupported;
  retry_ms_ = now_ms + std::max(is_for_long ? kLongPauseMs : backoff_.next_ms(random_), pause_ms);
  if (std::exchange(passing_, false)) {
    ended_pass_ = Result<MediaCounts>(std::unexpected(error));
  }
  if (live_) return;
  // Nobody will call by themselves: whoever waits for a file asks again.
  retry_ms_.reset();
  for (const MediaFile& file : std::exchange(wanted_, {})) {
    host_.fetched(file, std::unexpected(error));
  }
}

void MediaSession::tick(std::uint64_t now_ms) {
  const bool is_owed =
      call_open_ && (!on_way_.empty() || doing_ == Doing::kAsking || doing_ == Doing::kProving ||
                     (doing_ == Doing::kSending && offset_ == file_.size));
  if (is_owed && now_ms >= heard_ms_ + kAnswerTimeoutMs) {
    return fail_call({ErrorCode::kTimeout, "the server did not answer in time", "media"}, now_ms);
  }
  if (idle_since_ms_ && now_ms >= *idle_since_ms_ + kHeldMs) rest();
  if (retry_ms_ && now_ms >= *retry_ms_) wake(now_ms);
}

std::optional<std::uint64_t> MediaSession::wake_ms() const {
  std::optional<std::uint64_t> wake = retry_ms_;
  const auto sooner = [&wake](std::uint64_t ms) { wake = std::min(wake.value_or(ms), ms); };
  if (idle_since_ms_) sooner(*idle_since_ms_ + kHeldMs);
  if (call_open_ && doing_ != Doing::kNothing && !idle_since_ms_) {
    sooner(heard_ms_ + kAnswerTimeoutMs);
  }
  return wake;
}

std::optional<Result<MediaCounts>> MediaSession::take_ended_pass() {
  return std::exchange(ended_pass_, std::nullopt);
}

}  // namespace gridwhistle
