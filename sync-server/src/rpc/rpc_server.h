#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/limits.h"
#include "gridwhistle/status.h"
#include "rpc/handler.h"
#include "rpc/server_identity.h"

namespace gridwhistle::rpc {

struct RpcServerOptions {
  /// Port 0 takes a free one.
  std::string listen = "127.0.0.1:0";
  ServerIdentity identity;
  /// Open `Sync` calls at a time; one more is refused with kBusy.
  std::size_t streams_max = 20'000;
  /// Calls at a time on one connection: a phone needs two, a gateway more connections.
  int streams_per_connection_max = 16;
  /// The largest frame either way; a larger one from a phone ends its call with kTooLarge.
  std::size_t frame_bytes_max = limits::kLoneFrameBytes;
  /// A stream with so much queued is not writable until half of it has gone; with `max` it ends.
  std::size_t outgoing_bytes_high = 256 << 10;
  std::size_t outgoing_bytes_max = 8 << 20;
  /// What a phone may send before anything is taken from it: a whole first flight.
  int window_bytes = 4 << 20;
  /// What gRPC may hold in buffers for all connections before it slows them down.
  std::size_t memory_bytes_max = 512 << 20;
};

/// The phones' door: `SyncService` and `MediaService` over TLS, the health service, reflection.
class RpcServer {
 public:
  /// Listens and serves. `handler` outlives the server.
  ///
  /// Errors: kUnavailable (the address is taken or not this machine's), kInvalid (the identity).
  static Result<std::unique_ptr<RpcServer>> start(RpcServerOptions options, RpcHandler& handler);

  virtual ~RpcServer() = default;

  /// The port that is listened at.
  virtual int port() const = 0;

  /// What the health service answers from now on. Calls are taken all the same: who only reads can
  /// be served, and everybody else is told when to come back. Any thread.
  virtual void set_serving(bool serving) = 0;

  /// Takes no new calls, tells the handler, waits for open calls to end, at most so long, and then
  /// cuts what is left. When it returns no event comes any more. Blocks; not from a gRPC thread.
  /// Destroying the server does this without waiting.
  virtual void shutdown(std::chrono::milliseconds grace) = 0;
};

}  // namespace gridwhistle::rpc
