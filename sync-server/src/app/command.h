#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// Commands as values: what was typed, taken apart. command_line.h reads them.
namespace gridwhistle::app {

struct InitCommand {
  std::string folder;
  std::string county;
  std::string public_address;
};
struct ServeCommand {};
struct RestoreCommand {
  std::string backup;
  bool replace = false;
};
struct ImportCommand {
  std::vector<std::string> paths;
  bool dry_run = false;
};
struct ImportBundleCommand {
  std::string path;
};
struct EnrolCommand {
  std::string worker;
};
struct RevokeCommand {
  std::string device;
  bool left = false;
  bool lost = false;
};
struct DevicesCommand {
  bool silent = false;
};
struct GridSplitCommand {
  std::string grid;
  std::vector<std::string> into;
  std::string rest;
  std::vector<std::string> workers;  ///< "WG001=440811001001002"
  bool dry_run = false;
};
struct GridMergeCommand {
  std::vector<std::string> grids;
  std::string into;
  bool dry_run = false;
};
struct HandoverCommand {
  std::string from;
  std::string to;
  std::vector<std::string> grids;  ///< empty: all of them
};
struct QueueListCommand {};
struct QueueAssignCommand {
  std::string whistle;
  std::string lead;
  std::vector<std::string> co;
};
struct InboxCommand {
  std::string organisation;
};
struct ActCommand {
  std::string whistle;
  std::string action;
  std::string actor;
  std::string organisation;  ///< acts for it; empty: the actor's own
  std::string part_of;       ///< the called organisation whose part it is about; empty: found
  std::string note;
  std::string lead;
  std::vector<std::string> co;
  std::string item;
  std::string other;
  std::string until;
  std::string level;
  std::string whistle_class;
  std::string result;
  std::string reason;
  bool on_site = false;
};
struct ReviewListCommand {};
struct ReviewShowCommand {
  std::uint64_t number = 0;
  std::string purpose;
};
struct ReviewAcceptCommand {
  std::uint64_t number = 0;
};
struct ReviewReturnCommand {
  std::uint64_t number = 0;
  std::string reason;
};
struct ReviewDoneCommand {
  std::uint64_t number = 0;
};
struct ExplainCommand {
  std::string whistle;
};
struct ForgetCommand {
  std::vector<std::string> records;
  bool yes = false;
};
struct RetentionCommand {
  bool yes = false;
};
struct StatusCommand {};
struct VerifyCommand {};
struct ExportCommand {
  std::string purpose;
};
struct BackupCommand {
  std::string path;  ///< empty: a new file in the configured folder
};

/// Commands about a county that exists, which the running server can run as well.
using CountyCommand =
    std::variant<ImportCommand, ImportBundleCommand, EnrolCommand, RevokeCommand, DevicesCommand,
                 GridSplitCommand, GridMergeCommand, HandoverCommand, QueueListCommand,
                 QueueAssignCommand, InboxCommand, ActCommand, ReviewListCommand, ReviewShowCommand,
                 ReviewAcceptCommand, ReviewReturnCommand, ReviewDoneCommand, ExplainCommand,
                 ForgetCommand, RetentionCommand, StatusCommand, VerifyCommand, ExportCommand,
                 BackupCommand>;

/// Commands that are run where they are typed.
using LocalCommand = std::variant<InitCommand, ServeCommand, RestoreCommand>;

/// A whole command line.
struct CommandLine {
  std::variant<LocalCommand, CountyCommand> command;
  std::string config;
  std::string language;  ///< "zh", "en", or empty: the terminal's
  std::string by;        ///< who asks, for the audit; empty: the account
  bool json = false;
};

/// Files by the name they have in the arguments.
using Files = std::map<std::string, std::string>;

}  // namespace gridwhistle::app
