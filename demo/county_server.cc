#include "county_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace gridwhistle::demo {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

sockaddr_in here(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = here(0);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = here(port);
  const int done = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(socket);
  return done == 0;
}

// The default configuration with one line of its own.
Result<void> listen_at(const std::string& config, const std::string& address) {
  std::ifstream in(config);
  if (!in) return fail(ErrorCode::kIo, "no configuration " + config);
  std::string text, line;
  bool written = false;
  while (std::getline(in, line)) {
    if (line.starts_with("address = ")) {
      line = "address = \"" + address + "\"";
      written = true;
    }
    text += line + "\n";
  }
  in.close();
  if (!written) return fail(ErrorCode::kInternal, "the default configuration names no address");
  std::ofstream(config) << text;
  return {};
}

}  // namespace

CountyServer::CountyServer(std::string program, std::string folder)
    : program_(std::move(program)), folder_(std::move(folder)) {}

std::vector<std::string> CountyServer::with_config(std::vector<std::string> words) const {
  std::vector<std::string> all = {program_, "--config", folder_ + "/gridwhistle.toml", "--lang",
                                  "zh"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Result<void> CountyServer::init() {
  port_ = free_port();
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  const auto made = run_to_end(
      {{program_, "init", "--county", "440811", "--public", address, folder_}, folder_ + ".log"},
      seconds(20));
  if (!made) return std::unexpected(made.error());
  if (made->exit_code != 0) return fail(ErrorCode::kInternal, "init: see " + folder_ + ".log");
  return listen_at(folder_ + "/gridwhistle.toml", address);
}

Result<void> CountyServer::start() {
  auto process = Child::start({with_config({"serve"}), folder_ + ".log"});
  if (!process) return std::unexpected(process.error());
  process_ = std::move(*process);
  for (int i = 0; i < 400; ++i) {
    if (answers(port_)) return {};
    if (process_->wait(milliseconds(0))) break;
    if (stop_requested()) return fail(ErrorCode::kClosed, "stopped");
    std::this_thread::sleep_for(milliseconds(50));
  }
  process_.reset();
  return fail(ErrorCode::kUnavailable, "the server does not start: see " + folder_ + ".log");
}

void CountyServer::kill() { process_.reset(); }

Result<void> CountyServer::stop() {
  if (!process_) return {};
  const int code = process_->stop(seconds(20));
  process_.reset();
  if (code == 0) return {};
  return fail(ErrorCode::kInternal, "the server ended with code " + std::to_string(code));
}

Result<std::string> CountyServer::command(std::vector<std::string> words) {
  const auto done = run_to_end({with_config(words), folder_ + ".log"}, seconds(60));
  if (!done) return std::unexpected(done.error());
  if (done->exit_code == 0) return done->output;
  return fail(ErrorCode::kInternal, words.front() + " ended with code " +
                                        std::to_string(done->exit_code) + ": see " + folder_ +
                                        ".log\n" + done->output);
}

Result<std::vector<nlohmann::json>> CountyServer::json_command(std::vector<std::string> words) {
  words.insert(words.begin(), "--json");
  const auto printed = command(std::move(words));
  if (!printed) return std::unexpected(printed.error());
  std::vector<nlohmann::json> objects;
  std::istringstream lines(*printed);
  std::string line;
  while (std::getline(lines, line)) {
    auto object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_discarded()) return fail(ErrorCode::kInternal, "a command printed no JSON");
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace gridwhistle::demo
