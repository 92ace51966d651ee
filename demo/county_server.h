#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "child.h"

namespace gridwhistle::demo {

/// The county's server: the shipped program in a process of its own, and the operator's commands to
/// it, as an operator would type them. One thread.
class CountyServer {
 public:
  /// `program` is gridwhistle-server; `folder` will hold the county and does not exist.
  CountyServer(std::string program, std::string folder);

  /// init, and a configuration that listens at a free port of this machine alone.
  Result<void> init();
  /// Starts serving and waits until it answers.
  Result<void> start();
  /// SIGKILL, in the middle of whatever it does.
  void kill();
  /// SIGTERM; it ends by itself. kInternal: with another exit code than 0.
  Result<void> stop();

  /// An operator's command; its standard output. kInternal: another exit code than 0.
  Result<std::string> command(std::vector<std::string> words);
  /// The same with --json, an object a line.
  Result<std::vector<nlohmann::json>> json_command(std::vector<std::string> words);

  int port() const { return port_; }
  std::string database() const { return folder_ + "/data/county.db"; }

 private:
  std::vector<std::string> with_config(std::vector<std::string> words) const;

  std::string program_;
  std::string folder_;
  int port_ = 0;
  std::unique_ptr<Child> process_;
};

}  // namespace gridwhistle::demo
