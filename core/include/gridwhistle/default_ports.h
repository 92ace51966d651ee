#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gridwhistle/ports.h"
#include "gridwhistle/status.h"

// One of each door, for a process on a desktop, a server or a phone's command line. A phone's app
// passes its own keystore and run loop instead.
namespace gridwhistle {

/// The machine's clocks (CLOCK_REALTIME, CLOCK_BOOTTIME).
std::unique_ptr<Clock> system_clock();

/// OpenSSL's generator. A machine that cannot give random bytes stops the process: ids and keys
/// must never be guessable.
std::unique_ptr<Random> system_random();

/// P-256 keys in files (PKCS#8, PEM, mode 0600), made at the first use and never replaced: the first
/// at `path`, others beside it with their name appended. The folder must exist. Several processes
/// may share the files.
std::unique_ptr<SecretStore> file_secret_store(std::string path);

/// An executor the host drives from a thread of its own. Tasks left over when it is destroyed are
/// dropped without running.
class RunLoop : public Executor {
 public:
  /// Runs tasks, waiting for more, until `stop`. One thread at a time.
  virtual void run() = 0;
  /// As `run`, at most so long. True: stopped; false: the time is over.
  virtual bool run_for(std::chrono::milliseconds time) = 0;
  /// Any thread. The task that is running ends first; `run` may be called again.
  virtual void stop() = 0;
};
std::unique_ptr<RunLoop> run_loop();

/// An executor with a thread of its own. Destroying it, never from one of its own tasks, waits for
/// the task that runs and drops the others.
std::unique_ptr<Executor> thread_executor();

/// Where the server is and who it is; all of it stands in the enrolment code.
struct ServerAddress {
  std::string host_and_port;  ///< "sync.example.gov.cn:7443", "127.0.0.1:7443", "[::1]:7443"
  std::string key_sha256;     ///< SHA-256 of the server's public key (SPKI), 32 bytes
};

struct TransportOptions {
  /// How long reaching the server may take: name, TCP, TLS and its first HTTP/2 frame.
  std::chrono::milliseconds connect_timeout{10'000};
  /// How long an `enrol` may take, connecting included.
  std::chrono::milliseconds enrol_timeout{30'000};
  /// A call that hears nothing for so long asks the server whether it still lives. Short values
  /// keep a phone's radio awake.
  std::chrono::milliseconds keepalive{120'000};
  /// How long the server may take to answer that, and how long sent bytes may stay unconfirmed.
  std::chrono::milliseconds keepalive_timeout{20'000};
  /// A connection without calls is closed after so long.
  std::chrono::milliseconds idle_timeout{300'000};
  /// The largest frame either way, 0 for the protocol's own limit; a larger one ends its call with
  /// kTooLarge.
  std::size_t frame_bytes_max = 0;
};

/// gRPC over TLS to the server whose key is pinned. Certificates' names, dates and issuers mean
/// nothing, and the system's authorities are not asked. Whoever answers with another key gets
/// nothing but the end of the connection, and the call ends with kWrongServerKey.
///
/// Opens no connection before the first call; keeps one, which all calls share; opens no other in
/// the background when it breaks. `executor` outlives the transport, and the transport its calls;
/// all three are destroyed on the executor's thread or when it runs no more. Destroying the
/// transport waits, some milliseconds at most, for the network to let go of calls that were
/// cancelled.
///
/// kInvalid: the key's hash does not have 32 bytes, or there is no address.
Result<std::unique_ptr<Transport>> grpc_transport(ServerAddress server, Executor& executor,
                                                  TransportOptions options = {});

}  // namespace gridwhistle
