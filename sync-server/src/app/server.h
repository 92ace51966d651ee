#pragma once

#include <memory>

#include "app/config.h"
#include "app/log.h"
#include "gridwhistle/status.h"

namespace gridwhistle::app {

/// A running server: the county's thread, the phones' door, the operators' socket, backups and
/// figures.
class Server {
 public:
  /// Opens the county and serves. `config` and `log` outlive it.
  ///
  /// Errors: kLocked (a server or a command has the file), kUnavailable (an address is taken), and
  /// those of County::open.
  static Result<std::unique_ptr<Server>> start(const ServerConfig& config, const Log& log);

  virtual ~Server() = default;

  /// The port phones reach it at.
  virtual int port() const = 0;

  /// What is to be done now and then: backups, warnings. Call every few seconds.
  virtual void tick() = 0;

  /// Takes no new calls, applies what came, ends the calls, closes the file. Nothing acknowledged
  /// or received whole is lost. Blocks, some seconds at most.
  virtual void stop() = 0;
};

}  // namespace gridwhistle::app
