#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/media_files.h"
#include "gridwhistle/client.h"
#include "store/store.h"
#include "sync/media_session.h"

namespace gridwhistle {

class ClientState;

/// What a client does about attachments' bytes: keeps them, has them sent behind the reports,
/// fetches what somebody wants to see, lets go of what need not be kept. Part of ClientState: the
/// strand's lock guards it, and functions are called with it held.
class MediaCarrier final : private MediaHost {
 public:
  using Fetched = std::function<void(Result<std::string>)>;
  using Passed = std::function<void(Result<MediaReport>)>;

  explicit MediaCarrier(ClientState& state);
  ~MediaCarrier() override;

  /// The folder beside the phone's file; made, and put in order, when it is first asked for.
  Result<std::shared_ptr<MediaFiles>> files();

  // On the executor's thread.

  /// What lanes hold, or whether the line is to stay open, may have changed.
  void look();
  /// The server was just heard, and everything it had has come.
  void caught_up();
  /// There may be a file to send.
  void kept();
  void network_changed();
  void stop();
  void pass(std::uint64_t question, Passed done);
  void fetch(std::uint64_t question, const RecordId& attachment, Fetched done);

  void add_status(MediaStatus& status);
  /// What the call and the timer hold, to be let go of on the executor's thread.
  std::shared_ptr<void> let_go();

 private:
  Result<void> open_call() override;
  void send(std::string frame) override;
  void close_call() override;
  Result<std::optional<MediaFile>> next_unsent() override;
  Result<std::string> read(const MediaFile& file, std::uint64_t offset,
                           std::size_t bytes_max) override;
  Result<std::string> digest_behind(std::string_view nonce, const MediaFile& file) override;
  Result<void> stored(const MediaFile& file, Seq seq) override;
  Result<void> refused(const MediaFile& file, const Error& why,
                       std::uint32_t retry_after_ms) override;
  Result<std::uint64_t> begin_fetch(const MediaFile& file) override;
  Result<void> append(const MediaFile& file, std::string_view bytes) override;
  void fetched(const MediaFile& file, Result<void> how) override;

  CallEvents events_of_call();
  Result<MediaFile> wanted(const RecordId& attachment);
  Result<std::optional<std::string>> path_if_here(const MediaFile& file);
  std::string folder() const;
  Result<void> put_in_order(MediaFiles& files);
  void answer(const MediaFile& file, const Result<std::string>& path);
  Result<void> collect();
  /// After everything that was told the session.
  void settle();
  void arm_timer();

  ClientState& state_;
  MediaSession session_;
  std::shared_ptr<MediaFiles> files_;
  std::shared_ptr<Call> call_;
  std::uint64_t call_number_ = 0;  ///< events of calls before this one are late
  std::uint64_t timer_ = 0;
  std::optional<std::uint64_t> timer_ms_;
  std::map<std::string, std::unique_ptr<MediaPart>> parts_;  ///< being fetched, by SHA-256
  std::multimap<std::string, std::pair<std::uint64_t, Fetched>> waiting_;  ///< by SHA-256
  std::vector<std::pair<std::uint64_t, Passed>> passes_;
  std::vector<std::function<void()>> answers_;  ///< told when the session is done, its call let go
};

}  // namespace gridwhistle
