#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/build.h"
#include "client/media_carrier.h"
#include "client/strand.h"
#include "gridwhistle/client.h"
#include "store/store.h"
#include "sync/session.h"

namespace gridwhistle {

/// What an exception that nobody expected is to the outside.
Error fault_of(const std::exception& error);

/// What a client is made of. The strand's lock guards everything below; functions are called with
/// it held, unless they say that they take it.
///
/// The session lives on the executor's thread alone, because calls may be begun there only. What a
/// host's thread wants of it is posted.
class ClientState : public std::enable_shared_from_this<ClientState> {
 public:
  static Result<std::shared_ptr<ClientState>> open(const Build& build, ClientOptions options);
  static Result<Salvage> salvage(const ClientOptions& options);

  /// Runs `work` on the state, unless the client is closed. Takes the lock. An exception poisons.
  template <typename Work>
  auto read(Work work) -> decltype(work(std::declval<store::Store&>()));
  /// As `read`, for what writes: refused once poisoned. kInternal poisons.
  template <typename Work>
  auto write(Work work) -> decltype(work(std::declval<store::Store&>()));
  /// As `write`, and operations were recorded: they are sent soon.
  template <typename Work>
  auto record(Work work) -> decltype(work(std::declval<store::Store&>()));

  /// Posts to the strand. False: closed, the task will not run. Takes the lock.
  bool post(std::function<void()> task);
  /// Runs something of the host's, where the host wants it, without the lock.
  void call_back(std::function<void()> task) { options_.callbacks->post(std::move(task)); }

  /// The kind of that name. kInvalid.
  Result<const KindSchema*> kind(std::string_view name) const;
  /// A public change as the store takes it, with what a new record of its kind is given here.
  Result<store::Change> change(store::Store& store, const Change& change) const;

  Watch watch(std::string kind, Query query,
              std::function<void(Result<std::vector<FoundBytes>>)> changed, Purpose purpose);

  // Questions with an answer later, kClosed at the latest. Take the lock.
  void enrol(const EnrolmentCode& code, const std::string& device_name,
             std::function<void(Result<void>)> done);
  void sync_once(const SyncOptions& options, std::function<void(Result<SyncReport>)> done);
  void send_media(MediaCarrier::Passed done);
  void fetch(const RecordId& attachment, MediaCarrier::Fetched done);

  // Bytes of attachments. Take the lock, but not while they are hashed and written.
  Result<v1::Attachment> keep(std::string_view bytes, const KeepOptions& options);
  Result<v1::Attachment> keep_file(const std::string& path, const KeepOptions& options);

  // The line. On the executor's thread.
  void start_live() { perform(session_.go_live(now_ms())); }
  void stop() {
    perform(session_.stop());
    media_.stop();
  }
  void network_changed() {
    perform(session_.network_changed(now_ms()));
    media_.network_changed();
  }

  /// Take the lock.
  Result<ExportedBundle> export_bundle(const std::function<Result<void>(std::string_view)>& write);
  ClientStatus status();
  void close();

  std::int64_t wall_ms() const { return options_.clock->now().wall_ms; }
  const std::optional<store::Enrolment>& enrolment() const { return enrolment_; }

 private:
  friend class MediaCarrier;

  ClientState(const Build& build, ClientOptions options);

  std::uint64_t now_ms() const { return options_.clock->now().boot_ms; }
  std::optional<Error> unusable(bool to_write) const;
  void poison(const Error& error);
  void note_recorded();
  void tell_recorded();

  void ask(std::function<void(std::uint64_t)> task, std::function<void(const Error&)> no_answer);
  void answer(std::uint64_t question, std::function<void()> task);
  void enrol_now(std::uint64_t question, const EnrolmentCode& code, const std::string& device_name,
                 std::function<void(Result<void>)> done);
  void perform(SyncActions actions);
  SyncActions carry_out(const SyncAction& action);
  SyncActions do_open();
  SyncActions do_succeed(bool is_unknown);
  SyncActions ask_to_succeed(const Result<store::Succession>& plan);
  SyncActions succeeded(const store::Succession& plan, const Result<std::string>& reply);
  SyncActions do_hello(v1::Hello hello);
  Result<void> sign(v1::Bundle& bundle);
  SyncActions do_read(const ReadOperations& read);
  SyncActions do_welcome(const v1::Welcome& welcome);
  SyncActions after_store(const Result<void>& stored);
  void do_close();
  void do_finished(const Result<void>& how);
  void note_line(const std::optional<Error>& error);
  void note_wait();
  Result<void> resume_wait(const store::SyncState& file);
  void arm_timer();
  CallEvents events_of_call();
  void on_frame(const std::string& frame);
  Result<void> connect(const ServerAddress& server);
  Result<void> connect_if_needed();
  Result<std::shared_ptr<MediaFiles>> media_files();
  Result<v1::Attachment> keep_read(const std::function<Result<std::string>()>& next,
                                   const MediaFile& file, const KeepOptions& options);
  void note_media_fault(const Error& error);
  Result<std::string> enrol_request(const EnrolmentCode& code, const std::string& device_name);
  Result<std::string> succession_request(const store::Succession& plan);
  Result<void> enrolled(std::uint64_t question, const EnrolmentCode& code,
                        const Result<std::string>& reply);

  const Build build_;
  ClientOptions options_;
  std::shared_ptr<Strand> strand_;
  std::unique_ptr<store::Store> store_;  ///< null: closed
  std::optional<Error> poisoned_;
  std::optional<store::Enrolment> enrolment_;

  SyncSession session_;
  MediaCarrier media_;
  std::atomic<std::uint64_t> keeps_ = 0;  ///< files that were written for `keep`
  std::shared_ptr<Transport> transport_;  ///< to the server of `enrolment_`
  /// Of enrolments under way, by their question: a server is spoken with once it has been accepted.
  std::map<std::uint64_t, std::shared_ptr<Transport>> enrolling_;
  std::shared_ptr<Call> call_;
  std::size_t numbers_back_ = 0;   ///< which of the file's numbers the server is told of again
  std::uint64_t call_number_ = 0;  ///< events of calls before this one are late
  std::uint64_t timer_ = 0;
  std::optional<std::uint64_t> timer_ms_;
  bool recorded_posted_ = false;
  std::uint64_t last_question_ = 0;
  /// Questions without an answer, and how to say that there will be none.
  std::map<std::uint64_t, std::function<void(const Error&)>> questions_;
  /// Of `sync_once`, those the session knows of.
  std::map<std::uint64_t, std::function<void(Result<SyncReport>)>> waiting_;
};

template <typename Work>
auto ClientState::read(Work work) -> decltype(work(std::declval<store::Store&>())) {
  const auto lock = strand_->lock();
  if (auto error = unusable(false)) return std::unexpected(std::move(*error));
  try {
    return work(*store_);
  } catch (const std::exception& broken) {
    poison(fault_of(broken));
    return std::unexpected(*poisoned_);
  }
}

template <typename Work>
auto ClientState::write(Work work) -> decltype(work(std::declval<store::Store&>())) {
  const auto lock = strand_->lock();
  if (auto error = unusable(true)) return std::unexpected(std::move(*error));
  try {
    auto result = work(*store_);
    if (!result && result.error().code == ErrorCode::kInternal) poison(result.error());
    return result;
  } catch (const std::exception& broken) {
    poison(fault_of(broken));
    return std::unexpected(*poisoned_);
  }
}

template <typename Work>
auto ClientState::record(Work work) -> decltype(work(std::declval<store::Store&>())) {
  return write([&](store::Store& store) {
    auto result = work(store);
    if (result) note_recorded();
    return result;
  });
}

}  // namespace gridwhistle
