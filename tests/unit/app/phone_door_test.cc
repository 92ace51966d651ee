#include "app/phone_door.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "gridwhistle/default_ports.h"
#include "schema/tables.h"
#include "storage/open.h"
#include "support/temp_folder.h"

using namespace gridwhistle;
using namespace gridwhistle::app;

namespace {

class FakeStream final : public rpc::SyncStream {
 public:
  explicit FakeStream(std::uint64_t id) : id_(id) {}
  std::uint64_t id() const override { return id_; }
  void send(std::string) override {}
  bool writable() const override { return true; }
  void pause() override { set(true); }
  void resume() override { set(false); }
  void close(Result<void>) override {}

  bool paused() {
    const std::lock_guard lock(mutex_);
    return paused_;
  }
  bool wait_until_resumed() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return !paused_; });
  }

 private:
  void set(bool paused) {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    changed_.notify_all();
  }

  const std::uint64_t id_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
};

// Holds up the county's thread until it is let go.
class Hold {
 public:
  explicit Hold(CountyThread& thread) {
    thread.post([begun = begun_, go = go_](County&) {
      begun->set_value();
      go->get_future().wait();
    });
  }
  void wait_until_it_holds() { begun_->get_future().wait(); }
  void let_go() { go_->set_value(); }

 private:
  std::shared_ptr<std::promise<void>> begun_ = std::make_shared<std::promise<void>>();
  std::shared_ptr<std::promise<void>> go_ = std::make_shared<std::promise<void>>();
};

constexpr std::size_t kFrame = 256 << 10;

// A county of its own, and what it stands on.
struct Ground {
  std::unique_ptr<County> county() const {
    REQUIRE(create_sqlite_storage(folder.file("county.db"), "440811", built_schema()));
    auto opened =
        County::open(std::move(*open_sqlite_storage(folder.file("county.db"), built_schema())),
                     built_schema(), *clock, *random, {.server_key_sha256 = std::string(32, 'k')});
    REQUIRE(opened);
    return std::move(*opened);
  }

  test::TempFolder folder;
  std::unique_ptr<Clock> clock = system_clock();
  std::unique_ptr<Random> random = system_random();
};

}  // namespace

TEST_CASE("What waits for the county is bounded, whether it was handed over to it or not") {
  Ground ground;
  CountyThread thread(ground.county());
  PhoneDoor door(thread);
  const auto stream = std::make_shared<FakeStream>(1);
  const auto phone = door.on_open(stream);
  const auto fill = [&](std::size_t bytes) {
    for (std::size_t sent = 0; sent < bytes && !stream->paused(); sent += kFrame) {
      phone->on_frame(std::string(kFrame, 'x'));
    }
  };

  Hold before(thread);
  before.wait_until_it_holds();
  fill(PhoneDoor::kWaitingBytesHigh * 3 / 4);
  CHECK_FALSE(stream->paused());
  // The county takes all of it over, and is held up before it has dealt with any.
  Hold after(thread);
  before.let_go();
  after.wait_until_it_holds();
  fill(PhoneDoor::kWaitingBytesHigh / 2);
  CHECK(stream->paused());
  after.let_go();
  CHECK(stream->wait_until_resumed());
  fill(kFrame);
  CHECK_FALSE(stream->paused());
  phone->on_closed();
  thread.stop();
}

TEST_CASE("Phones come and go on threads of their own while operators ask") {
  constexpr int kThreads = 4;
  constexpr std::uint64_t kCalls = 50;
  Ground ground;
  CountyThread thread(ground.county());
  PhoneDoor door(thread);
  std::atomic<int> answers = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      for (std::uint64_t call = 0; call < kCalls; ++call) {
        const auto stream = std::make_shared<FakeStream>(1 + number * kCalls + call);
        const auto phone = door.on_open(stream);
        phone->on_frame("no frame");
        phone->on_drained();
        door.enrol("no request", [&](const Result<std::string>&) { ++answers; });
        thread.call([](const County& county) { return county.queued_bytes(); });
        phone->on_half_close();
        phone->on_closed();
      }
    });
  }
  for (std::thread& each : threads) each.join();
  door.on_shutdown();
  thread.stop();
  CHECK(answers == kThreads * kCalls);
}
