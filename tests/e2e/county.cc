#include "county.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <random>
#include <sstream>
#include <thread>

namespace gridwhistle::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::string kServer = GRIDWHISTLE_SERVER;
const std::string kGw = GRIDWHISTLE_GW;
const std::string kPublic = "127.0.0.1:1";  // what the template is told; each county has its own
const std::string kWhistles = "k3";         // the table of the kind with number 3

void must(const Ended& ended) {
  INFO(ended.out << ended.err);
  REQUIRE(ended.code == 0);
}

/// A county's folder as `init` and `import` make it. Importing takes a second, so all tests of one
/// server program copy the same folder.
const std::string& prepared() {
  static const std::string folder = [] {
    const auto made = fs::last_write_time(kServer).time_since_epoch().count();
    const std::string path =
        std::string(GRIDWHISTLE_SCRATCH) + "/e2e-county-" + std::to_string(made);
    if (fs::exists(path)) return path;
    const std::string draft = path + "." + std::to_string(::getpid());
    fs::create_directories(draft);
    must(run({kServer, "init", "--county", "440811", "--public", kPublic, draft}, draft));
    must(run({kServer, "--config", draft + "/gridwhistle.toml", "import", GRIDWHISTLE_SAMPLE_DATA},
             draft));
    std::error_code lost_the_race;
    fs::rename(draft, path, lost_the_race);
    if (lost_the_race) fs::remove_all(draft);
    return path;
  }();
  return folder;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

}  // namespace

std::vector<std::string> files_with(const std::string& folder, const Words& words) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = read_file(entry.path());
    if (std::ranges::any_of(words, [&](const auto& word) { return bytes.contains(word); })) {
      found.push_back(entry.path());
    }
  }
  return found;
}

int repeated(int usual) {
  const char* given = std::getenv("GRIDWHISTLE_KILLS");
  return given == nullptr ? usual : std::atoi(given);
}

std::uint64_t seed() {
  static const std::uint64_t chosen = [] {
    const char* given = std::getenv("GRIDWHISTLE_SEED");
    const std::uint64_t value =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("GRIDWHISTLE_SEED=%llu\n", static_cast<unsigned long long>(value));
    std::fflush(stdout);
    return value;
  }();
  return chosen;
}

County::County() : folder_(temp_.file("county")), network_(1) {
  fs::copy(prepared(), folder_, fs::copy_options::recursive);
  fs::permissions(file("data"), fs::perms::owner_all);
  std::string config = read_file(file("gridwhistle.toml"));
  config = replaced(config, "0.0.0.0:7443", "127.0.0.1:0");
  config = replaced(config, kPublic, "127.0.0.1:" + std::to_string(network_.port()));
  config = replaced(config, "every_hours = 24", "every_hours = 0");
  write_file(file("gridwhistle.toml"), config);
}

void County::set(const std::string& what, const std::string& by) {
  write_file(file("gridwhistle.toml"), replaced(read_file(file("gridwhistle.toml")), what, by));
}

void County::serve() {
  server_.emplace(Words{kServer, "--config", file("gridwhistle.toml"), "serve"}, folder_);
  const std::string mark = "port=";
  for (int i = 0; i < 2000 && server_->running(); ++i) {
    const std::string log = server_->err();
    const std::size_t at = log.find(mark);
    if (at != std::string::npos && log.find('\n', at) != std::string::npos) {
      port_ = std::atoi(log.c_str() + at + mark.size());
      network_.forward_to(port_);
      return;
    }
    std::this_thread::sleep_for(5ms);
  }
  FAIL("the server does not serve: " << server_->err());
}

Ended County::stop() {
  REQUIRE(server_);
  server_->signal(SIGTERM);
  Ended ended = server_->wait();
  server_.reset();
  return ended;
}

void County::kill() {
  REQUIRE(server_);
  server_->signal(SIGKILL);
  server_->wait();
  server_.reset();
}

Ended County::operate(const Words& words) {
  Words command = {kServer, "--config", file("gridwhistle.toml")};
  command.insert(command.end(), words.begin(), words.end());
  return run(command, folder_);
}

std::vector<Json> County::asked(Words words) {
  words.insert(words.begin(), "--json");
  const Ended ended = operate(words);
  must(ended);
  return lines_of(ended.out);
}

std::string County::code_for(const std::string& worker) {
  return asked({"enrol", worker}).at(0).at("code");
}

std::size_t County::calls() { return asked({"status"}).at(0).at("calls"); }

std::uint64_t County::memory_bytes() const {
  // Pages: all, then those that are in memory.
  std::istringstream pages(read_file("/proc/" + std::to_string(server_->pid()) + "/statm"));
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  pages >> all >> resident;
  REQUIRE(resident > 0);
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t County::descriptors() const {
  const fs::directory_iterator open("/proc/" + std::to_string(server_->pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(fs::begin(open), fs::end(open)));
}

std::vector<Json> County::records(const std::string& kind) {
  std::vector<Json> found;
  for (Json& record : asked({"export", "--purpose", "test"})) {
    if (record.at("kind") == kind) found.push_back(std::move(record));
  }
  return found;
}

Phone::Phone(County& county, const std::string& name)
    : county_(county), home_(county.file("phone-" + name)) {}

Words Phone::command(const Words& words) const {
  Words all = {kGw, "--home", home_};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Ended Phone::gw(const Words& words) const { return run(command(words), county_.folder()); }

Process Phone::start(const Words& words) const { return Process(command(words), county_.folder()); }

Process Phone::live() const {
  const std::size_t before = county_.calls();
  Process live = start({"sync", "--live"});
  REQUIRE(comes_to_be([&] { return !live.running() || county_.calls() > before; }));
  INFO(live.err());
  REQUIRE(live.running());
  return live;
}

bool Phone::comes_to_hold(const std::string& record) const {
  sqlite3* file = nullptr;
  REQUIRE(sqlite3_open_v2((home_ + "/phone.db").c_str(), &file, SQLITE_OPEN_READONLY, nullptr) ==
          SQLITE_OK);
  sqlite3_busy_timeout(file, 1000);
  std::string id = record;
  std::erase(id, '-');
  const std::string sql = "SELECT 1 FROM " + kWhistles + " WHERE id = x'" + id + "'";
  const bool held = comes_to_be([&] {
    int rows = 0;
    const auto count = [](void* found, int, char**, char**) {
      return ++*static_cast<int*>(found), 0;
    };
    sqlite3_exec(file, sql.c_str(), count, &rows, nullptr);
    return rows > 0;
  });
  sqlite3_close(file);
  return held;
}

Json Phone::asked(Words words) const {
  words.insert(words.begin(), "--json");
  const Ended ended = gw(words);
  must(ended);
  return Json::parse(ended.out);
}

void Phone::enrol(const std::string& worker) { asked({"enrol", county_.code_for(worker)}); }

std::string Phone::whistle(const std::string& title, const std::string& category) const {
  return asked({"whistle", "--grid", kGrid, "--title", title, "--category", category}).at("id");
}

}  // namespace gridwhistle::e2e
