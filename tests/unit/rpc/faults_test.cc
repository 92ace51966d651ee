#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "county.h"
#include "phone.h"
#include "support/proxy.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

std::chrono::milliseconds time_of(const std::function<void()>& what) {
  const auto start = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

// What a transport would do by itself it has done by the time that another one has connected and
// lost its connection so often.
void reconnect_elsewhere(const Served& served, int times) {
  Proxy elsewhere(served.port());
  Phone other(elsewhere.port(), served.key());
  for (int i = 0; i < times; ++i) {
    auto talk = other.call();
    talk.call->send("hello");
    REQUIRE(talk.log->wait_for_frames(1));
    elsewhere.drop_connections();
    REQUIRE(talk.log->wait_for_end());
  }
}

// A port at which nobody listens.
int free_port() {
  Served served;
  return served.port();
}

}  // namespace

TEST_CASE("A server that is not there is unavailable, at once, call after call") {
  Phone phone(free_port(), new_identity().key_sha256);
  for (int i = 0; i < 5; ++i) {
    auto talk = phone.call();
    talk.call->send("hello");
    REQUIRE(talk.log->wait_for_end(1s));
    CHECK(talk.log->error() == ErrorCode::kUnavailable);
    CHECK(talk.log->ends() == 1);
  }
  CHECK(phone.enrol("hello").error().code == ErrorCode::kUnavailable);
}

TEST_CASE("A server that came back is reached by the next call, without a wait in between") {
  Served served;
  Proxy proxy(served.port());
  Phone phone(proxy.port(), served.key());
  proxy.refuse(true);
  for (int i = 0; i < 4; ++i) {
    auto talk = phone.call();
    talk.call->send("hello");
    REQUIRE(talk.log->wait_for_end(1s));
    CHECK(talk.log->error() == ErrorCode::kUnavailable);
  }
  proxy.refuse(false);
  auto talk = phone.call();
  talk.call->send("hello");
  CHECK(talk.log->wait_for_frames(1, 500ms));
}

TEST_CASE("A transport without calls opens no connection, and a broken one stays closed") {
  Served served;
  Proxy proxy(served.port());
  Phone phone(proxy.port(), served.key());
  reconnect_elsewhere(served, 1);
  CHECK(proxy.counts().connections == 0);
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  proxy.drop_connections();
  REQUIRE(talk.log->wait_for_end());
  reconnect_elsewhere(served, 10);
  CHECK(proxy.counts().connections == 1);
}

TEST_CASE("Calls share one connection, which stays warm between them") {
  Served served;
  Proxy proxy(served.port());
  Phone phone(proxy.port(), served.key());
  for (int i = 0; i < 5; ++i) {
    auto talk = phone.call();
    talk.call->send("hello");
    talk.call->finish_sending();
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->ended_well());
  }
  CHECK(phone.enrol("hello"));
  CHECK(proxy.counts().connections == 1);
}

TEST_CASE("A connection cut in the middle of a call ends it once, as unavailable") {
  Served served;
  Proxy proxy(served.port());
  const auto way = GENERATE(Proxy::Way::kUp, Proxy::Way::kDown);
  for (std::uint64_t bytes : {0, 1, 17, 100, 517, 1000, 1500, 3000, 20'000, 100'000}) {
    Phone phone(proxy.port(), served.key());
    proxy.cut_after(way, bytes);
    auto talk = phone.call();
    for (int i = 0; i < 200; ++i) talk.call->send(std::string(1000, 'x'));
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->error() == ErrorCode::kUnavailable);
    phone.hang_up(talk);
    CHECK(talk.log->ends() == 1);
    CHECK(talk.log->frames_after_end() == 0);
  }
}

TEST_CASE("A server that dies in the middle of a call ends it once, as unavailable") {
  auto served = std::make_unique<Served>();
  Phone phone(served->port(), served->key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  std::thread sender([&] {
    for (int i = 0; i < 2000; ++i) talk.call->send(std::string(1000, 'x'));
  });
  served.reset();
  sender.join();
  REQUIRE(talk.log->wait_for_end());
  CHECK_FALSE(talk.log->error() == ErrorCode::kWrongServerKey);
  CHECK(talk.log->ends() == 1);
}

TEST_CASE("A server that says nothing is given up after the connect timeout") {
  Served served;
  Proxy proxy(served.port());
  proxy.pause();
  Phone phone(proxy.port(), served.key(), {.connect_timeout = 300ms});
  auto talk = phone.call();
  talk.call->send("hello");
  const auto took = time_of([&] { REQUIRE(talk.log->wait_for_end()); });
  CHECK(talk.log->error() == ErrorCode::kUnavailable);
  CHECK(took >= 250ms);
  CHECK(took < 900ms);
}

TEST_CASE("A call whose network died in silence notices by its keepalive") {
  Served served;
  Proxy proxy(served.port());
  Phone phone(proxy.port(), served.key(), {.keepalive = 1s, .keepalive_timeout = 500ms});
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  proxy.pause();
  REQUIRE(talk.log->wait_for_end(15s));
  CHECK(talk.log->error() == ErrorCode::kUnavailable);
}

TEST_CASE("A first flight of a megabyte is not cut by windows: it takes one round trip") {
  Behaviour behaviour;
  behaviour.on_frame = [](rpc::SyncStream&, const std::string&) {};
  behaviour.on_half_close = [](rpc::SyncStream& stream) {
    stream.send("all of it");
    stream.close();
  };
  Served served(behaviour);
  Proxy proxy(served.port());
  proxy.set_latency(100ms);
  Phone phone(proxy.port(), served.key());
  auto warm = phone.call();
  warm.call->finish_sending();
  REQUIRE(warm.log->wait_for_end());
  const auto took = time_of([&] {
    auto talk = phone.call();
    for (int i = 0; i < 5; ++i) talk.call->send(std::string(200 << 10, 'x'));
    talk.call->finish_sending();
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->frames().size() == 1);
  });
  INFO("took " << took.count() << " ms");
  CHECK(took >= 200ms);
  CHECK(took < 390ms);
}

TEST_CASE("On a new connection the same flight costs two round trips more, for TLS and HTTP/2") {
  Served served;
  Proxy proxy(served.port());
  proxy.set_latency(100ms);
  Phone phone(proxy.port(), served.key());
  const auto took = time_of([&] {
    auto talk = phone.call();
    for (int i = 0; i < 5; ++i) talk.call->send(std::string(200 << 10, 'x'));
    REQUIRE(talk.log->wait_for_frames(5));
  });
  INFO("took " << took.count() << " ms");
  CHECK(took >= 600ms);
  CHECK(took < 790ms);
}

TEST_CASE("A download of a megabyte takes one round trip as well") {
  Behaviour behaviour;
  behaviour.on_frame = [](rpc::SyncStream& stream, const std::string&) {
    for (int i = 0; i < 32; ++i) stream.send(std::string(32 << 10, 'x'));
    stream.close();
  };
  Served served(behaviour);
  Proxy proxy(served.port());
  proxy.set_latency(100ms);
  Phone phone(proxy.port(), served.key());
  CHECK(phone.enrol("to be connected"));
  const auto took = time_of([&] {
    auto talk = phone.call();
    talk.call->send("all, please");
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->frames().size() == 32);
  });
  INFO("took " << took.count() << " ms");
  CHECK(took < 390ms);
}

TEST_CASE("A server that stops lets its handler say goodbye, and takes nobody new") {
  Served served;
  Phone phone(served.port(), served.key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  const auto took = time_of([&] { served.server->shutdown(5s); });
  CHECK(took < 2s);
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->ended_well());
  CHECK(talk.log->frames().back() == "goodbye");
  CHECK(served.county.closed == served.county.opened);
  auto late = phone.call();
  late.call->send("hello");
  REQUIRE(late.log->wait_for_end());
  CHECK(late.log->error() == ErrorCode::kUnavailable);
}

TEST_CASE("A phone that takes nothing cannot hold up a stop beyond its grace") {
  Served served;
  Proxy proxy(served.port());
  Phone phone(proxy.port(), served.key());
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_frames(1));
  proxy.pause();
  served.county.streams()[0]->send(std::string(200 << 10, 'x'));
  const auto took = time_of([&] { served.server->shutdown(300ms); });
  CHECK(took < 3s);
  CHECK(served.county.closed == served.county.opened);
}

TEST_CASE("Two servers cannot share a port") {
  Served served;
  rpc::RpcServerOptions options;
  options.listen = "127.0.0.1:" + std::to_string(served.port());
  options.identity = new_identity();
  County county;
  const auto second = rpc::RpcServer::start(options, county);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kUnavailable);
}
