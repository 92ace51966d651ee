#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "gridwhistle/client.h"
#include "scripted_server.h"
#include "sim/doors.h"
#include "sim/files.h"

namespace gridwhistle {

/// A phone in virtual time, its server at hand.
struct Phone {
  explicit Phone(std::string its_vfs = {}) : vfs(std::move(its_vfs)) { open(); }

  void open() {
    ClientOptions options;
    options.path = folder.path() + "/phone.db";
    options.vfs = vfs;
    options.clock = &clock;
    options.random = &dice;
    options.secrets = &secrets;
    options.executor = &executor;
    options.connect = [this](const ServerAddress& to) -> Result<std::unique_ptr<Transport>> {
      return (to.host_and_port == "other:1" ? other : server).transport();
    };
    auto opened = Client::open(std::move(options));
    REQUIRE(opened);
    client = std::move(*opened);
  }

  void wait(std::uint64_t ms = 10'000) { timeline.run_until(timeline.now_ms() + ms); }

  Result<void> enrol(const std::string& at = "server:1") {
    const auto how = std::make_shared<Result<void>>(fail(ErrorCode::kTimeout, "no answer"));
    client->enrol({{at, std::string(32, 'k')}, "CODE"}, "a phone",
                  [how](Result<void> answer) { *how = answer; });
    wait();
    return *how;
  }

  Result<SyncReport> sync() {
    const auto how = std::make_shared<Result<SyncReport>>(fail(ErrorCode::kTimeout, "no answer"));
    client->sync_once({}, [how](Result<SyncReport> report) { *how = report; });
    wait();
    return *how;
  }

  /// Enrolled, and its scopes known.
  Phone& ready() {
    REQUIRE(enrol());
    REQUIRE(sync());
    return *this;
  }

  sim::TemporaryFolder folder;
  const std::string vfs;  ///< empty: the system's
  sim::Timeline timeline;
  sim::Dice dice{1};
  sim::SimClock clock{timeline, 1};
  sim::SimExecutor executor{timeline};
  sim::SimSecretStore secrets;
  ScriptedServer server{timeline};
  ScriptedServer other{timeline};
  std::unique_ptr<Client> client;
};

}  // namespace gridwhistle
