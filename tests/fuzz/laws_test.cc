#include <google/protobuf/stubs/logging.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bodies.h"
#include "mutate.h"
#include "schema/tables.h"
#include "wire/frames.h"

// What the coverage fuzzer does for hours, done for a moment in every test run.
namespace gridwhistle::fuzz {
namespace {

std::uint64_t chosen(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

/// What the fuzzer found once, and what a hand wrote down.
std::vector<std::string> kept_inputs(const Body& body) {
  std::vector<std::string> inputs;
  const auto folder = std::filesystem::path(GRIDWHISTLE_FUZZ_CORPUS) / body.name;
  if (!std::filesystem::is_directory(folder)) return inputs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

const Body& body_named(std::string_view name) {
  for (const Body& body : bodies()) {
    if (body.name == name) return body;
  }
  throw std::runtime_error("no such door: " + std::string(name));
}

void check_door(std::string_view name, std::uint64_t mutations_usual) {
  const Body& body = body_named(name);
  std::vector<std::string> inputs = body.seeds();
  for (const std::string& seed : inputs) REQUIRE(body.broken_law(seed) == "");
  for (const std::string& kept : kept_inputs(body)) {
    REQUIRE(body.broken_law(kept) == "");
    inputs.push_back(kept);
  }
  const std::uint64_t seed = chosen("GRIDWHISTLE_SEED", std::random_device()());
  const std::uint64_t mutations = chosen("GRIDWHISTLE_MUTATIONS", mutations_usual);
  // Before the first: an input that ends the program leaves no other trace.
  std::printf("%.*s: GRIDWHISTLE_SEED=%llu\n", static_cast<int>(name.size()), name.data(),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < mutations; ++i) {
    const std::string broken = body.broken_law(mutated(inputs, random));
    if (!broken.empty()) FAIL(name << ", mutation " << i << " of seed " << seed << ": " << broken);
  }
}

TEST_CASE("Whatever a phone sends is refused or sound") { check_door("up_frame", 3000); }
TEST_CASE("Whatever a server sends is refused or sound") { check_door("down_frame", 3000); }
TEST_CASE("A batch of operations is refused or sound") { check_door("operation_batch", 3000); }
TEST_CASE("A batch of rows is refused or sound") { check_door("row_batch", 3000); }
TEST_CASE("A message of any kind is refused or made canonical") { check_door("canonical", 2000); }
TEST_CASE("Damaged stamps are refused, others are what they were") { check_door("stamps", 5000); }
TEST_CASE("A text is no enrolment code or the same code again") {
  check_door("enrolment_code", 20'000);
}
TEST_CASE("A part of a bundle is refused or sound") { check_door("bundle", 1500); }
TEST_CASE("Whatever a phone sends of attachments is refused or sound") {
  check_door("media_up", 5000);
}
TEST_CASE("Whatever a server sends of attachments is refused or sound") {
  check_door("media_down", 5000);
}
TEST_CASE("A picture is refused, or nothing beside the picture stays in it") {
  check_door("picture", 20'000);
}
TEST_CASE("What was sealed comes out as it was put in, or not at all") {
  check_door("envelope", 500);
}
TEST_CASE("A table of areas is refused with reasons or imported whole") {
  check_door("areas_csv", 1500);
}
TEST_CASE("A table of organisations is refused with reasons or imported whole") {
  check_door("organisations_csv", 1500);
}
TEST_CASE("A table of categories is refused with reasons or imported whole") {
  check_door("categories_csv", 1500);
}
TEST_CASE("A list of responsibilities is refused with reasons or imported whole") {
  check_door("responsibility_csv", 1500);
}
TEST_CASE("A table of workers is refused with reasons or imported whole") {
  check_door("workers_csv", 1500);
}
TEST_CASE("A map of grids is refused with reasons or imported whole") {
  check_door("grids_geojson", 1500);
}
TEST_CASE("Whatever enrolled phones say, a county keeps its laws") { check_door("county", 60); }
TEST_CASE("Whatever a server says, a phone's file loses nothing and stays sound") {
  check_door("phone", 80);
}
TEST_CASE("Rules are refused with reasons or imported whole") { check_door("rules_toml", 1500); }

int lines_logged = 0;

TEST_CASE("A hostile frame writes nothing into the host's log") {
  v1::Up up;
  up.mutable_hello()->set_software("no text");
  std::string frame = up.SerializeAsString();
  frame[frame.find("no text")] = '\xff';
  const auto before = google::protobuf::SetLogHandler(
      [](google::protobuf::LogLevel, const char*, int, const std::string&) { ++lines_logged; });
  const auto decoded = decode_up(built_schema(), DeviceId(1), frame);
  google::protobuf::SetLogHandler(before);
  CHECK_FALSE(decoded.has_value());
  CHECK(lines_logged == 0);
}

}  // namespace
}  // namespace gridwhistle::fuzz
