#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

using test::Proxy;

/// Every id is on the server, each once.
void check_all_there(County& county, const std::set<std::string>& recorded) {
  std::multiset<std::string> on_server;
  for (const Json& one : county.records("Whistle")) on_server.insert(one.at("id"));
  CHECK(on_server == std::multiset<std::string>(recorded.begin(), recorded.end()));
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("A call cut off at any byte loses nothing and doubles nothing") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  std::mt19937_64 random(seed());
  std::set<std::string> recorded;
  const int cuts = repeated(48);
  int broken = 0;
  for (int i = 0; i < cuts; ++i) {
    recorded.insert(phone.whistle("第" + std::to_string(i) + "次中断"));
    // A call takes some 2 KB up and 3 KB down; half of that is the handshake.
    const Proxy::Way way = i % 2 == 0 ? Proxy::Way::kUp : Proxy::Way::kDown;
    const std::uint64_t whole = way == Proxy::Way::kUp ? 2600 : 4200;
    county.network().cut_after(way, 1 + random() % whole);
    const Ended ended = phone.gw({"sync"});
    INFO("cut " << i << ": " << ended.err);
    CHECK((ended.code == 0 || ended.code == 4));
    broken += ended.code == 4 ? 1 : 0;
  }
  county.network().cut_after(Proxy::Way::kUp, 1 << 30);
  county.network().cut_after(Proxy::Way::kDown, 1 << 30);
  INFO(broken << " of " << cuts << " calls were cut off before they were done");
  CHECK(broken > 0);
  phone.sync();
  CHECK(phone.asked({"status"}).at("unsent") == 0);
  check_all_there(county, recorded);
}

TEST_CASE("A first sync that is cut off again and again gets there, and begins at zero never") {
  County county;
  county.serve();
  Phone whole(county, "whole");
  whole.enrol("SL100");
  const std::uint64_t all = whole.sync().at("rows");
  Phone phone(county, "phone");
  phone.enrol("SL100");
  std::uint64_t rows = 0;
  for (int calls = 0;; ++calls) {
    REQUIRE(calls < 100);
    const Json call = phone.asked({"sync", "--bytes", "2000"});
    rows += call.at("rows").get<std::uint64_t>();
    if (call.at("caught_up") == true) break;
    CHECK(calls < 50);
  }
  CHECK(rows < all + all / 10);
}

TEST_CASE("A first sync whose line breaks again and again gets there") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("SL100");
  std::mt19937_64 random(seed());
  for (int i = 0; i < 12; ++i) {
    county.network().cut_after(Proxy::Way::kDown, 3000 + random() % 20'000);
    const int code = phone.gw({"sync"}).code;
    CHECK((code == 0 || code == 4));
  }
  county.network().cut_after(Proxy::Way::kDown, 1 << 30);
  CHECK(phone.sync().at("caught_up") == true);
  Phone fresh(county, "fresh");
  fresh.enrol("SL100");
  fresh.sync();
  const Words all = {"list", "grid", "--limit", "1000"};
  const Json theirs = fresh.asked(all);
  CHECK(theirs.size() > 100);
  CHECK(phone.asked(all) == theirs);
}

TEST_CASE("Enrolment that is cut off can be done again with the same code") {
  County county;
  county.serve();
  std::mt19937_64 random(seed());
  for (int i = 0; i < 6; ++i) {
    Phone phone(county, "phone" + std::to_string(i));
    const std::string code = county.code_for("WG001");
    county.network().cut_after(i % 2 == 0 ? Proxy::Way::kUp : Proxy::Way::kDown,
                               1 + random() % 2500);
    int ended = phone.gw({"enrol", code}).code;
    CHECK((ended == 0 || ended == 4));
    county.network().cut_after(Proxy::Way::kUp, 1 << 30);
    county.network().cut_after(Proxy::Way::kDown, 1 << 30);
    if (ended == 4) ended = phone.gw({"enrol", code}).code;
    CHECK(ended == 0);
    phone.sync();
  }
}

}  // namespace
}  // namespace gridwhistle::e2e
