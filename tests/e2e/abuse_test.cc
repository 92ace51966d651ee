#include <catch2/catch.hpp>
#include <chrono>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// `GRIDWHISTLE_KILLS` asks for longer ones, as for more kills, on a machine that does nothing
/// else.
bool is_proof() { return repeated(30) > 30; }
double attack_seconds() { return is_proof() ? 20 : 4; }

constexpr std::uint64_t kMegabyte = 1 << 20;
/// What an attack may cost the server while it lasts. The attackers have 200 lines at most. What
/// gRPC has read of calls and not dealt with yet has no limit of its own: that goes by how fast
/// they come in the seconds that a test takes.
constexpr std::uint64_t kMemoryForAttackers = 2048 * kMegabyte;
constexpr std::size_t kDescriptorsForAttackers = 260;

void goes_on_under(const std::string& attack) {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  const auto calm = Clock::now();
  phone.sync();
  const double calm_sync = seconds_since(calm);
  const std::uint64_t memory_before = county.memory_bytes();
  const std::size_t descriptors_before = county.descriptors();
  std::uint64_t memory = 0;
  std::size_t descriptors = 0;
  Process attacker({GRIDWHISTLE_PYTHON, GRIDWHISTLE_ABUSE, std::to_string(county.port()), attack,
                    std::to_string(attack_seconds())},
                   county.folder());
  std::size_t synced = 0;
  double longest = 0;
  while (attacker.running()) {
    phone.whistle("第" + std::to_string(synced) + "件");
    const auto begun = Clock::now();
    phone.sync();
    longest = std::max(longest, seconds_since(begun));
    ++synced;
    memory = std::max(memory, county.memory_bytes());
    descriptors = std::max(descriptors, county.descriptors());
  }
  const Ended ended = attacker.wait();
  INFO(ended.out << ended.err);
  REQUIRE(ended.code == 0);
  const Json did = Json::parse(ended.out);
  CHECK(did.at("connections") > 0);
  CHECK(did.at("frames") > 200);
  WARN(attack << ": " << synced << " syncs meanwhile, the longest " << longest << " s; "
              << memory / kMegabyte << " MB, " << descriptors << " descriptors; " << ended.out);
  CHECK(synced >= 2);
  // Two seconds, and what this machine takes anyhow for a sync amid all else that it does. Beside
  // other tests a clock says nothing of the server.
  if (is_proof()) CHECK(longest < 2 + 10 * calm_sync);
  CHECK(memory < memory_before + kMemoryForAttackers);
  CHECK(descriptors < descriptors_before + kDescriptorsForAttackers);
  CHECK(comes_to_be([&] { return county.descriptors() <= descriptors_before + 2; }));
  CHECK(county.serving());
  CHECK(county.records("Whistle").size() == synced);
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("A phone over its quota hears when to go on, loses nothing, and gets there") {
  County county;
  county.set("operations_an_hour = 200000", "operations_an_hour = 3");
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  const auto place = [&](int number) {
    phone.asked({"add", "place", "grid=" + kGrid, "name=示例小店" + std::to_string(number)});
  };
  for (int i = 0; i < 4; ++i) place(i);
  phone.sync();
  for (int i = 4; i < 9; ++i) place(i);
  const Ended over = phone.gw({"--lang", "zh", "sync"});
  CHECK(over.code != 0);
  CHECK((over.out + over.err).contains(" 分钟"));
  // Told once, the phone does not ask again, in whichever process.
  const std::uint64_t before = county.network().counts().connections;
  const Ended waits = phone.gw({"--lang", "en", "sync"});
  CHECK(waits.code != 0);
  CHECK((waits.out + waits.err).contains(" minutes"));
  CHECK(county.network().counts().connections == before);
  CHECK(phone.asked({"status"}).at("unsent") == 5);
  phone.whistle("漏气");
  CHECK(phone.gw({"sync"}).code != 0);
  CHECK(county.records("Whistle").size() == 1);
  CHECK(phone.asked({"status"}).at("unsent") == 5);
  // A server that starts counts anew; a phone with a whistle does not wait.
  county.stop();
  county.serve();
  phone.whistle("又漏气");
  phone.sync();
  CHECK(phone.asked({"status"}).at("unsent") == 0);
  CHECK(county.records("Place").size() == 9);
  CHECK(county.records("Whistle").size() == 2);
}

TEST_CASE("Honest phones go on while somebody says a byte a second on many lines") {
  goes_on_under("loris");
}
TEST_CASE("Honest phones go on while somebody begins calls and resets them") {
  goes_on_under("resets");
}
TEST_CASE("Honest phones go on while somebody floods the server with pings and settings") {
  goes_on_under("pings");
}
TEST_CASE("Honest phones go on while somebody sends headers without end") {
  goes_on_under("headers");
}
TEST_CASE("Honest phones go on while somebody opens calls that take no answer") {
  goes_on_under("windows");
}
TEST_CASE("Honest phones go on while somebody sends frames of chance") { goes_on_under("junk"); }

}  // namespace
}  // namespace gridwhistle::e2e
