#include "lines.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "child.h"

namespace gridwhistle::demo {

namespace {

using Time = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Callbacks come on the clients' thread, maybe after the waiting has ended: they own what they
// write to.
template <typename T>
class Answers {
 public:
  struct Answer {
    std::size_t phone = 0;
    Result<T> result;
  };

  void push(std::size_t phone, Result<T> result) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back({phone, std::move(result)});
    }
    came_.notify_one();
  }

  std::optional<Answer> pop(milliseconds wait) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, wait, [this] { return !queue_.empty(); });
    if (queue_.empty()) return std::nullopt;
    Answer answer = std::move(queue_.front());
    queue_.pop_front();
    return answer;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Answer> queue_;
};

// Calls all phones, and again those that `through` does not let go, until the time is over. Gives
// the phones that are left.
template <typename T>
std::vector<std::size_t> call_until(
    std::size_t phones, Time::time_point deadline,
    const std::function<void(std::size_t, std::shared_ptr<Answers<T>>)>& call,
    const std::function<bool(std::size_t, const Result<T>&)>& through) {
  constexpr milliseconds kPause{150};
  auto answers = std::make_shared<Answers<T>>();
  std::vector<std::optional<Time::time_point>> again(phones, Time::now());
  std::vector<bool> left(phones, true);
  std::size_t waiting = phones;
  while (waiting > 0 && Time::now() < deadline && !stop_requested()) {
    for (std::size_t i = 0; i < phones; ++i) {
      if (!again[i] || *again[i] > Time::now()) continue;
      again[i].reset();
      call(i, answers);
    }
    const auto answer = answers->pop(milliseconds(20));
    if (!answer) continue;
    if (through(answer->phone, answer->result)) {
      left[answer->phone] = false;
      --waiting;
    } else {
      again[answer->phone] = Time::now() + kPause;
    }
  }
  std::vector<std::size_t> behind;
  for (std::size_t i = 0; i < phones; ++i) {
    if (left[i]) behind.push_back(i);
  }
  return behind;
}

}  // namespace

LineReport sync_all(const std::vector<Phone*>& phones, std::chrono::seconds time) {
  LineReport report;
  std::vector<std::string> last_words(phones.size(), "no answer");
  const auto call = [&](std::size_t i, std::shared_ptr<Answers<SyncReport>> answers) {
    ++report.calls;
    phones[i]->client().sync_once(
        {}, [answers, i](Result<SyncReport> done) { answers->push(i, std::move(done)); });
  };
  const auto through = [&](std::size_t i, const Result<SyncReport>& done) {
    if (!done) {
      ++report.failed_calls;
      last_words[i] = done.error().message + " " + done.error().detail;
      return false;
    }
    report.operations += done->acknowledged;
    report.rows += done->rows;
    const ClientStatus status = phones[i]->client().status();
    last_words[i] = "unsent " + std::to_string(status.unsent);
    return done->caught_up && status.unsent == 0;
  };
  for (const std::size_t i :
       call_until<SyncReport>(phones.size(), Time::now() + time, call, through)) {
    report.behind.push_back(phones[i]->seat().worker + ": " + last_words[i]);
  }
  return report;
}

Result<void> enrol_all(const std::vector<Enrolling>& phones, std::chrono::seconds time) {
  std::optional<Error> wrong;
  const auto call = [&](std::size_t i, std::shared_ptr<Answers<bool>> answers) {
    const auto code = EnrolmentCode::parse(phones[i].code);
    if (!code) return answers->push(i, std::unexpected(code.error()));
    phones[i].phone->client().enrol(*code, phones[i].phone->seat().worker,
                                    [answers, i](Result<void> done) {
                                      if (done) return answers->push(i, true);
                                      answers->push(i, std::unexpected(done.error()));
                                    });
  };
  const auto through = [&](std::size_t, const Result<bool>& done) {
    if (done) return true;
    if (done.error().retry() == Retry::kLater) return false;
    wrong = done.error();
    return true;
  };
  const auto behind = call_until<bool>(phones.size(), Time::now() + time, call, through);
  if (wrong) return std::unexpected(*wrong);
  if (!behind.empty()) {
    return fail(ErrorCode::kTimeout, phones[behind.front()].phone->seat().worker +
                                         " and others could not be enrolled in time");
  }
  return {};
}

}  // namespace gridwhistle::demo
