#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <regex>
#include <set>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

namespace fs = std::filesystem;

std::string error_of(const Ended& ended) { return Json::parse(ended.out).at("error"); }

TEST_CASE("A code that is wrong, used or damaged enrols nobody, and a good one still does") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  const std::string code = county.code_for("WG001");
  const auto enrol = [&](const std::string& words) { return phone.gw({"--json", "enrol", words}); };

  CHECK(enrol("no code").code == 1);
  CHECK(enrol(code.substr(0, code.size() - 20)).code == 1);
  const Ended wrong = enrol(code.substr(0, code.rfind(':') + 1) + "AAAA-BBBB-CCCC");
  CHECK(wrong.code == 1);
  CHECK(error_of(wrong) == "code_wrong");
  CHECK(phone.gw({"sync"}).code == 5);

  CHECK(enrol(code).code == 0);
  Phone another(county, "another");
  const Ended used = another.gw({"--json", "enrol", code});
  CHECK(used.code == 1);
  CHECK(error_of(used) == "code_used");
  CHECK(county.asked({"devices"}).size() == 1);
  CHECK(county.operate({"enrol", "NOBODY"}).code == 1);
}

TEST_CASE("A server with another key is not spoken to, and nothing is lost") {
  County county;
  county.serve();
  Phone stranger(county, "stranger");
  std::string code = county.code_for("WG001");
  const std::size_t key = code.rfind(':') - 64;
  code[key] = code[key] == '0' ? '1' : '0';
  const Ended ended = stranger.gw({"--json", "enrol", code});
  CHECK(ended.code == 5);
  CHECK(error_of(ended) == "wrong_server_key");

  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.whistle("只给自己的服务器");
  county.stop();
  const std::string own_key = read_file(county.file("data/server-key.pem"));
  const std::string elsewhere = county.file("elsewhere");
  REQUIRE(
      run({GRIDWHISTLE_SERVER, "init", "--county", "440811", "--public", "127.0.0.1:1", elsewhere},
          county.folder())
          .code == 0);
  write_file(county.file("data/server-key.pem"), read_file(elsewhere + "/data/server-key.pem"));
  county.serve();
  const Ended refused = phone.gw({"--json", "sync"});
  CHECK(refused.code == 5);
  CHECK(error_of(refused) == "wrong_server_key");
  CHECK(county.records("Whistle").empty());

  county.stop();
  write_file(county.file("data/server-key.pem"), own_key);
  county.serve();
  phone.sync();
  CHECK(county.records("Whistle").size() == 1);
}

TEST_CASE(
    "A county restored on a new machine with a new key: phones say so, enrol again and go on") {
  County county;
  county.serve();
  Phone known(county, "known");
  Phone late(county, "late");
  known.enrol("WG001");
  std::multiset<std::string> recorded = {known.whistle("备份之前")};
  known.sync();
  const std::string backup = county.asked({"backup", county.file("kept.gwbackup")})[0].at("path");
  late.enrol("WG001");
  for (Phone* phone : {&known, &late}) {
    recorded.insert(phone->whistle("备份之后"));
    phone->sync();
  }
  county.stop();
  fs::remove_all(county.file("data"));
  const std::string machine = county.file("machine");
  REQUIRE(
      run({GRIDWHISTLE_SERVER, "init", "--county", "440811", "--public", "127.0.0.1:1", machine},
          county.folder())
          .code == 0);
  fs::rename(machine + "/data", county.file("data"));
  const Ended restored = county.operate({"restore", "--replace", backup});
  REQUIRE(restored.code == 0);
  CHECK(restored.out.find("another server key") != std::string::npos);
  county.serve();

  for (Phone* phone : {&known, &late}) {
    const std::string unsent = phone->whistle("未发送");
    recorded.insert(unsent);
    const Ended refused = phone->gw({"--json", "sync"});
    CHECK(refused.code == 5);
    CHECK(error_of(refused) == "wrong_server_key");
    const Ended told = phone->gw({"sync"});
    CHECK(told.err.find("nothing is lost") != std::string::npos);
    CHECK(told.err.find("enrol again") != std::string::npos);
    CHECK(phone->gw({"status"}).out.find("enrol again") != std::string::npos);
    CHECK(phone->asked({"status"}).at("unsent") == 1);
    CHECK(phone->asked({"show", unsent}).at("fields").at("title") == "未发送");

    phone->enrol("WG001");
    phone->sync();
    phone->sync();
    CHECK(phone->asked({"status"}).at("unsent") == 0);
    CHECK(phone->gw({"outcomes"}).out.find("REJECTED") == std::string::npos);
  }
  std::multiset<std::string> on_server;
  for (const Json& one : county.records("Whistle")) on_server.insert(one.at("id"));
  CHECK(on_server == recorded);
  known.sync();
  CHECK(known.asked({"list", "whistle"}).size() == recorded.size());
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("Before it is enrolled a phone says so, and records nothing") {
  County county;
  Phone phone(county, "phone");
  CHECK(phone.asked({"status"}).at("enrolled") == false);
  CHECK(phone.gw({"sync"}).code == 5);
  const Ended ended = phone.gw({"whistle", "--grid", kGrid, "--title", "太早"});
  CHECK(ended.code == 5);
  CHECK(ended.err.find("enrol") != std::string::npos);
}

TEST_CASE("A lost phone may send nothing, a leaver's work waits for a reviewer") {
  County county;
  county.serve();
  Phone lost(county, "lost");
  Phone left(county, "left");
  lost.enrol("WG001");
  left.enrol("WG002");
  const auto devices = county.asked({"devices"});
  REQUIRE(devices.size() == 2);
  for (const Json& device : devices) {
    county.asked(
        {"revoke", device.at("device"), device.at("worker") == "WG001" ? "--lost" : "--left"});
  }
  lost.whistle("遗失之后");
  const Ended refused = lost.gw({"--json", "sync"});
  CHECK(refused.code == 5);
  CHECK(error_of(refused) == "device_lost");
  CHECK(county.records("Whistle").empty());

  left.asked({"whistle", "--grid", "440811100001002", "--title", "离职之前"});
  left.asked({"whistle", "--grid", "440811100001002", "--title", "也在离职之前"});
  const Ended sent = left.gw({"--json", "sync"});
  INFO(sent.out << sent.err);
  CHECK((sent.code == 0 || sent.code == 5));
  const Json review = county.asked({"review", "list"}).at(0);
  REQUIRE(review.at("sealed").size() == 2);
  CHECK(county.records("Whistle").empty());
  county.asked({"review", "accept", review.at("sealed")[0].at("number").dump()});
  CHECK(county.records("Whistle").size() == 1);

  const std::string number = review.at("sealed")[1].at("number").dump();
  const std::string shown = county.operate({"--lang", "zh", "review", "show", number}).out;
  INFO(shown);
  CHECK(shown.find("网格 440811100001002") != std::string::npos);
  CHECK(shown.find("常规") != std::string::npos);
  CHECK(shown.find("ROUTINE") == std::string::npos);
  CHECK(std::regex_search(shown, std::regex("上报时间 +20[0-9]{2}-[01][0-9]-[0-3][0-9] ")));
  CHECK(county.operate({"review", "return", number, "--reason", "不属实"}).code == 0);
  CHECK(county.operate({"review", "return", number, "--reason", "不属实"}).code == 1);
  CHECK(county.asked({"review", "list"}).at(0).at("sealed").empty());
  CHECK(county.records("Whistle").size() == 1);
}

TEST_CASE(
    "A phone reported lost while it is connected is cut off, and keeps what it had not sent") {
  County county;
  county.serve();
  Phone lost(county, "lost");
  lost.enrol("WG001");
  Process live = lost.live();
  const std::string device = county.asked({"devices"}).at(0).at("device");
  county.asked({"revoke", device, "--lost"});
  CHECK(comes_to_be([&] { return county.calls() == 0; }));
  // The server has ended the call; the phone has yet to hear of it.
  CHECK(comes_to_be(
      [&] { return lost.gw({"--json", "status"}).out.find("device_lost") != std::string::npos; }));
  live.signal(SIGINT);
  const Ended cut = live.wait();
  INFO(cut.out << cut.err);
  CHECK(cut.code == 5);
  const std::string whistle = lost.whistle("遗失之后");
  CHECK(error_of(lost.gw({"--json", "sync"})) == "device_lost");
  CHECK(lost.asked({"status"}).at("unsent") == 1);
  CHECK(lost.asked({"show", whistle}).at("fields").at("title") == "遗失之后");
  CHECK(county.records("Whistle").empty());
  CHECK(lost.gw({"list", "whistle"}).code == 0);
}

/// Lets the county's codes have been made ten minutes earlier.
void age_codes(const std::string& path) {
  sqlite3* file = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &file) == SQLITE_OK);
  CHECK(sqlite3_exec(file, "UPDATE code SET expires_ms = expires_ms - 600001", nullptr, nullptr,
                     nullptr) == SQLITE_OK);
  sqlite3_close(file);
}

TEST_CASE("A code is worthless after ten minutes") {
  County county;
  const std::string code = county.code_for("WG001");
  age_codes(county.file("data/county.db"));
  county.serve();
  Phone phone(county, "phone");
  const Ended ended = phone.gw({"--json", "enrol", code});
  CHECK(ended.code == 1);
  CHECK(error_of(ended) == "code_expired");
}

TEST_CASE("Five wrong tries spoil a code") {
  County county;
  county.serve();
  const std::string code = county.code_for("WG001");
  Phone phone(county, "phone");
  // The right code but for its last character, which names the same entry.
  std::string near = code;
  near.back() = near.back() == 'A' ? 'B' : 'A';
  for (int i = 0; i < 6; ++i) {
    CHECK(error_of(phone.gw({"--json", "enrol", near})) == "code_wrong");
  }
  const Ended right = phone.gw({"--json", "enrol", code});
  CHECK(right.code == 1);
  CHECK(error_of(right) == "code_spent");
}

}  // namespace
}  // namespace gridwhistle::e2e
