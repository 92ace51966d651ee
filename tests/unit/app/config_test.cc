#include "app/config.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "fuzz/mutate.h"

using namespace gridwhistle::app;

namespace {

ServerConfig parsed(const std::string& text) {
  const auto config = parse_config("/etc/gw/gridwhistle.toml", text);
  if (!config) FAIL(config.error().front().text().en);
  return *config;
}

std::vector<std::string> complaints(const std::string& text) {
  const auto config = parse_config("gridwhistle.toml", text);
  std::vector<std::string> english;
  if (!config) {
    for (const auto& complaint : config.error()) english.push_back(complaint.text().en);
  }
  return english;
}

std::string with(const std::string& what, const std::string& by) {
  std::string text = default_config("440811", "sync.example:7443");
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("The default configuration says exactly what leaving everything out says") {
  const ServerConfig written = parsed(default_config("440811", "sync.example:7443"));
  const ServerConfig least =
      parsed("county = \"440811\"\nlisten.public_address = \"sync.example:7443\"\n");
  CHECK(written == least);
}

TEST_CASE("Relative folders begin at the configuration's folder, absolute ones stay") {
  CHECK(parsed("county = \"440811\"").data_folder == "/etc/gw/data");
  CHECK(parsed("county = \"440811\"\ndata_folder = \"/srv/gw\"").data_folder == "/srv/gw");
}

TEST_CASE("Without a public address phones are told the listening one") {
  CHECK(parsed("county = \"440811\"\nlisten.address = \"10.0.0.1:1\"").public_address ==
        "10.0.0.1:1");
}

TEST_CASE("Every wrong key and value is named with its line, all at once") {
  CHECK(complaints("county = \"440811\"\ncolour = 1\n[listen]\nadress = \"x\"\n") ==
        std::vector<std::string>{"gridwhistle.toml:2: unknown key colour",
                                 "gridwhistle.toml:4: unknown key listen.adress"});
  CHECK(complaints("") == std::vector<std::string>{"gridwhistle.toml: county is missing"});
  CHECK(complaints("county = \"44081\"").front() ==
        "gridwhistle.toml:1: county must be a county's six digits");
  CHECK(complaints("county = 440811").size() == 1);
  CHECK(complaints("county = \"440811\"\n= 3").front().starts_with("gridwhistle.toml:2: "));
}

TEST_CASE("Values out of range are refused, those at the edge are not") {
  CHECK(complaints(with("\"0.0.0.0:7443\"", "\"0.0.0.0\"")).size() == 1);
  CHECK(complaints(with("\"0.0.0.0:7443\"", "\"0.0.0.0:65536\"")).size() == 1);
  CHECK(complaints(with("\"0.0.0.0:7443\"", "\"0.0.0.0:65535\"")).empty());
  CHECK(complaints(with("metrics = \"\"", "metrics = \"0.0.0.0:9464\"")).size() == 1);
  CHECK(complaints(with("metrics = \"\"", "metrics = \"127.0.0.1:9464\"")).empty());
  CHECK(complaints(with("keep = 20", "keep = 0")).size() == 1);
  CHECK(complaints(with("keep = 20", "keep = 1")).empty());
  CHECK(complaints(with("restorable = 20", "restorable = 0")).size() == 1);
  CHECK(complaints(with("restorable = 20", "restorable = 1")).empty());
  CHECK(complaints(with("replicated = false", "replicated = 1")).size() == 1);
  CHECK(complaints(with("replicated = false", "replicated = true")).empty());
  CHECK(complaints(with("every_hours = 24", "every_hours = 1.5")).size() == 1);
  CHECK(complaints(with("every_hours = 24", "every_hours = 0")).empty());
  CHECK(complaints(with("\"text\"\n#", "\"xml\"\n#")).size() == 1);
  CHECK(complaints(with("level = \"info\"", "level = \"loud\"")).size() == 1);
}

TEST_CASE("Whatever a configuration says, it is read or every complaint names its place") {
  const std::vector<std::string> seeds = {
      default_config("440811", "sync.example:7443"),
      "county = \"440811\"\nlisten.address = \"10.0.0.1:1\"\n[log]\nlevel = \"warn\"\n"};
  const char* given = std::getenv("GRIDWHISTLE_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  std::mt19937_64 random(seed);
  std::size_t read = 0;
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = gridwhistle::fuzz::mutated(seeds, random);
    INFO("mutation " << i << " of GRIDWHISTLE_SEED=" << seed);
    const auto config = parse_config("gridwhistle.toml", text);
    if (config) {
      ++read;
      REQUIRE(config->county.size() == 6);
    } else {
      REQUIRE_FALSE(config.error().empty());
      for (const auto& complaint : config.error()) {
        REQUIRE(complaint.text().zh.starts_with("gridwhistle.toml:"));
        REQUIRE(complaint.text().en.starts_with("gridwhistle.toml:"));
      }
    }
  }
  INFO("GRIDWHISTLE_SEED=" << seed);
  CHECK(read > 0);
  CHECK(read < 2'000);
}
