#include "terminal/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "base/line.h"
#include "terminal/columns.h"

using namespace gridwhistle;

namespace {

struct Program {
  CLI::App app{both("一个小程序", "A small program"), "gw"};
  std::string word, grid;
  int limit = 50;
  bool day = false;

  explicit Program(bool chinese) {
    terminal::add_help(app, chinese);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--lang", word, both("语言", "the language"))
        ->check(CLI::IsMember({"zh", "en"}));
    CLI::App* list = app.add_subcommand("list", both("列表", "a list"));
    list->add_option("grid", grid, both("网格", "the grid"))->required();
    list->add_option("--limit", limit, both("最多多少条", "at most so many"))
        ->capture_default_str();
    CLI::App* when = list->add_option_group("when");
    when->require_option(1);
    when->add_flag("--day", day, both("白天", "by day"));
    terminal::add_examples(*list, {"gw list G1"});
    app.footer(both("结束语", "the end"));
  }

  std::string said(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    std::ostringstream out;
    try {
      app.parse(words);
    } catch (const CLI::ParseError& error) {
      app.exit(error, out, out);
    }
    return out.str();
  }
};

}  // namespace

TEST_CASE("Help is in the language of its reader, the parser's own words too") {
  CHECK(Program(true).said({"list", "--help"}) ==
        "列表\n\n用法：gw list [选项] grid\n\n参数\n  grid  网格\n\n须写其中一个\n  --day  白天\n\n"
        "选项\n  --limit 数字=50  最多多少条\n\n"
        "各命令通用：--help、--version、--lang；见 gw --help\n\n例\n  gw list G1\n");
  CHECK(Program(false).said({"list", "--help"}) ==
        "a list\n\nUsage: gw list [OPTIONS] grid\n\nArguments\n  grid  the grid\n\n"
        "One of these is needed\n  --day  by day\n\n"
        "Options\n  --limit NUMBER=50  at most so many\n\n"
        "With every command: --help, --version, --lang; see gw --help\n\nExamples\n  gw list G1\n");
}

TEST_CASE("The program's help lists its options, its commands and its last words") {
  CHECK(Program(false).said({"--help"}) ==
        "A small program\n\nUsage: gw [OPTIONS] COMMAND\n\nOptions\n  -h,--help       this help\n"
        "  --version       the program's version\n  --lang {zh,en}  the language\n\n"
        "Commands\n  list  a list\n\nthe end\n");
}

TEST_CASE("The version is told, with a command too") {
  CHECK(Program(true).said({"--version"}) == terminal::name_and_version("gw") + "\n");
  CHECK(Program(true).said({"list", "G1", "--day", "--version"}) ==
        terminal::name_and_version("gw") + "\n");
}

TEST_CASE("A long description goes on below itself, and a Chinese list breaks behind a word") {
  Program program(true);
  std::string many;
  for (int i = 0; i < 20; ++i) many += (i == 0 ? "" : "、") + std::string("check_in 报到");
  program.app.add_option("--action", program.word, both(many, "x"));
  std::istringstream help(program.said({"--help"}));
  int lines = 0;
  for (std::string line; std::getline(help, line);) {
    if (line.find("报到") == std::string::npos) continue;
    ++lines;
    CHECK(terminal::width_of(line) <= 100);
    CHECK((line.ends_with("报到、") || line.ends_with("报到")));
  }
  CHECK(lines == 4);
}

TEST_CASE("What is described in one language is found, wherever in the program it stands") {
  Program program(true);
  CHECK(terminal::described_in_one_language(program.app).empty());
  CLI::App* list = program.app.get_subcommand("list");
  list->add_option("--near", program.word, "a place");
  program.app.add_subcommand("show", "一条");
  CHECK(terminal::described_in_one_language(program.app) ==
        std::vector<std::string>{"gw list --near", "gw show"});
}
