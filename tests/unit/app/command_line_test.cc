#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <filesystem>

#include "terminal/help.h"

using namespace gridwhistle::app;

namespace {

auto read(const std::vector<std::string>& words, Language language = Language::kEnglish) {
  return parse_command_line(words, language);
}

template <typename Command>
Command county_command(const std::vector<std::string>& words) {
  const auto line = read(words);
  if (!line) FAIL(line.error().text);
  return std::get<Command>(std::get<CountyCommand>(line->command));
}

int exit_code(const std::vector<std::string>& words) {
  const auto line = read(words);
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
    const auto line = read(words);
    REQUIRE(line);
    CHECK(line->json);
    CHECK(line->language == "zh");
    CHECK(line->config == "x.toml");
  }
}

TEST_CASE("Help is no error and says what comes first") {
  const auto line = read({"--help"});
  REQUIRE(!line);
  CHECK(line.error().exit_code == 0);
  CHECK(line.error().text.find("First day") != std::string::npos);
  CHECK(exit_code({"act", "--help"}) == 0);
  CHECK(read({"--help"}, Language::kChinese).error().text.find("第一天") != std::string::npos);
}

TEST_CASE("Every command and option is described in both languages") {
  for (const Language language : {Language::kChinese, Language::kEnglish}) {
    CommandLine line;
    CHECK(gridwhistle::terminal::described_in_one_language(*make_app(line, language)) ==
          std::vector<std::string>{});
  }
}

TEST_CASE("The version is told with exit code 0") {
  const auto line = read({"--version"});
  REQUIRE(!line);
  CHECK(line.error().exit_code == 0);
  CHECK(line.error().text == gridwhistle::terminal::name_and_version("gridwhistle-server") + "\n");
}

TEST_CASE("A program reads what was typed wrong as an object") {
  const auto told = [](const std::vector<std::string>& words) {
    std::string text;
    const auto keep = [&](std::string_view piece) { text += piece; };
    CHECK(tell(read(words).error(), {keep, keep}) == 2);
    return text;
  };
  CHECK(
      told({"--json", "foo"}) ==
      "{\"error\":\"usage\",\"message\":\"there is no command foo; gridwhistle-server --help lists "
      "them all\"}\n");
  CHECK(told({"foo"}) ==
        "gridwhistle-server: there is no command foo; gridwhistle-server --help lists them all\n");
}

TEST_CASE("The help of import names every file of the sample county") {
  const auto line = read({"import", "--help"});
  REQUIRE_FALSE(line);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GRIDWHISTLE_SAMPLE_DATA)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".csv") && !name.ends_with(".toml") && !name.ends_with(".geojson"))
      continue;
    CAPTURE(name);
    CHECK(line.error().text.find(name + " ") != std::string::npos);
    ++files;
  }
  CHECK(files == 7);
}

TEST_CASE("A command that there is not is named, with the way to those there are") {
  for (const auto& words : {std::vector<std::string>{"foo"}, {"--json", "foo"}}) {
    const auto line = read(words);
    REQUIRE(!line);
    CHECK(line.error().exit_code == 2);
    CHECK(line.error().text == "there is no command foo; gridwhistle-server --help lists them all");
  }
  const auto line = read({"queue", "lst"}, Language::kChinese);
  REQUIRE(!line);
  CHECK(line.error().text ==
        "没有命令 lst；是不是 list？全部命令见 gridwhistle-server queue --help");
}

TEST_CASE("A word that is no text is refused before anything is done with it, and named") {
  for (const auto& words :
       {std::vector<std::string>{"enrol", "\xff"}, {"--by", "\xff", "status"}}) {
    CHECK(exit_code(words) == 2);
    CHECK(read(words).error().text.find("UTF-8") != std::string::npos);
  }
  CHECK(read({"act", "N1", "comment", "--note", "\xfe"})
            .error()
            .text.starts_with("the value of --note is not text"));
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
