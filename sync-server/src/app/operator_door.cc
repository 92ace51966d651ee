#include "app/operator_door.h"

#include "app/command_line.h"

namespace gridwhistle::app {

Language language_of(std::string_view wanted) {
  return wanted.starts_with("zh") ? Language::kChinese : Language::kEnglish;
}

rpc::AdminHandler operator_handler(CountyThread& thread, Clock& clock, ServerConfig config,
                                   std::string key_sha256) {
  return [&thread, &clock, config = std::move(config), key_sha256 = std::move(key_sha256)](
             const rpc::AdminCommand& typed, const rpc::AdminOutput& out) {
    const Output direct{out.out, out.err, language_of(typed.language)};
    const auto line = parse_command_line(typed.arguments, direct.language);
    if (!line) return tell(line.error(), direct);
    const auto* command = std::get_if<CountyCommand>(&line->command);
    if (!command) {
      direct.err("gridwhistle-server: " +
                 std::string(direct.say("this command is not for a running server",
                                        "运行中的服务器不执行此命令")) +
                 "\n");
      return static_cast<int>(ExitCode::kUsage);
    }
    // The county's thread must not wait for a slow reader, so it writes into memory.
    std::vector<std::pair<bool, std::string>> pieces;
    const auto keep = [&pieces](bool to_err) {
      return [&pieces, to_err](std::string_view text) {
        if (pieces.empty() || pieces.back().first != to_err) pieces.emplace_back(to_err, "");
        pieces.back().second += text;
      };
    };
    const Output output{keep(false), keep(true),
                        language_of(line->language.empty() ? typed.language : line->language),
                        line->json};
    const ExitCode exit_code = thread.call([&](County& county) {
      const Surroundings surroundings{config, key_sha256, typed.working_directory, line->by,
                                      clock.now().wall_ms};
      return run(county, *command, typed.files, surroundings, output);
    });
    for (const auto& [to_err, text] : pieces) (to_err ? out.err : out.out)(text);
    return static_cast<int>(exit_code);
  };
}

}  // namespace gridwhistle::app
