#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/media_files.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/media.pb.h"
#include "sync/backoff.h"
#include "wire/media.h"

namespace gridwhistle {

/// What a media session asks its owner to do. Nothing here calls back into the session.
class MediaHost {
 public:
  virtual ~MediaHost() = default;

  /// Begins a call and sends its MediaHello. An error: none was begun.
  virtual Result<void> open_call() = 0;
  virtual void send(std::string frame) = 0;
  /// Lets go of the call; no more of its events may be told.
  virtual void close_call() = 0;

  /// The next file to bring; none for now.
  virtual Result<std::optional<MediaFile>> next_unsent() = 0;
  /// Bytes of a file that this phone has.
  virtual Result<std::string> read(const MediaFile& file, std::uint64_t offset,
                                   std::size_t bytes_max) = 0;
  virtual Result<std::string> digest_behind(std::string_view nonce, const MediaFile& file) = 0;
  virtual Result<void> stored(const MediaFile& file, Seq seq) = 0;
  virtual Result<void> refused(const MediaFile& file, const Error& why,
                               std::uint32_t retry_after_ms) = 0;

  /// How much of a file that is fetched is here.
  virtual Result<std::uint64_t> begin_fetch(const MediaFile& file) = 0;
  virtual Result<void> append(const MediaFile& file, std::string_view bytes) = 0;
  /// The file is whole, or will not come.
  virtual void fetched(const MediaFile& file, Result<void> how) = 0;
};

struct MediaCounts {
  std::uint64_t files_sent = 0;
  std::uint64_t files_refused = 0;
  std::uint64_t files_fetched = 0;
  std::uint64_t bytes_up = 0;    ///< of files
  std::uint64_t bytes_down = 0;  ///< of files

  MediaCounts operator-(const MediaCounts& before) const {
    return {files_sent - before.files_sent, files_refused - before.files_refused,
            files_fetched - before.files_fetched, bytes_up - before.bytes_up,
            bytes_down - before.bytes_down};
  }
};

/// The phone's side of `MediaService`: one file after the other, those that somebody wants to see
/// before those that are to be sent, and none while reports wait. Like SyncSession it knows no
/// thread, clock or file.
///
/// A file that is refused is told and passed over. A call that fails is tried again with pauses of
/// its own while somebody is there to whom that matters: a live line, or a file that is fetched.
class MediaSession {
 public:
  /// Of the bytes in one frame; it finds the size that a line takes in about a second, so that a
  /// report that comes meanwhile waits no longer than that.
  static constexpr std::size_t kPieceBytesMin = 4 * 1024;
  static constexpr std::size_t kPieceBytesFirst = 16 * 1024;
  static constexpr std::uint64_t kPieceQuickMs = 500;
  static constexpr std::uint64_t kPieceSlowMs = 2'000;
  /// Pieces on their way that are not answered yet.
  static constexpr std::size_t kPiecesInFlight = 2;
  /// A server that owes an answer and says nothing for so long is given up.
  static constexpr std::uint64_t kAnswerTimeoutMs = 60'000;
  /// A call that waits for reports to pass is given up after so long.
  static constexpr std::uint64_t kHeldMs = 30'000;
  /// A server that does not know the service, or a file that is damaged, is asked again after so
  /// long.
  static constexpr std::uint64_t kLongPauseMs = 3'600'000;

  /// Both outlive the session.
  MediaSession(MediaHost& host, Random& random) : host_(host), random_(random) {}

  // What the phone wants.

  /// Reports wait (`true`), or nothing but files does.
  void hold(bool held, std::uint64_t now_ms);
  /// Whether calls that fail are begun again; otherwise the pass ends with its first failure.
  void persist(bool live, std::uint64_t now_ms);
  /// There may be something to send: begins, unless held or waiting to try again.
  void wake(std::uint64_t now_ms);
  /// One pass, now: until nothing is left to send, or the first failure. `pass_ended` tells.
  void pass(std::uint64_t now_ms);
  void fetch(const MediaFile& file, std::uint64_t now_ms);
  void network_changed(std::uint64_t now_ms);
  /// Ends the call and all plans; what was to be fetched is told kUnavailable.
  void stop();

  // What happened on the line.
  void frame(std::string_view frame, std::uint64_t now_ms);
  void ended(const Result<void>& how, std::uint64_t now_ms);
  void tick(std::uint64_t now_ms);

  /// When to call `tick` next.
  std::optional<std::uint64_t> wake_ms() const;

  /// Of the pass that ended last: how, and what it did; told once.
  std::optional<Result<MediaCounts>> take_ended_pass();
  bool call_open() const { return call_open_; }
  const MediaCounts& counts() const { return counts_; }
  /// Of the last call; none while it goes well.
  const std::optional<Error>& last_error() const { return last_error_; }

 private:
  enum class Doing : std::uint8_t { kNothing, kAsking, kSending, kProving, kFetching };
  struct Piece {
    std::uint64_t end = 0;  ///< of its bytes in the file
    std::uint64_t sent_ms = 0;
  };

  void go_on(std::uint64_t now_ms);
  void begin_next(std::uint64_t now_ms);
  void begin_put(const MediaFile& file, std::uint64_t now_ms);
  bool begin_get(std::uint64_t now_ms);
  void send_pieces(std::uint64_t now_ms);
  void ask_pieces(std::uint64_t now_ms);
  void take(const v1::MediaHas& has, std::uint64_t now_ms);
  void take(const v1::MediaProve& prove, std::uint64_t now_ms);
  void take(const v1::MediaStored& stored, std::uint64_t now_ms);
  void take(const v1::MediaChunk& chunk, std::uint64_t now_ms);
  void take(const v1::MediaRefused& refused, std::uint64_t now_ms);
  void take(const v1::Refusal& refusal, std::uint64_t now_ms);
  void file_refused(const Error& why, std::uint32_t retry_after_ms, std::uint64_t now_ms);
  void fetch_ended(const Result<void>& how);
  void pace(std::uint64_t now_ms);
  void set_down();
  void fail_call(const Error& error, std::uint64_t now_ms, std::uint64_t pause_ms = 0);
  void rest();
  bool done(const Result<void>& result, std::uint64_t now_ms);

  MediaHost& host_;
  Random& random_;
  Backoff backoff_;

  bool held_ = true;
  bool live_ = false;
  bool passing_ = false;
  std::deque<MediaFile> wanted_;  ///< to be fetched
  std::optional<std::uint64_t> retry_ms_;
  std::optional<Error> last_error_;
  std::optional<Result<MediaCounts>> ended_pass_;
  MediaCounts counts_;
  MediaCounts before_pass_;

  // Of the open call.
  bool call_open_ = false;
  Doing doing_ = Doing::kNothing;
  MediaFile file_;
  std::uint64_t offset_ = 0;  ///< sent, or asked for, up to here
  std::deque<Piece> on_way_;  ///< oldest first
  std::size_t piece_bytes_ = kPieceBytesFirst;
  std::uint64_t heard_ms_ = 0;  ///< the last answer, or the question that was put after a silence
  std::optional<std::uint64_t> idle_since_ms_;
};

}  // namespace gridwhistle
