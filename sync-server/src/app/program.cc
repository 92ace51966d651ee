#include "app/program.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <thread>

#include "app/argument_files.h"
#include "app/command_line.h"
#include "app/faults.h"
#include "app/init.h"
#include "app/log.h"
#include "app/open_county.h"
#include "app/operator_door.h"
#include "app/server.h"
#include "base/durable_file.h"
#include "gridwhistle/default_ports.h"
#include "rpc/admin.h"
#include "terminal/language.h"

namespace gridwhistle::app {
namespace {

constexpr std::size_t kConfigBytes = 1 << 20;

std::optional<ServerConfig> load_config(const CommandLine& line, const Output& output) {
  const std::string path = line.config.empty() ? "gridwhistle.toml" : line.config;
  const auto text = read_small_file(path, kConfigBytes);
  if (!text) {
    Error error = text.error();
    error.message = followed_by(error.message,
                                {"；gridwhistle-server init 可新建，--config 可指明另一个",
                                 "; `gridwhistle-server init` makes one, --config names another"});
    output.fail(error);
    return std::nullopt;
  }
  auto config = parse_config(path, *text);
  if (config) return *config;
  for (const import::Problem& fault : config.error()) output.err(fault_line(fault, output));
  return std::nullopt;
}

/// Who asks, when they do not say: the account, also behind sudo.
std::string account() {
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return "uid:" + std::to_string(getuid());
}

/// A command that is just using the file is no reason not to start.
Result<std::unique_ptr<Server>> start_patiently(const ServerConfig& config, const Log& log) {
  auto server = Server::start(config, log);
  for (int i = 0; i < 15 && !server && server.error().code == ErrorCode::kLocked; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    server = Server::start(config, log);
  }
  return server;
}

ExitCode serve(const ServerConfig& config, const Output& output) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // Before any thread starts, so that all of them leave the signals to this one.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const Log log(config.log_format, config.log_level);
  auto server = start_patiently(config, log);
  if (!server) {
    output.fail(server.error());
    return exit_code_of_opening(server.error().code);
  }
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  do {
    (*server)->tick();
  } while (sigtimedwait(&signals, nullptr, &second) < 0);
  log.info("stopping");
  (*server)->stop();
  return ExitCode::kDone;
}

int over_socket(const ServerConfig& config, std::vector<std::string> arguments, const Files& files,
                const std::string& by, const Output& output) {
  if (std::ranges::find(arguments, "--by") == arguments.end()) {
    arguments.insert(arguments.begin(), {"--by", by});
  }
  const rpc::AdminCommand command{std::move(arguments), std::filesystem::current_path().string(),
                                  files, output.language == Language::kChinese ? "zh" : "en"};
  const auto exit_code =
      rpc::run_over_socket(config.socket_path(), command, {output.out, output.err});
  return exit_code ? *exit_code : static_cast<int>(output.fail(exit_code.error()));
}

int run_on_county(const CommandLine& line, const CountyCommand& command,
                  const std::vector<std::string>& arguments, Output output) {
  const auto config = load_config(line, output);
  if (!config) return static_cast<int>(ExitCode::kConfig);
  output.database = config->database_path();
  const auto files = read_argument_files(command);
  if (!files) return static_cast<int>(output.fail(files.error()));
  const std::string by = line.by.empty() ? account() : line.by;
  auto open = open_county(*config, Opening::kForCommand);
  if (!open && open.error().code == ErrorCode::kLocked) {
    return over_socket(*config, arguments, *files, by, output);
  }
  if (!open) {
    output.fail(open.error());
    return static_cast<int>(exit_code_of_opening(open.error().code));
  }
  const Surroundings surroundings{*config, open->key_sha256,
                                  std::filesystem::current_path().string(), by,
                                  open->clock->now().wall_ms};
  return static_cast<int>(run(*open->county, command, *files, surroundings, output));
}

ExitCode run_local(const CommandLine& line, const LocalCommand& command, Output output) {
  if (const auto* init = std::get_if<InitCommand>(&command)) return run_init(*init, output);
  const auto config = load_config(line, output);
  if (!config) return ExitCode::kConfig;
  output.database = config->database_path();
  if (const auto* backup = std::get_if<RestoreCommand>(&command)) {
    return run_restore(*config, *backup, output, system_clock()->now().wall_ms);
  }
  return serve(*config, output);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const Output& terminal) {
  Output output = terminal;
  output.language = terminal::reads_chinese(arguments) ? Language::kChinese : Language::kEnglish;
  const auto line = parse_command_line(arguments, output.language);
  if (!line) return tell(line.error(), output);
  output.json = line->json;
  if (const auto* local = std::get_if<LocalCommand>(&line->command)) {
    return static_cast<int>(run_local(*line, *local, output));
  }
  return run_on_county(*line, std::get<CountyCommand>(line->command), arguments, output);
}

}  // namespace gridwhistle::app
