#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/media_files.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/ports.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/media.pb.h"

namespace gridwhistle {

/// A phone that brings or fetches files.
struct MediaCaller {
  DeviceId device;
  std::string short_code;
};

/// What the county knows of files. Each answer comes once, on the desk's thread, perhaps before the
/// question has returned.
class MediaCounty {
 public:
  template <typename T>
  using Then = std::function<void(Result<T>)>;

  virtual ~MediaCounty() = default;
  /// Whose call it is. Errors: those of `recognise`.
  virtual void greet(v1::MediaHello hello, Then<MediaCaller> then) = 0;
  /// Whether the phone may bring the file. kNotFound: it wrote no record that names it.
  virtual void may_bring(DeviceId device, MediaFile file, Then<void> then) = 0;
  /// Whether the phone may have the file. kNotFound: it sees no record that names it.
  virtual void may_fetch(DeviceId device, std::string sha256, Then<void> then) = 0;
  /// The phone has brought the file, or shown that it has it: its records say so when this answers
  /// with the place in the log, durably.
  virtual void brought(DeviceId device, MediaFile file, Then<Seq> then) = 0;
};

/// Where the frames of one call go.
class MediaLine {
 public:
  virtual ~MediaLine() = default;
  /// Queues a frame, a serialized `v1::MediaDown`.
  virtual void send(std::string frame) = 0;
  /// The desk takes the call's next frame.
  virtual void want_frame() = 0;
  /// Ends the call when everything queued is sent.
  virtual void close() = 0;
};

/// What went over the desk since it began.
struct MediaFigures {
  std::uint64_t calls_open = 0;
  std::uint64_t files_brought = 0;
  std::uint64_t files_refused = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t disk_failures = 0;
};

/// The calls that carry attachments' bytes. One thread, and not the county's: files are slow, and
/// no report waits for one. No network and no rule of who may what stands in it.
///
/// A call gives its frames one at a time: the next one when its line is asked for it.
class MediaDesk {
 public:
  using CallId = std::uint64_t;

  /// All outlive it.
  MediaDesk(MediaFiles& files, MediaCounty& county, Clock& clock, Random& random);
  ~MediaDesk();

  /// The line lives until `on_closed`.
  void on_open(CallId id, MediaLine& line);
  void on_frame(CallId id, std::string frame);
  void on_closed(CallId id);

  /// Ends calls in which nothing comes. To be called every few seconds.
  void tick();
  /// Ends all calls.
  void close_all();

  /// For the log: each refusal, of a call or of a file. The code is empty where nobody was known.
  void on_refused(std::function<void(std::string_view short_code, ErrorCode)> tell);
  MediaFigures figures() const;

 private:
  struct Call;

  void deal_with(CallId id, Call& call, std::string frame);
  void greet(CallId id, Call& call, v1::MediaHello hello);
  void greeted(CallId id, Call& call, Result<MediaCaller> caller);
  void put(CallId id, Call& call, const v1::MediaPut& put);
  void begin_part(Call& call);
  void chunk(CallId id, Call& call, const v1::MediaChunk& chunk);
  void whole(CallId id, Call& call);
  void proof(CallId id, Call& call, const v1::MediaProof& proof);
  void tell_brought(CallId id);
  void get(CallId id, Call& call, const v1::MediaGet& get);
  void refuse_file(Call& call, const std::string& sha256, const Error& why);
  void refuse_call(Call& call, const Error& why);
  void disk_failed(Call& call);
  /// Goes on with a call when the county has answered, if it is there still.
  template <typename T>
  std::function<void(Result<T>)> then(CallId id, std::function<void(Call&, Result<T>)> go_on);

  MediaFiles& files_;
  MediaCounty& county_;
  Clock& clock_;
  Random& random_;
  std::map<CallId, std::unique_ptr<Call>> calls_;
  std::map<DeviceId, CallId> current_;  ///< a phone's one call
  std::function<void(std::string_view, ErrorCode)> tell_refused_;
  MediaFigures figures_;
};

/// Under which name a device's unfinished files lie.
std::string media_owner(DeviceId device);

}  // namespace gridwhistle
