#include "terminal/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <catch2/catch.hpp>

using gridwhistle::Line;

namespace {

/// What a small program says to these words.
Line said(std::vector<std::string> words) {
  CLI::App app("", "gw");
  app.require_subcommand(1);
  app.fallthrough();
  std::string language;
  app.add_option("--lang", language)->check(CLI::IsMember({"zh", "en"}));
  CLI::App* visit = app.add_subcommand("visit");
  visit->require_subcommand(1);
  CLI::App* start = visit->add_subcommand("start");
  std::string grid;
  int minutes = 0;
  bool day = false;
  bool night = false;
  start->add_option("grid", grid)->required();
  start->add_option("--minutes", minutes);
  CLI::App* when = start->add_option_group("when");
  when->require_option(0, 1);
  when->add_flag("--day", day);
  when->add_flag("--night", night);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& wrong) {
    return gridwhistle::terminal::usage_line(app, wrong);
  }
  return {};
}

}  // namespace

TEST_CASE("What is typed wrong is told in Chinese with its option, and which help to read") {
  const std::string help = "；写法见 gw visit start --help";
  CHECK(said({"visit", "start"}).zh == "缺少 grid" + help);
  CHECK(said({"visit", "start", "G1", "G2"}).zh == "多余的内容：G2" + help);
  CHECK(said({"visit", "start", "G1", "--colour", "red"}).zh == "多余的内容：--colour red" + help);
  CHECK(said({"visit", "start", "G1", "--minutes", "many"}).zh ==
        "--minutes 的值不能识别：many" + help);
  CHECK(said({"visit", "start", "G1", "--minutes"}).zh == "--minutes 的值缺少或过多" + help);
  CHECK(said({"--lang", "fr", "visit", "start", "G1"}).zh == "--lang 的值不在允许之列：fr" + help);
  CHECK(said({"visit", "start", "G1", "--day", "--night"}).zh ==
        "须写其中一个，且只写一个：--day、--night" + help);
  CHECK(said({"visit"}).zh == "缺少命令；写法见 gw visit --help");
  CHECK(said({}).zh == "缺少命令；写法见 gw --help");
}

TEST_CASE("In English the parser's own words are kept, and which help to read is told, too") {
  CHECK(said({"visit", "start"}).en ==
        "grid is required; gw visit start --help says how to type it");
  CHECK(said({"visit", "start", "G1", "--minutes", "many"})
            .en.starts_with("Could not convert: --minutes = many; gw visit start --help"));
}

TEST_CASE("A word that is no command is told with those it may have been meant for") {
  CHECK(said({"vist"}).zh == "没有命令 vist；是不是 visit？全部命令见 gw --help");
  CHECK(said({"visit", "stat"}).en ==
        "there is no command stat; did you mean start? gw visit --help lists them all");
  CHECK(said({"fly"}).en == "there is no command fly; gw --help lists them all");
}

TEST_CASE("A word that is no text is named by its option or its place") {
  using gridwhistle::terminal::no_text_line;
  CHECK_FALSE(no_text_line({"visit", "start", "--grid", "网格"}));
  CHECK(no_text_line({"search", "\xff"})->zh.starts_with("第 2 个词不是 UTF-8 文字"));
  CHECK(no_text_line({"search", "\xff"})->en.starts_with("word 2 of the line is not text"));
  CHECK(no_text_line({"whistle", "--title", "a\xff"})->zh.starts_with("--title 的值不是"));
}
