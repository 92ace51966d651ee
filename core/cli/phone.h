#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gridwhistle/client.h"
#include "gridwhistle/default_ports.h"

namespace gridwhistle::cli {

/// Where the phone of this terminal lives and how it speaks.
struct Settings {
  std::string home;     ///< folder of the phone's file and key
  std::string purpose;  ///< why personal data is read; empty: masked
  bool json = false;
  bool chinese = true;
};

/// A phone in a folder: its file, its key, its clocks and its run loop. The loop runs in this
/// program's main thread, and only while a command waits for the network.
class Phone {
 public:
  /// Makes the folder (mode 0700) when it does not exist.
  ///
  /// With `reads_only` a file that another program has, or that cannot be written, is opened for
  /// reading alone; `why_read_only` tells why.
  static Result<std::unique_ptr<Phone>> open(const Settings& settings, bool reads_only);

  /// Goes on from a damaged file; see Client::salvage.
  static Result<Salvage> salvage(const Settings& settings);

  const std::optional<Error>& why_read_only() const { return why_read_only_; }

  Client& client() { return *client_; }
  RunLoop& loop() { return *loop_; }
  Clock& clock() { return *clock_; }

 private:
  Phone() = default;
  ClientOptions make_doors(const Settings& settings);

  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<SecretStore> secrets_;
  std::unique_ptr<RunLoop> loop_;
  std::unique_ptr<Client> client_;
  std::optional<Error> why_read_only_;
};

/// The folder when none is given: $GRIDWHISTLE_HOME, else ~/.gridwhistle.
std::string default_home();

}  // namespace gridwhistle::cli
