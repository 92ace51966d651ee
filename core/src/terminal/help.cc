#include "terminal/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "base/line.h"
#include "terminal/columns.h"

namespace gridwhistle::terminal {
namespace {

/// The left column is as wide as what stands in it, up to this; a longer line breaks after it.
constexpr std::size_t kLeftColumnsMax = 30;
constexpr std::size_t kColumns = 100;

using Rows = std::vector<std::pair<std::string, std::string>>;

bool is_group(const CLI::App& app) { return app.get_name().empty(); }

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* one) { return !is_group(*one); });
}

std::vector<const CLI::App*> groups_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* one) { return is_group(*one); });
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* one) { return one->get_positional(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* one) { return one->nonpositional(); });
}

/// The program that a command belongs to, whose options stand everywhere.
const CLI::App& program_of(const CLI::App& app) {
  const CLI::App* top = &app;
  while (top->get_parent() != nullptr) top = top->get_parent();
  return *top;
}

/// The first part of a text after which a line may break: a space, but in a Chinese list only
/// behind one of its words.
std::string take_part(std::string& text) {
  const std::string_view list_mark = "、";
  std::size_t end = text.size();
  for (const std::string_view mark : {text.contains(list_mark) ? list_mark : std::string_view(" "),
                                      std::string_view("；"), std::string_view("，")}) {
    const std::size_t at = text.find(mark);
    if (at != std::string::npos) end = std::min(end, at + mark.size());
  }
  std::string part = text.substr(0, end);
  text.erase(0, end);
  return part;
}

/// A text in lines that leave room for `before` on the left.
std::string wrapped(std::string text, std::size_t before) {
  std::string lines;
  std::size_t at = before;
  while (!text.empty()) {
    const std::string part = take_part(text);
    if (at > before && at + width_of(part) > kColumns) {
      if (lines.ends_with(' ')) lines.pop_back();
      lines += "\n" + std::string(before, ' ');
      at = before;
    }
    lines += part;
    at += width_of(part);
  }
  return lines;
}

class Help : public CLI::FormatterBase {
 public:
  explicit Help(bool chinese) : chinese_(chinese) {
    if (!chinese) return;
    for (const auto& [english, word] :
         {std::pair{"TEXT", "文字"}, {"FILE", "文件"}, {"NAME", "名称"}, {"NUMBER", "数字"}}) {
      label(english, word);
    }
  }

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    std::string help = half(app->get_description()) + "\n\n" + usage(*app, name);
    help += section(say("参数", "Arguments"), rows(arguments_of(*app)));
    for (const CLI::App* group : groups_of(*app)) {
      help += section(say("须写其中一个", "One of these is needed"), rows(own_options(*group)));
    }
    help += section(say("选项", "Options"), rows(own_options(*app)));
    help += section(say("命令", "Commands"), commands(*app));
    help += everywhere(*app);
    if (!app->get_footer().empty()) help += "\n" + half(app->get_footer()) + "\n";
    return help;
  }

 private:
  std::string say(const char* chinese, const char* english) const {
    return chinese_ ? chinese : english;
  }
  std::string half(const std::string& words) const { return half_of(words, chinese_); }

  std::string usage(const CLI::App& app, const std::string& name) const {
    std::string line = say("用法：", "Usage: ") + name;
    if (!own_options(app).empty() || !groups_of(app).empty()) line += say(" [选项]", " [OPTIONS]");
    for (const CLI::Option* one : arguments_of(app)) {
      const std::string word = one->get_name(true) + (one->get_expected_max() > 1 ? "..." : "");
      line += one->get_required() ? " " + word : " [" + word + "]";
    }
    if (!commands_of(app).empty()) {
      const std::string word = say("命令", "COMMAND");
      line += app.get_require_subcommand_min() > 0 ? " " + word : " [" + word + "]";
    }
    return line + "\n";
  }

  /// A command's own: --help it has from the program.
  std::vector<const CLI::Option*> own_options(const CLI::App& app) const {
    std::vector<const CLI::Option*> options = options_of(app);
    if (app.get_parent() != nullptr) std::erase(options, app.get_help_ptr());
    return options;
  }

  /// "--limit NUMBER=50", "--lang {zh,en}".
  std::string left_of(const CLI::Option& option) const {
    if (option.get_positional()) return option.get_name(true);
    std::string text = option.get_name(false, true);
    const std::string type = option.get_type_name();
    if (!type.empty()) {
      const std::size_t checked = type.find(':');
      text += " " +
              (checked == std::string::npos ? get_label(word_for(type)) : type.substr(checked + 1));
      if (!option.get_default_str().empty()) text += "=" + option.get_default_str();
      if (option.get_expected_max() > 1) text += " ...";
    }
    return text + (option.get_required() ? say(" 必填", " REQUIRED") : "");
  }

  static std::string word_for(const std::string& type) {
    return type == "INT" || type == "UINT" || type == "FLOAT" ? "NUMBER" : type;
  }

  Rows rows(const std::vector<const CLI::Option*>& options) const {
    Rows all;
    for (const CLI::Option* one : options) {
      all.emplace_back(left_of(*one), half(one->get_description()));
    }
    return all;
  }

  Rows commands(const CLI::App& app) const {
    Rows all;
    for (const CLI::App* one : commands_of(app)) {
      all.emplace_back(one->get_name(), half(one->get_description()));
    }
    return all;
  }

  static std::string section(const std::string& heading, const Rows& rows) {
    if (rows.empty()) return "";
    std::size_t width = 0;
    for (const auto& [left, right] : rows) width = std::max(width, width_of(left));
    width = std::min(width, kLeftColumnsMax);
    std::string text = "\n" + heading + "\n";
    for (const auto& [left, right] : rows) {
      text += "  " + padded(left, width);
      if (width_of(left) > width) text += "\n" + std::string(width + 2, ' ');
      text += "  " + wrapped(right, width + 4) + "\n";
    }
    return text;
  }

  std::string everywhere(const CLI::App& app) const {
    const CLI::App& program = program_of(app);
    if (&program == &app) return "";
    std::string names;
    for (const CLI::Option* one : options_of(program)) {
      names += (names.empty() ? "" : say("、", ", ")) + one->get_name();
    }
    return "\n" + say("各命令通用：", "With every command: ") + names + say("；见 ", "; see ") +
           program.get_name() + " --help\n";
  }

  bool chinese_;
};

void look(const CLI::App& app, const std::string& name, std::vector<std::string>& found) {
  const bool has_words = !is_group(app);
  if (has_words && !in_both(app.get_description())) found.push_back(name);
  if (!app.get_footer().empty() && !in_both(app.get_footer())) found.push_back(name + " (footer)");
  for (const CLI::Option* one : app.get_options()) {
    if (!in_both(one->get_description())) found.push_back(name + " " + one->get_name());
  }
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) {
    look(*one, is_group(*one) ? name : name + " " + one->get_name(), found);
  }
}

}  // namespace

void add_help(CLI::App& app, bool chinese) {
  app.formatter(std::make_shared<Help>(chinese));
  app.set_help_flag("-h,--help", both("显示本说明", "this help"));
  app.set_version_flag("--version", name_and_version(app.get_name()),
                       both("显示版本", "the program's version"));
}

void add_examples(CLI::App& app, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  const bool more = !app.get_footer().empty();
  const std::string before = more ? app.get_footer() : both("", "");
  const std::string gap = more ? "\n\n" : "";
  app.footer(followed_by(before, {gap + "例" + text, gap + "Examples" + text}));
}

std::string name_and_version(const std::string& program) {
  return program + " " + GRIDWHISTLE_VERSION;
}

std::vector<std::string> described_in_one_language(const CLI::App& app) {
  std::vector<std::string> found;
  look(app, app.get_name(), found);
  return found;
}

}  // namespace gridwhistle::terminal
