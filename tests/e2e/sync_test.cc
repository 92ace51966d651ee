#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <set>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

TEST_CASE("What is recorded without a network reaches a colleague's phone") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  worker.enrol("WG001");
  worker.sync();

  county.network().refuse(true);
  const std::string whistle = worker.whistle("井盖松动");
  const std::string visit =
      worker.asked({"visit", "start", "--grid", kGrid, "--why", "日常巡查"}).at("id");
  worker.asked({"visit", "end", "--notes", "一切正常"});
  const std::string household =
      worker
          .asked({"household", "add", "--grid", kGrid, "--address", "福民路1号", "--contact",
                  "赵示例", "--phone", "00000000001", "--member", "赵小例,子女,2015"})
          .at("id");
  CHECK(worker.gw({"sync"}).code == 4);
  CHECK(worker.asked({"status"}).at("unsent") == 5);
  CHECK(worker.asked({"show", whistle}).at("delivery") == "unsent");

  county.network().refuse(false);
  const Json report = worker.sync();
  CHECK(report.at("sent") == 5);
  CHECK(report.at("acknowledged") == 5);
  CHECK(report.at("caught_up") == true);
  CHECK(worker.asked({"status"}).at("unsent") == 0);
  CHECK(worker.asked({"show", whistle}).at("delivery") == "delivered");

  Phone acceptor(county, "acceptor");
  acceptor.enrol("SL100001");
  acceptor.sync();
  CHECK(acceptor.asked({"show", whistle}).at("fields").at("title") == "井盖松动");
  CHECK(acceptor.asked({"show", visit}).at("fields").at("notes") == "一切正常");
  // A household is its own grid's affair.
  CHECK(acceptor.gw({"show", household}).code == 3);

  Phone second(county, "second");
  second.enrol("WG001");
  second.sync();
  const Json shown = second.asked({"show", household});
  CHECK(shown.at("masked") == true);
  CHECK(shown.at("fields").at("contact_phone") != "00000000001");
  const Json told = second.asked({"--purpose", "home visit", "show", household});
  CHECK(told.at("fields").at("contact_phone") == "00000000001");
  CHECK(second.asked({"list", "resident"}).size() == 1);
}

TEST_CASE("Two phones that edit one household apart keep every word of both") {
  County county;
  county.serve();
  Phone first(county, "first");
  Phone second(county, "second");
  first.enrol("WG001");
  second.enrol("WG001");
  const std::string household =
      first.asked({"household", "add", "--grid", kGrid, "--address", "福民路2号"}).at("id");
  first.sync();
  second.sync();

  first.asked({"set", household, "contact_name=钱示例", "dwelling=owner"});
  second.asked({"set", household, "contact_name=孙示例", "contact_phone=00000000002"});
  first.sync();
  second.sync();
  first.sync();

  const Json a = first.asked({"--purpose", "test", "show", household}).at("fields");
  const Json b = second.asked({"--purpose", "test", "show", household}).at("fields");
  CHECK(a == b);
  CHECK(a.at("dwelling") == "OWNER");
  CHECK(a.at("contact_phone") == "00000000002");
  const bool first_won = a.at("contact_name") == "钱示例";
  const Phone& loser = first_won ? second : first;
  loser.sync();
  const Json outcomes = loser.asked({"outcomes"});
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].at("restorable") == true);
  CHECK(outcomes[0].at("record") == household);
  loser.asked({"outcomes", "restore", outcomes[0].at("id")});
  loser.sync();
  CHECK(loser.asked({"--purpose", "test", "show", household}).at("fields").at("contact_name") ==
        (first_won ? "孙示例" : "钱示例"));
}

TEST_CASE("Two copies of a phone's file both go on, and what they recorded is there once") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone copy(county, "copy");
  phone.enrol("WG001");
  phone.whistle("一号哨声");
  phone.sync();
  phone.whistle("二号哨声");
  std::filesystem::remove_all(copy.home());
  std::filesystem::copy(phone.home(), copy.home(), std::filesystem::copy_options::recursive);
  phone.whistle("三号哨声");
  const std::string own = copy.whistle("四号哨声");
  const std::string number = copy.asked({"show", own}).at("fields").at("number");
  phone.sync();
  copy.sync();
  phone.sync();
  copy.sync();

  std::multiset<std::string> titles;
  std::set<std::string> numbers;
  for (const Json& whistle : county.records("Whistle")) {
    titles.insert(whistle.at("fields").at("title"));
    numbers.insert(whistle.at("fields").at("number"));
  }
  CHECK(titles == std::multiset<std::string>{"一号哨声", "二号哨声", "三号哨声", "四号哨声"});
  CHECK(numbers.size() == 4);
  CHECK(phone.asked({"list", "Whistle"}).size() == 4);
  CHECK(copy.asked({"list", "Whistle"}).size() == 4);
  // Under the id and the number that both gave out stands the other's; the copy's own has new ones.
  CHECK(copy.asked({"show", own}).at("fields").at("title") == "三号哨声");
  const std::vector<Json> whistles = county.records("Whistle");
  const auto is_mine = [](const Json& whistle) {
    return whistle.at("fields").at("title") == "四号哨声";
  };
  const auto renamed = std::ranges::find_if(whistles, is_mine);
  REQUIRE(renamed != whistles.end());
  CHECK(renamed->at("id") != own);
  CHECK(renamed->at("fields").at("number") != number);
  CHECK(copy.asked({"status"}).at("unsent") == 0);
  const std::vector<Json> devices = county.asked({"devices"});
  REQUIRE(devices.size() == 2);
  const bool first_is_older = devices[0].at("predecessor").is_null();
  CHECK(devices[first_is_older ? 1 : 0].at("predecessor") ==
        devices[first_is_older ? 0 : 1].at("device"));
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("An erased record is gone from every phone, an edit brings it back whole") {
  County county;
  county.serve();
  Phone first(county, "first");
  Phone second(county, "second");
  first.enrol("WG001");
  second.enrol("WG001");
  const Json place = first.asked({"add", "place", "grid=" + kGrid, "name=示例小卖部"});
  const Json other = first.asked({"add", "place", "grid=" + kGrid, "name=示例五金店"});
  first.sync();
  second.sync();
  first.asked({"erase", place.at("id")});
  first.asked({"erase", other.at("id")});
  second.asked({"set", other.at("id"), "name=示例五金店二"});
  second.sync();
  first.sync();
  second.sync();
  CHECK(second.gw({"show", place.at("id")}).code == 3);
  CHECK(first.asked({"show", other.at("id")}).at("fields").at("name") == "示例五金店二");
}

TEST_CASE("What is erased leaves the county when every phone has heard of it, and stays gone") {
  County county;
  county.serve();
  Phone first(county, "first");
  Phone second(county, "second");
  first.enrol("WG001");
  second.enrol("WG001");
  const std::string place =
      first.asked({"add", "place", "grid=" + kGrid, "name=示例小卖部"}).at("id");
  first.sync();
  second.sync();
  first.asked({"erase", place});
  first.sync();
  first.sync();
  second.sync();
  second.sync();
  county.stop();
  county.serve();
  CHECK(comes_to_be([&] { return county.log().contains("tombstones_swept"); }));
  CHECK(county.operate({"verify"}).code == 0);
  Phone third(county, "third");
  third.enrol("WG001");
  for (Phone* phone : {&first, &second, &third}) {
    phone->sync();
    CHECK(phone->gw({"show", place}).code == 3);
    CHECK(phone->asked({"sync", "--compare"}).at("repaired") == 0);
  }
}

TEST_CASE("A phone that stays connected sees what others send") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  Phone acceptor(county, "acceptor");
  worker.enrol("WG001");
  acceptor.enrol("SL100001");
  acceptor.sync();
  Process live = acceptor.live();
  const std::string whistle = worker.whistle("路灯不亮", "01002");
  worker.sync();
  CHECK(acceptor.comes_to_hold(whistle));
  live.signal(SIGINT);
  const Ended ended = live.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(acceptor.asked({"show", whistle}).at("fields").at("title") == "路灯不亮");
}

TEST_CASE("A phone that stays connected comes back by itself after the server was killed") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  Phone acceptor(county, "acceptor");
  worker.enrol("WG001");
  acceptor.enrol("SL100001");
  Process live = acceptor.live();
  const std::string before = worker.whistle("重启之前", "01002");
  worker.sync();
  CHECK(acceptor.comes_to_hold(before));
  county.kill();
  const std::string meanwhile = worker.whistle("停机之中", "01002");
  CHECK(worker.gw({"sync"}).code == 4);
  county.serve();
  worker.sync();
  CHECK(acceptor.comes_to_hold(meanwhile));
  const std::string after = worker.whistle("重启之后", "01002");
  worker.sync();
  CHECK(acceptor.comes_to_hold(after));
  CHECK(live.running());
  live.signal(SIGINT);
  const Ended ended = live.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
}

TEST_CASE("A restarted server goes on where it was, and phones with it") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  worker.enrol("WG001");
  std::set<std::string> recorded = {worker.whistle("重启之前")};
  worker.sync();
  const Ended ended = county.stop();
  INFO(ended.err);
  CHECK(ended.code == 0);
  recorded.insert(worker.whistle("停机之中"));
  CHECK(worker.gw({"sync"}).code == 4);
  county.serve();
  recorded.insert(worker.whistle("重启之后"));
  worker.sync();
  std::set<std::string> on_server;
  for (const Json& one : county.records("Whistle")) on_server.insert(one.at("id"));
  CHECK(on_server == recorded);
}

TEST_CASE("A server restored from a backup gets from the phones what came after it") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  worker.enrol("WG001");
  std::set<std::string> recorded = {worker.whistle("备份之前")};
  worker.sync();
  const std::string backup = county.asked({"backup", county.file("kept.gwbackup")})[0].at("path");
  recorded.insert(worker.whistle("备份之后"));
  worker.sync();
  CHECK(county.operate({"restore", "--replace", backup}).code == 5);
  county.stop();
  CHECK(county.operate({"restore", backup}).code == 1);
  const Ended restored = county.operate({"restore", "--replace", backup});
  INFO(restored.err);
  REQUIRE(restored.code == 0);
  CHECK(county.records("Whistle").size() == 1);
  county.serve();
  worker.sync();
  worker.sync();
  std::multiset<std::string> on_server;
  for (const Json& one : county.records("Whistle")) on_server.insert(one.at("id"));
  CHECK(on_server == std::multiset<std::string>(recorded.begin(), recorded.end()));
  CHECK(county.operate({"verify"}).code == 0);
}

namespace {

/// Two copies of a phone's file, made after a backup, of which the first has sent more since.
struct Copies {
  Copies() {
    county.serve();
    phone.enrol("WG001");
    phone.whistle("一号哨声");
    phone.sync();
    backup = county.asked({"backup", county.file("kept.gwbackup")})[0].at("path");
    phone.whistle("二号哨声");
    phone.sync();
    std::filesystem::remove_all(copy.home());
    std::filesystem::copy(phone.home(), copy.home(), std::filesystem::copy_options::recursive);
    phone.whistle("三号哨声");
    phone.sync();
    // The same number of each, in the same lane.
    copy.whistle("四号哨声");
  }

  /// Both sync with the server as the backup has it, until neither has anything to say.
  void restore(bool is_copy_first) {
    county.stop();
    REQUIRE(county.operate({"restore", "--replace", backup}).code == 0);
    county.serve();
    for (int time = 0; time < 2; ++time) {
      (is_copy_first ? copy : phone).sync();
      (is_copy_first ? phone : copy).sync();
    }
  }

  void check(const std::multiset<std::string>& expected) {
    std::multiset<std::string> titles;
    for (const Json& whistle : county.records("Whistle")) {
      titles.insert(whistle.at("fields").at("title"));
    }
    CHECK(titles == expected);
    CHECK(phone.asked({"list", "Whistle"}).size() == expected.size());
    CHECK(copy.asked({"list", "Whistle"}).size() == expected.size());
    CHECK(county.operate({"verify"}).code == 0);
  }

  County county;
  Phone phone{county, "phone"};
  Phone copy{county, "copy"};
  std::string backup;
};

}  // namespace

TEST_CASE("Two copies of a phone's file lose nothing to a server restored from before them") {
  Copies copies;
  copies.restore(GENERATE(true, false));
  copies.check({"一号哨声", "二号哨声", "三号哨声", "四号哨声"});
}

TEST_CASE("A copy that had a number of its own is known to a server restored from before it") {
  Copies copies;
  copies.copy.sync();
  copies.copy.whistle("五号哨声");
  copies.restore(GENERATE(true, false));
  copies.check({"一号哨声", "二号哨声", "三号哨声", "四号哨声", "五号哨声"});
}

TEST_CASE(
    "Any of the last twenty backups is restored: nothing is lost, nothing doubled, nothing "
    "forgotten comes back") {
  County county;
  county.serve();
  Phone anna(county, "anna");
  Phone other(county, "other");
  anna.enrol("WG001");
  other.enrol("WG001");
  std::multiset<std::string> recorded;
  std::vector<std::string> backups;
  std::string forgotten;
  constexpr std::size_t kMade = 22;
  while (backups.size() < kMade) {
    Phone& phone = backups.size() % 2 == 0 ? anna : other;
    const std::string id = phone.whistle("第 " + std::to_string(backups.size()) + " 件");
    phone.sync();
    backups.push_back(county.asked({"backup"})[0].at("path"));
    if (backups.size() == 2) {
      forgotten = id;
      continue;
    }
    recorded.insert(id);
    if (backups.size() == 15) REQUIRE(county.operate({"forget", "--yes", forgotten}).code == 0);
  }
  // What no backup has, one of them sent and one not.
  recorded.insert(anna.whistle("备份之后"));
  anna.sync();
  recorded.insert(other.whistle("未发送"));

  for (const std::size_t which : {kMade - 7, kMade / 2, kMade - 20}) {
    county.stop();
    const Ended restored = county.operate({"restore", "--replace", backups[which]});
    INFO(which << ": " << restored.out << restored.err);
    REQUIRE(restored.code == 0);
    CHECK(restored.out.find("Warning: this backup is older") == std::string::npos);
    county.serve();
    for (int round = 0; round < 2; ++round) {
      anna.sync();
      other.sync();
    }
    std::multiset<std::string> on_server;
    for (const Json& one : county.records("Whistle")) on_server.insert(one.at("id"));
    CHECK(on_server == recorded);
    CHECK(anna.asked({"list", "whistle"}).size() == recorded.size());
    CHECK(county.operate({"verify"}).code == 0);
  }
}

}  // namespace
}  // namespace gridwhistle::e2e
