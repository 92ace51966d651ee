#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <map>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

namespace fs = std::filesystem;

bool says(const Ended& ended, const std::string& words) {
  return ended.err.find(words) != std::string::npos;
}

/// What the server's figures door answers.
std::string answer(const County& county, const std::string& path) {
  const std::string mark = "metrics port=";
  const std::string log = county.log();
  const std::size_t at = log.find(mark);
  REQUIRE(at != std::string::npos);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(log.c_str() + at + mark.size())));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int door = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::connect(door, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n";
  REQUIRE(::send(door, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::recv(door, buffer, sizeof buffer, 0)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(door);
  return text;
}

int occurrences(const std::string& text, const std::string& words) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(words, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST_CASE("Whistles blown at once wait for each other, and each is recorded") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  std::vector<Process> at_once;
  for (int i = 0; i < 6; ++i) {
    at_once.push_back(phone.start({"whistle", "--grid", kGrid, "--title", "同时吹哨"}));
  }
  for (Process& one : at_once) CHECK(one.wait().code == 0);
  CHECK(phone.asked({"list", "whistle"}).size() == 6);
}

TEST_CASE("Two programs on one phone's file: the second is told, the first goes on") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  const std::string whistle = phone.whistle("井盖松动");
  Process live = phone.live();
  const Ended second = phone.gw({"whistle", "--grid", kGrid, "--title", "写不进去"});
  CHECK(second.code == 6);
  CHECK(says(second, "[locked]"));
  CHECK(says(second, "another"));
  // Reading beside it goes on.
  CHECK(phone.asked({"show", whistle}).at("fields").at("title") == "井盖松动");
  CHECK(phone.asked({"list", "whistle"}).size() == 1);
  CHECK(phone.asked({"search", "井盖", "--kind", "whistle"}).size() == 1);
  CHECK(phone.asked({"status"}).at("enrolled") == true);
  for (const Words& words : {Words{"tasks"}, {"outcomes"}, {"road", whistle}}) {
    CHECK(phone.gw(words).code == 0);
  }
  CHECK(phone.gw({"--purpose", "回访", "list", "household"}).code == 6);
  CHECK(live.running());
  live.signal(SIGINT);
  CHECK(live.wait().code == 0);
  CHECK(phone.gw({"status"}).code == 0);
}

TEST_CASE("A file that is not a phone's is named, and left as it is") {
  County county;
  Phone phone(county, "phone");
  fs::create_directory(phone.home());
  const std::string letter = "这是一封信，不是数据库。" + std::string(5000, 'x');
  write_file(phone.home() + "/phone.db", letter);
  const Ended ended = phone.gw({"status"});
  CHECK(ended.code == 6);
  CHECK(says(ended, "[not_a_database]"));
  CHECK(read_file(phone.home() + "/phone.db") == letter);
}

TEST_CASE("A county's file is not taken for a phone's") {
  County county;
  Phone phone(county, "phone");
  fs::create_directory(phone.home());
  fs::copy_file(county.file("data/county.db"), phone.home() + "/phone.db");
  const std::string before = read_file(phone.home() + "/phone.db");
  CHECK(phone.gw({"status"}).code == 6);
  CHECK(read_file(phone.home() + "/phone.db") == before);
}

TEST_CASE("A damaged phone file is not written over") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  const std::string path = phone.home() + "/phone.db";
  std::string bytes = read_file(path);
  for (std::size_t at = 4096; at + 512 < bytes.size(); at += 4096) {
    bytes.replace(at, 512, std::string(512, '\x5a'));
  }
  write_file(path, bytes);
  const Ended ended = phone.gw({"list", "whistle"});
  CHECK(ended.code == 6);
  CHECK(read_file(path) == bytes);
}

std::vector<std::size_t> pages_of_records(const std::string& path) {
  sqlite3* file = nullptr;
  sqlite3_stmt* query = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &file) == SQLITE_OK);
  REQUIRE(sqlite3_prepare_v2(file, "SELECT pageno FROM dbstat WHERE name GLOB 'k[0-9]*'", -1,
                             &query, nullptr) == SQLITE_OK);
  std::vector<std::size_t> pages;
  while (sqlite3_step(query) == SQLITE_ROW) {
    pages.push_back(static_cast<std::size_t>(sqlite3_column_int64(query, 0)));
  }
  sqlite3_finalize(query);
  sqlite3_close(file);
  return pages;
}

TEST_CASE("Of a damaged phone file what was unsent is saved, and the rest comes again") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.whistle("一号哨声");
  phone.sync();
  phone.whistle("二号哨声");
  const std::string path = phone.home() + "/phone.db";
  std::string bytes = read_file(path);
  for (const std::size_t page : pages_of_records(path)) {
    bytes.replace((page - 1) * 4096, 512, std::string(512, '\x5a'));
  }
  write_file(path, bytes);
  const Ended found = phone.gw({"list", "whistle"});
  REQUIRE(found.code == 6);
  CHECK(found.err.find("gw salvage") != std::string::npos);

  const Json salvaged = phone.asked({"salvage"});
  CHECK(salvaged.at("unsent") == 1);
  CHECK(salvaged.at("whole") == true);
  CHECK(read_file(salvaged.at("kept")) == bytes);
  CHECK(phone.asked({"list", "whistle"}).size() == 1);
  phone.sync();
  CHECK(phone.asked({"list", "whistle"}).size() == 2);
  CHECK(county.records("Whistle").size() == 2);
  CHECK(county.operate({"verify"}).code == 0);
}

/// As another account than root, whom no permission stops.
bool is_root() { return ::geteuid() == 0; }

TEST_CASE("A read-only phone file is named as such") {
  if (is_root()) {
    // Root writes everywhere but on a file system that is mounted so.
    County county;
    county.serve();
    Phone phone(county, "phone");
    phone.enrol("WG001");
    const char* home = phone.home().c_str();
    if (::mount(home, home, nullptr, MS_BIND, nullptr) != 0 ||
        ::mount(home, home, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      ::umount2(home, MNT_DETACH);
      WARN("skipped: this machine does not let a file system be mounted");
      return;
    }
    const Ended ended = phone.gw({"whistle", "--grid", kGrid, "--title", "写不进去"});
    const Ended read = phone.gw({"list", "whistle"});
    ::umount2(home, MNT_DETACH);
    CHECK(ended.code == 6);
    CHECK(says(ended, "[read_only]"));
    CHECK(read.code == 0);
    CHECK(says(read, "[read_only]"));
    CHECK(phone.gw({"status"}).code == 0);
    return;
  }
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  fs::permissions(phone.home() + "/phone.db", fs::perms::owner_read);
  fs::permissions(phone.home(), fs::perms::owner_read | fs::perms::owner_exec);
  const Ended ended = phone.gw({"whistle", "--grid", kGrid, "--title", "写不进去"});
  const Ended read = phone.gw({"list", "whistle"});
  fs::permissions(phone.home(), fs::perms::owner_all);
  CHECK(ended.code == 6);
  CHECK(says(ended, "[read_only]"));
  CHECK(read.code == 0);
}

/// A file system of a few megabytes at `path`, while it lives.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    fs::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=4m,mode=0700") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST_CASE("A phone whose disk is full says so, keeps what it had, and goes on when there is room") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  const SmallDisk disk(phone.home());
  if (!disk.mounted()) {
    WARN("skipped: this machine does not let a file system be mounted");
    return;
  }
  phone.enrol("WG001");
  const std::string before = phone.whistle("还有空间");
  const std::string ballast = phone.home() + "/ballast";
  write_file(ballast, std::string(8 << 20, 'b'));
  Ended full;
  int kept = 1;
  for (int i = 0; i < 50; ++i) {
    full = phone.gw({"whistle", "--grid", kGrid, "--title", "没有空间",  // a page or more each
                     "--text", std::string(8000, 'x')});
    if (full.code != 0) break;
    ++kept;
  }
  INFO(full.err);
  CHECK(full.code == 6);
  CHECK(says(full, "[disk_full]"));
  CHECK(phone.gw({"show", before}).code == 0);
  CHECK(phone.gw({"status"}).code == 0);
  fs::remove(ballast);
  CHECK(phone.gw({"show", before}).code == 0);
  phone.whistle("又有空间");
  phone.sync();
  CHECK(county.records("Whistle").size() == static_cast<std::size_t>(kept) + 1);
}

TEST_CASE("A server whose disk is full acknowledges nothing, and goes on when there is room") {
  County county;
  const std::string data = county.file("data");
  const std::string aside = county.file("aside");
  fs::rename(data, aside);
  fs::create_directory(data);
  const auto size = fs::file_size(aside + "/county.db") / 1024 + 3072;
  if (::mount("tmpfs", data.c_str(), "tmpfs", 0,
              ("mode=0700,size=" + std::to_string(size) + "k").c_str()) != 0) {
    WARN("skipped: this machine does not let a file system be mounted");
    return;
  }
  for (const auto& entry : fs::directory_iterator(aside)) {
    fs::copy(entry.path(), fs::path(data) / entry.path().filename());
  }
  county.set("metrics = \"\"", "metrics = \"127.0.0.1:0\"");
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  CHECK(answer(county, "/health").find("200 OK") != std::string::npos);
  const std::string ballast = data + "/ballast";
  write_file(ballast, std::string(16 << 20, 'b'));
  for (int i = 0; i < 40; ++i) {
    phone.asked({"whistle", "--grid", kGrid, "--title", "第" + std::to_string(i) + "件", "--text",
                 std::string(12'000, 'x')});
  }
  const Ended refused = phone.gw({"sync"});
  INFO(refused.err);
  CHECK(refused.code == 4);
  const std::string ill = answer(county, "/health");
  CHECK(ill.find("503") != std::string::npos);
  CHECK(ill.find("takes no writes (disk_full)") != std::string::npos);
  CHECK(answer(county, "/metrics").find("storage_writable{county=\"440811\"} 0") !=
        std::string::npos);
  CHECK(county.operate({"status"}).out.find("disk_full") != std::string::npos);
  const auto lines = [&](const std::string& event) { return occurrences(county.log(), event); };
  CHECK(comes_to_be([&] { return lines("storage_refuses_writes") == 1; }));
  fs::remove(ballast);
  // Nobody calls; it recovers by itself.
  CHECK(comes_to_be([&] { return answer(county, "/health").find("200 OK") != std::string::npos; }));
  CHECK(answer(county, "/metrics").find("storage_writable{county=\"440811\"} 1") !=
        std::string::npos);
  CHECK(comes_to_be([&] { return lines("storage_takes_writes") == 1; }));
  phone.sync();
  CHECK(county.serving());
  CHECK(lines("storage_refuses") == 1);
  CHECK(county.records("Whistle").size() == 40);
  county.stop();
  ::umount2(data.c_str(), MNT_DETACH);
}

/// A hand on a phone's file, while nobody has it open.
void alter(const Phone& phone, const std::string& sql) {
  sqlite3* file = nullptr;
  REQUIRE(sqlite3_open((phone.home() + "/phone.db").c_str(), &file) == SQLITE_OK);
  INFO(sqlite3_errmsg(file));
  CHECK(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_changes(file) == 1);
  sqlite3_close(file);
}

TEST_CASE("A phone whose file came to differ from the server finds it out and puts it right") {
  County county;
  county.serve();
  Phone first(county, "first");
  Phone second(county, "second");
  first.enrol("WG001");
  second.enrol("WG001");
  std::vector<std::string> places;
  for (const char* name : {"甲", "乙", "丙", "丁"}) {
    places.push_back(
        first.asked({"add", "place", "grid=" + kGrid, "name=示例" + std::string(name)}).at("id"));
  }
  first.sync();
  second.sync();
  const auto names = [&] {
    std::map<std::string, std::string> found;
    for (const Json& place : second.asked({"list", "place"})) {
      found[place.at("id")] = place.at("fields").at("name");
    }
    return found;
  };
  const auto whole = names();
  REQUIRE(whole.size() == 4);
  const Json same = second.asked({"sync", "--compare"});
  CHECK(same.at("compared") == true);
  CHECK(same.at("repaired") == 0);

  // A record that says another's, one that is lost, and one under an id that nobody ever gave.
  const auto id = [&](std::size_t i) {
    std::string hex = places[i];
    std::erase(hex, '-');
    return "x'" + hex + "'";
  };
  alter(second,
        "UPDATE k13 SET body=(SELECT body FROM k13 WHERE id=" + id(1) + ") WHERE id=" + id(0));
  alter(second, "DELETE FROM k13 WHERE id=" + id(2));
  alter(second, "UPDATE k13 SET id=x'0123456789ab8def8000000000000005' WHERE id=" + id(3));
  CHECK(names() != whole);
  CHECK(second.sync().at("rows") == 0);
  const Json repaired = second.asked({"sync", "--compare"});
  CHECK(repaired.at("compared") == true);
  CHECK(repaired.at("repaired") == 3);
  // What the server has never heard of is not taken from a phone: it may be somebody's work.
  auto with_stray = whole;
  with_stray["01234567-89ab-8def-8000-000000000005"] = "示例丁";
  CHECK(names() == with_stray);
  CHECK(second.asked({"sync", "--compare"}).at("repaired") == 0);

  // What is unsent is sent first, and compared another time.
  second.asked({"set", places[0], "name=示例戊"});
  CHECK(second.asked({"sync", "--compare"}).at("compared") == false);
  CHECK(second.asked({"sync", "--compare"}).at("compared") == true);
}

}  // namespace
}  // namespace gridwhistle::e2e
