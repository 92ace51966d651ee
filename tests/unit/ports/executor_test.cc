#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gridwhistle/default_ports.h"

using namespace gridwhistle;
using namespace std::chrono_literals;

TEST_CASE("Tasks run one at a time, in the order they were posted, never inside post") {
  const auto executor = thread_executor();
  std::vector<int> order;
  std::promise<void> done;
  executor->post([&] {
    executor->post([&] { order.push_back(2); });
    executor->post([&] {
      order.push_back(3);
      done.set_value();
    });
    order.push_back(1);
  });
  done.get_future().wait();
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("Tasks of many threads all run, and none beside another") {
  const auto executor = thread_executor();
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        executor->post([&] {
          if (++inside != 1) overlapped = true;
          ++ran;
          --inside;
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::promise<void> done;
  executor->post([&] { done.set_value(); });
  done.get_future().wait();
  CHECK(ran == 4000);
  CHECK_FALSE(overlapped);
}

TEST_CASE("A timer's task runs after its delay, the shortest first") {
  const auto loop = run_loop();
  std::vector<int> order;
  const auto start = std::chrono::steady_clock::now();
  loop->post_after(30ms, [&] {
    order.push_back(30);
    loop->stop();
  });
  loop->post_after(10ms, [&] { order.push_back(10); });
  loop->run();
  CHECK(order == std::vector{10, 30});
  CHECK(std::chrono::steady_clock::now() - start >= 30ms);
}

TEST_CASE("A cancelled timer never runs, even when its time has come already") {
  const auto loop = run_loop();
  bool ran = false;
  const auto timer = loop->post_after(0ms, [&] { ran = true; });
  const auto due = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() == due) {
  }
  loop->cancel(timer);
  loop->cancel(timer);
  loop->cancel(12345);
  CHECK_FALSE(loop->run_for(20ms));
  CHECK_FALSE(ran);
}

TEST_CASE("A run loop can be stopped and run again, and a stop before the run counts") {
  const auto loop = run_loop();
  loop->stop();
  loop->run();
  int ran = 0;
  loop->post([&] {
    ++ran;
    loop->stop();
  });
  CHECK(loop->run_for(1s));
  CHECK(ran == 1);
  CHECK_FALSE(loop->run_for(5ms));
}

TEST_CASE("Destroying an executor at once drops what is left, and what its tasks own") {
  for (int round = 0; round < 100; ++round) {
    const auto owned = std::make_shared<int>(0);
    {
      const auto executor = thread_executor();
      executor->post_after(1h, [owned] { ++*owned; });
      for (int i = 0; i < 10; ++i) executor->post([owned] {});
    }
    REQUIRE(owned.use_count() == 1);
    REQUIRE(*owned == 0);
  }
}

TEST_CASE("A task's own destructor may cancel a timer while the executor goes") {
  struct Owner {
    Executor& executor;
    std::uint64_t timer;
    ~Owner() { executor.cancel(timer); }
  };
  const auto loop = run_loop();
  const auto timer = loop->post_after(1h, [] {});
  auto owner = std::make_shared<Owner>(*loop, timer);
  loop->post_after(1h, [owner] {});
  loop->post([owner] {});
}
