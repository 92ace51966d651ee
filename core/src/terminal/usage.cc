#include "terminal/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "terminal/spelling.h"

namespace gridwhistle::terminal {
namespace {

constexpr char kTypedWrong[] = "typed wrong";

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += std::string(text.empty() ? "" : between) + word;
  return text;
}

/// The command that was typed, with those it belongs to: gw, visit, start.
std::vector<const CLI::App*> typed_commands(const CLI::App& app) {
  std::vector<const CLI::App*> commands = {&app};
  while (!commands.back()->get_subcommands().empty()) {
    commands.push_back(commands.back()->get_subcommands().front());
  }
  return commands;
}

bool stands_in(std::string_view word, std::string_view text) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  };
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) {
      return true;
    }
  }
  return false;
}

/// The options that the parser's English names; it keeps them nowhere else.
std::vector<const CLI::Option*> named_options(const std::vector<const CLI::App*>& commands,
                                              std::string_view english) {
  std::vector<const CLI::Option*> named;
  const auto look = [&](const CLI::App& command) {
    for (const CLI::Option* option : command.get_options()) {
      if (stands_in(option->get_name(), english)) named.push_back(option);
    }
  };
  for (const CLI::App* command : commands) {
    look(*command);
    for (const CLI::App* group :
         command->get_subcommands([](const CLI::App* one) { return one->get_name().empty(); })) {
      look(*group);
    }
  }
  return named;
}

/// A word that stands where a command is wanted and is none, with those it may have been meant for.
std::optional<Line> unknown_command(const CLI::App& app, const CLI::App& at,
                                    const std::string& help) {
  const std::vector<std::string> left = app.remaining(true);
  const auto word =
      std::ranges::find_if(left, [](const std::string& one) { return !one.starts_with('-'); });
  if (word == left.end() || at.get_require_subcommand_min() == 0) return std::nullopt;
  std::vector<std::string> known;
  for (const CLI::App* one : at.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(one->get_name());
  }
  const std::string meant = joined(closest(*word, known), ", ");
  return Line{"没有命令 " + *word + (meant.empty() ? "；" : "；是不是 " + meant + "？") +
                  "全部命令见 " + help,
              "there is no command " + *word +
                  (meant.empty() ? ";" : "; did you mean " + meant + "?") + " " + help +
                  " lists them all"};
}

std::string in_chinese(const CLI::ParseError& wrong, const CLI::App& app,
                       const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> names;
  std::vector<std::string> given;
  for (const CLI::Option* option : options) {
    names.push_back(option->get_name());
    given.insert(given.end(), option->results().begin(), option->results().end());
  }
  const std::string name = joined(names, "、");
  const std::string value = given.empty() ? "" : "：" + joined(given, " ");
  if (dynamic_cast<const CLI::ExtrasError*>(&wrong)) {
    return "多余的内容：" + joined(app.remaining(true), " ");
  }
  if (dynamic_cast<const CLI::RequiredError*>(&wrong)) {
    if (names.empty()) return "缺少命令";
    return names.size() == 1 ? "缺少 " + name : "须写其中一个，且只写一个：" + name;
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&wrong)) return name + " 的值缺少或过多" + value;
  if (dynamic_cast<const CLI::ConversionError*>(&wrong)) return name + " 的值不能识别" + value;
  if (dynamic_cast<const CLI::ValidationError*>(&wrong)) return name + " 的值不在允许之列" + value;
  return "命令写得不对：" + std::string(wrong.what());
}

}  // namespace

Line usage_line(const CLI::App& app, const CLI::ParseError& wrong) {
  const std::vector<const CLI::App*> commands = typed_commands(app);
  std::string help;
  for (const CLI::App* command : commands) help += command->get_name() + " ";
  help += "--help";
  if (auto unknown = unknown_command(app, *commands.back(), help)) return std::move(*unknown);
  const std::string english = wrong.what();
  return {in_chinese(wrong, app, named_options(commands, english)) + "；写法见 " + help,
          english + "; " + help + " says how to type it"};
}

std::optional<Line> no_text_line(const std::vector<std::string>& words) {
  const auto bad = std::ranges::find_if_not(words, is_text);
  if (bad == words.end()) return std::nullopt;
  const bool of_option = bad != words.begin() && std::prev(bad)->starts_with("--");
  const std::string place = std::to_string(bad - words.begin() + 1);
  const Line which = of_option ? Line{*std::prev(bad) + " 的值", "the value of " + *std::prev(bad)}
                               : Line{"第 " + place + " 个词", "word " + place + " of the line"};
  return Line{which.zh + "不是 UTF-8 文字；请检查终端的字符编码",
              which.en + " is not text in UTF-8; see which encoding the terminal has"};
}

std::unexpected<Error> typed_wrong(std::string message) {
  return fail(ErrorCode::kInvalid, std::move(message), kTypedWrong);
}

bool is_typed_wrong(const Error& error) { return error.detail == kTypedWrong; }

}  // namespace gridwhistle::terminal
