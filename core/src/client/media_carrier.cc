#include "client/media_carrier.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/limits.h"
#include "client/state.h"
#include "gridwhistle/v1/records.pb.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

// Under which name files lie that are not whole yet.
constexpr const char* kFetching = "get";
constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kPartsKeptMs = 7 * kDayMs;
constexpr std::uint32_t kDamagedAgainMs = 60'000;

}  // namespace

MediaCarrier::MediaCarrier(ClientState& state)
    : state_(state), session_(*this, *state.options_.random) {}

MediaCarrier::~MediaCarrier() = default;

std::string MediaCarrier::folder() const {
  const ClientOptions& options = state_.options_;
  return options.media_folder.empty() ? options.path + ".media" : options.media_folder;
}

Result<std::shared_ptr<MediaFiles>> MediaCarrier::files() {
  if (files_) return files_;
  if (state_.options_.read_only) {
    return fail(ErrorCode::kReadOnly, "this file was opened for reading", "media");
  }
  auto opened = open_media_folder(folder());
  if (!opened) return std::unexpected(std::move(opened.error()));
  if (auto ordered = put_in_order(**opened); !ordered) return std::unexpected(ordered.error());
  files_ = std::move(*opened);
  return files_;
}

// What a kill has left between a file and its line in the phone's file, and what a salvaged file
// lost: it may be the only copy, so the server is asked.
Result<void> MediaCarrier::put_in_order(MediaFiles& files) {
  auto hashes = files.all();
  if (!hashes) return std::unexpected(std::move(hashes.error()));
  std::vector<MediaFile> unknown;
  for (std::string& hash : *hashes) {
    const auto known = state_.store_->media(hash);
    if (!known) return std::unexpected(known.error());
    const auto size = files.size_of(hash);
    if (!*known && size && *size) unknown.push_back({std::move(hash), **size});
  }
  if (auto dropped = files.drop_parts_before(state_.wall_ms() - kPartsKeptMs); !dropped) {
    return std::unexpected(dropped.error());
  }
  if (unknown.empty()) return {};
  return state_.store_->adopt_media(unknown);
}

void MediaCarrier::look() {
  const std::uint64_t now = state_.now_ms();
  session_.hold(!state_.enrolment_ || state_.poisoned_ || state_.store_->unsent() > 0, now);
  session_.persist(state_.session_.live_wanted() && !state_.poisoned_, now);
  settle();
}

void MediaCarrier::caught_up() {
  if (auto collected = collect(); !collected) state_.note_media_fault(collected.error());
  session_.network_changed(state_.now_ms());
  settle();
}

void MediaCarrier::kept() {
  session_.wake(state_.now_ms());
  settle();
}

void MediaCarrier::network_changed() {
  session_.network_changed(state_.now_ms());
  settle();
}

void MediaCarrier::stop() {
  session_.stop();
  settle();
}

void MediaCarrier::pass(std::uint64_t question, Passed done) {
  if (!state_.enrolment_) {
    return state_.answer(question, [done] {
      done(fail(ErrorCode::kNotEnrolled,
                "this device is not enrolled: ask the operator for a code"));
    });
  }
  if (state_.store_->unsent() > 0) {
    return state_.answer(question, [done] {
      done(fail(ErrorCode::kConflict, "reports are unsent and go first: sync, then send pictures"));
    });
  }
  passes_.emplace_back(question, std::move(done));
  session_.hold(false, state_.now_ms());
  session_.pass(state_.now_ms());
  settle();
}

Result<MediaFile> MediaCarrier::wanted(const RecordId& attachment) {
  auto found = state_.store_->get(kinds::kAttachment, attachment);
  if (!found) return std::unexpected(std::move(found.error()));
  v1::Attachment says;
  if (!says.ParseFromString(found->record)) {
    return fail(ErrorCode::kCorrupt, "a stored record cannot be read", "kind Attachment");
  }
  MediaFile file{says.sha256(), static_cast<std::uint64_t>(says.size_bytes())};
  auto here = path_if_here(file);
  if (!here) return std::unexpected(std::move(here.error()));
  if (!*here && !says.stored()) {
    return fail(ErrorCode::kUnavailable,
                "its bytes have not arrived at the server yet: its author's phone has them",
                "media");
  }
  return file;
}

Result<std::optional<std::string>> MediaCarrier::path_if_here(const MediaFile& file) {
  auto all = files();
  if (!all) return std::unexpected(std::move(all.error()));
  auto size = (*all)->size_of(file.sha256);
  if (!size) return std::unexpected(std::move(size.error()));
  if (*size != file.size) return std::nullopt;
  return (*all)->path_of(file.sha256);
}

void MediaCarrier::fetch(std::uint64_t question, const RecordId& attachment, Fetched done) {
  const auto tell = [&](Result<std::string> path) {
    state_.answer(question, [done, path = std::move(path)] { done(path); });
  };
  const auto file = wanted(attachment);
  if (!file) return tell(std::unexpected(file.error()));
  auto here = path_if_here(*file);
  if (!here) return tell(std::unexpected(here.error()));
  if (*here) {
    // That it was looked at decides no more than what goes first.
    static_cast<void>(state_.store_->note_media_used(file->sha256));
    return tell(std::move(**here));
  }
  if (!state_.enrolment_) {
    return tell(
        fail(ErrorCode::kNotEnrolled, "this device is not enrolled: ask the operator for a code"));
  }
  waiting_.emplace(file->sha256, std::pair(question, std::move(done)));
  session_.fetch(*file, state_.now_ms());
  settle();
}

void MediaCarrier::answer(const MediaFile& file, const Result<std::string>& path) {
  const auto [first, last] = waiting_.equal_range(file.sha256);
  for (auto waiting = first; waiting != last; ++waiting) {
    answers_.push_back([this, question = waiting->second.first,
                        done = std::move(waiting->second.second),
                        path] { state_.answer(question, [done, path] { done(path); }); });
  }
  waiting_.erase(first, last);
}

Result<void> MediaCarrier::open_call() {
  if (state_.poisoned_) return fail(ErrorCode::kPoisoned, state_.poisoned_->message);
  if (!state_.enrolment_) {
    return fail(ErrorCode::kNotEnrolled,
                "this device is not enrolled: ask the operator for a code");
  }
  if (auto connected = state_.connect_if_needed(); !connected) return connected;
  const auto counter = state_.store_->next_call_counter();
  if (!counter) return std::unexpected(counter.error());
  v1::MediaHello hello;
  hello.set_protocol(state_.build_.protocol);
  hello.set_device(state_.store_->device().value);
  hello.set_call_counter(*counter);
  const auto signature = state_.options_.secrets->sign(
      state_.store_->key_name(), media_hello_to_sign(hello, state_.enrolment_->server_key_sha256));
  if (!signature) return std::unexpected(signature.error());
  hello.set_signature(*signature);
  ++call_number_;
  call_ = state_.transport_->media(events_of_call());
  if (!call_) {
    return fail(ErrorCode::kUnsupported, "this transport carries no attachments", "media");
  }
  call_->send(encode_media_up(hello));
  return {};
}

CallEvents MediaCarrier::events_of_call() {
  CallEvents events;
  const std::weak_ptr<ClientState> weak = state_.weak_from_this();
  const auto guarded = [weak, number = call_number_](auto work) {
    const auto state = weak.lock();
    if (!state) return;
    const auto lock = state->strand_->lock();
    if (state->strand_->ended() || number != state->media_.call_number_) return;
    try {
      work(state->media_);
      state->media_.settle();
    } catch (const std::exception& broken) {
      state->poison(fault_of(broken));
    }
  };
  events.on_frame = [guarded](const std::string& frame) {
    guarded([&](MediaCarrier& media) { media.session_.frame(frame, media.state_.now_ms()); });
  };
  events.on_end = [guarded](const Result<void>& how) {
    guarded([&](MediaCarrier& media) { media.session_.ended(how, media.state_.now_ms()); });
  };
  return events;
}

void MediaCarrier::send(std::string frame) {
  if (call_) call_->send(std::move(frame));
}

void MediaCarrier::close_call() {
  ++call_number_;
  state_.strand_->release(std::exchange(call_, nullptr));
  // What has come of a file stays for the next time.
  parts_.clear();
}

// A file whose record has not gone is not the phone's to send yet; and what is sent for another
// record would be asked for again and again.
Result<std::optional<MediaFile>> MediaCarrier::next_unsent() {
  if (state_.store_->unsent() > 0) return std::optional<MediaFile>();
  return state_.store_->next_unsent_media();
}

Result<std::string> MediaCarrier::read(const MediaFile& file, std::uint64_t offset,
                                       std::size_t bytes_max) {
  auto all = files();
  if (!all) return std::unexpected(std::move(all.error()));
  return (*all)->read(file.sha256, offset, bytes_max);
}

Result<std::string> MediaCarrier::digest_behind(std::string_view nonce, const MediaFile& file) {
  auto all = files();
  if (!all) return std::unexpected(std::move(all.error()));
  return (*all)->digest_behind(nonce, file.sha256);
}

Result<void> MediaCarrier::stored(const MediaFile& file, Seq seq) {
  return state_.store_->media_stored(file.sha256, seq);
}

// Whose bytes were damaged, on the way or here, this phone can find out.
Result<void> MediaCarrier::refused(const MediaFile& file, const Error& why,
                                   std::uint32_t retry_after_ms) {
  if (why.code != ErrorCode::kDamaged) {
    return state_.store_->media_refused(file.sha256, why, retry_after_ms);
  }
  const auto digest = digest_behind("", file);
  if (digest && *digest == file.sha256) {
    return state_.store_->media_refused(file.sha256, why, kDamagedAgainMs);
  }
  return state_.store_->media_refused(
      file.sha256,
      {ErrorCode::kCorrupt, "the file on this phone is damaged; take the picture again", "media"},
      static_cast<std::uint32_t>(kDayMs));
}

Result<std::uint64_t> MediaCarrier::begin_fetch(const MediaFile& file) {
  auto all = files();
  if (!all) return std::unexpected(std::move(all.error()));
  auto part = (*all)->part(kFetching, file);
  if (!part) return std::unexpected(std::move(part.error()));
  const std::uint64_t size = (*part)->size();
  parts_[file.sha256] = std::move(*part);
  return size;
}

Result<void> MediaCarrier::append(const MediaFile& file, std::string_view bytes) {
  const auto part = parts_.find(file.sha256);
  if (part == parts_.end()) return fail(ErrorCode::kInternal, "no such file is fetched", "media");
  return part->second->append(bytes);
}

void MediaCarrier::fetched(const MediaFile& file, Result<void> how) {
  const auto part = parts_.extract(file.sha256);
  if (how && !part.empty()) how = part.mapped()->finish();
  if (how) how = state_.store_->note_media(file, false);
  if (!how) {
    const bool may_not =
        how.error().code == ErrorCode::kNotFound || how.error().code == ErrorCode::kForbidden;
    if (may_not && files_) static_cast<void>(files_->drop_part(kFetching, file.sha256));
    return answer(file, std::unexpected(how.error()));
  }
  answer(file, files_->path_of(file.sha256));
  if (auto collected = collect(); !collected) state_.note_media_fault(collected.error());
}

// Files go before their lines: a kill in between leaves a line that the next time takes.
Result<void> MediaCarrier::collect() {
  if (state_.options_.read_only) return {};
  if (!files_) {
    const auto any = state_.store_->has_media();
    if (!any) return std::unexpected(any.error());
    // This file may be older than what lies beside it.
    std::error_code unknown;
    if (!*any && !std::filesystem::exists(folder(), unknown)) return {};
  }
  auto all = files();
  if (!all) return std::unexpected(std::move(all.error()));
  const auto spare = state_.store_->spare_media(limits::kMediaCacheBytes);
  if (!spare) return std::unexpected(spare.error());
  for (const std::string& hash : *spare) {
    if (auto removed = (*all)->remove(hash); !removed) return removed;
  }
  if (!spare->empty()) {
    if (auto noted = state_.store_->media_gone(*spare); !noted) return noted;
  }
  const auto begun = (*all)->parts_of(kFetching);
  if (!begun) return std::unexpected(begun.error());
  for (const std::string& hash : *begun) {
    if (parts_.contains(hash)) continue;
    const auto named = state_.store_->names_media(hash);
    if (!named) return std::unexpected(named.error());
    if (*named) continue;
    if (auto dropped = (*all)->drop_part(kFetching, hash); !dropped) return dropped;
  }
  return {};
}

void MediaCarrier::settle() {
  if (auto ended = session_.take_ended_pass()) {
    Result<MediaReport> report = MediaReport();
    if (*ended) {
      const MediaCounts& counts = **ended;
      report = MediaReport{counts.files_sent, counts.files_refused, counts.bytes_up};
    } else {
      report = std::unexpected(ended->error());
    }
    for (auto& [question, done] : std::exchange(passes_, {})) {
      state_.answer(question, [tell = std::move(done), report] { tell(report); });
    }
  }
  for (const auto& tell : std::exchange(answers_, {})) tell();
  arm_timer();
}

void MediaCarrier::arm_timer() {
  const std::optional<std::uint64_t> wake_ms = session_.wake_ms();
  if (wake_ms == timer_ms_) return;
  if (timer_ms_) state_.strand_->cancel(timer_);
  timer_ms_ = wake_ms;
  if (!wake_ms) return;
  const std::uint64_t now = state_.now_ms();
  const std::chrono::milliseconds delay(*wake_ms > now ? *wake_ms - now : 0);
  timer_ = state_.strand_->post_after(delay, [this] {
    timer_ms_.reset();
    session_.tick(state_.now_ms());
    settle();
  });
}

void MediaCarrier::add_status(MediaStatus& status) {
  status.last_error = session_.last_error();
  const auto unsent = state_.store_->unsent_media();
  if (!unsent) {
    status.last_error = unsent.error();
    return;
  }
  for (const store::MediaKept& kept : *unsent) {
    ++status.unsent;
    status.unsent_bytes += kept.file.size;
    if (kept.refused) status.refused.push_back({kept.file.sha256, kept.file.size, *kept.refused});
  }
}

std::shared_ptr<void> MediaCarrier::let_go() {
  if (timer_ms_) state_.strand_->cancel(timer_);
  timer_ms_.reset();
  ++call_number_;
  parts_.clear();
  waiting_.clear();
  passes_.clear();
  answers_.clear();
  return std::exchange(call_, nullptr);
}

}  // namespace gridwhistle
