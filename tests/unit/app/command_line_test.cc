#include "app/command_line.h"

#include <catch2/catch.hpp>
#include <filesystem>

using namespace gridwhistle::app;

namespace {

template <typename Command>
Command county_command(const std::vector<std::string>& words) {
  const auto line = parse_command_line(words);
  if (!line) FAIL(line.error().text.en);
  return std::get<Command>(std::get<CountyCommand>(line->command));
}

int exit_code(const std::vector<std::string>& words) {
  const auto line = parse_command_line(words);
  return line ? -1 : line.error().exit_code;
}

}  // namespace

TEST_CASE("Each command is read with its arguments") {
  CHECK(county_command<ImportCommand>({"import", "a", "b", "--dry-run"}).paths.size() == 2);
  CHECK(county_command<EnrolCommand>({"enrol", "WG001"}).worker == "WG001");
  CHECK(county_command<RevokeCommand>({"revoke", "ab", "--lost"}).lost);
  CHECK_FALSE(county_command<RevokeCommand>({"revoke", "ab", "--left"}).lost);
  const auto assign = county_command<QueueAssignCommand>(
      {"queue", "assign", "N1", "--lead", "BM-CG", "--co", "BM-GA", "--co", "BM-XF"});
  CHECK(assign.co == std::vector<std::string>{"BM-GA", "BM-XF"});
  const auto act = county_command<ActCommand>(
      {"act", "N1", "refuse", "--as", "SL1", "--reason", "not_verified", "--note", "看不清"});
  CHECK(act.reason == "not_verified");
  CHECK(act.note == "看不清");
  CHECK(county_command<ReviewReturnCommand>({"review", "return", "7", "--reason", "x"}).number ==
        7);
  CHECK(county_command<ExportCommand>({"export"}).purpose.empty());
}

TEST_CASE("General options stand before or after the command") {
  for (const auto& words :
       {std::vector<std::string>{"--json", "--lang", "zh", "-c", "x.toml", "status"},
        std::vector<std::string>{"status", "--json", "--lang", "zh", "-c", "x.toml"}}) {
    const auto line = parse_command_line(words);
    REQUIRE(line);
    CHECK(line->json);
    CHECK(line->language == "zh");
    CHECK(line->config == "x.toml");
  }
}

TEST_CASE("Help is no error and says what comes first") {
  const auto line = parse_command_line({"--help"});
  REQUIRE(!line);
  CHECK(line.error().exit_code == 0);
  CHECK(line.error().text.en.find("First day") != std::string::npos);
  CHECK(exit_code({"act", "--help"}) == 0);
}

TEST_CASE("The help of import names every file of the sample county") {
  const auto line = parse_command_line({"import", "--help"});
  REQUIRE_FALSE(line);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GRIDWHISTLE_SAMPLE_DATA)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".csv") && !name.ends_with(".toml") && !name.ends_with(".geojson"))
      continue;
    CAPTURE(name);
    CHECK(line.error().text.en.find(name + " ") != std::string::npos);
    ++files;
  }
  CHECK(files == 7);
}

TEST_CASE("A command that there is not is named, with the way to those there are") {
  for (const auto& words : {std::vector<std::string>{"foo"}, {"--json", "foo"}}) {
    const auto line = parse_command_line(words);
    REQUIRE(!line);
    CHECK(line.error().exit_code == 2);
    CHECK(
        line.error().text.en ==
        "gridwhistle-server: there is no command foo; gridwhistle-server --help lists them all\n");
  }
  const auto line = parse_command_line({"queue", "lst"});
  REQUIRE(!line);
  CHECK(line.error().text.zh ==
        "gridwhistle-server: 没有命令 lst；是不是 list？全部命令见 gridwhistle-server queue "
        "--help\n");
}

TEST_CASE("What is typed wrong is told with exit code 2") {
  CHECK(exit_code({}) == 2);
  CHECK(exit_code({"frobnicate"}) == 2);
  CHECK(exit_code({"enrol"}) == 2);
  CHECK(exit_code({"revoke", "ab"}) == 2);
  CHECK(exit_code({"revoke", "ab", "--left", "--lost"}) == 2);
  CHECK(exit_code({"queue"}) == 2);
  CHECK(exit_code({"review", "accept", "x"}) == 2);
  CHECK(exit_code({"status", "--lang", "fr"}) == 2);
  CHECK(exit_code({"status", "extra"}) == 2);
}
