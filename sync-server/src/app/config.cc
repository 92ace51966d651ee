#include "app/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

namespace gridwhistle::app {
namespace {

constexpr char kDefault[] =
    R"(# Configuration of a Gridwhistle county server. A key left out has the value it has here.
# `gridwhistle-server status` says which file is in use.

# The county's six digits. They stand in its file and can never change.
county = "@COUNTY@"

# The county's file, the server's key and the operators' socket. A relative folder begins where this
# file lies. Only the server's own account may read it.
data_folder = "data"

[listen]
# Where phones reach this server: an address and a port of this machine.
address = "0.0.0.0:7443"
# What phones are told: a name or address they can reach, and the port. It goes into enrolment codes.
public_address = "@PUBLIC@"
# Calls open at a time. One more is asked to come back later.
streams_max = 20000
# Figures for Prometheus over HTTP, on this machine only, "127.0.0.1:9464". Empty: none.
metrics = ""

[backup]
# Where backups go. Another disk than the data's, or a broken disk takes both.
folder = "backup"
# While serving, a backup is made every so many hours; 0 turns it off.
every_hours = 24
# So many are kept, the newest.
keep = 20
# Any of so many of the last backups may be restored without losing a phone's work: phones keep what
# they recorded until so many have it, a few hundred bytes a record and each picture. 1: only the newest.
restorable = 20
# true, if whatever this server has written lies on several machines at once, whichever of them fails:
# phones then keep nothing for a backup, and restoring one loses what came after it.
replicated = false
# And none that is older than so many days, but for the newest: what was forgotten stands in them until
# they go. 0: however old.
days = 30
# A file whose first line is a passphrase of 12 characters or more. With it each backup is followed by
# the server's key, encrypted. Without it, keep data/server-key.pem somewhere else yourself: a server
# that has lost its key is a stranger to every phone.
passphrase_file = ""

[devices]
# A phone not heard of for so long is listed as silent.
silent_after_hours = 72
# What one phone may send, in operations and in bytes; more waits on it, and it says for how long. Far more
# than anybody records: this is for an app run wild.
operations_an_hour = 200000
operations_a_day = 1000000
bytes_an_hour = 134217728
bytes_a_day = 536870912
# So many whistles an hour go all the same.
whistles_an_hour = 2000

[retention]
# While serving, the server deletes for good once a day what may not be kept any longer, so many days
# after its reason to be kept has ended, and after what somebody erased was erased. 0: never.
# `gridwhistle-server retention` says how much is due.
# Who reported a whistle: after it was closed.
contact_days = 365
# Residents and households: after they moved out.
personal_days = 90
# Care of a resident: after the service ended.
care_days = 30

[log]
# "text" for people, "json" for programs: one object a line. Never holds personal data.
format = "text"
# "debug", "info", "warn" or "error".
level = "info"
)";

constexpr std::int64_t kQuotaMax = std::int64_t{1} << 40;

bool is_county(std::string_view text) {
  return text.size() == 6 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "host:port", "[::1]:port".
bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.find(' ') != text.npos) return false;
  const std::string_view port = text.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return digits && std::stoi(std::string(port)) <= 65535;
}

bool is_loopback(std::string_view text) {
  return text.starts_with("127.") || text.starts_with("localhost:") || text.starts_with("[::1]:");
}

class Parser {
 public:
  // What is read goes into `config`.
  Parser(const std::string& path, ServerConfig& config) : path_(path) {
    text("county", config.county, is_county,
         {"须为县区的六位数字", "must be a county's six digits"});
    text("data_folder", config.data_folder, not_empty, {"须写明文件夹", "must name a folder"});
    text("listen.address", config.listen, is_address,
         {"须为地址和端口", "must be an address and a port"});
    text("listen.public_address", config.public_address,
         [](auto v) { return v.empty() || is_address(v); },
         {"须为主机名和端口", "must be a name and a port"});
    number("listen.streams_max", config.streams_max, 1, 1'000'000);
    text("listen.metrics", config.metrics_listen,
         [](auto v) { return v.empty() || (is_address(v) && is_loopback(v)); },
         {"须为只在本机的端口，如 127.0.0.1:9464",
          "must be a port of this machine alone, like 127.0.0.1:9464"});
    text("backup.folder", config.backup_folder, not_empty, {"须写明文件夹", "must name a folder"});
    number("backup.every_hours", config.backup_every_hours, 0, 24 * 7);
    number("backup.keep", config.backup_keep, 1, 10'000);
    number("backup.restorable", config.backup_restorable, 1, 1'000);
    flag("backup.replicated", config.replicated);
    number("backup.days", config.backup_days, 0, 36'500);
    text("backup.passphrase_file", config.passphrase_file, [](auto) { return true; },
         {"须为文件", "is a file"});
    number("devices.silent_after_hours", config.silent_after_hours, 1, 24 * 365);
    number("devices.operations_an_hour", config.quotas.operations_an_hour, 1, kQuotaMax);
    number("devices.operations_a_day", config.quotas.operations_a_day, 1, kQuotaMax);
    number("devices.bytes_an_hour", config.quotas.bytes_an_hour, 1, kQuotaMax);
    number("devices.bytes_a_day", config.quotas.bytes_a_day, 1, kQuotaMax);
    number("devices.whistles_an_hour", config.quotas.whistles_an_hour, 1, kQuotaMax);
    number("retention.contact_days", config.retention.contact_days, 0, 36'500);
    number("retention.personal_days", config.retention.personal_days, 0, 36'500);
    number("retention.care_days", config.retention.care_days, 0, 36'500);
    text("log.format", config.log_format, [](auto v) { return v == "text" || v == "json"; },
         {"须为 \"text\" 或 \"json\"", "must be \"text\" or \"json\""});
    text("log.level", config.log_level,
         [](auto v) { return v == "debug" || v == "info" || v == "warn" || v == "error"; },
         {"须为 \"debug\"、\"info\"、\"warn\" 或 \"error\"",
          "must be \"debug\", \"info\", \"warn\" or \"error\""});
  }

  void read(const toml::table& table, const std::string& prefix = "") {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (const auto reader = readers_.find(name); reader != readers_.end()) {
        reader->second(node);
      } else if (node.is_table() && is_section(name)) {
        read(*node.as_table(), name + ".");
      } else {
        complain(node, {"没有键 " + name, "unknown key " + name});
      }
    }
  }

  void complain(const toml::node& node, const Line& what) {
    complaints_.push_back({path_, node.source().begin.line, what});
  }

  std::vector<import::Problem>& complaints() { return complaints_; }

 private:
  static bool not_empty(std::string_view text) { return !text.empty(); }

  bool is_section(const std::string& name) const {
    const auto first = readers_.lower_bound(name + ".");
    return first != readers_.end() && first->first.starts_with(name + ".");
  }

  template <typename Good>
  void text(const std::string& name, std::string& target, Good good, const Line& rule) {
    readers_[name] = [this, name, &target, good, rule](const toml::node& node) {
      const auto value = node.value_exact<std::string>();
      if (!value || !good(std::string_view(*value)))
        return complain(node, {name + " " + rule.zh, name + " " + rule.en});
      target = *value;
    };
  }

  void flag(const std::string& name, bool& target) {
    readers_[name] = [this, name, &target](const toml::node& node) {
      const auto value = node.value_exact<bool>();
      if (!value)
        return complain(node, {name + " 须为 true 或 false", name + " must be true or false"});
      target = *value;
    };
  }

  template <typename Int>
  void number(const std::string& name, Int& target, std::int64_t least, std::int64_t most) {
    readers_[name] = [this, name, &target, least, most](const toml::node& node) {
      const auto value = node.value_exact<std::int64_t>();
      if (!value || *value < least || *value > most) {
        const std::string from = std::to_string(least);
        const std::string to = std::to_string(most);
        return complain(node, {name + " 须为 " + from + " 到 " + to + " 之间的整数",
                               name + " must be a whole number from " + from + " to " + to});
      }
      target = static_cast<Int>(*value);
    };
  }

  const std::string& path_;
  std::map<std::string, std::function<void(const toml::node&)>> readers_;
  std::vector<import::Problem> complaints_;
};

void resolve(std::string& folder, const std::string& config_path) {
  const std::filesystem::path base = std::filesystem::path(config_path).parent_path();
  folder = (base / folder).lexically_normal().string();
}

}  // namespace

std::string default_config(std::string_view county, std::string_view public_address) {
  std::string text = kDefault;
  text.replace(text.find("@COUNTY@"), 8, county);
  text.replace(text.find("@PUBLIC@"), 8, public_address);
  return text;
}

std::expected<ServerConfig, std::vector<import::Problem>> parse_config(const std::string& path,
                                                                       std::string_view text) {
  ServerConfig config;
  config.path = path;
  Parser parser(path, config);
  try {
    parser.read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const std::string why(error.description());
    return std::unexpected(std::vector{import::Problem{
        path, error.source().begin.line, {"不是 TOML：" + why, "is not TOML: " + why}}});
  }
  if (config.county.empty() && parser.complaints().empty()) {
    parser.complaints().push_back({path, 0, {"缺少 county", "county is missing"}});
  }
  if (!parser.complaints().empty()) return std::unexpected(std::move(parser.complaints()));
  if (config.public_address.empty()) config.public_address = config.listen;
  resolve(config.data_folder, path);
  resolve(config.backup_folder, path);
  if (!config.passphrase_file.empty()) resolve(config.passphrase_file, path);
  return config;
}

}  // namespace gridwhistle::app
