#include "app/init.h"

#include <sys/stat.h>

#include <filesystem>

#include "app/command_line.h"
#include "app/listing.h"
#include "base/durable_file.h"
#include "base/line.h"
#include "base/sha256.h"
#include "rpc/server_identity.h"
#include "schema/tables.h"
#include "storage/open.h"

namespace gridwhistle::app {
namespace {

namespace fs = std::filesystem;

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  if (error) return fail(ErrorCode::kIo, about(path, error.message()));
  return {};
}

Result<std::string> make_county(const ServerConfig& config, const std::string& config_path,
                                const std::string& text) {
  if (auto made = make_folder(config.data_folder); !made) return std::unexpected(made.error());
  // The configuration comes last: while it is missing, `init` can be run again.
  const auto created = create_sqlite_storage(config.database_path(), config.county, built_schema());
  if (!created && created.error().code != ErrorCode::kAlreadyExists) {
    return std::unexpected(created.error());
  }
  const auto identity = rpc::load_or_make_identity(config.key_path());
  if (!identity) return std::unexpected(identity.error());
  if (auto written = create_private_file(config_path, text); !written) {
    return std::unexpected(written.error());
  }
  return identity->key_sha256;
}

/// The configuration takes what was typed or it does not; whoever typed it never saw the file.
ExitCode typed_wrong(const InitCommand& command, const Output& output) {
  const bool county = parse_config("", default_config(command.county, "")).has_value();
  const std::string_view what =
      county ? output.say("--public must be a name and a port, like sync.example:7443",
                          "--public 须为主机名和端口，如 sync.example:7443")
             : output.say("--county must be a county's six digits", "--county 须为县区的六位数字");
  tell({static_cast<int>(ExitCode::kUsage), std::string(what), output.json}, output);
  return ExitCode::kUsage;
}

}  // namespace

ExitCode run_init(const InitCommand& command, const Output& output) {
  const std::string folder = command.folder.empty() ? "." : command.folder;
  const std::string config_path = (fs::path(folder) / "gridwhistle.toml").string();
  std::error_code ignored;
  if (fs::exists(config_path, ignored)) {
    return output.fail({ErrorCode::kAlreadyExists,
                        both(config_path + " 已经存在", config_path + " is there already"),
                        {}});
  }
  const std::string text = default_config(command.county, command.public_address);
  const auto config = parse_config(config_path, text);
  if (!config) return typed_wrong(command, output);
  fs::create_directories(folder, ignored);
  const auto key = make_county(*config, config_path, text);
  if (!key) return output.fail(key.error());
  Sheet sheet;
  sheet.add({"config", "Configuration", "配置"}, text_value(config_path));
  sheet.add({"database", "Database", "数据库"}, text_value(config->database_path()));
  sheet.add({"key_sha256", "Server key", "服务器密钥"}, text_value(to_hex(*key)));
  sheet.print(output);
  // Commands look for the configuration where they are typed; these work from here.
  const std::string program =
      folder == "." ? "gridwhistle-server" : "gridwhistle-server -c " + config_path;
  output.line("Next: `" + program + " import LISTS`, then `" + program +
                  " serve`. LISTS is the folder of the county's lists.",
              "下一步：" + program + " import 清单目录，然后 " + program + " serve。");
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app
