#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <random>
#include <set>
#include <thread>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

using Ids = std::multiset<std::string>;

Ids ids_of(const Json& records) {
  Ids ids;
  for (const Json& one : records) ids.insert(one.at("id").get<std::string>());
  return ids;
}

/// All of a phone's whistles, however many kills were asked for.
Ids ids_on(Phone& phone) { return ids_of(phone.asked({"list", "whistle", "--limit", "100000"})); }

Ids ids_on(County& county) { return ids_of(county.records("Whistle")); }

/// What a phone said before it was killed: an id it printed is a record it promised.
std::string promised(const std::string& out) {
  if (out.empty() || out.back() != '\n') return "";
  return Json::parse(out).value("id", "");
}

/// A kill counts when it came before the program was done; rounds go on until enough have, and end
/// all the same where none ever does.
bool goes_on(int hit, int wanted, int round) { return hit < wanted && round < 50 * wanted; }

TEST_CASE("A phone killed while it records keeps everything it had promised") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  std::mt19937_64 random(seed());
  Ids acknowledged;
  const int kills = repeated(10);
  int killed = 0;
  int rounds = 0;
  for (; goes_on(killed, kills, rounds); ++rounds) {
    Process recording = phone.start({"--json", "whistle", "--grid", kGrid, "--category", "01001",
                                     "--title", "第" + std::to_string(rounds) + "件"});
    pause_ms(random() % 40);
    recording.signal(SIGKILL);
    const Ended ended = recording.wait();
    killed += ended.signal == SIGKILL ? 1 : 0;
    if (const std::string id = promised(ended.out); !id.empty()) acknowledged.insert(id);
  }
  INFO(killed << " of " << rounds << " were killed in time, " << acknowledged.size()
              << " promised");
  CHECK(killed == kills);
  const Ids kept = ids_on(phone);
  CHECK(std::ranges::includes(kept, acknowledged));
  phone.sync();
  CHECK(ids_on(county) == kept);
}

TEST_CASE("A phone killed while it syncs loses nothing and doubles nothing") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  county.network().set_latency(std::chrono::milliseconds(5));
  std::mt19937_64 random(seed());
  Ids recorded;
  const int kills = repeated(10);
  int killed = 0;
  for (int i = 0; goes_on(killed, kills, i); ++i) {
    recorded.insert(phone.whistle("第" + std::to_string(i) + "件"));
    Process syncing = phone.start({"sync"});
    pause_ms(random() % 120);
    syncing.signal(SIGKILL);
    killed += syncing.wait().signal == SIGKILL ? 1 : 0;
  }
  CHECK(killed == kills);
  phone.sync();
  CHECK(ids_on(county) == recorded);
  CHECK(phone.asked({"status"}).at("unsent") == 0);
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("A server killed while phones sync loses nothing it had acknowledged") {
  County county;
  county.serve();
  Phone first(county, "first");
  Phone second(county, "second");
  first.enrol("WG001");
  second.enrol("WG001");
  county.network().set_latency(std::chrono::milliseconds(3));
  std::mt19937_64 random(seed());
  Ids recorded;
  const int kills = repeated(4);
  int hit = 0;
  for (int i = 0; goes_on(hit, kills, i); ++i) {
    for (int more = 0; more < 3; ++more) {
      recorded.insert(first.whistle("甲" + std::to_string(i) + "-" + std::to_string(more)));
      recorded.insert(second.whistle("乙" + std::to_string(i) + "-" + std::to_string(more)));
    }
    Process one = first.start({"sync"});
    Process two = second.start({"sync"});
    pause_ms(random() % 120);
    county.kill();
    const int codes[] = {one.wait().code, two.wait().code};
    for (const int code : codes) CHECK((code == 0 || code == 4));
    hit += std::ranges::count(codes, 4) > 0 ? 1 : 0;
    county.serve();
  }
  CHECK(hit == kills);
  first.sync();
  second.sync();
  first.sync();
  CHECK(ids_on(county) == recorded);
  CHECK(ids_on(first) == recorded);
  CHECK(ids_on(second) == recorded);
  CHECK(county.operate({"verify"}).code == 0);
}

}  // namespace
}  // namespace gridwhistle::e2e
