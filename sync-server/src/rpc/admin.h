#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gridwhistle/status.h"

// Operators' commands over a Unix socket that only the server's own account can open.
namespace gridwhistle::rpc {

/// A command as it was typed.
struct AdminCommand {
  std::vector<std::string> arguments;  ///< after the program's name
  std::string working_directory;       ///< where relative paths to be written start
  std::map<std::string, std::string>
      files;             ///< contents by the name in the arguments; "-": piped in
  std::string language;  ///< "zh" or "en"
};

/// Where a command's output goes, piece by piece, in UTF-8. While the command runs; its thread.
struct AdminOutput {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
};

/// Runs a command and gives its exit code. One at a time, on a thread that may block.
using AdminHandler = std::function<int(const AdminCommand&, const AdminOutput&)>;

/// The socket. Destroying it waits for the command that runs, and removes the file.
class AdminServer {
 public:
  /// Listens at a path of at most 107 bytes; the file gets mode 0600. Whatever socket is there is
  /// taken for a dead server's: whoever calls this holds the database's lock.
  ///
  /// Errors: kInvalid (the path is too long or empty), kUnavailable (cannot listen there).
  static Result<std::unique_ptr<AdminServer>> start(const std::string& socket_path,
                                                    AdminHandler handler);
  virtual ~AdminServer() = default;
};

/// Has the server at that socket run a command, and gives its exit code. Blocks until it ends.
///
/// Errors: kUnavailable (no server listens there: run the command on the file instead), kProtocol
/// (it stopped in the middle of the command).
Result<int> run_over_socket(const std::string& socket_path, const AdminCommand& command,
                            const AdminOutput& output);

}  // namespace gridwhistle::rpc
