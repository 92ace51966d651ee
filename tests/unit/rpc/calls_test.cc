#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "base/limits.h"
#include "county.h"
#include "phone.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds time = 10s) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

}  // namespace

TEST_CASE("Frames travel both ways as they were given, in order") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  const std::vector<std::string> frames = {"one", std::string(), std::string("\0\xFF\n", 3),
                                           "网格哨"};
  for (const auto& frame : frames) talk.call->send(frame);
  REQUIRE(talk.log->wait_for_frames(frames.size()));
  CHECK(talk.log->frames() == frames);
  talk.call->finish_sending();
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->ended_well());
  CHECK(eventually([&] { return served.county.closed == 1; }));
  CHECK(served.county.half_closed == 1);
}

TEST_CASE("A call that sends nothing but its end is served like any other") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  talk.call->finish_sending();
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->ended_well());
}

TEST_CASE("A thousand frames sent without waiting all arrive, in order") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  for (int i = 0; i < 1000; ++i) talk.call->send("frame " + std::to_string(i));
  talk.call->finish_sending();
  REQUIRE(talk.log->wait_for_end());
  REQUIRE(talk.log->frames().size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(talk.log->frames()[static_cast<std::size_t>(i)] == "frame " + std::to_string(i));
  }
  CHECK(talk.log->frames_after_end() == 0);
}

TEST_CASE("Frames of 200 KB travel whole") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  std::vector<std::string> frames;
  for (char c = 'a'; c < 'a' + 20; ++c) frames.emplace_back(200 << 10, c);
  for (const auto& frame : frames) talk.call->send(frame);
  REQUIRE(talk.log->wait_for_frames(frames.size()));
  CHECK(talk.log->frames() == frames);
}

TEST_CASE("The server may end a call first, and everything it queued arrives before the end") {
  Behaviour behaviour;
  behaviour.on_open = [](rpc::SyncStream& stream) {
    for (int i = 0; i < 200; ++i) stream.send(std::string(1000, 'x'));
    stream.close();
    stream.send("after the close");
  };
  Served served(behaviour);
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->ended_well());
  CHECK(talk.log->frames().size() == 200);
}

TEST_CASE("An error that the server ends a call with reaches the phone with its own code") {
  const auto code = GENERATE(ErrorCode::kRevoked, ErrorCode::kBusy, ErrorCode::kUnavailable,
                             ErrorCode::kForked, ErrorCode::kUnsupported, ErrorCode::kInternal);
  Behaviour behaviour;
  behaviour.on_frame = [code](rpc::SyncStream& stream, std::string frame) {
    stream.send(std::move(frame));
    stream.close(fail(code, "because"));
  };
  Served served(behaviour);
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->error() == code);
  CHECK(talk.log->frames().size() == 1);
}

TEST_CASE("A phone that is not there for the answer is closed on the server") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  phone.hang_up(talk);
  CHECK(eventually([&] { return served.county.closed == 1; }));
}

TEST_CASE("After a call is destroyed none of its events comes, however busy it was") {
  Served served;
  Phone phone(served.port(), served.key());
  for (int round = 0; round < 200; ++round) {
    auto talk = phone.call();
    for (int i = 0; i < 20; ++i)
      talk.call->send(std::string(static_cast<std::size_t>(round * 50), 'x'));
    if (round % 3 == 0) talk.call->finish_sending();
    if (round % 4 == 1) std::this_thread::sleep_for(std::chrono::microseconds(round * 20));
    std::size_t events = 0;
    phone.on_executor([&] {
      talk.call.reset();
      events = talk.log->events();
    });
    if (round % 10 == 0) std::this_thread::sleep_for(3ms);
    phone.on_executor([] {});
    REQUIRE(talk.log->events() == events);
  }
  CHECK(eventually([&] { return served.county.closed == served.county.opened; }));
}

TEST_CASE("A call may be destroyed by its own event") {
  Served served;
  auto executor = thread_executor();
  auto transport =
      grpc_transport({"127.0.0.1:" + std::to_string(served.port()), served.key()}, *executor)
          .value();
  std::promise<void> destroyed;
  auto call = std::make_shared<std::unique_ptr<Call>>();
  executor->post([&] {
    *call = transport->sync({.on_frame =
                                 [call, &destroyed](std::string) {
                                   call->reset();
                                   destroyed.set_value();
                                 },
                             .on_end = [](Result<void>) { FAIL("an event after the end"); }});
    (*call)->send("hello");
    (*call)->send("hello again");
  });
  destroyed.get_future().wait();
  CHECK(eventually([&] { return served.county.closed == 1; }));
  transport.reset();
}

TEST_CASE("A transport may go while calls and questions are open") {
  Behaviour behaviour;
  std::mutex mutex;
  std::vector<rpc::RpcHandler::Reply> kept;
  behaviour.enrol = [&](std::string, rpc::RpcHandler::Reply reply) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  };
  Served served(behaviour);
  auto executor = thread_executor();
  {
    auto transport =
        grpc_transport({"127.0.0.1:" + std::to_string(served.port()), served.key()}, *executor)
            .value();
    std::promise<void> asked;
    executor->post([&] {
      transport->enrol("never answered", [](const auto&) { FAIL("an answer after the end"); });
      asked.set_value();
    });
    asked.get_future().wait();
    CHECK(eventually([&] {
      const std::lock_guard lock(mutex);
      return kept.size() == 1;
    }));
    std::promise<void> gone;
    executor->post([&] {
      transport.reset();
      gone.set_value();
    });
    gone.get_future().wait();
  }
  executor.reset();
  const std::lock_guard lock(mutex);
  kept.clear();
}

TEST_CASE("Enrolment is one question and one answer") {
  Served served;
  Phone phone(served.port(), served.key());
  CHECK(phone.enrol("code 1234").value() == "seen code 1234");
  CHECK(phone.enrol("").value() == "seen ");
}

TEST_CASE("An enrolment's error keeps its code, and an answer that is dropped is an error") {
  Behaviour behaviour;
  behaviour.enrol = [](const std::string& request, const rpc::RpcHandler::Reply& reply) {
    if (request == "used") reply(fail(ErrorCode::kCodeUsed, "this code was used"));
  };
  Served served(behaviour);
  Phone phone(served.port(), served.key());
  const auto used = phone.enrol("used");
  REQUIRE_FALSE(used);
  CHECK(used.error().code == ErrorCode::kCodeUsed);
  CHECK(used.error().message == "this code was used");
  CHECK(phone.enrol("dropped").error().code == ErrorCode::kInternal);
}

TEST_CASE("An enrolment that is not answered in time is a timeout") {
  Behaviour behaviour;
  rpc::RpcHandler::Reply kept;
  behaviour.enrol = [&](std::string, rpc::RpcHandler::Reply reply) { kept = std::move(reply); };
  Served served(behaviour);
  Phone phone(served.port(), served.key(), {.enrol_timeout = 200ms});
  CHECK(phone.enrol("hello").error().code == ErrorCode::kTimeout);
  kept = nullptr;
}

TEST_CASE("The largest frame of the protocol travels both ways, and not a byte more") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  const std::string largest(limits::kLoneFrameBytes, 'x');
  talk.call->send(largest);
  REQUIRE(talk.log->wait_for_frames(1));
  CHECK(talk.log->frames().front() == largest);
  talk.call->send(largest + "x");
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->error() == ErrorCode::kTooLarge);
  CHECK(served.county.frames == 1);

  Phone lax(served.port(), served.key(), {.frame_bytes_max = 2 * limits::kLoneFrameBytes});
  auto other = lax.call();
  other.call->send(largest + "x");
  REQUIRE(other.log->wait_for_end());
  CHECK(other.log->error() == ErrorCode::kTooLarge);
  CHECK(served.county.frames == 1);
}

TEST_CASE("A frame over the limit ends the call with kTooLarge, from whichever side it comes") {
  SECTION("the phone's own transport refuses it") {
    Served served;
    Phone phone(served.port(), served.key(), {.frame_bytes_max = 1000});
    auto talk = phone.call();
    talk.call->send(std::string(1000, 'x'));
    REQUIRE(talk.log->wait_for_frames(1));
    talk.call->send(std::string(1001, 'x'));
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->error() == ErrorCode::kTooLarge);
    CHECK(served.county.frames == 1);
  }
  SECTION("the server refuses it from a phone that does not") {
    rpc::RpcServerOptions options;
    options.frame_bytes_max = 1000;
    Served served({}, options);
    Phone phone(served.port(), served.key());
    auto talk = phone.call();
    talk.call->send(std::string(1000, 'x'));
    REQUIRE(talk.log->wait_for_frames(1));
    talk.call->send(std::string(1001, 'x'));
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->error() == ErrorCode::kTooLarge);
    CHECK(served.county.frames == 1);
    auto other = phone.call();
    other.call->send("the others are served");
    CHECK(other.log->wait_for_frames(1));
  }
  SECTION("the phone refuses it from the server") {
    Behaviour behaviour;
    behaviour.on_open = [](rpc::SyncStream& stream) { stream.send(std::string(2000, 'x')); };
    Served served(behaviour);
    Phone phone(served.port(), served.key(), {.frame_bytes_max = 1000});
    auto talk = phone.call();
    talk.call->send("hello");
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->error() == ErrorCode::kTooLarge);
  }
}

TEST_CASE("A server that is full says so, and serves again when there is room") {
  rpc::RpcServerOptions options;
  options.streams_max = 2;
  Served served({}, options);
  Phone phone(served.port(), served.key());
  auto first = phone.call();
  auto second = phone.call();
  first.call->send("1");
  second.call->send("2");
  REQUIRE(first.log->wait_for_frames(1));
  REQUIRE(second.log->wait_for_frames(1));
  auto third = phone.call();
  third.call->send("3");
  REQUIRE(third.log->wait_for_end());
  CHECK(third.log->error() == ErrorCode::kBusy);
  phone.hang_up(first);
  REQUIRE(eventually([&] { return served.county.closed == 1; }));
  auto fourth = phone.call();
  fourth.call->send("4");
  CHECK(fourth.log->wait_for_frames(1));
}

TEST_CASE("While a stream is paused the server takes nothing more from that phone") {
  Behaviour behaviour;
  behaviour.on_frame = [](rpc::SyncStream& stream, const std::string&) { stream.pause(); };
  Served served(behaviour);
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  for (int i = 0; i < 10; ++i) talk.call->send("frame");
  talk.call->finish_sending();
  REQUIRE(eventually([&] { return served.county.frames == 1; }));
  // Another phone's frame, sent behind all of these, is taken; none of these is.
  Phone other(served.port(), served.key());
  auto meanwhile = other.call();
  meanwhile.call->send("frame");
  REQUIRE(eventually([&] { return served.county.frames == 2; }));
  other.hang_up(meanwhile);
  REQUIRE(eventually([&] { return served.county.closed == 1; }));
  CHECK(served.county.frames == 2);
  for (int i = 3; i <= 11; ++i) {
    served.county.streams()[0]->resume();
    REQUIRE(eventually([&] { return served.county.frames == i; }));
  }
  served.county.streams()[0]->resume();
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->ended_well());
}

TEST_CASE("A phone that takes nothing makes its stream unwritable, and only its own") {
  std::atomic<int> drained = 0;
  Behaviour behaviour;
  behaviour.on_drained = [&](rpc::SyncStream&) { ++drained; };
  Served served(behaviour);
  Phone slow(served.port(), served.key());
  Phone quick(served.port(), served.key());
  auto talk = slow.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  std::promise<void> busy;
  auto until = std::make_shared<std::shared_future<void>>(busy.get_future().share());
  std::thread blocker([&] { slow.on_executor([until] { until->wait(); }); });
  const auto stream = served.county.streams()[0];
  int sent = 0;
  while (stream->writable() && sent < 400) {
    stream->send(std::string(100 << 10, 'x'));
    ++sent;
    std::this_thread::sleep_for(1ms);
  }
  CHECK_FALSE(stream->writable());
  auto other = quick.call();
  other.call->send("not slowed");
  CHECK(other.log->wait_for_frames(1));
  busy.set_value();
  blocker.join();
  CHECK(eventually([&] { return drained >= 1; }));
  CHECK(eventually([&] { return stream->writable(); }));
  CHECK(talk.log->wait_for_frames(static_cast<std::size_t>(sent) + 1));
}

TEST_CASE("A stream that is filled without regard for the phone ends with kBusy") {
  rpc::RpcServerOptions options;
  options.outgoing_bytes_max = 4 << 20;
  Behaviour behaviour;
  behaviour.on_open = [](rpc::SyncStream& stream) {
    for (int i = 0; i < 50; ++i) stream.send(std::string(100 << 10, 'x'));
  };
  Served served(behaviour, options);
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->error() == ErrorCode::kBusy);
}

TEST_CASE("A call for attachments' bytes goes its own way beside a sync call of the same phone") {
  Served served;
  Phone phone(served.port(), served.key());
  auto sync = phone.call();
  auto media = phone.media_call();
  const std::string chunk(limits::kMediaChunkBytes + 64, 'b');
  for (int i = 0; i < 8; ++i) media.call->send(chunk);
  sync.call->send("a report");
  REQUIRE(sync.log->wait_for_frames(1));
  REQUIRE(media.log->wait_for_frames(8));
  CHECK(sync.log->frames() == std::vector<std::string>{"a report"});
  CHECK(media.log->frames() == std::vector<std::string>(8, chunk));
  CHECK(served.county.opened == 1);
  CHECK(served.county.media_opened == 1);
  phone.hang_up(media);
  sync.call->send("another");
  CHECK(sync.log->wait_for_frames(2));
}

TEST_CASE("A server that carries no attachments says so, and takes reports all the same") {
  Behaviour behaviour;
  behaviour.carries_media = false;
  Served served(behaviour);
  Phone phone(served.port(), served.key());
  auto media = phone.media_call();
  media.call->send("hello");
  REQUIRE(media.log->wait_for_end());
  CHECK(media.log->error() == ErrorCode::kUnavailable);
  auto sync = phone.call();
  sync.call->send("a report");
  CHECK(sync.log->wait_for_frames(1));
}
