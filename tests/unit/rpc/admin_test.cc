#include "rpc/admin.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <string>

using namespace gridwhistle;
using namespace gridwhistle::rpc;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gridwhistle.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string socket() const { return path_ + "/admin.sock"; }

 private:
  std::string path_;
};

struct Printed {
  std::string out;
  std::string err;
  AdminOutput sinks() {
    return {.out = [this](std::string_view text) { out += text; },
            .err = [this](std::string_view text) { err += text; }};
  }
};

}  // namespace

TEST_CASE("A command reaches the server whole, and its output and exit code come back") {
  const Folder folder;
  AdminCommand seen;
  const auto server = AdminServer::start(folder.socket(), [&](const auto& command, const auto& to) {
    seen = command;
    to.out("两条\n");
    to.err("careful\n");
    to.out("done\n");
    return 3;
  });
  REQUIRE(server);
  const AdminCommand command{
      .arguments = {"queue", "list", ""},
      .working_directory = "/srv/县",
      .files = {{"grids.json", std::string(5 << 20, 'g')}, {"-", "\x01\xFF"}},
      .language = "zh"};
  Printed printed;
  CHECK(run_over_socket(folder.socket(), command, printed.sinks()).value() == 3);
  CHECK(printed.out == "两条\ndone\n");
  CHECK(printed.err == "careful\n");
  CHECK(seen.arguments == command.arguments);
  CHECK(seen.working_directory == command.working_directory);
  CHECK(seen.files == command.files);
  CHECK(seen.language == "zh");
}

TEST_CASE("Long output comes whole, whatever its characters' lengths") {
  const Folder folder;
  std::string text = "x";
  for (int i = 0; i < 300'000; ++i) text += "网";
  const auto server = AdminServer::start(folder.socket(), [&](const auto&, const auto& to) {
    to.out(text);
    return 0;
  });
  Printed printed;
  CHECK(run_over_socket(folder.socket(), {}, printed.sinks()).value() == 0);
  CHECK(printed.out == text);
}

TEST_CASE("Only the server's own account can open the socket, and it goes with the server") {
  const Folder folder;
  {
    const auto server =
        AdminServer::start(folder.socket(), [](const auto&, const auto&) { return 0; });
    struct stat status{};
    REQUIRE(::stat(folder.socket().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  CHECK_FALSE(std::filesystem::exists(folder.socket()));
}

TEST_CASE("Where no server listens a command is told so") {
  const Folder folder;
  Printed printed;
  const auto code = run_over_socket(folder.socket(), {}, printed.sinks());
  REQUIRE_FALSE(code);
  CHECK(code.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("A server takes over the socket that a killed one left behind") {
  const Folder folder;
  {
    auto dead = AdminServer::start(folder.socket(), [](const auto&, const auto&) { return 1; });
    std::filesystem::create_hard_link(folder.socket(), folder.socket() + ".left");
  }
  std::filesystem::rename(folder.socket() + ".left", folder.socket());
  const auto server =
      AdminServer::start(folder.socket(), [](const auto&, const auto&) { return 2; });
  REQUIRE(server);
  Printed printed;
  CHECK(run_over_socket(folder.socket(), {}, printed.sinks()).value() == 2);
}

TEST_CASE("Commands run one at a time") {
  const Folder folder;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  const auto server = AdminServer::start(folder.socket(), [&](const auto&, const auto&) {
    if (++inside != 1) overlapped = true;
    ::usleep(2000);
    --inside;
    return 0;
  });
  std::vector<std::future<int>> codes;
  for (int i = 0; i < 6; ++i) {
    codes.push_back(std::async(std::launch::async, [&] {
      Printed printed;
      return run_over_socket(folder.socket(), {}, printed.sinks()).value();
    }));
  }
  for (auto& code : codes) CHECK(code.get() == 0);
  CHECK_FALSE(overlapped);
}

TEST_CASE("A path that no socket can have is refused") {
  const auto server = AdminServer::start("/tmp/" + std::string(200, 'x'),
                                         [](const auto&, const auto&) { return 0; });
  REQUIRE_FALSE(server);
  CHECK(server.error().code == ErrorCode::kInvalid);
}
